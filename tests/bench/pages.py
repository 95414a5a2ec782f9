"""Synthetic metrics pages in the shape of Triton's: families, order and label layout of the real captures."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTERS = (
    ("nv_inference_request_success", "Number of successful inference requests, all batch sizes"),
    ("nv_inference_request_failure", "Number of failed inference requests, all batch sizes"),
    ("nv_inference_count", "Number of inferences performed (does not include cached requests)"),
    ("nv_inference_exec_count", "Number of model executions performed (does not include cached requests)"),
    ("nv_inference_request_duration_us", "Cumulative inference request duration in microseconds"),
    ("nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds"),
    ("nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds"),
    ("nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds"),
    (
        "nv_inference_compute_output_duration_us",
        "Cumulative inference compute output duration in microseconds",
    ),
)
REASONS = ("BACKEND", "OTHER", "CANCELED", "REJECTED")
SUMMARIES = ("request", "queue", "compute_input", "compute_infer", "compute_output")
QUANTILES = ("0.5", "0.9", "0.95", "0.99", "0.999")
MEANS_US = (2000, 400, 20, 1500, 30)
"""Mean duration of one request, in the order of SUMMARIES."""
RATES = (0, 1, 10, 100)
"""Requests that a model answers between two scrapes: a quarter of the models are idle."""


def render(models: int, *, summaries: bool, tick: int, seed: int = 7) -> bytes:
    """Return the page of scrape number `tick`: counters grow from tick to tick, 13 or 48 lines a model."""
    rng = random.Random(seed)
    names = [f"model_{rng.randrange(10**6):06d}_{i}" for i in range(models)]
    rng.shuffle(names)
    rates = [rng.choice(RATES) for _ in names]
    lines = list(_counter_lines(names, rates, tick))
    lines += [
        "# HELP nv_inference_pending_request_count Instantaneous number of pending requests",
        "# TYPE nv_inference_pending_request_count gauge",
    ]
    lines += [
        f'nv_inference_pending_request_count{{model="{n}",version="1"}} {_pending(r, tick)}'
        for n, r in zip(names, rates, strict=True)
    ]
    lines += [
        "# HELP nv_cpu_utilization CPU utilization rate [0.0 - 1.0]",
        "# TYPE nv_cpu_utilization gauge",
        "nv_cpu_utilization 0.13580246913580252",
    ]
    if summaries:
        lines += _summary_lines(names, rates, tick)
    return ("\n".join(lines) + "\n").encode()


def _pending(rate: int, tick: int) -> int:
    """Requests that wait for a model right now; none for an idle one.

    On a healthy server a request that waits is answered soon. A model that has some waiting and answers none between
    two scrapes hangs: with a quarter of them like that, hundreds of alerts would come and go at each poll.
    """
    return (tick + rate) % 7 if rate else 0


def _counter_lines(names: list[str], rates: list[int], tick: int) -> Iterator[str]:
    for family, text in COUNTERS:
        yield f"# HELP {family} {text}"
        yield f"# TYPE {family} counter"
        scale = next((m for s, m in zip(SUMMARIES, MEANS_US, strict=True) if f"_{s}_duration" in family), 1)
        for name, rate in zip(names, rates, strict=True):
            value = (1000 + tick * rate) * scale
            if family == "nv_inference_request_failure":
                for reason in REASONS:
                    yield f'{family}{{model="{name}",reason="{reason}",version="1"}} {tick * rate // 100}'
            else:
                yield f'{family}{{model="{name}",version="1"}} {value}'


def _summary_lines(names: list[str], rates: list[int], tick: int) -> Iterator[str]:
    for kind, mean in zip(SUMMARIES, MEANS_US, strict=True):
        family = f"nv_inference_{kind}_summary_us"
        yield f"# HELP {family} Summary of {kind} duration in microseconds"
        yield f"# TYPE {family} summary"
        for name, rate in zip(names, rates, strict=True):
            count = 1000 + tick * rate
            labels = f'model="{name}",version="1"'
            yield f"{family}_count{{{labels}}} {count}"
            yield f"{family}_sum{{{labels}}} {count * mean}"
            for i, quantile in enumerate(QUANTILES):
                # A model without recent traffic has no quantiles, and Triton says so in these letters.
                value = f"{mean * (1 + i) + tick % 10}" if rate else "Nan"
                yield f'{family}{{{labels},quantile="{quantile}"}} {value}'
