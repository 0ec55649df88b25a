"""What users typed lives through refreshes: beside its row, kept without it, back with it; in files and open books."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlwings as xw
from hand_visits import Visit, intake
from hosts.office import convert, require
from live_books import opened
from small_books import refill

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.entered import Entered
from xlfunnel.excel import inputs, template
from xlfunnel.excel.entered import entered_shown
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_sink import LiveSink
from xlfunnel.excel.typed_columns import Orphan
from xlfunnel.pages import PAGES, TABLES, build_report, headers, is_kept
from xlfunnel.report import fill
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words
from xlfunnel.terms import BANT, SCORES, WIN_STEPS

AS_OF = "2025-06-30"
KEYS = ("0012", "12", "1000000000000001", "12345678901234567890", "1e5", "2025-01-02", "TRUE", "商机 7", "=x")
"""Ids that programs like to take for something else."""


def opportunity(key: str, stage: str = "T3", entered: str = "2025-06-01", amount: int = 100) -> Visit:
    return (key, "LX", "A", stage, "open", entered, None, amount)


def of(language: str, rows: list[Visit], entered: Entered | None = None) -> FunnelAnalysis:
    return analyse(intake(rows, AS_OF), Settings(language=language), None, entered)


def refreshed(path: Path, rows: list[Visit]) -> tuple[Entered, tuple[Orphan, ...]]:
    """What a refresh of the closed file reads, and what it cannot place."""
    entered = inputs.read_entered(path)
    sink = FileSink(path, path)
    fill(build_report(of(inputs.language(path), rows, entered), with_data=False), sink)
    return entered, sink.orphans


def type_in(path: Path, table: str, rows: dict[str, dict[str, Any]]) -> None:
    """Type into rows of a closed file, by their keys; column keys as in the code."""
    names = headers(TABLES[table], words(inputs.language(path)))
    key = names[TABLES[table].key]
    columns = dict.fromkeys(c for row in rows.values() for c in row)
    there = inputs.table_frame(path, table)
    frame = pd.DataFrame({key: there[key], **{names[c]: [rows.get(k, {}).get(c) for k in there[key]] for c in columns}})
    assert set(rows) <= set(there[key])
    refill(path, path, {table: frame.astype(object)}, keys={table: key})


def beside(path: Path, table: str, *columns: str) -> dict[Any, tuple[Any, ...]]:
    """What stands beside the rows of a closed file, where anything does."""
    names = headers(TABLES[table], words(inputs.language(path)))
    frame = inputs.table_frame(path, table)
    rows = frame[[names[TABLES[table].key], *(names[c] for c in columns)]].itertuples(index=False, name=None)
    return {row[0]: row[1:] for row in rows if any(v is not None for v in row[1:])}


def kept(path: Path) -> list[tuple[Any, ...]]:
    """Key, value and code of the kept entries."""
    names = headers(TABLES["tbl_kept"], words(inputs.language(path)))
    frame = inputs.table_frame(path, "tbl_kept")[[names[c] for c in ("key", "value", "code")]]
    return [tuple(row) for row in frame.itertuples(index=False)]


@pytest.fixture(params=LANGUAGES)
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    template.build(request.param, path)
    return path


def test_an_empty_workbook_has_nothing_typed(book: Path) -> None:
    found = inputs.read_entered(book)
    assert [len(found.tables[t]) for t in ("opportunities", "assurance", "leads")] == [0, 0, 0]
    assert (found.apart, found.mended) == ((), frozenset())


def test_entries_follow_keys_however_they_look_and_however_rows_change(book: Path) -> None:
    rows = [opportunity(k, amount=1000 - i) for i, k in enumerate(KEYS)]
    refreshed(book, rows)
    typed = {k: {"urgency": i % 5 + 1, "next_step": f"note {k}"} for i, k in enumerate(KEYS)}
    type_in(book, "tbl_opportunities", typed)
    wanted = {k: tuple(v.values()) for k, v in typed.items()}
    others = [opportunity(f"n{i}", amount=5000 + i) for i in range(30)]
    reverse = [opportunity(k, amount=1000 + i) for i, k in enumerate(KEYS)]
    for now in (rows, reverse, [*others, *rows], rows, [*reverse, *others]):
        entered, orphans = refreshed(book, now)
        assert orphans == ()
        assert beside(book, "tbl_opportunities", "urgency", "next_step") == wanted
        assert kept(book) == []
    found = entered.frame("opportunities", ("opportunity_id", "urgency"))
    assert dict(found.itertuples(index=False)) == {k: v["urgency"] for k, v in typed.items()}


def test_what_loses_its_row_is_kept_and_comes_back(book: Path) -> None:
    say = words(inputs.language(book))
    rows = [opportunity(k) for k in ("a", "b", "c")]
    refreshed(book, rows)
    day = datetime(2025, 7, 9)
    typed = {"a": {"fit": 3, "expected_close": day, "next_step": "0012"}, "b": {"fit": 5}}
    type_in(book, "tbl_opportunities", typed)
    _, orphans = refreshed(book, rows[1:])
    assert {(o.key, o.value) for o in orphans} == {("a", 3), ("a", 45847), ("a", "0012")}
    assert all(is_kept(o.table, o.column, say) for o in orphans)
    stays = [("a", "2025-07-09", "opportunities.expected_close"), ("a", 3, "opportunities.fit")]
    stays.append(("a", "0012", "opportunities.next_step"))
    assert kept(book) == stays
    entered, _ = refreshed(book, rows[1:])
    assert kept(book) == stays
    assert entered.tables["opportunities"].set_index("opportunity_id").loc["a", "expected_close"] == day
    refreshed(book, rows)
    assert kept(book) == []
    assert beside(book, "tbl_opportunities", "fit", "expected_close", "next_step") == {
        "a": (3, day, "0012"), "b": (5, None, None),
    }  # fmt: skip
    names = headers(TABLES["tbl_opportunities"], say)
    assert list(inputs.table_frame(book, "tbl_opportunities")[names["opportunity_id"]]) == ["a", "b", "c"]


def test_a_move_to_another_list_keeps_what_was_typed_in_the_first(book: Path) -> None:
    yes = words(inputs.language(book))("assurance.answer.yes")
    refreshed(book, [opportunity("a", "T1")])
    type_in(book, "tbl_leads", {"a": {"budget": yes, "need": yes}})
    refreshed(book, [opportunity("a", "T2")])
    assert kept(book) == [("a", yes, "leads.budget"), ("a", yes, "leads.need")]
    refreshed(book, [opportunity("a", "T1")])
    assert beside(book, "tbl_leads", "budget", "need", "grade") == {"a": (yes, yes, "C")}


def test_choices_are_understood_in_either_language(book: Path) -> None:
    refreshed(book, [opportunity("a", "T4"), opportunity("b", "T4")])
    other = {"zh-CN": " YES", "en": "是"}[inputs.language(book)]
    type_in(book, "tbl_assurance", {"a": {"visit": other, "solution": "maybe"}})
    found = inputs.read_entered(book).frame("assurance", ("opportunity_id", "visit", "solution"))
    assert found.to_numpy().tolist() == [["a", "yes", "maybe"]]
    refreshed(book, [opportunity("a", "T4"), opportunity("b", "T4")])
    own = words(inputs.language(book))("assurance.answer.yes")  # formulas look for the workbook's own word
    assert beside(book, "tbl_assurance", "visit", "solution", "done") == {"a": (own, "maybe", 1), "b": (None, None, 0)}


def test_what_was_typed_as_text_is_mended(book: Path) -> None:
    refreshed(book, [opportunity("a"), opportunity("b")])
    typed = {"a": {"expected_close": "2025年7月9日", "urgency": "4", "fit": "four"}, "b": {"urgency": 2}}
    type_in(book, "tbl_opportunities", typed)
    entered, _ = refreshed(book, [opportunity("b", amount=900), opportunity("a")])
    assert entered.mended == {("opportunities", "expected_close"), ("opportunities", "urgency")}
    assert beside(book, "tbl_opportunities", "expected_close", "urgency", "fit") == {
        "b": (None, 2, None), "a": (datetime(2025, 7, 9), 4, "four"),
    }  # fmt: skip
    assert inputs.read_entered(book).mended == frozenset()


def test_a_new_workbook_takes_over_what_an_older_one_held(book: Path, tmp_path: Path) -> None:
    yes = words(inputs.language(book))("assurance.answer.yes")
    rows = [opportunity("a"), opportunity("w", "T4"), opportunity("gone")]
    refreshed(book, rows)
    type_in(book, "tbl_opportunities", {"a": {"fit": 4}, "gone": {"fit": 2}})
    type_in(book, "tbl_assurance", {"w": {"visit": yes}})
    for language in LANGUAGES:
        new = tmp_path / f"new.{language}.xlsx"
        template.build(language, new)
        analysis = of(language, rows[:2], inputs.read_entered(book))
        fill(build_report(analysis, with_data=True, with_entered=True), FileSink(new, new))
        assert beside(new, "tbl_opportunities", "fit") == {"a": (4,)}
        assert beside(new, "tbl_assurance", "visit") == {"w": (words(language)("assurance.answer.yes"),)}
        assert kept(new) == [("gone", 2, "opportunities.fit")]


def test_a_template_without_the_tables_gives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.xlsx"
    older = [p for p in PAGES if p.key not in ("opportunities", "assurance", "kept", "review")]
    template.build("en", path, pages=older)
    assert not {"opportunities", "assurance", "leads"} & set(inputs.read_entered(path).tables)


def test_a_row_that_a_user_copied_loses_nothing(book: Path) -> None:
    refreshed(book, [opportunity("a"), opportunity("b")])
    type_in(book, "tbl_opportunities", {"a": {"fit": 4}, "b": {"fit": 1, "next_step": "x"}})
    names = headers(TABLES["tbl_opportunities"], words(inputs.language(book)))
    frame = inputs.table_frame(book, "tbl_opportunities")
    frame[names["opportunity_id"]] = "a"
    refill(book, book, {"tbl_opportunities": frame[[names[c] for c in ("opportunity_id", "fit", "next_step")]]})
    refreshed(book, [opportunity("a"), opportunity("b")])
    assert beside(book, "tbl_opportunities", "fit", "next_step") == {"a": (4, "x")}
    assert kept(book) == [("a", 1, "opportunities.fit")]


@pytest.mark.office
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_open_workbook_does_as_the_file(language: str, tmp_path: Path, office_app: xw.App) -> None:
    path, live_path = tmp_path / "book.xlsx", tmp_path / "live.xlsx"
    template.build(language, path)
    rows = [opportunity(k, amount=1000 - i) for i, k in enumerate(KEYS)]
    refreshed(path, rows)
    typed = {k: {"urgency": i % 5 + 1, "next_step": f"note {k}"} for i, k in enumerate(KEYS)}
    typed["12"]["expected_close"] = datetime(2025, 6, 1)
    typed["0012"]["expected_close"] = "2025-07-01"
    type_in(path, "tbl_opportunities", typed)
    steps = [rows[::-1], rows[3:], [*rows[:4], opportunity("new", amount=9999)], rows]
    beside_it = tmp_path / "open.xlsx"
    beside_it.write_bytes(path.read_bytes())
    with opened(office_app, beside_it) as live:
        for now in steps:
            entered, _ = refreshed(path, now)
            found = entered_shown(LiveBook(live))
            for name, frame in entered.tables.items():
                pd.testing.assert_frame_equal(found.tables[name], frame, check_dtype=False)
            assert (found.apart, found.mended) == (entered.apart, entered.mended)
            fill(build_report(of(language, now, found), with_data=False), LiveSink(LiveBook(live)))
        live.save(live_path)
    columns = ("urgency", "next_step", "expected_close", "stale", "verdict")
    assert beside(live_path, "tbl_opportunities", *columns) == beside(path, "tbl_opportunities", *columns)
    assert kept(live_path) == kept(path) == []


FORMULAS = {
    "tbl_opportunities": ("total", "stale", "verdict"), "tbl_advice": ("count", "amount"),
    "tbl_stale": ("moving", "stale"), "tbl_assurance": ("done",), "tbl_leads": ("grade",),
    "tbl_reason_counts": ("lost", "won", "amount", "order"),
    "tbl_reasons": ("reason", "lost", "won", "share", "cumulative", "amount"),
}  # fmt: skip


def compared(book: Path, folder: Path, tables: Sequence[str]) -> None:
    """Formulas of these tables, counted by LibreOffice, against the values that Python wrote."""
    counted = convert(book, "xlsx", folder)
    for table in tables:
        names = headers(TABLES[table], words(inputs.language(book)))
        python, native = (inputs.table_frame(p, table)[[names[c] for c in FORMULAS[table]]] for p in (book, counted))
        for mine, theirs in zip(python.to_numpy().tolist(), native.to_numpy().tolist(), strict=True):
            for a, b in zip(mine, theirs, strict=True):
                assert (a or None) == (b or None) or a == pytest.approx(b), (table, mine, theirs)


@pytest.mark.office
def test_formulas_and_python_agree(book: Path, tmp_path: Path) -> None:
    require()
    say = words(inputs.language(book))
    yes, no = say("assurance.answer.yes"), say("assurance.answer.no")
    done: list[Visit] = [(f"d{i}", "LX", "A", "T3", "T4", "2025-01-01", "2025-01-11", 1) for i in range(5)]
    rows = [*done, *(opportunity(f"o{i}", ("T2", "T3", "T4")[i % 3], f"2025-06-{30 - i:02}", i) for i in range(25))]
    rows += [opportunity(f"w{i}", "T4") for i in range(4)] + [opportunity(f"l{i}", "T1") for i in range(6)]
    refreshed(book, rows)
    marks = dict(zip(range(25), [(a, b, 3, 3, 3) for a in range(1, 6) for b in range(1, 6)], strict=True))
    marks |= {3: (1, 1, 1, 1, 1), 4: (5, 5, 5, 5, 6), 5: (5, 5, 5, 5, "x"), 6: (1, 2, 2, 2, 2)}
    typed: dict[str, dict[str, Any]] = {f"o{i}": dict(zip(SCORES, m, strict=True)) for i, m in marks.items() if i != 9}
    typed["o9"] = {"last_activity": datetime(2024, 1, 1)}
    typed["o7"]["expected_close"], typed["o8"]["expected_close"] = datetime(2025, 6, 29), datetime(2025, 6, 30)
    typed["o8"]["last_activity"], typed["o10"]["last_activity"] = datetime(2025, 5, 30), datetime(2025, 5, 31)
    type_in(book, "tbl_opportunities", typed)
    answers = {"w0": (yes, yes, yes), "w1": (yes, no, None), "w2": (None, "x", None)}
    type_in(book, "tbl_assurance", {k: dict(zip(WIN_STEPS, v, strict=True)) for k, v in answers.items()})
    leads = {"l0": (yes,) * 4, "l1": (yes, yes, yes, no), "l2": (yes, yes), "l3": (no,), "l4": (yes,)}
    type_in(book, "tbl_leads", {k: dict(zip(BANT, v, strict=False)) for k, v in leads.items()})
    refreshed(book, rows)
    compared(book, tmp_path / "counted", tuple(FORMULAS)[:5])
    shown = set(inputs.table_frame(book, "tbl_opportunities")[headers(TABLES["tbl_opportunities"], say)["verdict"]])
    assert len(shown) == 5  # every verdict occurred


@pytest.mark.office
@pytest.mark.parametrize("typed", [True, False])
def test_reasons_are_counted_by_formulas_as_by_python(book: Path, tmp_path: Path, typed: bool) -> None:
    require()
    say = words(inputs.language(book))
    ends = [("won" if i % 5 == 4 else "lost", f"2025-06-{i + 1:02}", None if i == 3 else i) for i in range(20)]
    rows: list[Visit] = [(f"c{i}", "LX", "A", "T3", went, "2025-05-01", z, a) for i, (went, z, a) in enumerate(ends)]
    refreshed(book, rows)
    said = ["price", "fit", "fit", "price", "price", "need", "fit", "other"]
    reasons: dict[str, dict[str, Any]] = {f"c{i}": {"reason": say(f"review.reason.{r}")} for i, r in enumerate(said)}
    reasons |= {"c8": {"reason": "our own words"}, "c9": {"reason": "theirs"}, "c10": {"lesson": "ask early"}}
    if typed:
        type_in(book, "tbl_review", reasons)
        refreshed(book, rows)
    compared(book, tmp_path / "counted", ("tbl_reason_counts", "tbl_reasons"))
    names = headers(TABLES["tbl_reasons"], say)
    first = inputs.table_frame(book, "tbl_reasons").iloc[0][[names[c] for c in ("reason", "lost", "won")]].tolist()
    assert first == ([say("review.reason.fit"), 3, 0] if typed else [say("review.reason.price"), 0, 0])


def test_a_reason_stays_with_its_opportunity_when_it_leaves_the_window(book: Path) -> None:
    old: Visit = ("old", "LX", "A", "T3", "lost", "2024-12-01", "2025-01-10", 5)
    months: list[Visit] = [(f"m{i}", "LX", "A", "T0", "lost", f"2025-0{i}-01", f"2025-0{i}-02", 1) for i in range(1, 7)]
    refreshed(book, [old, *months])
    type_in(book, "tbl_review", {"old": {"reason": "own words", "lesson": "x"}})
    entered = inputs.read_entered(book)
    later = analyse(intake([old, *months], "2025-09-30"), Settings(language=inputs.language(book)), (), entered)
    fill(build_report(later, with_data=False), FileSink(book, book))
    assert kept(book) == [("old", "own words", "review.reason"), ("old", "x", "review.lesson")]
    refreshed(book, [old, *months])
    assert beside(book, "tbl_review", "reason", "lesson") == {"old": ("own words", "x")}
