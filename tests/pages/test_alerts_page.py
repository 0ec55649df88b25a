"""Alerts and Remedies: floors in a sentence, prescriptions from the user's own table, and what is written when."""

from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hand_visits import Visit, intake

from xlfunnel import app
from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.calendar import month_of_text
from xlfunnel.entered import Entered
from xlfunnel.excel import inputs
from xlfunnel.metrics.flags import Flag
from xlfunnel.pages import alerts, build_report, remedies
from xlfunnel.pages.evidence import evidence, floor_sentence
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words
from xlfunnel.terms import Diagnosis, FlagCode, Severity

ENGLISH = Settings(language="en")
COLUMNS = ["diagnosis", "causes", "action", "who", "days"]
ALL = tuple(Diagnosis)


def cases(stage: str, won: int, lost: int, region: str = "LX") -> list[Visit]:
    ends = [("won", "2025-03-31")] * won + [("lost", "2025-03-31")] * lost
    return [
        (f"{region}{stage}{i}", region, "A", stage, went, "2025-03-01", left, 1) for i, (went, left) in enumerate(ends)
    ]


def of(rows: list[Visit], settings: Settings = ENGLISH, *typed: tuple[object, ...]) -> FunnelAnalysis:
    open_now: list[Visit] = [("now", "LX", "A", "T3", "open", "2025-06-01", None, 1)]
    entered = Entered({"remedies": pd.DataFrame(list(typed), columns=COLUMNS, dtype=object)} if typed else {})
    return analyse(intake(rows + open_now, "2025-06-30"), settings, entered=entered)


def floor_of(analysis: FunnelAnalysis, stage: str = "T3") -> tuple[Severity, str]:
    floor = next(f for f in analysis.floors if f.stage == stage and f.region == analysis.scope)
    return floor_sentence(floor, analysis.settings, Phrases(analysis.settings))


def test_the_floor_says_what_it_is_what_it_should_be_and_how_risky_it_is() -> None:
    severity, text = floor_of(of(cases("T3", 5, 14)))  # and one still open, seen for 29 days only: 5 of 19 in the end
    assert severity == Severity.WATCH
    assert text.startswith("T3 floor: 5 (Settings). Of 20 that ever came to T3, 5 are won so far, 26% will be in the")
    assert "safety stock is 8" in text
    assert text.endswith("The floor leaves a 22% chance of no win.")


@pytest.mark.parametrize(
    ("rows", "chosen", "severity", "said"),
    [
        (cases("T3", 5, 14), {"floor_t3": None}, Severity.NONE, "T3 floor: 8 (the safety stock"),
        (cases("T3", 5, 14), {"floor_t3": 20}, Severity.OK, "T3 floor: 20 (Settings)"),
        (cases("T3", 5, 14), {"wins_needed": 2}, Severity.WATCH, "chance of fewer than 2 wins"),
        (cases("T3", 5, 14), {"floor_t3": 0}, Severity.NONE, "no floor is checked"),
        (cases("T3", 1, 1), {}, Severity.NONE, "Only 3 ever came to T3, fewer than 20"),
        (cases("T3", 0, 25), {"floor_t3": None}, Severity.NONE, "none was won"),
    ],
    ids=["computed", "safe", "two wins", "no rule", "few", "never won"],
)
def test_every_case_of_a_floor_has_its_words(
    rows: list[Visit], chosen: dict[str, float | None], severity: Severity, said: str
) -> None:
    found, text = floor_of(of(rows, replace(ENGLISH, **chosen)))  # type: ignore[arg-type]
    assert found == severity
    assert said in text
    assert "nan" not in text.casefold()
    assert "—" not in text


def test_each_evidence_has_its_numbers() -> None:
    say = Phrases(ENGLISH)
    months = {"month": float(month_of_text("2025-10")), "earliest": float(month_of_text("2025-09"))}
    blocked = {"low": 0.24, "high": 0.35, "entered": 298, "horizon_days": 35}
    by = {
        "298 that entered recently 30% advance within 35 days (95 % interval 24%–35%), wholly below the benchmark of "
        "39%": Flag("LX", None, FlagCode.STEP_BLOCKED, 0.295, 0.392, Severity.RISK, "T1-T2", blocked),
        "clearly below its own history of 39% (757 cases)": Flag(
            "LX", None, FlagCode.STEP_BLOCKED, 0.295, 0.392, Severity.RISK, "T1-T2", {**blocked, "base": 757}
        ),
        "LX region, T4→Won: of 298": Flag(
            "LX", None, FlagCode.STEP_BLOCKED, 0.3, 0.4, Severity.RISK, "T4-won", blocked
        ),
        "T3: recent median 49.5 days (20 stays), before 19.5 (25 stays); log-rank p = 0.004": Flag(
            "LX", None, FlagCode.FLOW_SLOWER, 49.5, 19.5, Severity.WATCH, "T3",
            {"recent_n": 20, "earlier_n": 25, "log_rank_p": 0.004},
        ),
        "B: 3 of 8 open opportunities are over age, 38% (95 % interval 14%–69%), wholly above the normal 10%": Flag(
            "LX", "B", FlagCode.OVER_AGE, 0.375, 0.1, Severity.WATCH, "",
            {"old": 3, "n": 8, "low": 0.137, "high": 0.694},
        ),
        "region holds 34 T3, the floors together are 30; the median forecast falls below at the end of 2025-10, at the "
        "earliest of 2025-09": Flag("LX", None, FlagCode.T3_GAP, 34, 30, Severity.RISK, "", months),
        "in one case of ten it falls below by the end of 2025-09": Flag(
            "LX", None, FlagCode.T3_GAP, 34, 30, Severity.WATCH, "", months
        ),
    }  # fmt: skip
    for said, flag in by.items():
        assert said in evidence(flag, say)


