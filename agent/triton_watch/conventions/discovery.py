"""The metrics of where targets are looked for."""

from __future__ import annotations

from triton_watch.conventions.metric import DISCOVERY, Metric

_SOURCE = ("source",)

DISCOVERY_METRICS: tuple[Metric, ...] = (
    DISCOVERY_TARGETS := Metric(
        "triton_watch_discovery_targets",
        "gauge",
        "Targets that the source has, by what it said last.",
        _SOURCE,
        DISCOVERY,
        notes="A target that several sources have is watched once, and counts here for each.",
    ),
    DISCOVERY_SUCCESS := Metric(
        "triton_watch_discovery_last_success_timestamp_seconds",
        "gauge",
        "Unix time at which the source was last looked at without a problem.",
        _SOURCE,
        DISCOVERY,
        "seconds",
        notes="Absent until then. While it stands still, the source's targets stay as they were.",
    ),
    DISCOVERY_FAILURES := Metric(
        "triton_watch_discovery_failures_total",
        "counter",
        "Look-ups that failed, and files that could not be read or were not good.",
        _SOURCE,
        DISCOVERY,
        notes="A problem of a file or folder counts when it is new, and once a minute while it lasts.",
    ),
)
