"""promtool finds nothing in rules of many objectives and overrides, for either source and by target or model."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from support.objectives import DAY, HOUR, availability, batch_efficiency, override, queue_time
from support.triton_rules import LIVE, settings_with
from triton_watch.config.windows import burn_windows
from triton_watch.generate.rules.agent import agent_yaml
from triton_watch.generate.rules.options import BurnBy
from triton_watch.generate.rules.triton import triton_yaml
from triton_watch.records import AlertOverride, AlertSeverity, Goal, Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.records import Settings

PERIODS: Final = (HOUR, DAY, 7 * DAY, 28 * DAY, 30 * DAY, 90 * DAY, 366 * DAY)
"""Windows of 30 and of 90 days coincide, and those of an hour with each other."""
OBJECTIVES: Final = tuple(
    replace(one, name=f"{one.name}-{place}", period=period, windows=burn_windows(period, list(Page)))
    for place, period in enumerate(PERIODS)
    for one in (
        availability(overrides=(override("[a-c]*", Goal(0.9)), override("[!0-9]?", Goal(0.8)))),
        queue_time(exclude_models=("[b-a]", "[x")),
        batch_efficiency(models=("[]a^&|~-]*",)),
    )
)
OVERRIDES: Final = (
    AlertOverride(models=("text_[0-9]*",), hold=600.0),
    AlertOverride(models=("[!t]*",), threshold=0.7),
    AlertOverride(alerts=("TritonTarget*", "TritonErrorBudgetBurn"), targets=("gpu-[12]",), keep=600.0),
    AlertOverride(models=("old",), enabled=False),
    AlertOverride(severity=AlertSeverity.INFO, hold=30.0),
)
"""Most change what no label says."""


@pytest.mark.parametrize("overrides", [(), OVERRIDES])
@pytest.mark.parametrize("burn_by", BurnBy)
@pytest.mark.parametrize("make", [agent_yaml, triton_yaml])
def test_promtool_has_nothing_to_say_about_many_objectives(
    promtool: Path,
    tmp_path: Path,
    make: Callable[[Settings, RuleOptions], str],
    burn_by: BurnBy,
    overrides: tuple[AlertOverride, ...],
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(make(settings_with(*OBJECTIVES, overrides=overrides), replace(LIVE, burn_by=burn_by)))
    lint = ["check", "rules", "--lint=all", "--lint-fatal", str(rules)]
    done = subprocess.run([str(promtool), *lint], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
