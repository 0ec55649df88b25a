"""The LX sample: six reps, eighteen months, a pipeline that runs dry. Made up, seeded, the same bytes every time.

python -m xlfunnel.sample [folder]      writes lx_opportunities.csv, lx_stage_history.csv, lx_settings.toml
"""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from xlfunnel.calendar import date_of
from xlfunnel.sample_pipeline import AS_OF, OWNERS, Opportunity, Pipeline
from xlfunnel.sample_words import BRANDS, CITIES, INDUSTRIES, LOSS_REASONS, PROJECTS, SOURCES
from xlfunnel.terms import STAGES, Outcome

SEED = 229
STAGE_NAMES = ("线索", "高潜线索", "有效商机", "高阶商机", "关键决策")
OUTCOME_NAMES = {Outcome.WON: "赢单", Outcome.LOST: "丢单"}


def files(seed: int = SEED) -> dict[str, bytes]:
    """File name → content. CSV with a byte-order mark, so that Excel reads the Chinese right.

    Two rows are dirty: an amount that is a word, and a date that does not exist (the row after has it right).
    """
    draw = Random(seed)
    opportunities = Pipeline(draw).run()
    ids = _ids(opportunities)
    heads, history = [], []
    names = _names(draw)
    for key, o in zip(ids, opportunities, strict=True):
        customer, project = next(names)
        heads.append(_head(key, o, customer, project, draw))
        history += [(key, _name(step), date_of(day).isoformat()) for step, day in o.steps]
    _soil(heads, history)
    return {
        "lx_opportunities.csv": _csv(
            "商机编号 商机名称 客户名称 大区 负责人 线索来源 当前阶段 金额 创建日期 预计成交日期 关闭日期 丢单原因",
            heads,
        ),
        "lx_stage_history.csv": _csv("商机编号 阶段 进入日期", history),
        "lx_settings.toml": _settings().encode(),
    }


def write(folder: Path, seed: int = SEED) -> None:
    """Write the files into `folder`, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files(seed).items():
        (folder / name).write_bytes(content)


def _ids(opportunities: list[Opportunity]) -> list[str]:
    ids, year, number = [], 0, 0
    for o in opportunities:
        created = date_of(o.steps[0][1]).year
        number = number + 1 if created == year else 1
        year = created
        ids.append(f"LX-{year}-{number:04d}")
    return ids


def _names(draw: Random) -> Iterator[tuple[str, str]]:
    """Customers and what they want; one in five comes from a customer that was there before."""
    makers = [(c, b, i) for c in CITIES for b in BRANDS for i in INDUSTRIES]
    known: list[tuple[str, str, str]] = []
    for maker in draw.sample(makers, len(makers)):
        if known and draw.random() < 0.2:
            maker = draw.choice(known)
        known.append(maker)
        city, brand, industry = maker
        yield f"{city}{brand}{industry}有限公司", f"{brand}{industry}{draw.choice(PROJECTS)}"


def _head(key: str, o: Opportunity, customer: str, project: str, draw: Random) -> tuple[str, ...]:
    step, day = o.steps[-1]
    source = draw.choices(tuple(SOURCES), tuple(SOURCES.values()))[0]
    amount = min(max(draw.lognormvariate(12.9, 0.75), 80_000), 3_000_000)
    expected = date_of(day + draw.randint(10, 120)).isoformat()
    reason = draw.choice(LOSS_REASONS[any(isinstance(s, int) and s >= 2 for s, _ in o.steps)])
    return (
        key,
        project,
        customer,
        "LX",
        OWNERS[o.owner],
        source,
        _name(step),
        str(round(amount / 5000) * 5000),
        date_of(o.steps[0][1]).isoformat(),
        expected if isinstance(step, int) and step >= 2 else "",
        "" if isinstance(step, int) else date_of(day).isoformat(),
        reason if step == Outcome.LOST else "",
    )


def _soil(heads: list[tuple[str, ...]], history: list[tuple[str, str, str]]) -> None:
    """The two dirty rows: in the first lead lost in 2024, and before a visit entered late in February 2025."""
    at = next(i for i, row in enumerate(heads) if row[6] == OUTCOME_NAMES[Outcome.LOST])
    heads[at] = (*heads[at][:7], "面议", *heads[at][8:])
    at = next(i for i, row in enumerate(history) if row[2].startswith("2025-02-2") and row[1] == STAGE_NAMES[2])
    history.insert(at, (*history[at][:2], "2025-02-30"))


def _name(step: int | Outcome) -> str:
    return STAGE_NAMES[step] if isinstance(step, int) else OUTCOME_NAMES[step]


def _csv(headers: str, rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([headers.split(), *rows])
    return text.getvalue().encode("utf-8-sig")


def _settings() -> str:
    names = dict(zip(STAGE_NAMES, STAGES, strict=True)) | {v: k.value for k, v in OUTCOME_NAMES.items()}
    lines = [
        'region = "LX"',
        f"as_of = {AS_OF}",
        "trend_months = 6",
        "floor_t1 = 5",
        "floor_t3 = 5",
        'currency = "元"',
        "",
        "[stage_map]",
        *(f'"{name}" = "{code}"' for name, code in names.items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "workbook" / "sample")
