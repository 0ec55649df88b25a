"""Settings of the check-up's comparisons: what they refuse, and what they keep."""

from pathlib import Path

import pytest

from xlfunnel.errors import SettingsError
from xlfunnel.settings import Settings, Target, from_table, load


def test_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('recent_months = 3\n[benchmarks]\n"T2-T3" = 0.4\n"T4-won" = 1\n[horizon_days]\nT2 = 45\n', "utf-8")
    found = load(path)
    assert found == Settings(recent_months=3, benchmarks={"T2-T3": 0.4, "T4-won": 1}, horizon_days={"T2": 45})


def test_targets_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    rows = ('period = "2025-q3"\ntarget = 5e6', 'region = " LX"\nperiod = "2025-07"\ntarget = 1')
    path.write_text("fiscal_start = 4\n" + "".join(f"[[targets]]\n{row}\n" for row in rows), "utf-8")
    assert load(path).targets == (Target("", "2025-Q3", 5e6), Target("LX", "2025-07", 1))
    assert load(path).fiscal_start == 4


def test_of_two_targets_for_the_same_the_later_counts() -> None:
    rows = [{"period": "2025-07", "target": 1}, {"period": "2025-07", "target": 2}]
    assert from_table({"targets": rows}).targets == (Target("", "2025-07", 2),)


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ({"targets": [{"period": "2025-13", "target": 1}]}, "settings.not_a_period"),
        ({"targets": [{"period": "Q3 2025", "target": 1}]}, "settings.not_a_period"),
        ({"targets": [{"period": "2025-07", "target": -1}]}, "settings.out_of_range"),
        ({"targets": [{"period": "2025-07", "target": "much"}]}, "settings.wrong_kind"),
        ({"targets": [{"period": 2025, "target": 1}]}, "settings.wrong_kind"),
        ({"targets": [{"period": "2025-07"}]}, "settings.wrong_kind"),
        ({"targets": [{"period": "2025-07", "target": 1, "owner": "A"}]}, "settings.wrong_kind"),
        ({"targets": {"2025-07": 1}}, "settings.wrong_kind"),
        ({"targets": 5}, "settings.wrong_kind"),
        ({"fiscal_start": 13}, "settings.out_of_range"),
        ({"fiscal_start": "4"}, "settings.wrong_kind"),
        ({"benchmarks": {"T3-T2": 0.4}}, "settings.not_allowed"),
        ({"benchmarks": {"T2": 0.4}}, "settings.not_allowed"),
        ({"benchmarks": {"T2-lost": 0.4}}, "settings.not_allowed"),
        ({"benchmarks": {"T2-T3": 40}}, "settings.out_of_range"),
        ({"benchmarks": {"T2-T3": "40 %"}}, "settings.wrong_kind"),
        ({"benchmarks": {"T2-T3": True}}, "settings.wrong_kind"),
        ({"benchmarks": 0.4}, "settings.wrong_kind"),
        ({"horizon_days": {"won": 40}}, "settings.not_allowed"),
        ({"horizon_days": {"T2": 0}}, "settings.out_of_range"),
        ({"recent_months": 0}, "settings.out_of_range"),
        ({"recent_months": 1.5}, "settings.wrong_kind"),
        ({"benchmark": {}}, "settings.unknown_name"),
    ],
)
def test_refused(table: dict[str, object], code: str) -> None:
    with pytest.raises(SettingsError) as refused:
        from_table(table)
    assert refused.value.code == code


@pytest.mark.parametrize("step", ["T0-T1", "T0-T2", "T3-won", "T4-won"])
def test_steps_forward_may_have_a_benchmark(step: str) -> None:
    assert Settings(benchmarks={step: 0.5}).benchmarks == {step: 0.5}
