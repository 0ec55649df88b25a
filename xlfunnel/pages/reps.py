"""Reps: who holds what, who is below the mean or the floor; whose conversion stands out; reserves month by month.

Two parts side by side, each as wide as a printed page, a rep in the same row of both.
"""

import pandas as pd

from xlfunnel.analysis import MONTHS_SHOWN, FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics.evidence import FEW
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import STAGES, Placement, Severity

MONTHS = tuple(f"m{i}" for i in range(1, MONTHS_SHOWN + 1))
_MONTH_COLUMNS = ("AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH", "AI", "AJ", "AK", "AL")

SEVERITIES = {
    Placement.VERY_LOW: Severity.RISK,
    Placement.LOW: Severity.WATCH,
    Placement.INSIDE: Severity.OK,
    Placement.HIGH: Severity.OK,
    Placement.VERY_HIGH: Severity.OK,
}
_DOTS = {
    "inside": (Placement.INSIDE, Placement.ALONE),
    "amber": (Placement.LOW, Placement.HIGH),
    "red": (Placement.VERY_LOW, Placement.VERY_HIGH),
    "greyed": (Placement.GREYED,),
}
_LABELLED = 15
"""Reps whose points still bear their numbers without running into each other."""
_LIMITS = ("low95", "high95", "low998", "high998")

_RESERVE_BARS = ("bar_ok", "bar_short", "bar_ok_many", "bar_short_many")
_T3_BARS = ("t3_ok", "t3_short", "t3_ok_many", "t3_short_many")


def bars(columns: tuple[str, ...] = _RESERVE_BARS) -> tuple[Series, ...]:
    """The columns of a rep chart: reached and short with their numbers, and the same without, for many reps."""
    return tuple(
        Series(
            "tbl_rep_bars", name, "column", color, labels=not many, listed=not many,
            label_color="" if many else "white",
        )
        for name, color, many in zip(
            columns, ("teal2", "red") * 2, (False, False, True, True), strict=True
        )
    )  # fmt: skip


