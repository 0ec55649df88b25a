"""Both languages say the same things, code asks only for words that exist, and no word lies about unused."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from string import Formatter

import pytest

from xlfunnel import terms
from xlfunnel.arguments import COMMANDS, OPTIONS
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import table, words
from xlfunnel.terms import (
    OUTCOMES,
    STAGES,
    STEPS,
    Advice,
    ConversionKind,
    Diagnosis,
    Field,
    FlagCode,
    GapKind,
    IssueCode,
    Judgement,
    Outcome,
    Pace,
    Placement,
    PlanStatus,
    Reach,
    Reason,
    Severity,
    Shape,
    Silence,
    Stale,
    Tag,
    Treatment,
    Verdict,
)

PACKAGE = Path(__file__).resolve().parents[1] / "xlfunnel"
TREES = {p: ast.parse(p.read_text("utf-8")) for p in sorted(PACKAGE.rglob("*.py"))}
KEYS = set(table("en"))
TOPICS = {k.partition(".")[0] for k in KEYS}
KEY = re.compile(rf"({'|'.join(sorted(TOPICS))})(\.[A-Za-z0-9_-]+)+")
FILE_ENDS = (".py", ".toml", ".csv", ".xlsx", ".xlsm", ".json", ".xml", ".md")
EN, ZH = table("en"), table("zh-CN")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def literal_keys() -> Iterator[tuple[str, str]]:
    """(where, text) of every string in code that reads like a key."""
    for path, tree in TREES.items():
        pieces = {id(v) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if id(node) not in pieces and KEY.fullmatch(text) and (text in KEYS or not text.endswith(FILE_ENDS)):
                yield f"{path.name}:{node.lineno}", text


def key_patterns() -> Iterator[tuple[str, str]]:
    """(where, regular expression) of every f-string in code that builds a key of a known topic."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr) or not isinstance(node.values[0], ast.Constant):
                continue
            if str(node.values[0].value).partition(".")[0] in TOPICS and "." in str(node.values[0].value):
                parts = (re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".+" for v in node.values)
                yield f"{path.name}:{node.lineno}", "".join(parts)


def test_both_languages_have_the_same_keys() -> None:
    assert LANGUAGES == ("zh-CN", "en")
    assert sorted(set(EN) ^ set(ZH)) == []


def test_both_languages_have_the_same_placeholders() -> None:
    assert {k: (EN[k], ZH[k]) for k in set(EN) & set(ZH) if placeholders(EN[k]) != placeholders(ZH[k])} == {}


def test_english_holds_no_han() -> None:
    assert [k for k, t in EN.items() if re.search("[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]", t)] == []


def test_every_key_in_code_exists() -> None:
    assert [(where, key) for where, key in literal_keys() if key not in KEYS] == []


def test_every_composed_key_in_code_can_exist() -> None:
    assert [(where, p) for where, p in key_patterns() if not any(re.fullmatch(p, k) for k in KEYS)] == []


def test_no_key_is_unused() -> None:
    used = {key for _, key in literal_keys()}
    patterns = {p for _, p in key_patterns()}
    assert sorted(k for k in KEYS - used if not any(re.fullmatch(p, k) for p in patterns)) == []


def test_code_fills_every_placeholder() -> None:
    """A call with a key and named values gives at least the values that the text asks for."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            key, given = node.args[0].value, {k.arg for k in node.keywords}
            if isinstance(key, str) and key in KEYS and None not in given:
                missing = placeholders(EN[key]) - {str(g) for g in given}
                assert not missing, f"{path.name}:{node.lineno} {key} lacks {missing}"


ENUM_LABELS: list[tuple[str, type[StrEnum] | tuple[str, ...]]] = [
    ("issues.code", IssueCode),
    ("issues.treatment", Treatment),
    ("issues.shape", Shape),
    ("trend.verdict", Verdict),
    ("trend.meaning", Verdict),
    ("conversion.judgement", Judgement),
    ("conversion.kind", ConversionKind),
    ("flow.pace", Pace),
    ("reps.placement", Placement),
    ("reps.trend", Verdict),
    ("tags.name", Tag),
    ("tags.evidence", Tag),
    ("shape.judgement", Judgement),
    ("forecast.silent", Silence),
    ("forecast.gap", GapKind),
    ("opportunities.advice", Advice),
    ("opportunities.stale", Stale),
    ("review.reason", Reason),
    ("flags.code", FlagCode),
    ("flags.evidence", FlagCode),
    ("remedies.diagnosis", Diagnosis),
    ("plans.status", PlanStatus),
    ("plans.reach", Reach),
    ("alerts.severity", Severity),
    ("settings_sheet.field", Field),
    ("settings_sheet.step", tuple(s for s in STEPS if s.endswith(Outcome.WON))),
    ("sheets.stage", STAGES),
    ("data.outcome", (*OUTCOMES, Outcome.GONE)),
    ("cli.help.command", tuple(COMMANDS)),
    ("cli.help.option", tuple(OPTIONS)),
]


@pytest.mark.parametrize(("prefix", "members"), ENUM_LABELS, ids=[p for p, _ in ENUM_LABELS])
def test_every_member_has_its_label(prefix: str, members: type[StrEnum] | tuple[str, ...]) -> None:
    assert [str(m) for m in members if f"{prefix}.{m}" not in KEYS] == []


def test_no_enum_of_terms_is_without_labels() -> None:
    """But for names of columns, and what reads by its table's header."""
    known = {members for _, members in ENUM_LABELS} | {terms.Col, terms.Outcome, terms.Measure}
    every = {e for e in vars(terms).values() if isinstance(e, type) and issubclass(e, StrEnum) and e is not StrEnum}
    assert every - known == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_can_be_filled(language: str) -> None:
    say = words(language)
    for key, text in table(language).items():
        names = placeholders(text)
        filled = say(key, **dict.fromkeys(names, "·"))
        assert filled.count("·") >= len(names)
        assert "{" not in filled
        assert "}" not in filled
