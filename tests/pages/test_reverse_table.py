"""The reverse funnel on the Forecast sheet: the nearest gaps in a table of fixed height, or why it is empty."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from hand_visits import intake

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.calendar import day_number
from xlfunnel.metrics.reverse import Reverse
from xlfunnel.pages import reverse
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.terms import Reach

TODAY = day_number(date(2025, 6, 30))


def way(target: str, stage: str, period: str = "", reach: Reach = Reach.IN_TIME, region: str | None = None) -> Reverse:
    deadline = day_number(date(2025, 9, 30))
    return Reverse(
        region, None, target, period, deadline, 3, stage, 0.5, 40, 6, 28, deadline - 28, 9, 0.7,
        TODAY + 35, reach, "T1-T2",
    )  # fmt: skip


def of(*ways: Reverse, language: str = "en") -> tuple[pd.DataFrame, str]:
    made: FunnelAnalysis = replace(analyse(intake([], "2025-06-30"), Settings(language=language)), reverse=ways)
    say = Phrases(made.settings)
    return reverse.rows(made, say), reverse.sentence(made, say)


def test_the_floor_first_then_the_quarter_that_can_be_helped() -> None:
    late = [way("won", s, "2025-Q3", Reach.TOO_LATE) for s in ("T4", "T3", "T2", "T1", "T0")]
    later = [way("won", s, "2025-Q4") for s in ("T4", "T3", "T2", "T1", "T0")]
    frame, _ = of(*[way("T3", s) for s in ("T2", "T1", "T0")], way("T1", "T0"), *late, *later)
    assert list(zip(frame["aim"], frame["stage"], strict=True)) == [
        *[("T3 floor", s) for s in ("T2", "T1", "T0")], *[("2025-Q4 target", s) for s in ("T3", "T2", "T1", "T0")],
    ]  # fmt: skip
    assert frame.iloc[0].tolist() == ["T3 floor", 3, "T2", 6, 0.7, "2025-09-02", "In time"]
    assert len(frame) == reverse.ROWS


@pytest.mark.parametrize(
    ("reach", "said"),
    [
        (Reach.TOO_LATE, "2025-08-04 at best"), (Reach.TOO_FEW, "T1→T2: few cases"), (Reach.NEVER, "Nothing comes"),
        (Reach.NO_SPEED, "T1→T2: no days"),
    ],
)  # fmt: skip
def test_what_cannot_be_has_its_reason_and_no_date(reach: Reach, said: str) -> None:
    frame, _ = of(way("T3", "T2", reach=reach))
    assert frame.loc[0, ["by", "said"]].tolist() == [None, said]
    assert frame.loc[1:].isna().all(axis=None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_missing_is_said(language: str) -> None:
    frame, text = of(language=language)
    assert frame.isna().all(axis=None)
    assert text == Phrases(Settings(language=language))("reverse.nothing")
