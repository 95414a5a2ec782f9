"""What the panels of the board Fleet are about: scopes, series, and words for what they say."""

from __future__ import annotations

from typing import Final

from triton_watch.generate.dashboards.variables import AGENT_TARGETS
from triton_watch.generate.queries import Scope

FIRING: Final = Scope(
    f'{AGENT_TARGETS.matchers}, model=~"$model|", alert_state="firing"',
    AGENT_TARGETS.span,
    ("alertname", "target", "model", "version", "slo", "window", "gpu_uuid"),
)
"""Alerts about the chosen models, and those that are about no model; each once, however many agents see it."""
BUDGET: Final = "triton_watch_slo_budget_remaining_ratio"
IN_TROUBLE: Final = 'state!~"READY|UNLOADED|NOT_LOADED"'
"""What somebody unloaded is none; what was expected to be loaded counts among the expected models."""
NOBODY: Final = "Nobody watches"
