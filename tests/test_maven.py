"""A public data set of 8,800 opportunities, in six shapes of file: the same numbers from each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

MAVEN = (
    "sales_pipeline.csv",
    "plain.xlsx",
    "zh_gb18030.csv",
    "zh_title_rows.xlsx",
    "epoch1904.xlsx",
    "text_us_mdy.xlsx",
)


def maven(xlfunnel: Callable[..., Any], shared: Path, name: str) -> dict[str, list[dict[str, object]]]:
    folder = shared / "data/maven_crm"
    run = xlfunnel(
        "report", folder / name, "--owners", folder / "sales_teams.csv", "--as-of", "2017-12-31",
        "--settings", ROOT / "docs/examples/maven.toml", "--json", f"{name}.json", "-o", f"{name}.out.xlsx",
    )  # fmt: skip
    assert run.code == 0, run.err
    found: dict[str, list[dict[str, object]]] = json.loads(Path(f"{name}.json").read_text("utf-8"))
    return found


def test_maven_in_every_shape_gives_the_same_numbers(xlfunnel: Callable[..., Any], shared: Path) -> None:
    first = maven(xlfunnel, shared, MAVEN[0])
    offices = {r["region"] for r in first["reserves"]} - {None}
    assert offices == {"Central", "East", "West"}
    december = [r for r in first["reserves"] if (r["month"], r["region"], r["owner"]) == ("2017-12", None, None)]
    assert sum(int(str(r["count"])) for r in december) == 1589  # Engaging rows of the file
    won = sum(int(str(f["won"])) for f in first["flows"] if f["region"] is None)
    assert won == 4238  # Won rows of the file
    spans = {tuple(t["months"]) for t in first["trends"]}  # type: ignore[arg-type]
    assert spans == {(*(f"2016-{m}" for m in (10, 11, 12)), *(f"2017-{m:02d}" for m in range(1, 13)))}
    for name in MAVEN[1:]:
        other = maven(xlfunnel, shared, name)
        for part in ("reserves", "flows", "trends"):
            assert _by_rep(other[part]) == _by_rep(first[part]), (name, part)


def _by_rep(rows: list[dict[str, object]]) -> list[str]:
    """Rows without the region's name, which the files write in their own language, in an order of their own."""
    return sorted(json.dumps({k: v for k, v in r.items() if k != "region"}, sort_keys=True) for r in rows)
