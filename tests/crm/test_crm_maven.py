"""A real export in seven dresses gives the same visits: 8,800 rows, 8,300 used, 500 without any date."""

from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from xlfunnel import settings
from xlfunnel.crm import Intake, read_sources

ROOT = Path(__file__).resolve().parents[2]
OFFICES = {"华中大区": "Central", "西部大区": "West", "华东大区": "East"}


def intake_of(folder: Path, name: str) -> Intake:
    """One of the files, with the example's settings."""
    chosen = settings.load(ROOT / "docs" / "examples" / "maven.toml")
    return read_sources([folder / name], chosen, owners=folder / "sales_teams.csv", as_of=date(2017, 12, 31))


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    """Where the files are."""
    return shared / "data" / "maven_crm"


@pytest.fixture(scope="module")
def original(folder: Path) -> Intake:
    """The file as it was published."""
    return intake_of(folder, "sales_pipeline.csv")


def test_rows_are_accounted_for(original: Intake) -> None:
    source = original.sources[0]
    assert (source.rows_read, source.rows_used, source.rows_repaired, source.rows_refused) == (8800, 8300, 0, 500)
    assert Counter((i.code.value, i.treatment.value) for i in original.issues) == {("missing_date", "refused"): 500}
    assert original.as_of == date(2017, 12, 31)


def test_visits_against_the_file_itself(original: Intake, folder: Path) -> None:
    raw = pd.read_csv(folder / "sales_pipeline.csv", dtype=str).dropna(subset="engage_date")
    raw = raw.sort_values("opportunity_id").reset_index(drop=True)
    visits = original.visits
    assert visits["opportunity_id"].tolist() == raw["opportunity_id"].tolist()
    assert visits["owner"].tolist() == raw["sales_agent"].tolist()
    assert set(visits["stage"]) == {"T2"}
    assert visits["next_stage"].tolist() == raw["deal_stage"].replace("Engaging", "open").str.lower().tolist()
    for column, dates in (("entered_day", "engage_date"), ("left_day", "close_date")):
        days = (pd.to_datetime(raw[dates]) - pd.Timestamp("1970-01-01")).dt.days
        assert visits[column].astype("Int64").equals(days.astype("Int64"))
    assert visits["amount_cents"].sum() == raw["close_value"].dropna().astype(int).sum() * 100
    teams = pd.read_csv(folder / "sales_teams.csv").set_index("sales_agent")["regional_office"]
    assert visits["region"].tolist() == teams[raw["sales_agent"]].tolist()


@pytest.mark.parametrize(
    "name",
    ["plain.xlsx", "epoch1904.xlsx", "text_us_mdy.xlsx", "dirty_text.xlsx", "zh_gb18030.csv", "zh_title_rows.xlsx"],
)
def test_the_same_visits_in_every_dress(original: Intake, folder: Path, name: str) -> None:
    intake = intake_of(folder, name)
    visits = intake.visits.assign(region=intake.visits["region"].replace(OFFICES))
    pd.testing.assert_frame_equal(visits, original.visits)
    causes = Counter((i.code.value, i.treatment.value) for i in intake.issues)
    assert causes.pop(("missing_date", "refused")) == 500
    told = {"dirty_text.xlsx": {("cleaned_text", "repaired")}, "text_us_mdy.xlsx": {("date_order", "noted")}}
    assert set(causes) == told.get(name, set())


def test_the_rows_refused_are_those_that_are_only_prospected(original: Intake, folder: Path) -> None:
    raw = pd.read_csv(folder / "sales_pipeline.csv", dtype=str)
    rows = [i.row - 2 for i in original.issues if i.row is not None]
    assert set(raw["deal_stage"].iloc[rows]) == {"Prospecting"}
    assert [i.value for i in original.issues] == raw["opportunity_id"].iloc[rows].tolist()
