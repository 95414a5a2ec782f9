"""Every name that the rules over what agents export record of objectives: the same kind of table as `recorded`.

`slo_target_model…` is a model version of a target, `slo_model…` a model over all its targets and versions. A name
with `{window}` stands for one series for each window.
"""

from __future__ import annotations

from typing import Final

from triton_watch.conventions.recorded import Recorded

_SERIES: Final = ("slo", "target", "model", "version")
_FLEET: Final = ("slo", "model")
_LEVELS: Final = {
    "slo_target_model": _SERIES,
    "slo_target_model_result": (*_SERIES, "result"),
    "slo_model": _FLEET,
    "slo_model_result": (*_FLEET, "result"),
}
_NAMESPACE: Final = "model_namespace"

OF_TARGETS: Final = "Objectives of models on a server, from what agents export"
OF_FLEET: Final = "Objectives of models over all their servers, from what agents export"

RECORDED_SLO: Final[tuple[Recorded, ...]] = (
    OBJECTIVE := Recorded(
        "slo_target_model:triton_watch_slo_objective_ratio:max",
        "Share of good events that the objective promises now.",
        _SERIES,
        OF_TARGETS,
        "ratio",
        "The strictest where agents differ.",
    ),
    AGENTS := Recorded(
        "slo_target_model:triton_watch_slo_objective_ratio:count",
        "Agents that count the events now.",
        _SERIES,
        OF_TARGETS,
        "agents",
        "2 where a pair watches the same server.",
    ),
    EVENTS := Recorded(
        "slo_target_model_result:triton_watch_slo_events:increase{window}",
        "Good and bad events in the window.",
        (*_SERIES, "result"),
        OF_TARGETS,
        "events",
        "Divided by the agents that count now: a pair's events count once. Add up, then divide.",
    ),
    ERROR_RATIO := Recorded(
        "slo_target_model:triton_watch_slo_error_ratio:{window}",
        "Share of the window's events that were bad.",
        _SERIES,
        OF_TARGETS,
        "ratio",
        "Absent for a window without events. Do not average it.",
    ),
    BURN_RATE := Recorded(
        "slo_target_model:triton_watch_slo_burn_rate:{window}",
        "How many times faster than allowed the budget was spent in the window.",
        _SERIES,
        OF_TARGETS,
        "times",
        "Absent for a window without events. Do not average it.",
    ),
    BUDGET_REMAINING := Recorded(
        "slo_target_model:triton_watch_slo_budget_remaining:ratio",
        "Share of the error budget of the period that is left.",
        _SERIES,
        OF_TARGETS,
        "ratio",
        "Negative when more was spent than there was. Absent without events. Do not average it.",
    ),
    FLEET_EVENTS := Recorded(
        "slo_model_result:triton_watch_slo_events:increase{window}",
        "Good and bad events in the window.",
        (*_FLEET, "result"),
        OF_FLEET,
        "events",
        "Each counted once, however many agents saw it.",
    ),
    FLEET_ERROR_RATIO := Recorded(
        "slo_model:triton_watch_slo_error_ratio:{window}",
        "Share of the window's events that were bad.",
        _FLEET,
        OF_FLEET,
        "ratio",
        "Absent for a window without events.",
    ),
    FLEET_BURN_RATE := Recorded(
        "slo_model:triton_watch_slo_burn_rate:{window}",
        "How many times faster than allowed the budget was spent in the window.",
        _FLEET,
        OF_FLEET,
        "times",
        "Bad events divided by those that the objectives, which may differ, allowed. Absent without events.",
    ),
    FLEET_BUDGET_REMAINING := Recorded(
        "slo_model:triton_watch_slo_budget_remaining:ratio",
        "Share of the error budget of the period that is left.",
        _FLEET,
        OF_FLEET,
        "ratio",
        "Weighted by traffic. Negative when more was spent than there was. Absent without events.",
    ),
)
"""In the order in which they are recorded for a target and for the fleet."""


def by(one: Recorded) -> str:
    """Return the labels as they stand between the brackets of `by ()` and `on ()`, with that of namespaces."""
    place = one.labels.index("model") + 1
    return ", ".join((*one.labels[:place], _NAMESPACE, *one.labels[place:]))


def labels_of(name: str) -> tuple[str, ...]:
    """Return the labels of one of these series by its name, without `model_namespace`; () = it is none of them."""
    return _LEVELS.get(name.partition(":")[0], ()) if ":" in name else ()
