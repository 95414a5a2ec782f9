"""What the panels of the board Canary are about: scopes, series, and words for what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from triton_watch.generate.dashboards.variables import AGENT_MODELS, AGENT_WATCHED

EACH: Final = AGENT_WATCHED
LINES: Final = AGENT_MODELS
ALL: Final = replace(AGENT_WATCHED, by=())

RUNS: Final = "triton_watch_canary_runs_total"
OK: Final = 'reason="ok"'
GOLDEN: Final = "triton_watch_canary_has_golden"
LAST_RUN: Final = "triton_watch_canary_last_run_timestamp_seconds"
LEGEND: Final = "{{model}} {{version}} on {{target}}"
NONE_RAN: Final = "No canary has run"


def passed(ok: str, runs: str) -> str:
    """Where none passed there is no series of those that did: 0 of all runs."""
    return f"({ok} or 0 * {runs}) / ({runs} > 0)"