def rows_of(analysis: FunnelAnalysis) -> pd.DataFrame:
    return alerts.content(analysis, Phrases(analysis.settings)).tables["tbl_alerts"]


def test_alerts_take_their_remedy_from_the_table_of_the_user() -> None:
    own = ("short_T3", "because", "Do this", "Me", 3.0)
    other = ("short_T3", None, "再做这个", None, None)
    without = ("short_T3", "no action", None, None, None)
    unknown = ("Bad luck", None, "Wait", None, None)
    made = of([], ENGLISH, other, without, unknown, own)
    remedy = rows_of(made)["remedy"].iloc[0]
    assert remedy == "1. 再做这个\n2. Do this"
    say = Phrases(ENGLISH)
    assert remedies.prescription(remedies.remedies(made, say), Diagnosis.SHORT_T1, say, 2) == say("remedies.none")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_diagnosis_has_built_in_remedies(language: str) -> None:
    settings = Settings(language=language)
    found = remedies.remedies(of([], settings), Phrases(settings))
    assert set(found) == set(ALL)
    assert all(len(each) >= 2 for each in found.values())
    assert sum(len(each) for each in found.values()) >= 15
    assert all(r.causes and r.action and r.who and r.days for each in found.values() for r in each)


def test_the_drop_down_fits_what_excel_takes() -> None:
    for language in LANGUAGES:
        say = Phrases(Settings(language=language))
        assert len(",".join(say(f"remedies.diagnosis.{d}") for d in ALL)) <= 255


def test_remedies_are_written_into_new_workbooks_and_where_they_were_cleared() -> None:
    untouched, own = of([]), of([], ENGLISH, ("short_T3", "because", "Do this", "Me", 3.0))
    cleared = replace(untouched, entered=Entered({"remedies": pd.DataFrame(columns=COLUMNS)}))
    full = len(remedies.PAGE.tables[0].defaults)

    def written(analysis: FunnelAnalysis, *, with_data: bool, with_entered: bool = False) -> int | None:
        tables = build_report(analysis, with_data=with_data, with_entered=with_entered).tables
        return len(tables["tbl_remedies"]) if "tbl_remedies" in tables else None

    assert written(untouched, with_data=True) == full
    assert written(untouched, with_data=False) is None
    assert written(cleared, with_data=False) == full
    assert written(own, with_data=True) is None  # they stand in the workbook already
    assert written(own, with_data=True, with_entered=True) == 1
    tables = build_report(own, with_data=True, with_entered=True).tables
    assert tables["tbl_remedies"].iloc[0].tolist() == ["Short of T3", "because", "Do this", "Me", 3.0]


def test_nothing_wrong_is_said_in_one_row() -> None:
    rows = rows_of(of([], replace(ENGLISH, floor_t1=0, floor_t3=0)))
    assert rows["rule"].tolist() == ["No rule is broken"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_remedies_come_with_the_template_and_an_edit_changes_the_next_refresh(language: str, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    files, chosen = app.sample(language)
    app.report(files, path, chosen)
    assert len(inputs.table_frame(path, "tbl_remedies")) == len(remedies.PAGE.tables[0].defaults)
    book = openpyxl.load_workbook(path)
    sheet = book[words(language)("sheets.remedies")]
    row = next(r for r in range(7, 40) if sheet.cell(r, 2).value == words(language)("remedies.diagnosis.short_T3"))
    sheet.cell(row, 4).value = "Ring the bell"
    book.save(path)
    app.refresh(path)
    told = inputs.table_frame(path, "tbl_alerts")[words(language)("tables.alerts.remedy")]
    assert told[0].startswith("1. Ring the bell")
    assert inputs.table_frame(path, "tbl_remedies").iloc[row - 7, 2] == "Ring the bell"
