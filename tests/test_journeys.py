"""How opportunities that reached a stage ended: one row an opportunity, by hand."""

from datetime import date

import pytest
from hand_visits import Visit, visits

from xlfunnel.facts import journeys

AS_OF = date(2025, 6, 30)

Ended = tuple[str, str, str, int]
"""owner, stage, next stage, days"""


def ended(rows: list[Visit], *stages: str) -> list[Ended]:
    found = journeys(visits(rows), AS_OF, stages)
    assert (found["count"] == 1).all()
    return list(found[["owner", "stage", "next_stage", "days"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([("T1", "lost", "01-01", "01-31")], [], id="never_got_so_far"),
        pytest.param(
            [("T1", "T2", "01-01", "01-10"), ("T2", "won", "01-10", "01-31")], [("A", "T2", "won", 21)], id="won"
        ),
        pytest.param([("T3", "lost", "01-01", "01-31")], [("A", "T2", "lost", 30)], id="began_later"),
        pytest.param(
            [("T2", "T0", "01-01", "01-11"), ("T0", "T2", "01-11", "01-21"), ("T2", "open", "06-01", None)],
            [("A", "T2", "open", 180)],
            id="from_the_first_time",
        ),
        pytest.param([("T2", "won", "06-29", "07-01")], [("A", "T2", "open", 1)], id="won_after_the_day"),
        pytest.param([("T2", "won", "07-01", "07-02")], [], id="not_there_yet"),
        pytest.param([("T2", "gone", "01-01", "01-31")], [("A", "T2", "gone", 30)], id="gone"),
        pytest.param([("T2", "T4", "01-01", "01-31")], [("A", "T2", "gone", 30)], id="the_rest_is_not_in_the_data"),
        pytest.param([("T2", "T2", "01-01", "01-31")], [("A", "T2", "open", 30)], id="handed_on_beyond_the_data"),
    ],
)
def test_one_opportunity(rows: list[tuple[str, str, str, str | None]], expected: list[Ended]) -> None:
    made: list[Visit] = [
        ("a", "LX", "A", stage, went, f"2025-{entered}", left and f"2025-{left}", 1)
        for stage, went, entered, left in rows
    ]
    assert ended(made, "T2") == expected


def test_it_is_the_last_owners_and_each_stage_asked_for_has_its_row() -> None:
    rows: list[Visit] = [
        ("a", "LX", "A", "T1", "T2", "2025-01-01", "2025-01-11", 1),
        ("a", "LX", "B", "T2", "won", "2025-01-11", "2025-01-31", 1),
    ]
    assert ended(rows, "T2", "T1") == [("B", "T1", "won", 30), ("B", "T2", "won", 20)]
    assert ended([], "T2") == []
