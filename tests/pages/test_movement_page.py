"""Movement: what the sheet shows by itself, what of other months that are chosen, and when it is silent."""

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hand_visits import HAND, Visit, intake
from test_rates_pages import told
from test_shape_page import ready_made

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.entered import Entered
from xlfunnel.metrics.movement import FLOWS, INS, OUTS, STEPS_SHOWN
from xlfunnel.pages import headers, movement, movement_told
from xlfunnel.pages.model import Content
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words

ENGLISH = Settings(language="en", recent_months=2)


def chosen(
    start: str | None = None, end: str | None = None, stage: str | None = None, measure: str | None = None
) -> Any:
    """What would be typed into the yellow cells."""
    rows = [(str(i), v) for i, v in enumerate((start, end, stage, measure), 1)]
    return Entered({"movement_choice": pd.DataFrame(rows, columns=["n", "choice"], dtype=object)})


def analysed(rows: list[Visit], as_of: str = "2025-06-30", entered: Any = None) -> FunnelAnalysis:
    return analyse(intake(rows, as_of), ENGLISH, None, entered)


def page(rows: list[Visit], as_of: str = "2025-06-30", entered: Any = None) -> Content:
    analysis = analysed(rows, as_of, entered)
    return movement_told.content(analysis, Phrases(analysis.settings))


def row(found: Content, table: str, stage: str) -> dict[str, float]:
    frame = found.tables[table]
    (line,) = frame[frame["stage"] == stage].to_dict("records")
    return {name: line[name] for name in STEPS_SHOWN if line[name]}


def test_by_itself_it_shows_the_last_complete_month() -> None:
    found = page(HAND)
    assert found.tables["tbl_movement_choice"]["used"].tolist() == ["2025-05", "2025-06", "T0→T3", "Count"]
    assert row(found, "tbl_movement", "T3") == {"start": 2, "advanced_in": 1, "back_out": 1, "won": 1, "end": 1}
    assert row(found, "tbl_movement", "T0→T3")["end"] == 4
    table = found.tables["tbl_movement"]
    assert table["stage"].tolist()[:5] == ["T2", "T3", "T4", "T0→T3", "T0→T4"]
    assert table["stage"].isna().tolist() == [False] * 5 + [True] * 2
    assert table["check"].tolist()[:5] == ["✓"] * 5


def test_the_recent_months_stand_below() -> None:
    found = page(HAND)
    assert row(found, "tbl_movement_recent", "T3") == {"new": 2, "advanced_in": 1, "back_out": 1, "won": 1, "end": 1}
    assert found.cells["txt_movement_recent"] == (
        "From the end of 2025-04 to the end of 2025-06; the same measure as above."
    )


def test_other_months_stage_and_measure_can_be_chosen() -> None:
    found = page(HAND, entered=chosen("2025-04", "2025-05", "T2", "amount"))
    assert found.tables["tbl_movement_choice"]["used"].tolist() == ["2025-04", "2025-05", "T2", "Amount (k)"]
    assert row(found, "tbl_movement", "T2") == {"new": 0.143, "end": 0.143}  # in thousands
    assert found.cells["kpi_movement_measure"] == 2
    labels = found.tables["tbl_movement_bars"]["label"].tolist()
    assert labels[0] == "Start\n2025-04\n0"
    assert labels[1] == "New\n+0.1"
    assert labels[-1] == "End\n2025-05\n0.1"
    flow = found.tables["tbl_movement_flow"]
    assert flow["month"].tolist() == ["2025-05", "2025-06"]
    assert (1000 * flow[["came", "went", "end"]]).round(6).values.tolist() == [[143, 0, 143], [27, 131, 39]]


@pytest.mark.parametrize(
    ("start", "end", "used"),
    [
        ("2025-06", "2025-04", ["2025-04", "2025-06"]),  # the wrong way round
        ("2025-04", None, ["2025-04", "2025-06"]),
        (None, "2025-05", ["2025-04", "2025-05"]),
        ("2019-01", "soon", ["2025-05", "2025-06"]),  # not, or no more, among the months
        ("2025-05", "2025-05", ["2025-04", "2025-05"]),
    ],
)
def test_odd_choices(start: str | None, end: str | None, used: list[str]) -> None:
    found = page(HAND, entered=chosen(start, end, "T9", "weight"))
    assert found.tables["tbl_movement_choice"]["used"].tolist() == [*used, "T0→T3", "Count"]


