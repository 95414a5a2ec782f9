"""An objective as a configuration file would say it, every default filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from triton_watch.config import units
from triton_watch.config.expand import escaped
from triton_watch.records import Goal, Objective, Override, SloSli

if TYPE_CHECKING:
    from collections.abc import Sequence


def objective_settings(objective: Objective) -> dict[str, Any]:
    """Give an objective in the shape of the `slo.objectives` list: only texts, numbers, lists and mappings.

    Loading it gives the same objective.
    """
    goal = _goal(objective.goal, objective.sli)
    values: dict[str, Any] = {
        "name": objective.name,
        "sli": objective.sli.value,
        "threshold": goal.pop("threshold", None),
        "quantile": goal.pop("quantile", None),
        "objective": goal.pop("objective"),
        "period": units.format_duration(objective.period),
        "models": list(objective.models),
        "exclude_models": list(objective.exclude_models) or None,
        "targets": list(objective.targets),
        "min_events": objective.goal.min_events,
        "alerts": severities(objective),
        "description": objective.description or None,
        "overrides": [_override(one, objective) for one in objective.overrides] or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def severities(objective: Objective) -> list[str]:
    """Return who may be told of it, `page` before `ticket`: the severities of its windows."""
    return list(dict.fromkeys(window.severity.value for window in objective.windows))


def objectives_yaml(objectives: Sequence[Objective]) -> str:
    """Write objectives as a whole `slo` section, in YAML."""
    section = {"slo": {"objectives": [objective_settings(objective) for objective in objectives]}}
    return yaml.safe_dump(escaped(section), sort_keys=False, allow_unicode=True, width=110)


def _override(override: Override, objective: Objective) -> dict[str, Any]:
    return {"models": list(override.models), **_goal(override.goal, objective.sli)}


def _goal(goal: Goal, sli: SloSli) -> dict[str, Any]:
    values = {
        "threshold": _threshold(goal, sli),
        "quantile": goal.quantile,
        "objective": units.format_percentage(goal.objective),
        "min_events": goal.min_events,
    }
    return {name: value for name, value in values.items() if value is not None}


def _threshold(goal: Goal, sli: SloSli) -> str | float | dict[str, str | float] | None:
    if sli is SloSli.GPU_UTILIZATION:
        return {
            name: units.format_ratio(value)
            for name, value in (("low", goal.low), ("high", goal.high))
            if value is not None
        }
    if sli is SloSli.BATCH_EFFICIENCY:
        return goal.low
    return None if goal.high is None else units.format_duration(goal.high)
