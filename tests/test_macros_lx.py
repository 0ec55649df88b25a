"""The whole check-up inside the spreadsheet program: the sample, a refresh, months that go and months that come."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
import xlwings as xw
from clicked import Office, clicked, renamed, workbook
from excel.live_books import chart_ranges, read_back

from xlfunnel import app, macros
from xlfunnel.excel.inputs import settings_shown
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_sink import LiveSink
from xlfunnel.excel.recording_sink import RecordingSink
from xlfunnel.report import Report, fill
from xlfunnel.strings import Words, words

pytestmark = pytest.mark.office

PUBLISHED = {"T0→T2": (-15.343, 147.53, 0.565), "T0→T3": (-21.971, 189.73, 0.655)}
STEPS = ("settings", "read", "analyse", "report", "check", "write", "calculate")
TABLES = (
    "tbl_funnel", "tbl_fits", "tbl_evidence", "tbl_trend", "tbl_reps", "tbl_rep_bars", "tbl_alerts",
    "tbl_rep_rates", "tbl_cards", "tbl_card_steps",
)  # fmt: skip
CELLS = (
    "txt_title",
    "txt_sentence_1",
    "txt_sentence_2",
    "txt_sentence_3",
    "kpi_slope",
    "kpi_reserve",
    "txt_trend_scope",
)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(params=["zh-CN", "en"])
def book(
    request: pytest.FixtureRequest, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[xw.Book]:
    """The workbook that ships, open and empty."""
    with clicked(office.app, workbook(tmp_path, request.param), monkeypatch) as opened:
        yield opened


@pytest.fixture(params=["zh-CN", "en"])
def sample(
    request: pytest.FixtureRequest,
    office: Office,
    filled: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[xw.Book]:
    """The same with the sample in it, as the command line puts it there."""
    with clicked(office.app, renamed(filled(request.param), tmp_path), monkeypatch) as opened:
        yield opened


def _say(book: xw.Book) -> Words:
    return words(str(LiveBook(book).cell("cfg_language")))


def _table(book: xw.Book, name: str) -> tuple[xw.Range, pd.DataFrame]:
    native = LiveBook(book).native(name)
    head, *rows = native.range.value
    return native.range, pd.DataFrame(rows, columns=head, dtype=object)


def _months(book: xw.Book) -> list[str]:
    return [str(m) for m in _table(book, "tbl_trend")[1].iloc[:, 0]]


def _covered(book: xw.Book) -> None:
    """Every chart covers its table's body from the first row to the last, and nothing stands below the table."""
    ranges = {r for found in chart_ranges(book).values() for r in found}
    assert len(ranges) >= 12
    tables = {t.name: t.range for sheet in book.sheets for t in sheet.tables}
    rows = {(t.sheet.name, t.row + 1, t.row + t.shape[0] - 1) for t in tables.values()}
    for text in ranges:
        sheet, _, cells = text.replace("$", "").rpartition(".")
        first, last = (int("".join(filter(str.isdigit, c))) for c in cells.split(":"))
        assert (sheet.strip("'"), first, last) in rows, text
    for name in ("tbl_trend", "tbl_reps", "tbl_alerts"):
        at = tables[name]
        below = at.sheet.range(
            (at.row + at.shape[0], at.column), (at.row + at.shape[0] + 20, at.column + at.shape[1] - 1)
        )
        assert not any(v is not None for row in below.value for v in row), name


def _checked(book: xw.Book) -> None:
    """Excel's own SLOPE, INTERCEPT and RSQ agree with ours."""
    _, fits = _table(book, "tbl_fits")
    assert fits.iloc[:, 8].tolist() == ["✓"] * 3


def _edit(book: xw.Book, rows: list[list[object]], as_of: date, months: int) -> None:
    """What a user does to the Data and Settings sheets, quickly."""
    head = LiveBook(book).native("tbl_data").range.value[0]
    frame = pd.DataFrame(rows, columns=head, dtype=object)
    fill(Report({"tbl_data": frame}, {"cfg_as_of": as_of, "cfg_trend_months": months}), LiveSink(LiveBook(book)))


