"""Stage names: what is known, what the settings say, and that nothing else is guessed."""

import numpy as np
import pytest

from xlfunnel.crm.stages import UNKNOWN, StageNames
from xlfunnel.settings import Settings


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("线索", "T0"),
        ("高潜线索", "T1"),
        ("有效商机", "T2"),
        ("高阶商机", "T3"),
        ("方案", "T3"),
        ("方案/价值验证", "T3"),
        ("关键决策", "T4"),
        ("商务谈判", "T4"),
        ("赢单", "won"),
        ("成交", "won"),
        ("丢单", "lost"),
        ("输单", "lost"),
        ("流失", "lost"),
        ("Lead", "T0"),
        ("Qualified Lead", "T1"),
        ("Proposal", "T3"),
        ("Negotiation/Review", "T4"),
        ("Closed Won", "won"),
        ("closedlost", "lost"),
        ("T0", "T0"),
        ("t4", "T4"),
        ("Ｔ２", "T2"),
        ("T2 有效商机", "T2"),
        ("T2-有效商机", "T2"),
        ("T3：方案", "T3"),
        ("3-T3", "T3"),
        ("2. T2 商机", "T2"),
        ("2-方案报价", "T3"),
        ("03、商务谈判", "T4"),
        ("(4) 商务谈判", "T4"),
        ("赢单(100%)", "won"),
        ("\u3000WON ", "won"),
        ("won", "won"),
        ("lost", "lost"),
    ],
)
def test_names_everybody_uses(name: str, code: str) -> None:
    assert StageNames(Settings())(name) == code


@pytest.mark.parametrize("name", ["天使轮", "Stage 2", "T5", "T22", "2", "T", "wonderful", "已签", "T2B pipeline"])
def test_other_names_are_unknown(name: str) -> None:
    assert StageNames(Settings())(name) == UNKNOWN


def test_settings_come_first() -> None:
    names = StageNames(Settings(stages={"T1": "立项评审"}, stage_map={"Proposal": "T4", "Archived (old)": "lost"}))
    found = [names(n) for n in ("立项评审", "PROPOSAL", "Pro posal", "archived (old)", "Lead")]
    assert found == ["T1", "T4", "T4", "lost", "T0"]


def test_a_column_of_names() -> None:
    column = np.array(["线索", None, "?!", "线索", "赢单"], dtype=object)
    assert StageNames(Settings()).column(column).tolist() == ["T0", "", UNKNOWN, "T0", "won"]
