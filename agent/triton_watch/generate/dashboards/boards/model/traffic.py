"""What a model is asked and answers, over which replicas, and how full it is: rows of the Model board."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import BATCHING, CANARY
from triton_watch.generate.dashboards.links import of_model_series, of_series
from triton_watch.generate.dashboards.panels import Query, graph, states
from triton_watch.generate.dashboards.scales import GREEN, GREY, RED, Named
from triton_watch.generate.dashboards.variables import OVER_REPLICAS, TRITON, WATCHED, WATCHED_OVER_TARGETS
from triton_watch.generate.dashboards.verdicts import CANARY_VERDICT
from triton_watch.generate.queries import (
    average_batch,
    cache_hit_ratio,
    coded,
    error_ratio,
    in_flight,
    max_batch_size,
    mean_time,
    requests,
    worst,
)

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.panels import Panel

_MODEL: Final = "{{model}} {{version}}"
_REPLICA: Final = "{{instance}} {{model}} {{version}}"
_BY_REASON: Final = replace(TRITON, by=("model", "version", "reason"))
_BY_REPLICA: Final = requests(replace(TRITON, by=("instance", "model")))
_STATES: Final = {"failing": 0, "passing": 2, "unknown": 3}
_READY: Final = f"1 + {WATCHED.lowest('triton_watch_model_ready')}"
"""1 = not ready, 2 = ready: numbers beside those of the verdicts."""
_NAMES: Final = (
    Named("0", "canaries fail", RED),
    Named("1", "not ready", RED),
    Named("2", "good", GREEN),
    Named("3", "no canary", GREY),
)


def traffic() -> tuple[Panel, ...]:
    """Requests, and which of them failed by whose word."""
    seen = f"1 - {WATCHED_OVER_TARGETS.lowest('triton_watch_model_client_availability_ratio')}"
    return (
        graph(
            "Requests",
            "Requests that ended in a second, good and failed, over all chosen Tritons. A fall to 0 while clients "
            "send: the requests do not reach the server, or it refuses them before it counts them.",
            Query(requests(OVER_REPLICAS), _MODEL),
            unit="reqps",
            width=8,
        ),
        graph(
            "Failed: the server's count, and canaries",
            "Share of failed requests as Triton counts them, and of the last 20 canaries where most failed. Canaries "
            "far above the server: failures that Triton counts as success.",
            Query(error_ratio(OVER_REPLICAS), f"server: {_MODEL}"),
            Query(seen, f"canaries: {_MODEL}"),
            unit="percentunit",
            highest=1,
            limits="^canaries",
            width=8,
        ),
        graph(
            "Failures by reason",
            "REJECTED: waited too long in the queue. CANCELED: the client gave up. BACKEND: the model's code or its "
            "framework. OTHER: Triton itself, or a step of an ensemble. The server's log has the text.",
            Query(_BY_REASON.rate("nv_inference_request_failure"), f"{{{{reason}}}}: {_MODEL}"),
            unit="reqps",
            no_value="Nothing scraped",
            width=8,
        ),
        states(
            "Ready, and the verdict of canaries",
            "Two bands for each server: what the repository index says, and what canaries say. Ready with failing "
            "canaries is the failure that health checks do not see.",
            Query(_READY, "ready: {{target}} {{model}} {{version}}"),
            Query(
                coded(WATCHED, CANARY_VERDICT, "verdict", _STATES),
                "canaries: {{target}} {{model}} {{version}}",
            ),
            names=_NAMES,
            no_value="Not watched",
            links=[of_series(CANARY)],
            height=6,
        ),
    )


def replicas() -> tuple[Panel, ...]:
    """How the traffic is spread over the Tritons that serve the model."""
    return (
        graph(
            "Requests by Triton (busiest 20)",
            "Requests that ended in a second on each Triton. Lines that stay apart: the load balancer does not spread "
            "them. With gRPC a client keeps to one server: balance by request, not by connection.",
            Query(worst(requests(TRITON), TRITON.by, TRITON.gained("nv_inference_request_success")), _REPLICA),
            unit="reqps",
            width=8,
        ),
        graph(
            "Busiest Triton against the mean",
            "Requests of the busiest Triton divided by the mean of all that serve the model. At 1 the traffic is even; "
            "well above it one server works while others wait.",
            Query(f"max by (model) ({_BY_REPLICA}) / (avg by (model) ({_BY_REPLICA}) > 0)", "{{model}}"),
            unit="short",
            lowest=1,
            width=8,
        ),
        graph(
            "Request time by Triton (slowest 20)",
            "Mean time of a request on each Triton. One slower than the others with the same traffic: look at its GPU "
            "and at who shares it.",
            Query(f"topk(20, {mean_time(TRITON, 'request')})", _REPLICA),
            unit="s",
            width=8,
        ),
    )


def load() -> tuple[Panel, ...]:
    """How much is in the server, in a batch, in the cache; and how long a load takes."""
    return (
        graph(
            "In the server",
            "In flight: mean requests inside the server at a time (Little's law). Pending: those that wait. Pending "
            "that grows: more comes than is served; add instances or replicas, or let the queue refuse early.",
            Query(in_flight(OVER_REPLICAS), f"in flight: {_MODEL}"),
            Query(OVER_REPLICAS.total("nv_inference_pending_request_count"), f"pending: {_MODEL}"),
            unit="short",
        ),
        graph(
            "Average batch",
            "Mean inferences in one execution; dashed: max_batch_size, while there is traffic. Near 1 with many "
            "requests in flight: the Batching board says why.",
            Query(average_batch(OVER_REPLICAS), _MODEL),
            Query(max_batch_size(WATCHED_OVER_TARGETS), f"max_batch_size: {_MODEL}"),
            unit="short",
            limits="^max_batch_size",
            links=[of_model_series(BATCHING)],
        ),
        graph(
            "Answered by the response cache",
            "Share of look-ups that the cache answered. Low: requests seldom repeat, and each pays for a look-up in "
            "vain; switch the cache off or make it larger.",
            Query(cache_hit_ratio(OVER_REPLICAS), _MODEL),
            unit="percentunit",
            highest=1,
            no_value="No response cache",
        ),
        graph(
            "Time to load, and first call",
            "How long the last load took (Triton 24.11 and newer), and the first canary after it. A first call far "
            "above the usual time: the model has no warm-up, add model_warmup.",
            Query(OVER_REPLICAS.highest("nv_model_load_duration_secs"), f"load: {_MODEL}"),
            Query(WATCHED_OVER_TARGETS.highest("triton_watch_canary_first_call_seconds"), f"first call: {_MODEL}"),
            unit="s",
            no_value="No load was seen",
        ),
    )
