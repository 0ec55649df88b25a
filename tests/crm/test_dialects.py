"""Exports of CRMs, recognised by their headers alone: a few rows each as the CRM writes them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from crm_files import Row, csv_bytes, short, told

from xlfunnel.crm import Intake, read_sources
from xlfunnel.crm.dialects import DIALECTS
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import OUTCOMES, STAGES, Field

ALL = Settings(refuse_share=1)


def read(folder: Path, *files: Sequence[Row], settings: Settings = ALL, names: Sequence[str] = ()) -> Intake:
    """Read all tables at once; they are called as `names`, else 0.csv, 1.csv, …"""
    paths = []
    for i, rows in enumerate(files):
        paths.append(folder / (names[i] if names else f"{i}.csv"))
        paths[-1].write_bytes(csv_bytes(rows))
    return read_sources(paths, settings)


def test_the_table_of_dialects_names_only_fields_that_there_are() -> None:
    extras = {"previous", "property", "snapshot", "is_won", "is_closed"}
    lookup = {"person_id", "person_name", "first_name", "last_name", "stage_id", "stage_name"}
    known = {*Field, *STAGES, *OUTCOMES, *extras, *lookup}
    for dialect in DIALECTS:
        assert {*dialect.columns, *dialect.ignore} <= known, dialect.name
    assert len({d.name for d in DIALECTS}) == len(DIALECTS)


SALESFORCE = [
    ["Id", "Name", "OwnerId", "StageName", "Amount", "CreatedDate", "CloseDate", "IsClosed", "IsWon"],
    ["006A", "Alpha", "005X", "Closed Won", 500, "2025-01-02T08:00:00.000Z", "2025-03-01", "true", "true"],
    ["006B", "Beta", "005Y", "Qualification", 70, "2025-01-20T08:00:00.000Z", "2025-09-30", "false", "false"],
]
USERS = [
    ["Id", "Username", "Name", "FirstName", "LastName", "ProfileId"],
    ["005X", "ann@x", "Ann Lee", "Ann", "Lee", "1"],
    ["005Y", "bob@x", "Bob Ray", "Bob", "Ray", "1"],
]


@pytest.mark.parametrize(
    "history",
    [
        [
            ["Id", "OpportunityId", "CreatedById", "CreatedDate", "Field", "OldValue", "NewValue"],
            ["1", "006A", "005X", "2025-01-02T08:00:00.000Z", "created", "", ""],
            ["2", "006A", "005X", "2025-02-01T09:00:00.000Z", "StageName", "Prospecting", "Negotiation/Review"],
            ["3", "006A", "005X", "2025-02-01T09:00:00.000Z", "Amount", "1", "500"],
            ["4", "006A", "005X", "2025-03-01T10:00:00.000Z", "StageName", "Negotiation/Review", "Closed Won"],
        ],
        [
            ["Opportunity ID", "Opportunity Name", "Edited By", "Field / Event", "Old Value", "New Value", "Edit Date"],
            ["006A", "Alpha", "Ann", "Stage", "Prospecting", "Negotiation/Review", "2/1/2025 9:00 AM"],
            ["006A", "Alpha", "Ann", "Close Date", "1/1/2025", "3/1/2025", "2/13/2025 9:00 AM"],
            ["006A", "Alpha", "Ann", "Stage", "Negotiation/Review", "Closed Won", "3/1/2025 9:00 AM"],
        ],
        [
            ["业务机会 ID", "业务机会名称", "字段/事件", "旧值", "新值", "编辑日期"],
            ["006A", "Alpha", "阶段", "Prospecting", "Negotiation/Review", "2025/2/1 上午9:00"],
            ["006A", "Alpha", "Close Date", "", "", "2025/2/13 上午9:00"],
            ["006A", "Alpha", "阶段", "Negotiation/Review", "Closed Won", "2025/3/1 上午9:00"],
        ],
    ],
    ids=["api", "report", "report in Chinese"],
)
def test_salesforce_field_history(tmp_path: Path, history: list[Row]) -> None:
    if "Edit Date" in history[0]:
        history = [*history, ["006A", "Alpha", "Ann", "Stage", "Closed Won", "Closed Won", "3/13/2025 9:00 AM"]]
    intake = read(tmp_path, SALESFORCE, history, USERS)
    assert short(intake.visits) == [
        ("006A", 1, "T0", "T4", "2025-01-02", "2025-02-01"),
        ("006A", 2, "T4", "won", "2025-02-01", "2025-03-01"),
        ("006B", 1, "T1", "open", "2025-01-20", ""),
    ]
    assert intake.visits["owner"].tolist() == ["Ann Lee", "Ann Lee", "Bob Ray"]
    assert intake.visits["amount_cents"].tolist() == [50000, 50000, 7000]
    others = [i.value for i in intake.issues if i.code == "other_property"]
    assert others == ["created 1, Amount 1" if history[0][0] == "Id" else "Close Date 1"]


def test_salesforce_field_history_alone_does_not_know_the_first_start(tmp_path: Path) -> None:
    history = [
        ["OpportunityId", "Field", "OldValue", "NewValue", "CreatedDate"],
        ["006A", "StageName", "Prospecting", "Qualification", "2025-02-01T09:00:00Z"],
    ]
    intake = read(tmp_path, history)
    assert short(intake.visits) == [("006A", 1, "T1", "open", "2025-02-01", "")]
    assert ("undated_start", None, "1", "noted") in told(intake)


def test_salesforce_field_history_alone_knows_the_first_start_by_the_row_of_the_creation(tmp_path: Path) -> None:
    history = [
        ["OpportunityId", "Field", "OldValue", "NewValue", "CreatedDate"],
        ["006A", "created", "", "", "2025-01-05T09:00:00Z"],
        ["006A", "StageName", "Prospecting", "Qualification", "2025-02-01T09:00:00Z"],
        ["006B", "StageName", "Prospecting", "Qualification", "2025-02-02T09:00:00Z"],
    ]
    intake = read(tmp_path, history)
    assert short(intake.visits) == [
        ("006A", 1, "T0", "T1", "2025-01-05", "2025-02-01"),
        ("006A", 2, "T1", "open", "2025-02-01", ""),
        ("006B", 1, "T1", "open", "2025-02-02", ""),
    ]
    assert ("undated_start", None, "1", "noted") in told(intake)


def test_days_of_creation_in_two_orders_are_refused_with_the_column_they_stand_in(tmp_path: Path) -> None:
    history = [
        ["OpportunityId", "Field", "OldValue", "NewValue", "CreatedDate"],
        ["006A", "created", "", "", "13/1/2025"],
        ["006B", "created", "", "", "1/14/2025"],
        ["006A", "StageName", "Prospecting", "Qualification", "2025-02-01T09:00:00Z"],
        ["006B", "StageName", "Prospecting", "Qualification", "2025-02-02T09:00:00Z"],
    ]
    with pytest.raises(InputError) as caught:
        read(tmp_path, history)
    assert (caught.value.code, caught.value.params["column"]) == ("input.mixed_dates", "CreatedDate")


def test_salesforce_opportunity_history(tmp_path: Path) -> None:
    history = [
        ["Id", "OpportunityId", "StageName", "Amount", "CloseDate", "CreatedDate", "CreatedById", "Probability"],
        ["1", "006A", "Prospecting", 300, "2025-06-01", "2025-01-02T08:00:00.000+0000", "005X", 10],
        ["2", "006A", "Prospecting", 500, "2025-06-01", "2025-01-09T08:00:00.000+0000", "005X", 10],
        ["3", "006A", "Proposal/Price Quote", 500, "2025-06-01", "2025-02-01T08:00:00.000+0000", "005X", 60],
        ["4", "006A", "Closed Lost", 500, "2025-02-11", "2025-02-11T08:00:00.000+0000", "005X", 0],
    ]
    intake = read(tmp_path, history, SALESFORCE)
    assert [v[1:] for v in short(intake.visits) if v[0] == "006A"] == [
        (1, "T0", "T3", "2025-01-02", "2025-02-01"),
        (2, "T3", "lost", "2025-02-01", "2025-02-11"),
    ]
    assert intake.sources[0].how.endswith("Salesforce OpportunityHistory")


def test_a_stage_of_ones_own_is_won_where_the_row_says_so(tmp_path: Path) -> None:
    rows = [SALESFORCE[0], ["006C", "C", "005X", "Signed!", 1, "2025-01-02", "2025-03-01", "true", "true"]]
    rows += [["006D", "D", "005X", "No budget", 1, "2025-01-02", "2025-03-01", "true", "false"], SALESFORCE[2]]
    assert [v[2:4] for v in short(read(tmp_path, rows).visits)] == [("T1", "open"), ("T1", "won"), ("T1", "lost")]


def test_hubspot_deals_with_stage_dates(tmp_path: Path) -> None:
    entered = [
        f'Date entered "{s} (Sales Pipeline)"'
        for s in ("Appointment Scheduled", "Qualified To Buy", "Presentation Scheduled", "Closed Won", "Closed Lost")
    ]
    extra = ['Date exited "Qualified To Buy (Sales Pipeline)"', 'Date entered "Demo booked (Partners)"']
    rows = [
        ["Record ID", "Deal Name", "Deal Stage", "Deal owner", "Amount", "Create Date", "Close Date", *entered, *extra],
        ["9", "N", "Closed Won (Sales Pipeline)", "Ann", "1,000", "2025-01-01 10:00", "2025-03-05 10:00",
         "2025-01-02 10:00", "2025-01-20 10:00", "", "2025-03-04 10:00", "", "2025-03-04 10:00", ""],
        ["8", "M", "Presentation Scheduled (Sales Pipeline)", "Bob", "", "2025-01-01 10:00", "",
         "", "2025-01-21 10:00", "2025-02-02 10:00", "", "", "2025-02-02 10:00", ""],
    ]  # fmt: skip
    intake = read(tmp_path, rows)
    assert short(intake.visits) == [
        ("8", 1, "T2", "T3", "2025-01-21", "2025-02-02"),
        ("8", 2, "T3", "open", "2025-02-02", ""),
        ("9", 1, "T1", "T2", "2025-01-02", "2025-01-20"),
        ("9", 2, "T2", "won", "2025-01-20", "2025-03-04"),
    ]
    assert told(intake) == [("unmapped_column", None, 'Date entered "Demo booked (Partners)"', "noted")]


def test_stages_of_two_pipelines_are_one_column(tmp_path: Path) -> None:
    rows = [
        ["Record ID", "Date entered 'Proposal (A)'", "Date entered 'Lead (A)'", "Date entered 'Proposal (B)'"],
        ["1", "2025-02-01", "2025-01-01", ""],
        ["2", "", "", "2025-03-01"],
    ]
    assert [v[2:5] for v in short(read(tmp_path, rows).visits)] == [
        ("T0", "T3", "2025-01-01"),
        ("T3", "open", "2025-02-01"),
        ("T3", "open", "2025-03-01"),
    ]


def test_hubspot_property_history(tmp_path: Path) -> None:
    header = ["Object ID", "Property", "Value", "Timestamp"]
    rows = [
        ["9", "dealstage", "appointmentscheduled", "2025-01-02T10:00:00.123Z"],
        ["9", "amount", "12", "2025-01-02T10:00:00.123Z"],
        ["9", "dealstage", "closedlost", "2025-02-02T10:00:00.123Z"],
    ]
    intake = read(tmp_path, [header, *rows])
    assert short(intake.visits) == [("9", 1, "T1", "lost", "2025-01-02", "2025-02-02")]
    renamed = [[r[0], "阶段字段" if r[1] == "dealstage" else r[1], *r[2:]] for r in rows]
    assert short(read(tmp_path, [header, *renamed]).visits) == short(intake.visits)
    with pytest.raises(InputError, match="no_stage_rows") as e:
        read(tmp_path, [header, rows[1]])
    assert e.value.params["found"] == "amount 1"


def test_hubspot_ids_of_stages_and_owners_find_their_names(tmp_path: Path) -> None:
    deals = [["deal_id", "deal_pipeline_stage_id", "owner_id", "property_createdate", "property_closedate"]]
    deals += [["1", "s1", "77", "2025-01-01", ""], ["2", "s2", "78", "2025-01-05", "2025-02-01"]]
    stages = [["stage_id", "label", "pipeline_id", "closed_won", "is_closed"]]
    stages += [["s1", "Contract sent", "p", "FALSE", "FALSE"], ["s2", "Signed", "p", "TRUE", "TRUE"]]
    owners = [
        ["owner_id", "email", "first_name", "last_name"],
        ["77", "a@x", "Ann", "Lee"],
        ["78", "b@x", "Ann", "Lee"],
    ]
    intake = read(tmp_path, deals, stages, owners)
    assert [v[2:] for v in short(intake.visits)] == [
        ("T4", "open", "2025-01-01", ""),
        ("T4", "won", "2025-01-05", "2025-02-01"),
    ]
    assert intake.visits["owner"].tolist() == ["Ann Lee (77)", "Ann Lee (78)"]
    with pytest.raises(InputError, match="only_names"):
        read(tmp_path, owners)


def test_dynamics(tmp_path: Path) -> None:
    rows = [
        ["(Do Not Modify) Opportunity", "Topic", "Est. Close Date", "Est. Revenue", "Pipeline Phase", "Status",
         "Owner", "Created On", "Actual Close Date"],
        ["g-1", "T", "9/30/2025", "$5,000.00", "3-Propose", "Open", "Ann", "1/20/2025 10:00 AM", ""],
        ["g-2", "U", "2/1/2025", "$1.00", "2-Develop", "Lost", "Ann", "1/5/2025 10:00 AM", "2/1/2025"],
        ["g-3", "V", "2/1/2025", "$1.00", "4-Close", "Won", "Bob", "1/6/2025 10:00 AM", "2/27/2025"],
    ]  # fmt: skip
    intake = read(tmp_path, rows)
    assert short(intake.visits) == [
        ("g-1", 1, "T3", "open", "2025-01-20", ""),
        ("g-2", 1, "T2", "lost", "2025-01-05", "2025-02-01"),
        ("g-3", 1, "T4", "won", "2025-01-06", "2025-02-27"),
    ]
    assert intake.visits["amount_cents"].tolist()[0] == 500000


def test_odoo(tmp_path: Path) -> None:
    rows = [
        ["Opportunity", "Salesperson", "Sales Team", "Stage", "Created on", "Last Stage Update", "Expected Revenue",
         "Closed Date", "Is Won"],
        ["A", "Ann", "North", "Proposition", "2025-01-01 09:00:00", "2025-02-01 09:00:00", "10.0", "", "Pending"],
        ["B", "Bob", "South", "Won", "2025-01-01 09:00:00", "2025-02-03 09:00:00", "10.0", "2025-02-03 10:00:00",
         "Won"],
        ["C", "Bob", "South", "Qualified", "2025-01-01 09:00:00", "2025-01-09 09:00:00", "10.0",
         "2025-02-03 10:00:00", "Lost"],
    ]  # fmt: skip
    intake = read(tmp_path, rows)
    assert [v[2:] for v in short(intake.visits)] == [
        ("T3", "open", "2025-02-01", ""),
        ("T3", "won", "2025-01-01", "2025-02-03"),
        ("T2", "lost", "2025-01-01", "2025-02-03"),
    ]
    assert intake.visits["region"].tolist() == ["North", "South", "South"]


def test_zoho_and_its_stage_history(tmp_path: Path) -> None:
    deals = [["Record Id", "Deal Name", "Deal Owner", "Stage", "Amount", "Closing Date", "Created Time"]]
    deals += [["z1", "A", "Ann", "Negotiation/Review", "$ 10", "2025-09-01", "2025-01-01 10:00:00"]]
    deals += [["z2", "B", "Bob", "Closed-Lost to Competition", "$ 10", "2025-02-01", "2025-01-02 10:00:00"]]
    assert [v[2:] for v in short(read(tmp_path, deals).visits)] == [
        ("T4", "open", "2025-01-01", ""),
        ("T4", "lost", "2025-01-02", "2025-02-01"),
    ]
    history = [["Deal Name", "Stage", "Amount", "Stage Duration (Calendar Days)", "Modified Time", "Modified By"]]
    history += [["A", "Qualification", "10", "5", "2025-01-01 10:00:00", "x"]]
    history += [["A", "Closed Won", "10", "", "2025-01-06 10:00:00", "x"]]
    assert short(read(tmp_path, history).visits) == [("A", 1, "T1", "won", "2025-01-01", "2025-01-06")]


def test_pipedrive(tmp_path: Path) -> None:
    rows = [
        ["Deal - ID", "Deal - Title", "Deal - Owner", "Deal - Value", "Deal - Stage", "Deal - Status",
         "Deal - Deal created", "Deal - Last stage change", "Deal - Won time", "Deal - Lost time"],
        ["1", "A", "Ann", "500", "Proposal Made", "Open", "2025-01-01 10:00", "2025-02-01 10:00", "", ""],
        ["2", "B", "Bob", "500", "Negotiations Started", "Won", "2025-01-01 10:00", "2025-02-05 10:00",
         "2025-03-01 10:00", ""],
        ["3", "C", "Bob", "500", "Contact Made", "Lost", "2025-01-01 10:00", "", "", "2025-03-02 10:00"],
    ]  # fmt: skip
    assert short(read(tmp_path, rows).visits) == [
        ("1", 1, "T3", "open", "2025-02-01", ""),
        ("2", 1, "T4", "won", "2025-01-01", "2025-03-01"),
        ("3", 1, "T1", "lost", "2025-01-01", "2025-03-02"),
    ]


def test_chinese_crms(tmp_path: Path) -> None:
    opportunities = [
        ["商机编号", "客户名称", "商机金额(元)", "预计成交日期", "销售阶段", "负责人", "负责人主属部门", "创建时间"],
        ["SJ-1", "客户", "12.5万", "2025-12-31", "方案报价", "张伟", "华北", "2025-01-05 10:00"],
        ["SJ-2", "客户", "￥1,000", "2025-12-31", "需求确认", "王芳", "华南", "2025-02-05 10:00"],
    ]  # fmt: skip
    changes = [
        ["商机编号", "变更前阶段", "变更后阶段", "变更人", "变更时间"],
        ["SJ-1", "验证客户", "需求确认", "张伟", "2025-02-01 10:00"],
        ["SJ-1", "需求确认", "方案报价", "张伟", "2025-03-01 10:00"],
    ]
    intake = read(tmp_path, opportunities, changes)
    assert short(intake.visits) == [
        ("SJ-1", 1, "T1", "T2", "2025-01-05", "2025-02-01"),
        ("SJ-1", 2, "T2", "T3", "2025-02-01", "2025-03-01"),
        ("SJ-1", 3, "T3", "open", "2025-03-01", ""),
        ("SJ-2", 1, "T2", "open", "2025-02-05", ""),
    ]
    assert intake.visits["region"].tolist() == ["华北"] * 3 + ["华南"]
    assert intake.visits["amount_cents"].tolist() == [12_500_000] * 3 + [100_000]


def test_a_title_that_names_the_opportunity_is_no_header(tmp_path: Path) -> None:
    history = [["商机"], ["商机编号", "阶段", "进入日期"], ["1", "T1", "2025-01-01"]]
    owners = [["商机"], ["商机编号", "负责人"], ["1", "张伟"]]
    assert read(tmp_path, owners, history).visits["owner"].tolist() == ["张伟"]


@pytest.mark.parametrize(
    ("names", "stages"),
    [
        (["salesforce/sf_opportunity_data.csv"], 0),
        (["salesforce/sf_opportunity_history_data.csv"], 0),
        (["salesforce/sf_opportunity_data.csv", "salesforce/sf_user_data.csv"], 0),
        (["hubspot/deal_stage_data.csv"], 1),
        (["hubspot/deal_stage_data.csv", "hubspot/deal_data.csv", "hubspot/owner_data.csv"], 1),
        (["hubspot/deal_data.csv", "hubspot/deal_pipeline_stage_data.csv"], 2),
    ],
    ids=lambda v: "+".join(n.split("/")[1] for n in v) if isinstance(v, list) else "",
)
def test_layouts_of_real_exports_need_no_mapping_of_columns(shared: Path, names: list[str], stages: int) -> None:
    maps = (
        {"GavUFuuf4DrnQAoiRGlWpQ==": "won", "tXi3M8u3iPxq0ggxTSxMKw==": "lost", "9RN9J3tlxr89gDctReax5w==": "T3"},
        {"f66ca9bc5a02c2f1513ce83f0a0e117d": "T1", "09a969da1d61b38bd3746f0f49c1475a": "T2"},
        {},
    )
    folder = shared / "data/crm_exports"
    settings = Settings(refuse_share=1, stage_map=maps[stages])
    if stages == 2:  # labels are hashed as well: what they are called is found, what they mean nobody can know
        with pytest.raises(InputError, match="no_rows_used"):
            read_sources([folder / n for n in names], settings)
        return
    intake = read_sources([folder / n for n in names], settings)
    assert len(intake.visits) >= 9
    assert intake.sources[0].rows_refused <= 1
    assert {i.code for i in intake.issues if i.treatment == "refused" and i.source == names[0].split("/")[1]} <= {
        "unknown_stage",
        "missing_stage",
        "left_before_entered",
    }


def test_a_hashed_property_history_is_recognised_and_says_what_it_lacks(shared: Path) -> None:
    with pytest.raises(InputError, match="no_stage_rows"):
        read_sources([shared / "data/crm_exports/hubspot/deal_property_history_data.csv"], Settings())
