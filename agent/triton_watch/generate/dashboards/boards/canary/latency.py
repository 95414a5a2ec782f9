"""The board Canary: how long clients wait."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import MODEL
from triton_watch.generate.dashboards.boards.canary.series import ALL, EACH, LEGEND, LINES, NONE_RAN
from triton_watch.generate.dashboards.links import of_row, of_series
from triton_watch.generate.dashboards.panels import Query, graph, heatmap
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.queries import histogram_quantile, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.generate.dashboards.panels import Panel

_LATENCY: Final = "triton_watch_canary_latency_seconds"


def latency() -> Iterator[Panel]:
    """Latencies as a distribution, as quantiles, and by model."""
    yield heatmap(
        "Latency of canaries",
        "Answered canaries per second by latency, all that are chosen; the first one after a load is left out. A "
        "second cloud above the first: some of the models, or some of their instances, are slow.",
        Query(replace(ALL, by=("le",)).rate(f"{_LATENCY}_bucket"), "{{le}}"),
        unit="s",
        no_value=NONE_RAN,
    )
    yield graph(
        "Latency of canaries over all models",
        "Quantiles of the buckets of all that are chosen, added up; nothing above 10 s can be told apart. When they "
        "rise, see beside this which models became slow.",
        *(Query(histogram_quantile(ALL, _LATENCY, one), f"p{one * 100:g}") for one in (0.5, 0.9, 0.99)),
        unit="s",
        no_value=NONE_RAN,
    )
    for title, metric, description in (
        (
            "Last latency",
            "triton_watch_canary_last_latency_seconds",
            "The last canary of each model, from the first request to the last answer. Compare it with the queue and "
            "compute times on the Model board: what they do not explain is the network or the protocol.",
        ),
        (
            "First response",
            "triton_watch_canary_first_response_seconds",
            "Time to the first response of the last canary; for a stream, time to the first token. When it rises "
            "while tokens come as fast as before, requests wait.",
        ),
    ):
        yield graph(
            f"{title} (longest 20)",
            description,
            Query(worst(LINES.highest(metric), LINES.by, LINES.ever(metric)), LEGEND),
            unit="s",
            no_value=NONE_RAN,
            links=[of_series(MODEL)],
        )
    yield _first_call()


def _first_call() -> Panel:
    shown = replace(EACH, span="$__range")
    first = EACH.highest("triton_watch_canary_first_call_seconds")
    usual = f"({shown.increase(f'{_LATENCY}_sum')} / ({shown.increase(f'{_LATENCY}_count')} > 0))"
    most = f"topk(50, {first} / ({usual} > 0))"
    return table(
        "First call after a load (at most 50)",
        "Latency of the first canary after the model was loaded, and the mean since, in the time that is shown. Many "
        "times the usual: the model has no warm-up, and its first client waits; add model_warmup to its configuration.",
        Column("First call", f"{first} and {most}", unit="s"),
        Column("Usual", f"{usual} and {most}", unit="s"),
        Column("Times the usual", most, decimals=1),
        keys=LINES.by,
        key_links={"model": of_row(MODEL, "target", "model")},
        sort_by="Times the usual",
        no_value="No canary after a load",
    )
