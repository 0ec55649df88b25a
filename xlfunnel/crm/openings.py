"""What came before the first row of a history: changes tell from which stage, and the creation tells since when."""

import numpy as np
import pandas as pd

from xlfunnel.crm.dates import BAD, BLANK, DAY
from xlfunnel.crm.ledger import Ledger
from xlfunnel.terms import OUTCOMES, STAGES, Col, IssueCode


def with_openings(frame: pd.DataFrame, source: str, ledger: Ledger) -> pd.DataFrame:
    """Rows of `forms.history` with one more before the first row of an opportunity, where there is one to be made.

    The first row says the stage before it (a log of changes), or it is won or lost (a history that begins late); the
    row before it then begins with the creation, in that stage; of a closed opportunity in the first stage of the file.
    Where the creation is not known, nobody knows how long the stage before lasted: this is remarked upon.
    """
    if "previous" not in frame or not len(frame):
        return frame
    ordered = frame.sort_values(["entered", "order"], kind="stable")
    first = ordered[~ordered[Col.OPPORTUNITY].duplicated()]
    stages = [s for s in frame["stage"] if s in STAGES]
    before = first["previous"].to_numpy(dtype=object)
    ended = np.isin(first["stage"].to_numpy(dtype=object), OUTCOMES)
    before = np.where(np.isin(before, STAGES), before, np.where(ended, min(stages, default=STAGES[0]), ""))
    created, entered = first["created"].to_numpy(), first["entered"].to_numpy()
    known = (created > BAD) & (created // DAY <= entered // DAY)
    undated = int((np.isin(first["previous"].to_numpy(dtype=object), STAGES) & ~known).sum())
    if undated:
        ledger.remark(IssueCode.UNDATED_START, source, str(undated))
    closed = first["closed"].to_numpy()
    earlier = ended & known & (closed > BAD) & (created // DAY <= closed // DAY) & (closed < entered)
    entered = np.where(earlier, np.maximum(closed, created), entered)
    made = first.assign(
        stage=before, next_stage="", entered=np.minimum(created, entered), left=BLANK, order=first["order"] - len(frame)
    )
    made = made[known & (before != "") & (before != first["stage"].to_numpy(dtype=object))]
    moments = frame["entered"].copy()
    moments[first.index[earlier]] = entered[earlier]  # a history that begins too late knows the closing itself
    frame = frame.assign(entered=moments)
    both: pd.DataFrame = pd.concat([made, frame])
    return both.drop(columns=["previous", "created", "closed"])
