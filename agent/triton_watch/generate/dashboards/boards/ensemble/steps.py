"""What is known of models, joined with whose steps they are: rows of the Ensemble board."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.generate.dashboards.panels import Query, graph, repeated
from triton_watch.generate.dashboards.variables import (
    BY_TARGET,
    OVER_VERSIONS,
    TRITON,
    TRITON_SERVER,
    WATCHED,
    WATCHED_TARGETS,
)
from triton_watch.generate.queries import (
    average_batch,
    compute_time,
    error_ratio,
    failures,
    in_flight,
    mean_time,
    requests,
    successes,
)

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.panels import Panel

NO_ENSEMBLE: Final = "No ensemble is watched"
MEMBERS: Final = replace(TRITON_SERVER, by=("model", "version"))
"""Triton's series of all models: those of the steps are picked by `of_members`."""
WATCHED_MEMBERS: Final = replace(WATCHED_TARGETS, by=BY_TARGET)
"""The agents' series of all models: those of the steps are picked by `of_watched_members`."""
_INFO: Final = "triton_watch_ensemble_step_info"
_STEP: Final = "{{model}}: {{step}} {{member}}"


def of_members(expr: str) -> str:
    """What `expr` says by model and version, once for each step of the chosen ensembles that this model is."""
    steps = replace(WATCHED, by=("model", "step", "member", "member_version")).highest(_INFO)
    return f"{steps} * on (member, member_version) group_left () {_as_member(expr)}"


def of_watched_members(expr: str) -> str:
    """The same of the agents' series, by target, model and version: a step is looked for on its ensemble's server."""
    steps = replace(WATCHED, by=("target", "model", "step", "member", "member_version")).highest(_INFO)
    return f"{steps} * on (target, member, member_version) group_left () {_as_member(expr)}"


def _as_member(expr: str) -> str:
    as_member = f'label_replace({expr}, "member", "$1", "model", "(.*)")'
    return f'label_replace({as_member}, "member_version", "$1", "version", "(.*)")'


def times_of_steps() -> tuple[Panel, ...]:
    """Times of the steps, from Triton's counters: over all Tritons, and over all callers of a step."""
    request = of_members(mean_time(MEMBERS, "request"))
    return (
        repeated(
            graph(
                "Time of $model, step by step",
                "Mean request time of each step, one upon the other. The widest band is where a change is worth it.",
                Query(request, "{{step}} {{member}}"),
                unit="s",
                is_stacked=True,
                no_value=NO_ENSEMBLE,
                width=24,
            ),
            "model",
        ),
        graph(
            "The whole against its parts",
            "Mean request time of the ensemble, and the sum of its steps. The whole well above the sum: time is lost "
            "between steps. The sum above the whole: steps run side by side, or other callers' requests are slower.",
            Query(mean_time(OVER_VERSIONS, "request"), "whole: {{model}}"),
            Query(f"sum by (model) ({request})", "sum of the steps: {{model}}"),
            unit="s",
            width=8,
        ),
        graph(
            "Queue time by step",
            "An ensemble has no queue of its own to speak of: requests wait here. A long queue before one step: give "
            "that model instances, or batch it.",
            Query(of_members(mean_time(MEMBERS, "queue")), _STEP),
            unit="s",
            no_value=NO_ENSEMBLE,
            width=8,
        ),
        graph(
            "Compute time by step",
            "Mean time in the step's model itself. The step that computes longest bounds the whole, whatever the "
            "others do: make it faster, or give it more instances.",
            Query(of_members(compute_time(MEMBERS, "compute_infer")), _STEP),
            unit="s",
            no_value=NO_ENSEMBLE,
            width=8,
        ),
    )


def failing_steps() -> tuple[Panel, ...]:
    """Failures where they happen, and where they are told."""
    by_reason = replace(TRITON, by=("model", "reason"))
    return (
        graph(
            "Failed requests by step",
            "Failures in a second of each step, by the server's count. The step with failures is the cause; what comes "
            "after it is never asked. Its model's lines in the server's log say why.",
            Query(of_members(failures(MEMBERS)), _STEP),
            unit="reqps",
            no_value=NO_ENSEMBLE,
            width=8,
        ),
        graph(
            "Share of failed requests by step",
            "Failed requests of each step among all that it got, and of the ensemble itself, where Triton counts a "
            "step's failure twice. A share in the ensemble and in no step: the server's log says why.",
            Query(of_members(error_ratio(MEMBERS)), _STEP),
            Query(error_ratio(OVER_VERSIONS), "whole: {{model}}"),
            unit="percentunit",
            highest=1,
            width=8,
        ),
        graph(
            "Failures of the ensemble by reason",
            "OTHER is the failure of a step, and Triton 24.10 counts each one twice: read the number at the step. "
            "CANCELED: the client gave up.",
            Query(by_reason.rate("nv_inference_request_failure"), "{{model}}: {{reason}}"),
            unit="reqps",
            width=8,
        ),
    )


def inside_steps() -> tuple[Panel, ...]:
    """Where requests pile up."""
    calls = f"{of_members(requests(MEMBERS))} / on (model) group_left () ({successes(OVER_VERSIONS)} > 0)"
    pending = MEMBERS.total("nv_inference_pending_request_count")
    return (
        graph(
            "Requests that wait, by step",
            "Requests in the queue of each step. The first whose queue grows is the narrow one: give it instances.",
            Query(of_members(pending), _STEP),
            unit="short",
            no_value=NO_ENSEMBLE,
            width=6,
        ),
        graph(
            "In flight by step",
            "Mean requests inside each step at a time. Where most of them are, there is the time.",
            Query(of_members(in_flight(MEMBERS)), _STEP),
            unit="short",
            no_value=NO_ENSEMBLE,
            width=6,
        ),
        graph(
            "Average batch by step",
            "Mean inferences in one execution of each step. Near 1 while requests wait: switch dynamic_batching on in "
            "that step's model; an ensemble does not batch by itself.",
            Query(of_members(average_batch(MEMBERS)), _STEP),
            unit="short",
            no_value=NO_ENSEMBLE,
            width=6,
        ),
        graph(
            "Calls of a step for each answer",
            "Requests of a step's model divided by the ensemble's answers. Above 1: requests fail, others call it "
            "too, or it is more than one step; then its times are not this ensemble's alone.",
            Query(calls, _STEP),
            unit="short",
            no_value=NO_ENSEMBLE,
            width=6,
        ),
    )
