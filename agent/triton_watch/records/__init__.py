"""Frozen records that cross module borders. No I/O, no clock, no dict of anybody's JSON."""

from triton_watch.records.metrics import (
    FAILURE_REASONS,
    Counter,
    FloatArray,
    Gpu,
    HistogramFrame,
    MetricsFrame,
    ModelIndex,
)
from triton_watch.records.model import (
    EnsembleStep,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    ServerInfo,
)
from triton_watch.records.outcome import Outcome, ProbeResult
from triton_watch.records.settings import LogSettings, Settings, WebSettings
from triton_watch.records.sli import NoData, NoDataReason, Sli, SliValue
from triton_watch.records.snapshot import ConfigVectors, SliTable, TargetSnapshot
from triton_watch.records.target import Credentials, Target, Timeouts, TlsSettings

__all__ = [
    "FAILURE_REASONS",
    "ConfigVectors",
    "Counter",
    "Credentials",
    "EnsembleStep",
    "FloatArray",
    "Gpu",
    "HistogramFrame",
    "LogSettings",
    "MetricsFrame",
    "ModelConfig",
    "ModelIndex",
    "ModelKey",
    "ModelState",
    "ModelStatus",
    "NoData",
    "NoDataReason",
    "Outcome",
    "ProbeResult",
    "ServerInfo",
    "Settings",
    "Sli",
    "SliTable",
    "SliValue",
    "Target",
    "TargetSnapshot",
    "Timeouts",
    "TlsSettings",
    "WebSettings",
]
