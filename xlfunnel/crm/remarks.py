"""What is odd in rows that are used all the same: changes out of order, steps back, owners whose names look alike."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations

import numpy as np
import pandas as pd

from xlfunnel.crm.ledger import Ledger, Positions
from xlfunnel.crm.tables import RawTable
from xlfunnel.crm.text import fold, without_brackets
from xlfunnel.terms import Col, Field, IssueCode, Shape

_PAIRS_SHOWN = 50
_OWNERS_COMPARED = 500
_ALIKE = 0.9
_LONG_ENOUGH = 6
_CHINESE = 0x2E80  # the first of the scripts that put no blanks between words


def order_of_history(table: RawTable, frame: pd.DataFrame, ledger: Ledger) -> None:
    """Remarks on a history: opportunities whose rows do not follow in time, and rows of one moment, whose order only
    the file tells. A history that says itself when and where to needs no order."""
    if {Field.LEFT, Field.NEXT_STAGE} <= table.cells.keys() or len(frame) < 2:
        return
    ids, entered = frame[Col.OPPORTUNITY].to_numpy(dtype=object), frame["entered"].to_numpy()
    stage = frame["stage"].to_numpy(dtype=object)
    same = ids[1:] == ids[:-1]
    up, down = same & (entered[1:] > entered[:-1]), same & (entered[1:] < entered[:-1])
    _remark(IssueCode.OUT_OF_ORDER, table.name, ids[1:][up if down.sum() > up.sum() else down], ledger)
    tie = same & (entered[1:] == entered[:-1]) & (stage[1:] != stage[:-1])
    _remark(IssueCode.SAME_INSTANT, table.name, ids[1:][tie], ledger)


def backwards(made: pd.DataFrame, positions: Positions, tables: Sequence[RawTable], ledger: Ledger) -> None:
    """Remarks on canonical visits, whose rows stand at `positions`: opportunities that went back to a stage before."""
    unsaid = (Shape.HISTORY, Shape.SNAPSHOTS)
    loose = [t for t in tables if t.shape in unsaid and Field.NEXT_STAGE not in t.cells]
    if not loose:
        return
    ids, stage = made[Col.OPPORTUNITY].to_numpy(dtype=object), made[Col.STAGE].to_numpy(dtype=object)
    visit = made[Col.VISIT].to_numpy(dtype=np.int64)
    back = np.append([False], (visit[1:] > 1) & (stage[1:] < stage[:-1]))[: len(ids)]
    ids, positions = ids[back], positions[back]
    for table in loose:
        _remark(IssueCode.STAGE_BACKWARDS, table.name, ids[np.isin(positions, table.positions)], ledger)


def similar_owners(owners: Sequence[str], source: str, ledger: Ledger) -> None:
    """Remarks on pairs of owners who may be one person: nothing is merged."""
    for number, (a, b) in enumerate(_pairs(sorted({o for o in owners if o}))):
        if number >= _PAIRS_SHOWN:
            return
        ledger.remark(IssueCode.SIMILAR_OWNER, source, f"{a} ≈ {b}")


def _pairs(owners: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names that are equal but for case, blanks, width, brackets, a number behind them or the order of their words; and
    long ones that differ in hardly a letter. Chinese names are too short for that: one character off is another person.
    """
    by_key = defaultdict(list)
    for owner in owners:
        words = fold(" ").join(_in_order([fold(w) for w in without_brackets(owner).replace(",", " ").split()]))
        by_key[words.rstrip("0123456789") or words].append(owner)
    for group in by_key.values():
        yield from combinations(group, 2)
    keys = [k for k in by_key if len(k) >= _LONG_ENOUGH and k.isascii()]
    if len(keys) > _OWNERS_COMPARED:
        return
    for a, b in combinations(sorted(keys), 2):
        if abs(len(a) - len(b)) <= 1 and SequenceMatcher(None, a, b, autojunk=False).ratio() >= _ALIKE:
            yield by_key[a][0], by_key[b][0]


def _in_order(words: list[str]) -> list[str]:
    """Sorted, as Jones, Ann is Ann Jones; but 张 伟 is 张伟 with a blank in it."""
    return words if any(ord(c) >= _CHINESE for w in words for c in w) else sorted(words)


def _remark(code: IssueCode, source: str, ids: np.ndarray[tuple[int], np.dtype[np.object_]], ledger: Ledger) -> None:
    """One remark: how many opportunities, and the first of them."""
    if len(ids):
        ledger.remark(code, source, f"{len(set(ids))} ({ids[0]})")
