"""Which step of a pipeline takes the time or fails.

Triton tells nobody which models are the steps of an ensemble; the agent does (triton_watch_ensemble_step_info), and
what is known of models is joined with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import CANARY, ENSEMBLE, MODEL
from triton_watch.generate.dashboards.board import Board, Context, Row
from triton_watch.generate.dashboards.boards.ensemble.steps import (
    MEMBERS,
    NO_ENSEMBLE,
    WATCHED_MEMBERS,
    failing_steps,
    inside_steps,
    of_members,
    of_watched_members,
    times_of_steps,
)
from triton_watch.generate.dashboards.links import of_field, of_row
from triton_watch.generate.dashboards.panels import Query, stat
from triton_watch.generate.dashboards.scales import bad_above
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import ENSEMBLE_BOARD, TOGETHER, WATCHED
from triton_watch.generate.dashboards.verdicts import (
    CANARY_NAMES,
    CANARY_VERDICT,
    FAILING,
    READY_NAMES,
    canary_verdict,
)
from triton_watch.generate.queries import counted, error_ratio, failures, how_many, how_many_are, mean_time, successes

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.panels import Panel

_STEP: Final = ("target", "model", "step", "member", "member_version")
_STEPS: Final = replace(WATCHED, by=_STEP)
_READY: Final = of_watched_members(WATCHED_MEMBERS.lowest("triton_watch_model_ready"))
_VERDICT: Final = of_watched_members(canary_verdict(WATCHED_MEMBERS))
_FAILING: Final = of_watched_members(WATCHED_MEMBERS.highest(CANARY_VERDICT, FAILING))
_TROUBLE: Final = bad_above(1)
_ANY: Final = bad_above(1e-9)


def ensemble(context: Context) -> Board:
    """Return the board."""
    del context
    rows = (
        Row("The whole, and its steps", (*_troubles(), *_figures(), _steps())),
        Row("Which step takes the time", times_of_steps()),
        Row("Which step fails", failing_steps()),
        Row("Which step is full", inside_steps()),
    )
    return Board(ENSEMBLE, ENSEMBLE_BOARD, rows)


def _troubles() -> tuple[Panel, ...]:
    return (
        stat(
            "Steps that are not ready",
            "Steps whose model has no version that is ready. The ensemble cannot answer then: load the model, or read "
            "in the server's log why it does not load.",
            Query(how_many_are(_STEPS, "triton_watch_ensemble_step_info", 'member_version=""')),
            scale=_TROUBLE,
            no_value=NO_ENSEMBLE,
        ),
        stat(
            "Steps that fail",
            "Steps whose model has failures, by the server's count. The panels on failures say which and how often.",
            Query(how_many(f"({of_members(failures(MEMBERS))})", "> 0")),
            scale=_TROUBLE,
            no_value=NO_ENSEMBLE,
        ),
        stat(
            "Steps whose canaries fail",
            "A step that gives wrong answers spoils the ensemble's, and Triton counts both as success. The Canary "
            "board says what is wrong.",
            Query(counted(_FAILING, _VERDICT)),
            scale=_TROUBLE,
            no_value="No canary has run",
        ),
    )


def _figures() -> tuple[Panel, ...]:
    return (
        stat(
            "Answers",
            "Requests of the chosen ensembles that were answered in a second, on all chosen Tritons. A fall while "
            "clients send: look for the step that fails or is full.",
            Query(successes(TOGETHER)),
            unit="reqps",
            with_course=True,
        ),
        stat(
            "Errors, server's count",
            "Share of the ensembles' requests that Triton counts as failed. It counts a step's failure twice: take "
            "it as a sign, and the step's own count as the number.",
            Query(error_ratio(TOGETHER)),
            unit="percentunit",
        ),
        stat(
            "Mean request time",
            "Mean time of an answered request of the chosen ensembles. The table below says which step has the largest "
            "share of it.",
            Query(mean_time(TOGETHER, "request")),
            unit="s",
        ),
    )


def _column(metric: str) -> str:
    return of_watched_members(WATCHED_MEMBERS.highest(f"triton_watch_model_{metric}"))


def _steps() -> Panel:
    """The agent's view of the last poll: it alone knows on which server a step is whose."""
    whole = replace(WATCHED, by=("target", "model")).highest("triton_watch_model_request_time_seconds")
    return table(
        "Steps, at the last poll",
        "The step with the largest share of the ensemble's time stands first: look at its queue and compute time. "
        "Times of a step are means over all its callers. Shares of parallel steps add up to more than 100%.",
        Column("Ready", _READY, names=READY_NAMES),
        Column("Canaries", _VERDICT, names=CANARY_NAMES),
        Column(
            "Share of the time",
            f"{_column('request_time_seconds')} / on (target, model) group_left () ({whole} > 0)",
            "percentunit",
            is_bar=True,
        ),
        Column("Request time", _column("request_time_seconds"), "s"),
        Column("Queue time", _column("queue_time_seconds"), "s"),
        Column("Compute time", _column("compute_infer_time_seconds"), "s"),
        Column("Requests", _column("requests_per_second"), "reqps"),
        Column("Failures", _column("failures_per_second"), "reqps", _ANY, decimals=2),
        keys=_STEP,
        key_links={"member": of_field(MODEL, "model", "member"), "model": of_row(CANARY, "target", "model")},
        sort_by="Share of the time",
        no_value=NO_ENSEMBLE,
    )