def test_sentences_add_up() -> None:
    month, recent, most = told(movement.PAGE, page(HAND))
    assert month == (
        "Last complete month, 2025-06: T0→T3 from 5 to 4 (−1): "
        "2 new, 1 reopened, 1 advanced out, 1 won, 1 lost, −1 unknown."
    )
    assert recent.startswith("From the end of 2025-04 to the end of 2025-06: T0→T3 from 0 to 4 (+4): 7 new, 1 reopened")
    assert most.startswith("Of it T2 changed most, from 0 to 3 (+3): 5 new")


def test_amounts_stand_in_the_thousands_of_the_language() -> None:
    rows: list[Visit] = [("a", "LX", "A", "T0", "open", "2025-06-02", None, 12_345_678)]
    for language, label in (("en", "New\n+12,346"), ("zh-CN", "新增\n+1,235")):
        analysis = analyse(intake(rows, "2025-06-30"), Settings(language=language), None, chosen(measure="amount"))
        found = movement_told.content(analysis, Phrases(analysis.settings))
        assert found.tables["tbl_movement_bars"].loc[1, "label"] == label


def test_the_first_month_starts_from_nothing() -> None:
    rows: list[Visit] = [("a", "LX", "A", "T0", "open", "2025-06-02", None, 1)]
    found = page(rows)
    assert found.tables["tbl_movement_ends"]["month"].tolist() == ["2025-05", "2025-06"]
    assert row(found, "tbl_movement", "T0") == {"new": 1, "end": 1}
    assert told(movement.PAGE, found) == [
        "Last complete month, 2025-06: T0→T3 from 0 to 1 (+1): 1 new.",
        "Of it T0 changed most, from 0 to 1 (+1): 1 new.",
    ]


def test_a_running_month_is_left_out_and_named() -> None:
    found = page(HAND, as_of="2025-06-15")
    assert found.tables["tbl_movement_months"]["month"].unique().tolist() == ["2025-05"]
    assert "The running month 2025-06 is not among them." in str(found.cells["txt_movement_recent"])


def test_nothing_to_take_apart_is_told_in_a_sentence() -> None:
    say = Phrases(ENGLISH)
    rows: list[Visit] = [("a", "LX", "A", "T0", "open", "2025-06-02", None, 1)]
    for analysis, key in (
        (analysed(rows, "2025-06-15"), "no_month"),
        (analysed([]), "nothing"),
        (ready_made(ENGLISH), "nothing"),
    ):
        found = movement_told.content(analysis, say)
        assert told(movement.PAGE, found) == [say(f"movement.sentence.{key}")]
        assert found.cells["txt_movement_recent"] == say("movement.recent.none")
        assert all(found.tables[t].isna().all(axis=None) for t in ("tbl_movement", "tbl_movement_recent"))


def test_monthly_rows_hold_all_that_is_summed_the_latest_first() -> None:
    found = page(HAND)
    assert found.tables["tbl_movement_months"][["month", "stage"]].to_numpy().tolist() == [
        [month, stage] for month in ("2025-06", "2025-05") for stage in ("T2", "T3", "T4")
    ]
    months, amounts = (found.tables[f"tbl_movement_{m}"] for m in ("months", "amounts"))
    assert months[["x", "stage"]].equals(amounts[["x", "stage"]])
    inside = months[months["x"].between(1, 2)].groupby("stage")[list(FLOWS)].sum()
    shown = found.tables["tbl_movement_recent"].set_index("stage").loc[inside.index, list(FLOWS)]
    assert (inside == shown).all(axis=None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_step_has_one_name_everywhere(language: str) -> None:
    tables = {t.short: headers(t, words(language)) for t in movement.PAGE.tables}
    for name in ("movement_recent", "movement_months", "movement_amounts", "movement_flow"):
        assert {c: tables[name][c] for c in STEPS_SHOWN} == {c: tables["movement"][c] for c in STEPS_SHOWN}
    assert not {"[", "]", "#", "'", '"'} & set("".join(tables["movement"].values()))
    assert set(FLOWS) == {*INS, *OUTS, "transferred", "changed", "unknown"}


def test_amounts_of_a_language_that_counts_otherwise_have_their_unit() -> None:
    analysis = analyse(intake(HAND, "2025-06-30"), Settings(language="zh-CN", currency="元"), None, None)
    found = movement_told.content(analysis, Phrases(analysis.settings))
    assert str(found.cells["txt_movement_recent"]).endswith("金额单位：万元。")
    assert date(2025, 6, 30) == analysis.as_of
