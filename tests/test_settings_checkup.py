"""Settings of the check-up's comparisons: what they refuse, and what they keep."""

from pathlib import Path

import pytest

from xlfunnel.errors import SettingsError
from xlfunnel.settings import Settings, from_table, load


def test_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('recent_months = 3\n[benchmarks]\n"T2-T3" = 0.4\n"T4-won" = 1\n[horizon_days]\nT2 = 45\n', "utf-8")
    found = load(path)
    assert found == Settings(recent_months=3, benchmarks={"T2-T3": 0.4, "T4-won": 1}, horizon_days={"T2": 45})


@pytest.mark.parametrize(
    ("table", "code"),
    [
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