def test_the_sample_and_a_refresh_give_the_published_fits(office: Office, book: xw.Book) -> None:
    say = _say(book)
    assert office.click(macros.load_sample) == []
    assert office.click(macros.refresh) == []
    assert office.shown() == [
        say("macros.step.of", n=i, of=7, what=say(f"macros.step.{step}")) for i, step in enumerate(STEPS, 1)
    ]
    _, fits = _table(book, "tbl_fits")
    for span, (slope, intercept, r_squared) in PUBLISHED.items():
        row = fits[fits.iloc[:, 0] == span].iloc[0]
        assert (round(row.iloc[1], 3), round(row.iloc[2], 2), round(row.iloc[3], 3)) == (slope, intercept, r_squared)
    assert _months(book) == [f"2025-{m:02d}" for m in range(1, 7)]
    _checked(book)
    _covered(book)
    assert say("flags.code.below_mean") in " ".join(map(str, _table(book, "tbl_reps")[1].iloc[:, -1]))


def test_a_rep_is_chosen_on_the_card_without_a_click_and_stays_chosen(office: Office, sample: xw.Book) -> None:
    book = sample
    live, say = LiveBook(book), _say(book)
    _, reps = _table(book, "tbl_reps")
    held = dict(zip(reps[say("tables.reps.owner")], reps[say("tables.reps.reserve")], strict=True))

    def shown(name: str) -> object:
        sheet, at = live.cell_of(name)
        return book.sheets[sheet].range(str(at)).value

    sheet, at = live.cell_of("cfg_rep")
    assert (shown("cfg_rep"), shown("kpi_card_reserve")) == ("A", held["A"])
    book.sheets[sheet].range(str(at)).value = "E"
    book.app.calculate()
    for _ in range(2):
        assert shown("txt_card_title") == say("card.title") + "E"
        assert shown("kpi_card_reserve") == held["E"] == 11
        assert _table(book, "tbl_card_trend")[1][say("tables.card_trend.reserve")].iloc[-1] == held["E"]
        assert _table(book, "tbl_card_funnel")[1][say("tables.card_funnel.now")].tolist() == [5, 3, 2, 1, 0]
        assert office.click(macros.refresh) == []
    assert shown("cfg_rep") == "E"


def test_months_go_and_come_and_everything_follows(office: Office, sample: xw.Book, tmp_path: Path) -> None:
    book = sample
    _, data = _table(book, "tbl_data")
    rows = data.to_numpy(dtype=object).tolist()
    mine = book.sheets.add("mine", after=book.sheets[len(book.sheets) - 1])
    mine["A1"].value = "my own"
    mine["A2"].formula = "=1+1"
    trend = LiveBook(book).native("tbl_trend").range
    trend[0, 0].color, trend[1, 0].color = (1, 2, 3), (250, 240, 230)
    notes = LiveBook(book).native("tbl_reps").range
    beside = notes.sheet.range((notes.row + 1, notes.column + notes.shape[1] + 90))
    beside.value = "note beside"

    until_april = [row for row in rows if row[4] < datetime(2025, 5, 1)]
    for row in until_april:
        if row[5] is not None and row[5] >= datetime(2025, 5, 1):
            row[5] = row[6] = None
    _edit(book, until_april, date(2025, 4, 30), 4)
    assert office.click(macros.refresh) == []
    assert _months(book) == [f"2025-{m:02d}" for m in range(1, 5)]
    _checked(book)
    _covered(book)

    added = [
        [
            f"N-{m}-{i}",
            until_april[0][1],
            "ABCDEF"[i % 6],
            f"T{i % 4}",
            datetime(2025, m, 3 + i),
            None,
            None,
            1000.0 * i,
        ]
        for m in range(5, 9)
        for i in range(12)
    ]
    _edit(book, [*until_april, *added], date(2025, 8, 31), 8)
    assert office.click(macros.refresh) == []
    assert _months(book) == [f"2025-{m:02d}" for m in range(1, 9)]
    _checked(book)
    _covered(book)

    assert (mine["A1"].value, mine["A2"].value) == ("my own", 2)
    trend = LiveBook(book).native("tbl_trend").range
    assert (trend[0, 0].color, trend[1, 0].color) == ((1, 2, 3), (250, 240, 230))
    assert beside.value == "note beside"
    _as_a_closed_file(book, tmp_path)


def _as_a_closed_file(book: xw.Book, folder: Path) -> None:
    """The command line makes the same of the same workbook."""
    live, closed = folder / "live.xlsx", folder / "closed.xlsx"
    book.save(live)
    _, data = _table(book, "tbl_data")
    data.to_csv(folder / "data.csv", index=False, encoding="utf-8")
    app.report(app.Inputs([folder / "data.csv"]), closed, settings_shown(LiveBook(book)))
    texts = []
    for path in (live, closed):
        sink = RecordingSink()
        fill(read_back(path, TABLES, CELLS), sink)
        texts.append(sink.text())
    assert texts[0] == texts[1]
