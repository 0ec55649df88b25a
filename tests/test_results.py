"""The JSON results: true to their schema, to the frames they come from, and to the rule that undefined is null."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.calendar import day_number, month_number
from xlfunnel.crm import DataIssue, Intake
from xlfunnel.entered import Entered
from xlfunnel.metrics.flags import RULES, TREND_RULES
from xlfunnel.metrics.opportunity import TYPED
from xlfunnel.results import dumps, to_json
from xlfunnel.settings import Settings
from xlfunnel.terms import (
    SPANS,
    STAGES,
    Advice,
    ConversionKind,
    Diagnosis,
    FlagCode,
    IssueCode,
    Judgement,
    Measure,
    Placement,
    Reach,
    Severity,
    Tag,
    Treatment,
    Verdict,
)

SCHEMA = json.loads((Path(__file__).resolve().parents[1] / "docs/results.schema.json").read_text("utf-8"))

Visit = tuple[str, int, str, str, str, str, str, str | None, int | None]
LX: list[Visit] = [
    # opportunity, visit, region, owner, stage, next_stage, entered, left, amount in cents
    ("1", 1, "LX", "A", "T0", "T3", "2025-01-10", "2025-02-10", 100_050),
    ("1", 2, "LX", "A", "T3", "won", "2025-02-10", "2025-03-20", 100_050),
    ("2", 1, "LX", "A", "T0", "open", "2025-01-31", None, None),
    ("3", 1, "LX", "B", "T1", "lost", "2025-02-28", "2025-03-01", 5_000),
]


def visits(rows: list[Visit]) -> pd.DataFrame:
    names = ["opportunity_id", "visit", "region", "owner", "stage", "next_stage", "entered", "left", "amount_cents"]
    frame = pd.DataFrame(rows, columns=names)
    days = {n: [None if pd.isna(t) else date.fromisoformat(t) for t in frame[n]] for n in ("entered", "left")}
    frame["entered_day"] = [day_number(d) for d in days["entered"] if d]
    frame["entered_month"] = [month_number(d) for d in days["entered"] if d]
    frame["left_day"] = pd.array([None if d is None else day_number(d) for d in days["left"]], dtype="Int64")
    frame["left_month"] = pd.array([None if d is None else month_number(d) for d in days["left"]], dtype="Int64")
    frame["amount_cents"] = frame["amount_cents"].astype("Int64")
    frame["visit"] = frame["visit"].astype("Int64")
    texts = ["opportunity_id", "region", "owner", "stage", "next_stage"]
    whole = ["entered_day", "left_day", "entered_month", "left_month", "amount_cents"]
    return frame.astype(dict.fromkeys(("entered_day", "entered_month"), "int64"))[
        [texts[0], "visit", *texts[1:], *whole]
    ]


def analysis(rows: list[Visit], as_of: date = date(2025, 3, 31), **changed: Any) -> FunnelAnalysis:
    issues = (
        DataIssue(IssueCode.BAD_DATE, "f.csv", 7, "=1+1", Treatment.REFUSED),
        DataIssue(IssueCode.ORPHAN_HISTORY, "f.csv", None, "", Treatment.NOTED),
    )
    return analyse(Intake(visits(rows), None, issues, (), as_of), Settings(**changed))


def valid(found: dict[str, Any]) -> dict[str, Any]:
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("where", "members"),
    [
        (("reserves", "stage"), STAGES),
        (("trends", "span"), SPANS),
        (("trends", "measure"), Measure),
        (("trends", "verdict"), Verdict),
        (("conversion", "from_stage"), STAGES),
        (("conversion", "kind"), ConversionKind),
        (("conversion", "verdict"), Judgement),
        (("durations", "stage"), STAGES),
        (("movement", "stage"), STAGES),
        (("movement", "measure"), Measure),
        (("shape", "stage"), STAGES),
        (("flags", "code"), [rule.code for rule in (*RULES, TREND_RULES[0])]),
        (("flags", "severity"), Severity),
        (("alerts", "code"), FlagCode),
        (("alerts", "severity"), Severity),
        (("alerts", "diagnosis"), Diagnosis),
        (("opportunities", "advice"), Advice),
        (("reverse_funnel", "reach"), Reach),
        (("issues", "code"), IssueCode),
        (("issues", "treatment"), Treatment),
    ],
    ids=lambda v: ".".join(v) if isinstance(v, tuple) and len(v) == 2 else "",
)
def test_the_schema_knows_every_member(where: tuple[str, str], members: Any) -> None:
    part, name = where
    assert SCHEMA["properties"][part]["items"]["properties"][name]["enum"] == [str(m) for m in members]


@pytest.mark.parametrize(
    ("part", "name", "members"),
    [("tags", "tag", Tag), ("conversion", "placement", Placement)],
    ids=["tag", "placement"],
)
def test_the_schema_knows_every_member_of_a_rep(part: str, name: str, members: Any) -> None:
    rep = SCHEMA["properties"]["owners"]["items"]["properties"]
    assert rep[part]["items"]["properties"][name]["enum"] == [str(m) for m in members]


def test_hand_counted_reserves() -> None:
    found = valid(to_json(analysis(LX)))
    february = {
        (r["owner"], r["stage"]): (r["count"], r["amount"])
        for r in found["reserves"]
        if r["month"] == "2025-02" and r["count"]
    }
    assert february == {
        (None, "T0"): (1, 0.0), (None, "T1"): (1, 50.0), (None, "T3"): (1, 1000.5),
        ("A", "T0"): (1, 0.0), ("A", "T3"): (1, 1000.5), ("B", "T1"): (1, 50.0),
    }  # fmt: skip
    assert {r["region"] for r in found["reserves"]} == {"LX"}


def test_hand_counted_flows_and_win_rates() -> None:
    found = valid(to_json(analysis(LX)))
    region = {f["month"]: f for f in found["flows"] if f["owner"] is None}
    assert [region[m]["created"] for m in ("2025-01", "2025-02", "2025-03")] == [2, 1, 0]
    assert [region[m]["won"] for m in ("2025-01", "2025-02", "2025-03")] == [0, 0, 1]
    assert region["2025-03"]["won_amount"] == 1000.5
    assert region["2025-03"]["lost_amount"] == 50.0
    rates = {w["owner"]: (w["rate"], w["won"], w["closed"]) for w in found["win_rate"]}
    assert rates == {None: (0.5, 1, 2), "A": (1.0, 1, 1), "B": (0.0, 0, 1)}


def test_all_regions_together_only_where_there_are_several() -> None:
    two = [*LX, ("4", 1, "HD", "C", "T2", "open", "2025-01-05", None, 1)]
    found = valid(to_json(analysis(two)))
    for part in ("reserves", "flows", "trends", "shape", "movement"):
        assert {r["region"] for r in found[part]} == {None, "LX", "HD"}, part
    for month in ("2025-01", "2025-02", "2025-03"):
        here = [r for r in found["reserves"] if r["month"] == month]
        everything = sum(r["count"] for r in here if r["region"] is None)
        assert everything == sum(r["count"] for r in here if r["region"] and r["owner"] is None)
        assert everything == sum(r["count"] for r in here if r["owner"])


def test_hand_counted_conversion_and_durations() -> None:
    """T0: one of two went on (skipping to T3); T1: the one was lost; T3: the one was won."""
    found = valid(to_json(analysis(LX, horizon_days={"T0": 31}, benchmarks={"T0-T1": 0.4})))
    whole = {(c["from_stage"], c["kind"]): c for c in found["conversion"] if c["owner"] is None and c["month"] is None}
    counts = {key: (c["entered"], c["advanced"], c["rate"]) for key, c in whole.items()}
    assert counts["T0", "period"] == counts["T0", "matured"] == (2, 1, 0.5)
    assert counts["T1", "period"] == (1, 0, 0)
    assert counts["T3", "period"] == (1, 1, 1)
    t0 = whole["T0", "censored"]
    assert (t0["to_stage"], t0["horizon_days"], t0["benchmark"], t0["verdict"]) == ("T1", 31, 0.4, "too_few")
    assert {c["month"] for c in found["conversion"]} == {None, "2025-01", "2025-02", "2025-03"}
    stays = {d["stage"]: (d["n"], d["n_open"], d["median"]) for d in found["durations"] if d["owner"] is None}
    assert stays == {"T0": (2, 1, None), "T1": (1, 0, None), "T3": (1, 0, None)}


def test_hand_counted_movement() -> None:
    """February: 1 goes on from T0 to T3, 3 is new in T1, 2 stays."""
    found = valid(to_json(analysis(LX)))
    february = {
        (m["stage"], m["measure"]): {k: v for k, v in m.items() if isinstance(v, float) and v}
        for m in found["movement"]
        if m["month"] == "2025-02"
    }
    assert february["T0", "count"] == {"start": 2, "advanced_out": 1, "end": 1}
    assert february["T1", "count"] == {"new": 1, "end": 1}
    assert february["T3", "amount"] == {"advanced_in": 1000.5, "end": 1000.5}
    assert {(m["region"], m["owner"]) for m in found["movement"]} == {("LX", None)}
    assert len(found["movement"]) == 3 * 3 * 2


def test_hand_counted_shape() -> None:
    found = valid(to_json(analysis(LX)))
    whole = [s for s in found["shape"] if s["owner"] is None]
    assert [(s["stage"], s["now"], s["entered"], s["ratio"], s["verdict"]) for s in whole] == [
        ("T0", 1, 2, None, None), ("T1", 0, 1, 0.5, "too_few"), ("T3", 0, 1, 1, "too_few"),
    ]  # fmt: skip
    assert {s["owner"] for s in found["shape"]} == {None, "A", "B"}


def test_undefined_is_null_and_zero_is_zero() -> None:
    found = valid(to_json(analysis(LX[2:3])))
    assert [w["rate"] for w in found["win_rate"]] == [None, None]
    short = next(t for t in found["trends"] if t["owner"] is None and t["span"] == "T3" and t["measure"] == "count")
    assert short["verdict"] == "no_data"  # nothing ever stood in T3
    assert short["values"] == [None, None, None]
    assert short["r_squared"] is None
    assert short["xmr"] == {"centre": None, "low": None, "high": None}


def test_issues_and_settings_come_through() -> None:
    found = valid(to_json(analysis(LX, currency="元")))
    assert found["currency"] == "元"
    assert found["as_of"] == "2025-03-31"
    assert found["issues"] == [
        {"code": "bad_date", "treatment": "refused", "source": "f.csv", "row": 7, "value": "=1+1"},
        {"code": "orphan_history", "treatment": "noted", "source": "f.csv", "row": None, "value": ""},
    ]


def test_flags_name_whom_and_what() -> None:
    found = valid(to_json(analysis(LX, floor_t1=1, floor_t3=1)))
    assert {(f["owner"], f["code"]) for f in found["flags"]} >= {("A", "below_floor_T3"), (None, "below_floor_T3")}
    assert all(f["value"] < f["limit"] for f in found["flags"])


def test_hand_counted_owners() -> None:
    """A holds one lead (half of two reps' mean above B, who holds nothing); of A's two leads one went on."""
    found = valid(to_json(analysis(LX, horizon_days={"T0": 31})))
    a, b = found["owners"]
    assert (a["owner"], a["reserve"], a["region_mean"], a["share"], a["rank"]) == ("A", 1, 0.5, 1, 1)
    assert a["stages"] == {"T0": 1, "T1": 0, "T2": None, "T3": 0, "T4": None}
    assert [(t["tag"], t["value"], t["limit"], t["cases"], t["step"]) for t in b["tags"]] == [
        ("short", 0, 0.5, None, None)
    ]
    assert a["tags"] == []
    t0 = next(c for c in a["conversion"] if c["from_stage"] == "T0")
    assert (t0["entered"], t0["advanced"], t0["rate"], t0["region_rate"]) == (2, 1, 0.5, 0.5)
    assert (t0["low95"], t0["high95"], t0["placement"]) == (0, 1, "too_few")
    assert next(c for c in b["conversion"] if c["from_stage"] == "T0")["rate"] is None


def test_alerts_are_the_flags_and_more_with_their_evidence_and_remedy() -> None:
    found = valid(to_json(analysis(LX, floor_t1=1, floor_t3=1, language="en")))
    names = ("region", "owner", "code", "span", "value", "limit", "severity")
    short = [tuple(a[n] for n in names) for a in found["alerts"]]
    assert set(short) >= {tuple(f[n] for n in names) for f in found["flags"]}
    a = next(a for a in found["alerts"] if a["owner"] == "A" and a["code"] == "below_floor_T3")
    assert a["evidence"] == "A holds 0 T3 opportunities, below the floor of 1."
    assert a["diagnosis"] == "short_T3"
    assert [(r["who"], r["days"]) for r in a["remedy"]] == [("Region manager", 14), ("Presales", 21)]


def test_the_reverse_funnel_says_what_it_does_not_know() -> None:
    found = valid(to_json(analysis(LX, floor_t3=1)))["reverse_funnel"]
    region = [r for r in found if r["owner"] is None]
    assert [(r["from_stage"], r["missing"], r["reach"], r["lacking"]) for r in region] == [
        ("T1", 2, "too_few", "T1-T3"), ("T0", 2, "too_few", "T0-T1"), ("T0", 10, "too_few", "T0-T1"),
    ]  # fmt: skip
    assert all(r["needed"] is None and r["per_week"] is None for r in found)


def test_an_empty_month_of_data_is_still_valid() -> None:
    assert valid(to_json(analysis(LX, as_of=date(2025, 1, 10))))["as_of"] == "2025-01-10"


def test_ready_made_reserves_say_nothing_of_flows() -> None:
    table = pd.DataFrame(
        [("LX", "A", "T0", month_number(date(2025, m, 1)), 10 - m, 0) for m in range(1, 7)],
        columns=["region", "owner", "stage", "month", "count", "amount_cents"],
    )
    as_of = date(2025, 6, 30)
    found = valid(to_json(analyse(Intake(visits([]), table, (), (), as_of), Settings())))
    assert found["flows"] == []
    assert found["win_rate"] == []
    assert found["conversion"] == []
    assert found["durations"] == []
    assert [(o["owner"], o["reserve"], o["conversion"]) for o in found["owners"]] == [("A", 4, [])]
    line = next(t for t in found["trends"] if t["owner"] is None and t["span"] == "T0-T2" and t["measure"] == "count")
    assert line["values"] == [9, 8, 7, 6, 5, 4]
    assert line["slope"] == pytest.approx(-1)
    assert line["r_squared"] == pytest.approx(1)


def test_equal_input_gives_equal_text_and_letters_stay_readable() -> None:
    rows = [(*r[:3], "张伟" if r[3] == "A" else r[3], *r[4:]) for r in LX]
    text = dumps(analysis(rows))
    assert text == dumps(analysis(rows))
    assert "张伟" in text
    assert text.endswith("}\n")
    assert "NaN" not in text


def test_opportunities_carry_what_users_typed_and_what_came_of_it() -> None:
    typed = {"urgency": 5, "budget": 4, "decision": 4, "competition": 3, "fit": 2}
    frame = pd.DataFrame(
        [{"opportunity_id": "9", **typed, "expected_close": datetime(2025, 3, 1)}], columns=["opportunity_id", *TYPED]
    ).astype(object)
    rows: list[Visit] = [("9", 1, "LX", "A", "T3", "open", "2025-03-21", None, 5_000)]
    found = analyse(
        Intake(visits([*LX, *rows]), None, (), (), date(2025, 3, 31)),
        Settings(),
        None,
        Entered({"opportunities": frame}),
    )
    assert valid(to_json(found))["opportunities"] == [
        {
            "opportunity_id": "9", "region": "LX", "owner": "A", "stage": "T3", "amount": 50.0, "days": 10,
            "median": None, "p90": None, "limit_days": None, "since": "2025-03-21", "stale": ["overdue"],
            "expected_close": "2025-03-01", "last_activity": None, "scores": typed, "total": 18.0, "advice": "revive",
        }
    ]  # fmt: skip
