# make demo    the finished workbook of the sample        make test     everything that must hold
# make template  rebuild the workbooks under workbook/    make pictures  draw all sheets into docs/pictures/
# make bench   time and memory on large data              make clean    remove what was made
# make test-windows  only the Windows part: installer, clicks and functions under Wine

SHELL := /bin/bash
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
DEMO ?= xlfunnel-demo.xlsx

.PHONY: demo test test-windows setup-test template pictures bench clean

demo: .venv/.package
	@$(BIN)/xlfunnel demo -o "$(DEMO)"

test: setup-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist worksteal --ignore=tests/windows $(ARGS)
ifndef ARGS
	@$(MAKE) --no-print-directory test-windows
endif

# The Windows chain under Wine, with the bundle built from its lock. One process: Wine's services are shared.
test-windows: .venv/.tests
	@tools/prepare.sh windows
	@$(BIN)/python -m pytest -n 0 tests/windows $(ARGS)

setup-test: .venv/.tests
	@tools/prepare.sh office

template: .venv/.package
	@$(BIN)/python -m xlfunnel.excel.artifacts workbook

pictures: .venv/.package
	@tools/prepare.sh office
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; for lang in zh-CN en; do \
	  $(BIN)/xlfunnel demo --lang $$lang -o "$$folder/demo.xlsx" >/dev/null; \
	  /usr/bin/python3 tools/render.py "$$folder/demo.xlsx" docs/pictures --suffix $$lang; done

bench: .venv/.tests
	@$(BIN)/python benchmarks/refresh.py $(ARGS)
	@$(BIN)/python benchmarks/analysis.py

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis out $(DEMO) $(DEMO).bak

.venv/.package: setup.cfg pyproject.toml
	@tools/prepare.sh venv
	@echo "Installing xlfunnel into .venv …"
	@$(PIP) -e .
	@touch $@

.venv/.tests: .venv/.package Makefile
	@echo "Installing what the tests need …"
	@$(PIP) -e ".[test,warehouse]"
	@$(PIP) --target .venv/duckdb-attach --upgrade --no-deps duckdb==1.5.5 duckdb-extension-sqlite-scanner==1.5.5
	@touch $@
