"""What the panels of the board SLO are about: scopes, series, and words for what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from triton_watch.config.units import format_duration
from triton_watch.generate.dashboards.scales import GREEN, GREY, ORANGE, RED, Named
from triton_watch.generate.dashboards.variables import AGENT_MODELS, AGENT_OBJECTIVES, AGENTS

EACH: Final = AGENT_OBJECTIVES
LINES: Final = replace(EACH, by=("slo", *AGENT_MODELS.by))
"""Lines and bands have a name for each model of a target; where several agents count it, the worst."""
DEFINED: Final = replace(AGENTS, matchers=f'{AGENTS.matchers}, slo=~"$slo"', by=("slo",))
"""What is said of an objective as a whole, without a model or a target."""

BUDGET: Final = "triton_watch_slo_budget_remaining_ratio"
EVENTS: Final = "triton_watch_slo_events_total"
OBJECTIVE: Final = "triton_watch_slo_objective_ratio"
PERIOD: Final = "triton_watch_slo_period_seconds"
BURN: Final = "triton_watch_slo_burn_rate"
SILENCE: Final = "triton_watch_slo_no_data_seconds"
BAD: Final = 'result="bad"'
LEGEND: Final = "{{slo}}: {{model}} {{version}} on {{target}}"
NO_EVENTS: Final = "No events"
NO_OBJECTIVES: Final = "No objectives"
VERDICTS: Final = (
    Named("ok", "ok", GREEN),
    Named("no_data", "no data", GREY),
    Named("burning", "burning", ORANGE),
    Named("exhausted", "exhausted", RED),
)


def in_window(seconds: float) -> str:
    """The matcher of a window of so many seconds."""
    return f'window="{format_duration(seconds)}"'


def once(events: str) -> str:
    """Events by the labels of `LINES`, each counted once where several agents count it; as the recording rules do."""
    return f"{events} / (count by ({', '.join(LINES.by)}) ({EACH.series(OBJECTIVE)}) > 0)"
