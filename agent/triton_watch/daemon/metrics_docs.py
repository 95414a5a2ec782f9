"""docs/metrics.md, rendered from `conventions`: a heading for every metric and label."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from triton_watch.conventions import LABELS, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.conventions import Metric

_INTRO = """# Metrics

<!-- Generated from agent/triton_watch/conventions/ by `make generate`. -->

What `triton-watch run` serves at `/metrics` (by default http://127.0.0.1:8003/metrics), as classic
Prometheus text or as OpenMetrics, whichever the client prefers, and compressed with gzip on request.

- A value that is not known is **absent**, never 0. Watch for absence with `absent()` or with
  `triton_watch_sli_models_with_data`.
- Units are base units: seconds, bytes, joules, ratios from 0 to 1.
- The indicators of models are formed over the time between the last two scrapes of Triton
  (`triton_watch_sli_interval_seconds`). They are gauges for people and for single servers. Do not average
  them over servers or time: form ratios of Triton's own counters for that.
- Triton's own series (`nv_*`) are not repeated here: let Prometheus scrape Triton, too.
"""

_OUTRO = """## The process itself

The page ends with what prometheus_client says about the agent's own process: `process_*` (CPU, memory, start,
file descriptors; Linux only), `python_info` and `python_gc_*`.
"""


def render() -> str:
    """The whole page, Markdown; the same text for the same conventions."""
    lines = [_INTRO]
    for group, metrics in groupby(METRICS, key=lambda metric: metric.group):
        lines += [f"## {group}", ""]
        for metric in metrics:
            lines += _entry(metric)
    lines += ["## Labels", "", *(f"- `{name}`: {text}" for name, text in LABELS.items()), "", _OUTRO]
    return "\n".join(lines).rstrip() + "\n"


def _entry(metric: Metric) -> Iterator[str]:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    kind = f"{metric.type}, {metric.unit}" if metric.unit else metric.type
    yield f"### `{metric.name}`"
    yield ""
    yield metric.help
    if metric.notes:
        yield metric.notes
    yield ""
    yield f"Type: {kind}. Labels: {labels}."
    yield ""
