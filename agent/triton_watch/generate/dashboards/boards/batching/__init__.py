"""Whether batching is on and works, and why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import BATCHING, MODEL
from triton_watch.generate.dashboards.board import Board, Context, Row
from triton_watch.generate.dashboards.boards.batching.effect import (
    busiest,
    largest_batch,
    what_it_brings,
    what_it_costs,
)
from triton_watch.generate.dashboards.links import of_model_series, of_row, of_series
from triton_watch.generate.dashboards.panels import Query, graph, stat
from triton_watch.generate.dashboards.scales import (
    BLUE,
    GREEN,
    GREY,
    NEUTRAL,
    ORANGE,
    YELLOW,
    Named,
    Scale,
    Step,
    bad_below,
    threshold_of,
)
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import BY_TARGET, OVER_REPLICAS, TRITON_BOARD, WATCHED
from triton_watch.generate.queries import average_batch, how_many, worst
from triton_watch.slo.batching import ENOUGH_IN_FLIGHT, WITH_BATCHER

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.panels import Panel

_NOT_WATCHED: Final = "Not watched"
_MODEL: Final = "{{model}} {{version}}"
_TARGET: Final = "{{target}} {{model}} {{version}}"
_SAME: Final = f"on ({', '.join(BY_TARGET)})"
_FACTS: Final = ("max_batch_size", "instances", "dynamic_batching")
_BY_FACTS: Final = replace(WATCHED, by=(*BY_TARGET, *_FACTS))
_PER_INSTANCE: Final = "triton_watch_model_requests_in_flight_per_instance"
_FILL: Final = "triton_watch_model_batch_fill_ratio"
_BATCH_EFFICIENCY: Final = "triton_watch_model_batch_efficiency_ratio"
_EFFICIENCY: Final = WATCHED.lowest(_BATCH_EFFICIENCY)
_IN_FLIGHT: Final = WATCHED.highest(_PER_INSTANCE)
_COULD, _SMALL, _WELL, _NOTHING, _IDLE, _NEVER = 5, 4, 3, 2, 1, 0
_VERDICTS: Final = (
    Named(str(_COULD), "could batch: add dynamic_batching { }", ORANGE),
    Named(str(_SMALL), "small batches: raise max_queue_delay_microseconds", YELLOW),
    Named(str(_WELL), "batches", GREEN),
    Named(str(_NOTHING), "nothing to batch", BLUE),
    Named(str(_IDLE), "no traffic", GREY),
    Named(str(_NEVER), "takes no batches: max_batch_size is 0 or 1", GREY),
)
_COUNTED: Final = (
    (_COULD, "Could batch", ORANGE, "Requests wait side by side and run one by one: add dynamic_batching { }."),
    (_SMALL, "Batches stay small", YELLOW, "The batcher is on and seldom finds company: raise its queue delay."),
    (_WELL, "Batch", GREEN, "Their batches hold much of what the traffic could fill: nothing to do."),
    (
        _NOTHING,
        "Nothing to batch",
        BLUE,
        "Under 2 requests in flight for each instance: no setting changes it.",
    ),
    (_IDLE, "No traffic", BLUE, "They may batch, and nobody asks them."),
    (
        _NEVER,
        "Take no batches",
        BLUE,
        "max_batch_size is 0 or 1: raise it if the model can take batches.",
    ),
)


def batching(context: Context) -> Board:
    """Return the board."""
    low = threshold_of("TritonNotBatching", context.settings.alerts)
    rows = (
        Row("Is batching on, and does it work", (*_counts(low), _verdicts(low))),
        Row("Batches", _batches(context, low)),
        Row("What waiting costs", what_it_costs()),
        Row("What batches bring", what_it_brings()),
    )
    return Board(BATCHING, TRITON_BOARD, rows)


def _info(*more: str) -> str:
    return _BY_FACTS.highest("triton_watch_model_info", 'ensemble="false"', *more)


def _verdict(low: float) -> str:
    """A number of `_VERDICTS` for each model, by the conditions of TritonNotBatching; the first that fits."""
    enough = f"and {_SAME} ({_IN_FLIGHT} >= {ENOUGH_IN_FLIGHT:g})"
    off, on = (_info(f'dynamic_batching="{one}"') for one in ("false", "true"))
    cases = {
        _COULD: f"{off} and {_SAME} ({_EFFICIENCY} < {low:g}) {enough}",
        _SMALL: f"{on} and {_SAME} ({_EFFICIENCY} < {low * WITH_BATCHER:g}) {enough}",
        _NOTHING: f"{_info()} and {_SAME} {_EFFICIENCY} unless {_SAME} ({_IN_FLIGHT} >= {ENOUGH_IN_FLIGHT:g})",
        _WELL: f"{_info()} and {_SAME} {_EFFICIENCY}",
        _IDLE: _info('max_batch_size!~"0|1"'),
        _NEVER: _info(),
    }
    return " or ".join(f"{number} * ({case})" for number, case in cases.items())


def _counts(low: float) -> tuple[Panel, ...]:
    return tuple(
        stat(
            title,
            f"Models on servers, at the last poll. {advice}",
            Query(how_many(f"({_verdict(low)})", f"== {number}")),
            scale=Scale(GREEN, (Step(1, color),)) if number >= _WELL else NEUTRAL,
            no_value=_NOT_WATCHED,
        )
        for number, title, color, advice in _COUNTED
    )


def _verdicts(low: float) -> Panel:
    return table(
        "Models, at the last poll",
        "What to do stands in the verdict. Efficiency: the average batch against what the requests in flight "
        "could have filled. Ensembles are left out: their members batch.",
        Column("Verdict", _verdict(low), names=_VERDICTS),
        Column("Average batch", WATCHED.highest("triton_watch_model_batch_size_average"), decimals=1),
        Column("Fill", WATCHED.highest(_FILL), "percentunit", is_bar=True),
        Column("Efficiency", _EFFICIENCY, "percentunit", bad_below(low * WITH_BATCHER, low)),
        Column("In flight per instance", _IN_FLIGHT, decimals=1),
        Column("Requests", WATCHED.highest("triton_watch_model_requests_per_second"), "reqps"),
        Column("Queue time", WATCHED.highest("triton_watch_model_queue_time_seconds"), "s"),
        Column("Compute time", WATCHED.highest("triton_watch_model_compute_infer_time_seconds"), "s"),
        keys=(*BY_TARGET, *_FACTS),
        key_links={"model": of_row(MODEL, "target", "model")},
        sort_by="Verdict",
        no_value=_NOT_WATCHED,
        height=11,
    )


def _batches(context: Context, low: float) -> tuple[Panel, ...]:
    return (
        graph(
            "Average batch (busiest 20 models)",
            "Mean inferences in one execution, over all chosen Tritons; dashed: max_batch_size. There is no histogram "
            "of batches: a mean of 4 may be 8 and nothing. Near 1 under load: see the verdict.",
            Query(busiest(average_batch(OVER_REPLICAS)), _MODEL),
            Query(busiest(largest_batch(context)), f"max_batch_size: {_MODEL}"),
            unit="short",
            limits="^max_batch_size",
            links=[of_model_series(MODEL)],
        ),
        graph(
            "Efficiency (lowest 20)",
            "Average batch divided by what the requests in flight could have filled. Low where the batcher is off: add "
            "dynamic_batching. Low where it is on: raise max_queue_delay_microseconds.",
            Query(worst(_EFFICIENCY, BY_TARGET, f"-{WATCHED.ever_lowest(_BATCH_EFFICIENCY)}"), _TARGET),
            unit="percentunit",
            scale=bad_below(low * WITH_BATCHER, low),
            no_value="No traffic that could batch",
            links=[of_series(MODEL)],
        ),
        graph(
            "Fill (fullest 20)",
            "Average batch divided by max_batch_size. Always full: requests could fill more, raise max_batch_size if "
            "the GPU's memory allows. Low is no fault while the efficiency is good.",
            Query(worst(WATCHED.highest(_FILL), BY_TARGET, WATCHED.ever(_FILL)), _TARGET),
            unit="percentunit",
            no_value="No traffic that could batch",
            links=[of_series(MODEL)],
        ),
        graph(
            "In flight for each instance (highest 20)",
            f"Requests inside the server for each instance of the model. Below {ENOUGH_IN_FLIGHT:g} (dashed) there is "
            "nothing to batch: fewer instances leave more for each.",
            Query(worst(_IN_FLIGHT, BY_TARGET, WATCHED.ever(_PER_INSTANCE)), _TARGET),
            unit="short",
            scale=Scale(GREY, (Step(ENOUGH_IN_FLIGHT, GREEN),)),
            links=[of_series(MODEL)],
        ),
    )
