"""What batches cost and bring: rows of the Batching board."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.promql import Matcher, any_of
from triton_watch.conventions.dashboards import MODEL
from triton_watch.generate.dashboards.links import of_model_series
from triton_watch.generate.dashboards.panels import Query, bars, graph
from triton_watch.generate.dashboards.variables import OVER_REPLICAS, WATCHED_OVER_TARGETS
from triton_watch.generate.queries import average_batch, compute_time, max_batch_size, mean_time, worst

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.board import Context
    from triton_watch.generate.dashboards.panels import Panel

_MODEL: Final = "{{model}} {{version}}"
_EXECUTIONS: Final = OVER_REPLICAS.rate("nv_inference_exec_count")
_BATCH: Final = average_batch(OVER_REPLICAS)
_COMPUTE: Final = compute_time(OVER_REPLICAS, "compute_infer")
_BANDS: Final = (1.1, 2, 4, 8, 16, 32)
"""Where a band of average batches ends and the next begins. Up to the first one requests run alone."""


def busiest(expr: str) -> str:
    """The series of the 20 models that run most executions in the time that is shown."""
    return worst(expr, OVER_REPLICAS.by, OVER_REPLICAS.gained("nv_inference_exec_count"))


def largest_batch(context: Context) -> str:
    """max_batch_size of each model: from the live server's configurations where they are known, else the agent's."""
    by_size: dict[int, list[str]] = defaultdict(list)
    for one in context.models:
        if one.max_batch_size > 1:
            by_size[one.max_batch_size].append(one.name)
    if not by_size:
        return max_batch_size(WATCHED_OVER_TARGETS)
    executions = "nv_inference_exec_count"
    of_models = ((size, str(Matcher("model", any_of(names)))) for size, names in sorted(by_size.items()))
    return " or ".join(
        f"{size} * group by (model, version) ({OVER_REPLICAS.series(executions, names)})" for size, names in of_models
    )


def what_it_costs() -> tuple[Panel, ...]:
    """How long requests wait for company."""
    return (
        graph(
            "Queue time (busiest 20 models)",
            "Mean time that a request waits: for company, or for an instance that is free. Read it beside the average "
            "batch above: queue time that rises while batches do not is waiting in vain, so lower the queue delay.",
            Query(busiest(mean_time(OVER_REPLICAS, "queue")), _MODEL),
            unit="s",
            links=[of_model_series(MODEL)],
        ),
        graph(
            "Queue time against compute time (busiest 20 models)",
            "How many times longer a request waits than it is computed. Above 1 it mostly waits: with full batches add "
            "instances or replicas, with small ones lower max_queue_delay_microseconds.",
            Query(busiest(f"{mean_time(OVER_REPLICAS, 'queue')} / ({_COMPUTE} > 0)"), _MODEL),
            unit="short",
            links=[of_model_series(MODEL)],
        ),
    )


def what_it_brings() -> tuple[Panel, ...]:
    """Whether an inference costs less in company than alone."""
    inferences = OVER_REPLICAS.rate("nv_inference_count")
    return (
        graph(
            "Time of an instance for one inference (busiest 20 models)",
            "Mean compute time divided by the average batch. It should fall when batches grow. When it does not, the "
            "model gains nothing from batches: keep them small, and add instances.",
            Query(busiest(f"{_COMPUTE} / ({_BATCH})"), _MODEL),
            unit="s",
            links=[of_model_series(MODEL)],
        ),
        graph(
            "Executions and inferences",
            "In a second, of all chosen models. Lines far apart: batching saves the difference. Lines that meet: every "
            "inference is an execution of its own.",
            Query(f"sum ({_EXECUTIONS})", "executions"),
            Query(f"sum ({inferences})", "inferences"),
            unit="ops",
            width=6,
        ),
        bars(
            "Executions by the average batch of their model",
            "Executions in a second. Triton exports no sizes of single batches, so a model is in one band as a whole, "
            "and there is no heatmap of them. Much in the first band: the table above says which models could batch.",
            *_bands(),
            unit="ops",
            width=6,
        ),
    )


def _bands() -> tuple[Query, ...]:
    first, last = _BANDS[0], _BANDS[-1]
    middle = (
        Query(_executions(f">= {low} < {high}"), f"{low if low != first else 'over 1'} to {high}")
        for low, high in pairwise(_BANDS)
    )
    return (
        Query(_executions(f"< {first}"), "alone"),
        *middle,
        Query(_executions(f">= {last}"), f"{last} and more"),
    )


def _executions(band: str) -> str:
    return f"sum ({_EXECUTIONS} and ({_BATCH}) {band})"
