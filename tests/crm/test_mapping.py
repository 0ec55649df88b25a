"""A mapping is a settings file that reads the export as before, and says what is left to decide."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crm_files import csv_bytes, short

from xlfunnel import settings as settings_files
from xlfunnel.crm import as_toml, mapping_of, read_sources
from xlfunnel.settings import Settings
from xlfunnel.strings import words

ROWS = [
    ["Opp No", "Rep", "Deal Stage", "Created", "Close date", "Is Won", "Is Closed"],
    ["1", "Ann", "Discovery", "2025-01-01", "", "false", "false"],
    ["2", "Ann", "Propsal", "2025-01-02", "", "false", "false"],
    ["3", "Bob", "Signed!", "2025-01-03", "2025-02-01", "true", "true"],
    ["4", "Bob", 'Quo"te\\', "2025-01-04", "", "", ""],
]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_is_known_is_settled_and_the_rest_suggested(tmp_path: Path, language: str) -> None:
    (tmp_path / "a.csv").write_bytes(csv_bytes(ROWS))
    chosen = Settings(language=language, columns={"opportunity_id": "Opp No"})
    mapping = mapping_of([tmp_path / "a.csv"], chosen)
    assert [(s.name, s.rows, s.target, s.nearest, s.hint) for s in mapping.stages[:3]] == [
        ("Discovery", 1, "T2", "", ""),
        ("Propsal", 1, "", "proposal", "T3"),
        ("Signed!", 1, "", "", "won"),
    ]
    text = as_toml(mapping, chosen, words(language))
    (tmp_path / "s.toml").write_text(text, "utf-8")
    loaded = settings_files.load(tmp_path / "s.toml")
    assert loaded.columns == {
        "opportunity_id": "Opp No", "owner": "Rep", "stage": "Deal Stage", "created": "Created", "closed": "Close date",
    }  # fmt: skip
    assert loaded.stage_map == {"Discovery": "T2"}
    completed = tomllib.loads(text.replace('# "', '"'))  # as a person would who takes every suggestion
    assert completed["stage_map"] == {"Discovery": "T2", "Propsal": "T3", "Signed!": "won", 'Quo"te\\': "T0"}
    intake = read_sources([tmp_path / "a.csv"], settings_files.from_table(completed))
    assert [v[2] for v in short(intake.visits)] == ["T2", "T3", "T0", "T0"]
    assert intake.issues == ()


def test_columns_of_stage_dates_that_nobody_mapped_are_asked_about(tmp_path: Path) -> None:
    rows = [["Record ID", "Deal Stage", "Create date", 'Date entered "Demo (Sales)"'], ["1", "Lead", "2025-01-01", ""]]
    (tmp_path / "a.csv").write_bytes(csv_bytes(rows))
    mapping = mapping_of([tmp_path / "a.csv"], Settings())
    assert mapping.loose == ('Date entered "Demo (Sales)"',)
    assert "T2 = " in as_toml(mapping, Settings(), words("en"))


def test_columns_of_several_files_are_only_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv_bytes(ROWS))
    (tmp_path / "b.csv").write_bytes(csv_bytes([["id", "owner"], ["1", "Ann"]]))
    chosen = Settings(columns={"opportunity_id": "Opp No"})
    text = as_toml(mapping_of([tmp_path / "a.csv", tmp_path / "b.csv"], chosen), chosen, words("en"))
    assert tomllib.loads(text)["columns"] == {}
    assert '# owner = "Rep"' in text


def test_the_command_prints_or_writes_it(xlfunnel: Callable[..., Any], export: Path, tmp_path: Path) -> None:
    printed = xlfunnel("map", export)
    assert printed.code == 0
    assert tomllib.loads(printed.out)["columns"]["left"] == "Left"
    written = xlfunnel("map", export, "-o", "my.toml")
    assert written.out == "Settings: my.toml\n"
    assert Path("my.toml").read_text("utf-8") == printed.out
    assert xlfunnel("report", export, "--settings", "my.toml", "-o", "out.xlsx").code == 0
    assert xlfunnel("map", export, "-o", export).code == 2
    assert xlfunnel("map", "none.csv").code == 3


def test_a_sheet_is_named_on_the_command_line(xlfunnel: Callable[..., Any], export: Path) -> None:
    run = xlfunnel("check", export, "--sheet", "Data")
    assert (run.code, run.err.count("\n")) == (3, 1)
    assert "Data" in run.err
