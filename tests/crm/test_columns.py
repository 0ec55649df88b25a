"""Finding the header and knowing its columns, in the words of several CRMs."""

from collections.abc import Callable

import pytest

from xlfunnel.crm import Intake
from xlfunnel.crm.columns import header, recognised
from xlfunnel.crm.stages import StageNames
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.strings import words
from xlfunnel.terms import Field, Shape

NAMES = StageNames(Settings())


def found(names: list[str], settings: Settings | None = None) -> dict[str, str]:
    """Field or stage -> header."""
    return {key: names[i] for key, i in recognised(names, settings or Settings(), NAMES).items()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["商机编号", "大区", "负责人", "阶段", "进入日期", "离开日期", "去向", "金额"],
            ["opportunity_id", "region", "owner", "stage", "entered", "left", "next_stage", "amount"],
        ),
        (
            ["Opportunity ID", "Region", "Rep", "Stage", "Entered", "Left", "Went to", "Amount"],
            ["opportunity_id", "region", "owner", "stage", "entered", "left", "next_stage", "amount"],
        ),
        (
            ["Opportunity ID", "Opportunity Owner", "Stage", "Created Date", "Close Date", "Amount"],
            ["opportunity_id", "owner", "stage", "created", "closed", "amount"],
        ),
        (
            ["Record ID", "Deal owner", "Deal Stage", "Create Date", "Close Date", "Amount in company currency"],
            ["opportunity_id", "owner", "stage", "created", "closed", "amount"],
        ),
        (
            ["商机编号", "负责人", "商机阶段", "创建时间", "结单日期", "预计金额（元）"],
            ["opportunity_id", "owner", "stage", "created", "closed", "amount"],
        ),
        (
            ["销售机会ID", "所有人", "销售阶段", "阶段更新时间", "所属部门", "销售金额"],
            ["opportunity_id", "owner", "stage", "entered", "region", "amount"],
        ),
        (
            [
                "id",
                "T0",
                "高潜线索日期",
                "Date entered T2",
                "进入高阶商机时间",
                "商务谈判(日期)",
                "won date",
                "丢单时间",
            ],
            ["opportunity_id", "T0", "T1", "T2", "T3", "T4", "won", "lost"],
        ),
        (["月份", "负责人", "T0数量", "T3 储备"], ["month", "owner", "T0", "T3"]),
    ],
    ids=["our sheet", "our sheet in English", "Salesforce", "HubSpot", "纷享销客", "销售易", "stage dates", "counts"],
)
def test_common_headers(names: list[str], expected: list[str]) -> None:
    assert found(names) == dict(zip(expected, names, strict=True))


def test_better_names_win_over_earlier_columns() -> None:
    names = ["商机名称", "部门", "商机编号", "大区", "Stage", "status"]
    assert found(names) == {"opportunity_id": "商机编号", "region": "大区", "stage": "Stage"}


def test_settings_win_over_names() -> None:
    settings = Settings(columns={"owner": "assistant", "T2": "Qualified on"})
    names = ["id", "owner", "ASSISTANT ", "qualified_on"]
    assert found(names, settings)["owner"] == "ASSISTANT "
    assert found(names, settings)["T2"] == "qualified_on"


TABLE = ["商机编号", "负责人", "阶段", "进入日期"]


@pytest.mark.parametrize(
    ("above", "skip"),
    [
        ([], 1),
        ([["2025年商机台账"]], 2),
        ([["2025年商机台账"], [], ["导出时间：2025-06-30", "", "阶段", "负责人"]], 4),
        ([["x"]] * 29, 30),
    ],
)
def test_the_header_under_title_rows(above: list[list[object]], skip: int) -> None:
    understood = header([*above, TABLE, ["A", "x", "T1", "2025-01-01"]], Settings(), NAMES)
    assert understood is not None
    assert understood.skip == skip
    assert understood.rule.shape == Shape.HISTORY


def test_blank_leading_columns() -> None:
    understood = header([["", None, *TABLE]], Settings(), NAMES)
    assert understood is not None
    assert understood.columns == {"opportunity_id": 2, "owner": 3, "stage": 4, "entered": 5}


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ("id stage entered", Shape.HISTORY),
        ("id stage entered left closed", Shape.HISTORY),
        ("id stage entered closed", Shape.CURRENT_STAGE),
        ("id stage created", Shape.CURRENT_STAGE),
        ("id T0 T2", Shape.STAGE_DATES),
        ("id stage created T0 T2", Shape.STAGE_DATES),
        ("month owner stage count", Shape.AGGREGATED),
        ("month owner T3", Shape.AGGREGATED),
        ("id T0", None),
        ("id stage", None),
        ("id owner amount", None),
        ("month stage count", None),
        ("owner T0 T1 T2 T3", None),
        ("id month owner T3", None),
    ],
)
def test_the_fields_decide_the_shape(fields: str, shape: Shape | None) -> None:
    understood = header([fields.split()], Settings(), NAMES)
    assert (understood.rule.shape if understood else None) == shape


def test_wrong_columns_are_named_with_the_closest(read: Callable[..., Intake]) -> None:
    with pytest.raises(InputError, match="wrong_columns_close") as e:
        read([["opportunity_id", "sales stagee", "created"], ["A", "T1", "2025-01-01"]])
    assert e.value.params["missing"] == (Field.STAGE,)
    assert e.value.params["hint"] == "sales stagee"
    sentence = words("zh-CN")(e.value.code, **e.value.params)
    assert "还缺 阶段" in sentence
    assert "sales stagee" in sentence


@pytest.mark.parametrize(("language", "close"), [("en", "closest"), ("zh-CN", "最接近")])
def test_where_nothing_is_close_nothing_is_said_of_it(read: Callable[..., Intake], language: str, close: str) -> None:
    with pytest.raises(InputError) as e:
        read([["Recipe", "Flour"], ["Cake", "200"]])
    assert close not in words(language)(e.value.code, **e.value.params)


@pytest.mark.parametrize("name", ["New", "Close", "商机", "方案"])
def test_a_common_word_is_no_column_of_counts(read: Callable[..., Intake], name: str) -> None:
    with pytest.raises(InputError, match="wrong_columns"):
        read([["month", "owner", name], ["2025-01", "Ann", "3"]])
    assert read([["month", "owner", f"T3 {name}"], ["2025-01", "Ann", "3"]]).reserves is not None
