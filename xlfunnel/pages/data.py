"""Data: the stage visits, one a row. What a refresh reads; only an import writes it."""

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.pages.model import Column, Content, Link, Page, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.terms import STAGES, Col, Outcome

FIRST = 4
"""Row of the sheet in which the first visit stands."""
_EPOCH = "1970-01-01"

PAGE = Page(
    key="data",
    widths=(18, 14, 14, 10, 13, 13, 12, 16, 2, 60),
    heights={1: 26, 2: 30},
    area="A1:H5",
    repeat="3:3",
    freeze="A4",
    input=True,
    bands=(("A1:H1", "title_band"),),
    texts=(Text("A1:F1", "data.title", "title_small"),),
    slots=(Slot("txt_data_note", "A2:H2", "note_wrap", default_key="data.note"),),
    links=(Link("G1:H1", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_data", f"A{FIRST - 1}", (
            Column("opportunity_id", "input_text"), Column("region", "input_text"), Column("owner", "input_text"),
            Column("stage", "input_text"), Column("entered", "input_date"), Column("left", "input_date"),
            Column("next_stage", "input_text"), Column("amount", "input_money"),
        ), filter=True),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The canonical visits as a person reads them; read back they are the same visits, to the day and the cent."""
    visits = analysis.visits
    ended = (Outcome.WON, Outcome.LOST, Outcome.GONE)
    went = {s: s for s in STAGES} | {str(o): say(f"data.outcome.{o}") for o in ended}
    frame = pd.DataFrame(
        {
            "opportunity_id": visits[Col.OPPORTUNITY],
            "region": visits[Col.REGION],
            "owner": visits[Col.OWNER],
            "stage": visits[Col.STAGE],
            "entered": _dates(visits[Col.ENTERED_DAY]),
            "left": _dates(visits[Col.LEFT_DAY]),
            "next_stage": visits[Col.NEXT_STAGE].map(went).astype(object),
            "amount": visits[Col.AMOUNT_CENTS].astype("Float64").astype(float) / 100,
        }
    )
    note = say("data.elsewhere", where=analysis.where) if analysis.where else say("data.note")
    return Content({"tbl_data": frame}, {"txt_data_note": note})


def _dates(days: pd.Series) -> pd.Series:
    return pd.to_datetime(days.astype("Float64").astype(float), unit="D", origin=_EPOCH)