PAGE = Page(
    key="reps",
    widths=(
        1.7, 6, 15, 10, *(7.5,) * 5, 11, 9.5, 9, 10.5, 22, 44, 1.7,
        13, 8.5, 8.5, 8.5, 9, 9, 8.5, 8.5, 5, 17, *(5.4,) * 12, 13, 1.7, *(9,) * 28,
    ),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 21: 22, 22: 18, 23: 31},
    area="B1:AM25",
    parts=("Q",),
    repeat="2:4",
    bands=(("B2:O3", "title_band"), ("Q2:AM3", "title_band")),
    texts=(
        Text("B2:I2", "reps.title", "title_small"),
        Text("B21:O21", "reps.reps.title", "section"),
        Text("B22:O22", "reps.reps.note", "note"),
        Text("Q2:AA2", "reps.title_rates", "title_small"),
        Text("Q21:AM21", "reps.rates.title", "section"),
        Text("Q22:Z22", "reps.rates.note", "note"),
        Text("AO22", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_reps_scope", "B3:O3", "subtitle"),
        Slot("txt_reps_step", "Q3:AM3", "subtitle"),
        Slot("txt_reps_limits", "AO20", "muted"),
        Slot("txt_reps_shrunk", "AO21", "muted"),
        *(Slot(f"txt_reps_{m}", f"{c}22", "month") for m, c in zip(MONTHS, _MONTH_COLUMNS, strict=True)),
    ),
    links=(
        Link("N2:O2", "sheets.to_home", "home", "link_band"),
        Link("K2:M2", "reps.to_card", "card", "link_band"),
        Link("AI2:AM2", "sheets.to_home", "home", "link_band"),
    ),
    tables=(
        Table("tbl_reps", "B23", (
            Column("rank", "count"), Column("owner", "help_text"), Column("region", "help_text"),
            *(Column(s, "count", bars="teal4") for s in STAGES),
            Column("reserve", "count_strong"), Column("region_mean", "number1"), Column("to_mean", "signed1"),
            Column("to_floor", "signed1"), Column("tags", "help_text"), Column("flags", "help_text"),
        )),
        Table("tbl_rep_rates", "Q23", (
            Column("owner", "help_text"), Column("entered", "count"), Column("advanced", "count"),
            Column("rate", "percent1"), Column("shrunk", "percent1"), Column("region_rate", "percent1"),
            Column("low95", "percent1"), Column("high95", "percent1"), Column("mark", "center_mark"),
            Column("placement", "help_text"), *(Column(m, "center_heat") for m in MONTHS), Column("trend", "help_text"),
        )),
        Table("tbl_rep_bars", "AO23", (
            *(Column(name, "count") for name in (*_RESERVE_BARS, *_T3_BARS)),
            Column("mean", "number1"), Column("floor", "number1"),
        )),
        Table("tbl_rep_limits", "AZ23", (
            Column("owner", "help_text"), *(Column(name, "percent1") for name in _DOTS),
            Column("region_rate", "percent1"), *(Column(name, "percent1") for name in _LIMITS),
            Column("label", "percent1"),
        )),
        Table("tbl_rep_ranks", "BL23", (
            Column("owner", "help_text"), Column("shrunk", "percent1"), Column("region_rate", "percent1"),
            Column("label", "percent1"),
        )),
    ),
    charts=(
        Chart("B5:K19", "reps.chart.reserve", ("tbl_reps", "owner"), (
            *bars(_RESERVE_BARS),
            Series("tbl_rep_bars", "mean", "line", "ink", dashed=True, marker=False),
        ), stacked=True, legend=True, gap=55),
        Chart("L5:O19", "reps.chart.t3", ("tbl_reps", "owner"), (
            *bars(_T3_BARS),
            Series("tbl_rep_bars", "floor", "line", "ink", dashed=True, marker=False),
        ), stacked=True, legend=True, gap=55),
        Chart("Q5:Z19", "reps.chart.limits", ("tbl_rep_limits", "owner"), (
            *(
                Series("tbl_rep_limits", name, "line", color, dashed=True, marker=False, listed=name.startswith("high"))
                for name, color in zip(_LIMITS, ("amber", "amber", "red", "red"), strict=True)
            ),
            Series("tbl_rep_limits", "region_rate", "line", "ink", dashed=True, marker=False),
            *(
                Series("tbl_rep_limits", name, "line", color, dots="circle")
                for name, color in zip(_DOTS, ("teal2", "amber", "red", "faint"), strict=True)
            ),
            Series("tbl_rep_limits", "label", "line", "none", labels=True),
        ), legend=True, percent=True, title_slot="txt_reps_limits"),
        Chart("AA5:AM19", "reps.chart.shrunk", ("tbl_rep_ranks", "owner"), (
            Series("tbl_rep_ranks", "shrunk", "column", "teal2"),
            Series("tbl_rep_ranks", "region_rate", "line", "ink", dashed=True, marker=False),
            Series("tbl_rep_ranks", "label", "line", "none", labels=True),
        ), legend=True, gap=55, percent=True, title_slot="txt_reps_shrunk"),
    ),
    marks=(
        Mark("L24:M25", "", "negative"), Mark("C24:C25", "$O24", "flagged"), Mark("O24:O25", "$O24", "flagged"),
        Mark("T24:X25", "$R24", "thin"), Mark("Y24:Y25", "$Y24", "mark"), Mark("AA24:AL25", "", "heat"),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """One row a rep in each part, largest reserve first within the region; the chart data beside them."""
    owners = analysis.owners
    named = owners.assign(
        region=[say.region(r) for r in owners["region"]], owner=[say.owner(o) for o in owners["owner"]]
    )
    whos = list(zip(owners["region"], owners["owner"], strict=True))
    broken = [say.flag_list(analysis.flags_of(*who)) for who in whos]
    reps = named.assign(
        tags=pd.Series([say.tag_list(analysis.tags_of(*who)) for who in whos], index=owners.index, dtype=object),
        flags=pd.Series(broken, index=owners.index, dtype=object),
    )
    keys = {t.name: [c.key for c in t.columns] for t in PAGE.tables}
    below_mean, below_floor = owners["to_mean"] < 0, owners["to_floor"] < 0
    heads = {
        **_heads(owners["reserve"], below_mean, _RESERVE_BARS),
        **_heads(owners["T3"], below_floor, _T3_BARS),
        "mean": owners["region_mean"],
        "floor": owners["T3"] - owners["to_floor"],
    }
    rates = _rates(analysis, say)
    drawn = rates[(rates["owner_code"] != "") & rates["rate"].notna()]
    by_size = drawn.sort_values(["region", "entered", "owner"], ignore_index=True)
    by_rate = drawn.sort_values(["shrunk", "owner"], ascending=[False, True], ignore_index=True)
    label = [
        say("reps.with_cases", name=o, n=say.count(n))
        for o, n in zip(by_size["owner"], by_size["entered"], strict=True)
    ]
    is_roomy, nothing = len(drawn) <= _LABELLED, pd.Series(dtype=float)
    points = {name: by_size["rate"].where(by_size["code"].isin(places)) for name, places in _DOTS.items()}
    points["label"] = by_size["rate"] if is_roomy else nothing
    tables = {
        "tbl_reps": reps[keys["tbl_reps"]],
        "tbl_rep_bars": pd.DataFrame(heads),
        "tbl_rep_rates": rates[keys["tbl_rep_rates"]],
        "tbl_rep_limits": by_size.assign(owner=pd.Series(label, dtype=object), **points)[keys["tbl_rep_limits"]],
        "tbl_rep_ranks": by_rate.assign(label=by_rate["shrunk"] if is_roomy else nothing)[keys["tbl_rep_ranks"]],
    }
    months = sorted(set(analysis.owner_months["month"]))[-MONTHS_SHOWN:]
    shown = [None] * (MONTHS_SHOWN - len(months)) + [month_text(m)[2:] for m in months]
    step = headline_step(analysis, say)
    silent = "_some" if len(drawn) else "_none"
    is_alike = len(drawn) > 0 and bool((drawn["shrunk"] == drawn["region_rate"]).all())
    cells: dict[str, Value] = {
        "txt_reps_scope": say.scope(analysis),
        "txt_reps_step": say("reps.step" if step else "reps.step_none", step=say.spaced(step)),
        "txt_reps_limits": say(f"reps.chart.limits_of{silent}", step=say.spaced(step)),
        "txt_reps_shrunk": say(f"reps.chart.shrunk_of{'_alike' if is_alike else silent}", step=say.spaced(step)),
        **{f"txt_reps_{m}": text for m, text in zip(MONTHS, shown, strict=True)},
    }
    return Content(tables, cells)


def _heads(held: pd.Series, short: pd.Series, columns: tuple[str, ...]) -> dict[str, pd.Series]:
    """The lengths of a chart's columns, each in the one that has its colour and, up to _LABELLED reps, a number."""
    many = len(held) > _LABELLED
    places = [(~short, False), (short, False), (~short, True), (short, True)]
    return {c: held.where(of & (labelless == many)) for c, (of, labelless) in zip(columns, places, strict=True)}


def headline_step(analysis: FunnelAnalysis, say: Phrases) -> str:
    """The step that reps are ranked by; "" where nothing is known of flows."""
    rows = analysis.comparisons[analysis.comparisons["is_headline"]]
    return say.step(rows["from_stage"].iloc[0], rows["to_stage"].iloc[0]) if len(rows) else ""


def _rates(analysis: FunnelAnalysis, say: Phrases) -> pd.DataFrame:
    """A row a rep in the order of `analysis.owners`: the headline step (`code`: its placement), reserves by month."""
    keys = ["region", "owner"]
    head = analysis.comparisons[analysis.comparisons["is_headline"]]
    rows = analysis.owners[keys].merge(head, on=keys, how="left")
    few = ~(rows["entered"] >= FEW)
    hidden = {c: rows[c].mask(few).astype(float) for c in ("rate", "shrunk", "region_rate", *_LIMITS)}
    codes = list(rows["placement"])
    severities = [SEVERITIES.get(p, Severity.NONE) if isinstance(p, Placement) else None for p in codes]
    held = {who: part["reserve"].tolist() for who, part in analysis.owner_months.groupby(keys, sort=False)}
    months = [held.get(who, [])[-MONTHS_SHOWN:] for who in rows[keys].itertuples(index=False, name=None)]
    wide = [[None] * (MONTHS_SHOWN - len(values)) + values for values in months]
    verdicts = {
        (t.region, t.owner): t.fit.verdict for t in analysis.trends if t.span == "T0-T3" and t.owner is not None
    }
    found = [verdicts.get(who) for who in rows[keys].itertuples(index=False, name=None)]
    return rows.assign(
        **hidden,
        **{m: pd.Series([row[i] for row in wide], dtype=float) for i, m in enumerate(MONTHS)},
        code=pd.Series(codes, dtype=object),
        mark=pd.Series([say(f"home.mark.{s}") if s else None for s in severities], dtype=object),
        placement=pd.Series(
            [say(f"reps.placement.{p}") if isinstance(p, Placement) else None for p in codes], dtype=object
        ),
        trend=pd.Series([say(f"reps.trend.{v}") if v else None for v in found], dtype=object),
        owner_code=rows["owner"],
        owner=[say.owner(o) for o in rows["owner"]],
    )
