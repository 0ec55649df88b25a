"""Nurture plans through the months: what users type stays, by file and in the open workbook."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hand_visits import Visit, intake
from live_books import opened

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.crm import read_sources
from xlfunnel.excel import inputs
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_sink import LiveSink
from xlfunnel.excel.template_id import file_name
from xlfunnel.pages import build_report, plans
from xlfunnel.paths import shipped
from xlfunnel.report import Sink, fill
from xlfunnel.settings import Settings
from xlfunnel.strings import words

HEAD = 10
Refresh = Callable[[Path, date], None]


def held(owner: str, stage: str, n: int, since: str = "2025-06-01", until: str | None = None) -> list[Visit]:
    went = "lost" if until else "open"
    return [(f"{owner}{stage}{since}{i}", "LX", owner, stage, went, since, until, 1) for i in range(n)]


# B lacks three T3 in June, one in July, none in August; C lacks four, and then all five.
TEAM = [
    *held("A", "T3", 9), *held("B", "T3", 2), *held("B", "T3", 2, "2025-07-15"), *held("B", "T3", 2, "2025-08-15"),
    *held("C", "T3", 1, until="2025-07-20"), *held("C", "T2", 3),
]  # fmt: skip
FLOORS = {"floor_t1": 0.0, "floor_t3": 5.0}


def new_book(path: Path, language: str) -> Path:
    chosen = Settings(language=language, as_of=date(2025, 6, 30), **FLOORS)  # type: ignore[arg-type]
    report = build_report(analyse(intake(TEAM, "2025-06-30"), chosen), with_data=True)
    fill(report, FileSink(shipped(file_name(language)), path))
    return path


def analysed(path: Path, as_of: date) -> FunnelAnalysis:
    chosen = inputs.read_settings(path)
    read = read_sources([inputs.data_source(path)], chosen, as_of=as_of)
    return analyse(read, chosen, entered=inputs.read_entered(path))


@pytest.fixture(params=["file", pytest.param("live", marks=pytest.mark.office)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which sink; each in a language of its own, so that both are covered without running all four pairs."""
    return str(request.param)


@pytest.fixture
def language(kind: str) -> str:
    return {"file": "zh-CN", "live": "en"}[kind]


@pytest.fixture
def refresh(kind: str, request: pytest.FixtureRequest) -> Refresh:
    def by_file(path: Path, as_of: date) -> None:
        _fill(path, as_of, FileSink(path, path))

    def by_hand(path: Path, as_of: date) -> None:
        with opened(request.getfixturevalue("office_app"), path) as book:
            _fill(path, as_of, LiveSink(LiveBook(book)))
            book.save(path)

    return by_file if kind == "file" else by_hand


def _fill(path: Path, as_of: date, sink: Sink) -> None:
    fill(build_report(analysed(path, as_of), with_data=False), sink)
    assert getattr(sink, "orphans", ()) == ()


def shown(path: Path, language: str) -> dict[str, dict[str, Any]]:
    """plan_id -> column -> what stands there."""
    frame = inputs.table_frame(path, "tbl_plans")
    assert frame.columns[0] == words(language)("tables.plans.plan_id")
    frame.columns = pd.Index([c.key for c in plans.PAGE.tables[0].columns])
    assert frame["plan_id"].is_unique
    return {str(r["plan_id"]): {str(k): v for k, v in r.items()} for r in frame.to_dict("records")}


def type_in(path: Path, language: str, typed: dict[str, dict[str, object]]) -> None:
    """plan_id -> column -> what somebody types there."""
    book = openpyxl.load_workbook(path)
    sheet = book[words(language)("sheets.plans")]
    names = [c.key for c in plans.PAGE.tables[0].columns]
    rows = {sheet.cell(r, 2).value: r for r in range(HEAD + 1, sheet.max_row + 1)}
    for plan_id, values in typed.items():
        for name, value in values.items():
            sheet.cell(rows[plan_id], 2 + names.index(name)).value = value  # type: ignore[assignment]
    book.save(path)


def test_a_plan_lives_from_proposal_to_close(language: str, refresh: Refresh, tmp_path: Path) -> None:
    say = words(language)
    path = new_book(tmp_path / "book.xlsx", language)
    b, c = "LX·B·T3·2025-06-30", "LX·C·T3·2025-06-30"
    june = shown(path, language)
    assert {b, c} < set(june)
    assert (june[b]["start"], june[b]["now"], june[b]["status"]) == (2, 2, None)
    kept = {"responsible": "王芳", "due": datetime(2025, 8, 15), "own_target": 6, "note": "每周陪访两家；转介绍"}
    type_in(path, language, {b: {**kept, "status": say("plans.status.doing")}})

    refresh(path, date(2025, 7, 31))
    july = shown(path, language)
    assert c not in july  # nobody had touched it: it is proposed anew, under the day of this check-up
    assert "LX·C·T3·2025-07-31" in july
    assert {k: july[b][k] for k in kept} == kept
    assert (july[b]["start"], july[b]["now"], july[b]["change"]) == (2, 4, 2)

    refresh(path, date(2025, 8, 31))  # enough now: it stays until somebody says that it is done
    august = shown(path, language)
    assert {k: august[b][k] for k in kept} == kept
    assert august[b]["need"] == say("plans.need.enough")
    type_in(path, language, {b: {"status": say("plans.status.done")}})
    refresh(path, date(2025, 8, 31))
    done = shown(path, language)
    assert list(done)[-1] == b
    assert (done[b]["start"], done[b]["now"], done[b]["closed"]) == (2, 6, datetime(2025, 8, 31))
    refresh(path, date(2025, 9, 30))
    later = shown(path, language)
    assert later[b]["closed"] == datetime(2025, 8, 31)
    assert {k: later[b][k] for k in kept} == kept


def test_rows_may_change_places_and_numbers_without_mixing(language: str, refresh: Refresh, tmp_path: Path) -> None:
    path = new_book(tmp_path / "book.xlsx", language)
    names = list(shown(path, language))
    type_in(path, language, {n: {"note": f"note of {n}", "own_target": i + 1} for i, n in enumerate(names)})
    for day in (date(2025, 7, 31), date(2025, 8, 31), date(2025, 6, 30)):
        refresh(path, day)
        now = shown(path, language)
        assert {n: (now[n]["note"], now[n]["own_target"]) for n in names} == {
            n: (f"note of {n}", i + 1) for i, n in enumerate(names)
        }
