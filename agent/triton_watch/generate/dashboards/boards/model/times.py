"""Where the time of a model's requests goes, as means and as quantiles: rows of the Model board."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import CANARY, SLO
from triton_watch.generate.dashboards.links import of_model_series
from triton_watch.generate.dashboards.panels import Query, graph, heatmap, repeated
from triton_watch.generate.dashboards.variables import OVER_REPLICAS, TOGETHER, TRITON, WATCHED, WATCHED_OVER_TARGETS
from triton_watch.generate.queries import compute_time, histogram_quantile, mean_time, served_quantile
from triton_watch.records import SloSli

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.panels import Panel

_MODEL: Final = "{{model}} {{version}}"
_PARTS: Final = {
    "queue": "queue",
    "compute_input": "compute input",
    "compute_infer": "compute infer",
    "compute_output": "compute output",
}
_MEAN, _QUANTILE = 'served_quantile=""', 'served_quantile!=""'
_QUANTILES: Final = {"0.5": "p50", "0.95": "p95", "0.99": "p99"}
_FIRST: Final = "nv_inference_first_response_histogram_ms"
_NO_SUMMARIES: Final = "Off: start Triton with --metrics-config summary_latencies=true"
_NO_HISTOGRAM: Final = "Off: start Triton 24.11 or newer with --metrics-config histogram_latencies=true"


def times() -> tuple[Panel, ...]:
    """Mean times, for which every Triton has the counters."""
    return (
        repeated(
            graph(
                "A mean request of $model, part by part",
                "Queue large: add instances, or batch. Compute infer large: the model itself. Other: the response "
                "cache, and what the steps of an ensemble wait.",
                *(Query(mean_time(TOGETHER, part), name) for part, name in _PARTS.items()),
                Query(_other(), "other"),
                unit="s",
                is_stacked=True,
                width=24,
            ),
            "model",
        ),
        graph(
            "Request time",
            "Mean time of an answered request in the server; dashed: the objective. The graph above says which part "
            "is too long. Clients wait longer: the network is not in it.",
            Query(mean_time(OVER_REPLICAS, "request"), _MODEL),
            Query(_objective(SloSli.REQUEST_TIME, _MEAN), "objective {{slo}}: {{model}}"),
            unit="s",
            limits="^objective",
            width=8,
        ),
        graph(
            "Queue time",
            "Mean time that a request waits; dashed: the objective. Above the compute time: add instances or replicas, "
            "or set a queue policy. An ensemble's own queue is next to nothing: see its members.",
            Query(mean_time(OVER_REPLICAS, "queue"), _MODEL),
            Query(_objective(SloSli.QUEUE_TIME, _MEAN), "objective {{slo}}: {{model}}"),
            unit="s",
            limits="^objective",
            links=[of_model_series(SLO)],
            width=8,
        ),
        graph(
            "Compute time",
            "Mean time in the model itself of requests that reached it, without those that the response cache "
            "answered. It rises with the batch; when it rises alone, look at the GPU and at who shares it.",
            Query(compute_time(OVER_REPLICAS, "compute_infer"), _MODEL),
            unit="s",
            width=8,
        ),
    )


def quantiles() -> tuple[Panel, ...]:
    """Quantiles, where the server or the agent has them."""
    return (
        graph(
            "Request time, served quantiles",
            "As the server's summaries say; of several Tritons the slowest. Dashed: the objective. p99 far above p50: "
            "some requests wait for a batch, a load or a busy GPU.",
            *_served("request"),
            Query(_objective(SloSli.REQUEST_TIME, _QUANTILE), "objective {{slo}}: {{model}}"),
            unit="s",
            limits="^objective",
            no_value=_NO_SUMMARIES,
            width=8,
        ),
        graph(
            "Queue time, served quantiles",
            "As the server's summaries say; of several Tritons the slowest. Dashed: the objective. p99 alone high: "
            "bursts; let them queue shorter (max_queue_size), or add instances.",
            *_served("queue"),
            Query(_objective(SloSli.QUEUE_TIME, _QUANTILE), "objective {{slo}}: {{model}}"),
            unit="s",
            limits="^objective",
            no_value=_NO_SUMMARIES,
            width=8,
        ),
        graph(
            "Canary latency, quantiles",
            "What a client near the agent sees, over all targets. Far above the request time: the network, or requests "
            "that wait before Triton counts them.",
            *(
                Query(
                    histogram_quantile(WATCHED_OVER_TARGETS, "triton_watch_canary_latency_seconds", float(one)),
                    f"{name} {_MODEL}",
                )
                for one, name in _QUANTILES.items()
            ),
            unit="s",
            no_value="No canary has run",
            links=[of_model_series(CANARY)],
            width=8,
        ),
        graph(
            "First response",
            "Time to the first response, as the server's histogram says, and of the last canary. For streams it is the "
            "time to the first token. Between two buckets the value is a guess: set buckets in model_metrics.",
            *(
                Query(f"({histogram_quantile(OVER_REPLICAS, _FIRST, float(one))}) / 1e3", f"{name} {_MODEL}")
                for one, name in _QUANTILES.items()
            ),
            Query(WATCHED_OVER_TARGETS.highest("triton_watch_canary_first_response_seconds"), f"canary {_MODEL}"),
            Query(_objective(SloSli.TTFT), "objective {{slo}}: {{model}}"),
            unit="s",
            limits="^objective",
            no_value=_NO_HISTOGRAM,
        ),
        heatmap(
            "First responses by time",
            "How many first responses a second took how long, of all chosen models. A band that moves up: look at the "
            "queue first.",
            Query(replace(TRITON, by=("le",)).rate(f"{_FIRST}_bucket"), "{{le}}"),
            unit="ms",
            no_value=_NO_HISTOGRAM,
        ),
    )


def _other() -> str:
    """What is left of the request time, where anything is: steps that run side by side leave less than nothing."""
    parts = " - ".join(mean_time(TOGETHER, part) for part in _PARTS)
    return f"({mean_time(TOGETHER, 'request')} - {parts}) > 0"


def _served(step: str) -> tuple[Query, ...]:
    return tuple(
        Query(served_quantile(OVER_REPLICAS, step, one), f"{name} {_MODEL}") for one, name in _QUANTILES.items()
    )


def _objective(sli: SloSli, *more: str) -> str:
    """Thresholds of the objectives on `sli`; `more` matches labels of their facts."""
    matchers = ", ".join((f'sli="{sli.value}"', *more))
    facts = f"max by (job, instance, slo) (triton_watch_slo_info{{{matchers}}})"
    thresholds = WATCHED.series("triton_watch_slo_threshold_seconds")
    return f"max by (slo, model) ({thresholds} * on (job, instance, slo) group_left () {facts})"
