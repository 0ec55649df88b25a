"""The report of the pages: everything the workbook can show, in both languages, nothing else."""

import pandas as pd
import pytest
from hand_visits import Visit, intake

from xlfunnel.analysis import analyse
from xlfunnel.pages import PAGES, build_report, headers
from xlfunnel.report import Report
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words

ROWS: list[Visit] = [
    (f"{n}", "LX" if n % 3 else "北区", "ABC"[n % 3], stage, "open", f"2025-0{1 + n % 5}-1{n % 9}", None, 1000 * n)
    for n, stage in enumerate(["T0", "T1", "T2", "T3", "T4"] * 6, 1)
]


def made(rows: list[Visit], language: str, as_of: str = "2025-06-30", *, with_data: bool = True) -> Report:
    return build_report(analyse(intake(rows, as_of), Settings(language=language)), with_data=with_data)


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_fills_every_table_and_named_cell(language: str) -> None:
    report = made(ROWS, language)
    assert set(report.tables) == {t.name for p in PAGES for t in p.tables}
    assert set(report.cells) == {s.name for p in PAGES for s in p.slots}
    for page in PAGES:
        for table in page.tables:
            shown = headers(table, words(language))
            own = [shown[c.key] for c in table.columns if not c.typed or page.input]
            assert list(report.tables[table.name].columns) == own, table.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refresh_leaves_what_the_user_owns(language: str) -> None:
    report = made(ROWS, language, with_data=False)
    owned = {t.name for p in PAGES if p.input for t in p.tables} | {"tbl_data"}
    assert {"tbl_stages", "tbl_benchmarks", "tbl_horizons"} < owned
    assert not set(report.tables) & owned
    assert not [c for c in report.cells if c.startswith("cfg_")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "rows",
    [[], ROWS[:1], [r for r in ROWS if r[3] == "T0"], [(*ROWS[0][:2], "", *ROWS[0][3:])]],
    ids=["nothing", "one_visit", "only_T0", "no_owner"],
)
def test_little_data_gives_words_not_a_crash(language: str, rows: list[Visit]) -> None:
    report = made(rows, language)
    assert all(report.cells[f"txt_sentence_{i}"] for i in (1, 2, 3))
    assert "nan" not in " ".join(str(v) for v in report.cells.values() if isinstance(v, str)).lower().split()


def test_headers_within_a_table_differ_even_without_case() -> None:
    for language in LANGUAGES:
        for table in (t for p in PAGES for t in p.tables):
            shown = [h.casefold() for h in headers(table, words(language)).values()]
            assert len(set(shown)) == len(shown), (language, table.name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_data_sheet_shows_days_and_cents_exactly(language: str) -> None:
    rows: list[Visit] = [("007", "LX", "A", "T2", "won", "2025-01-31", "2025-02-28", 12)]
    data = made(rows, language).tables["tbl_data"]
    say = words(language)
    names = [say(f"tables.data.{c}") for c in ("opportunity_id", "entered", "left", "next_stage", "amount")]
    assert data[names].iloc[0].tolist() == [
        "007", pd.Timestamp("2025-01-31"), pd.Timestamp("2025-02-28"), say("data.outcome.won"), 12.0,
    ]  # fmt: skip
