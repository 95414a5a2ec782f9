"""Frozen records that cross module borders. No I/O, no clock, no dict of anybody's JSON.

Names are imported when they are first used: not every command needs numpy, which the metrics' records do.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records.alert import (
        AlertCase,
        AlertKey,
        Alertmanager,
        AlertMode,
        AlertOverride,
        AlertPhase,
        AlertSettings,
        AlertSeverity,
        AlertState,
        Labels,
        PeerStatus,
    )
    from triton_watch.records.budget import (
        VERDICTS,
        BucketRow,
        BudgetTable,
        LedgerState,
        SeriesKey,
        Verdict,
        WindowSums,
    )
    from triton_watch.records.canary import (
        LATENCY_BUCKETS,
        CanaryOptions,
        CanaryReason,
        CanaryResult,
        CanarySent,
        CanarySettings,
        CanaryState,
        CanaryVerdict,
        GivenInput,
        GivenTensor,
        Protocol,
        SkipReason,
    )
    from triton_watch.records.discovery import DiscoverySettings, DnsSource, FileSource, RecordType, SourceStatus
    from triton_watch.records.finding import Confidence, Finding, Severity
    from triton_watch.records.history import (
        AgentStatus,
        BatchSizes,
        CanaryFailure,
        CanaryHistory,
        CanaryRun,
        CycleMark,
        Event,
        EventKind,
        EventLevel,
        History,
        LogLine,
        RecentSlot,
        RecentTable,
        Sum,
    )
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
        TensorSpec,
    )
    from triton_watch.records.objective import (
        BurnWindow,
        Goal,
        Objective,
        Override,
        Page,
        PrometheusSettings,
        SloSettings,
        SloSli,
    )
    from triton_watch.records.outcome import Outcome, ProbeResult
    from triton_watch.records.report import Course, Report, ReportRow, WindowBurn
    from triton_watch.records.settings import CheckSettings, LogSettings, Settings, WebSettings
    from triton_watch.records.sli import NoData, NoDataReason, Sli, SliValue
    from triton_watch.records.snapshot import ConfigVectors, SilentFailure, SliTable, TargetSnapshot, Wedged
    from triton_watch.records.target import Credentials, Target, Timeouts, TlsSettings
    from triton_watch.records.web import ClientAuth, Pem, ServerTls, WebAccess

__all__ = [
    "FAILURE_REASONS",
    "LATENCY_BUCKETS",
    "VERDICTS",
    "AgentStatus",
    "AlertCase",
    "AlertKey",
    "AlertMode",
    "AlertOverride",
    "AlertPhase",
    "AlertSettings",
    "AlertSeverity",
    "AlertState",
    "Alertmanager",
    "BatchSizes",
    "BucketRow",
    "BudgetTable",
    "BurnWindow",
    "CanaryFailure",
    "CanaryHistory",
    "CanaryOptions",
    "CanaryReason",
    "CanaryResult",
    "CanaryRun",
    "CanarySent",
    "CanarySettings",
    "CanaryState",
    "CanaryVerdict",
    "CheckSettings",
    "ClientAuth",
    "Confidence",
    "ConfigVectors",
    "Counter",
    "Course",
    "Credentials",
    "CycleMark",
    "DiscoverySettings",
    "DnsSource",
    "EnsembleStep",
    "Event",
    "EventKind",
    "EventLevel",
    "FileSource",
    "Finding",
    "FloatArray",
    "GivenInput",
    "GivenTensor",
    "Goal",
    "Gpu",
    "HistogramFrame",
    "History",
    "Labels",
    "LedgerState",
    "LogLine",
    "LogSettings",
    "MetricsFrame",
    "ModelConfig",
    "ModelIndex",
    "ModelKey",
    "ModelState",
    "ModelStatus",
    "NoData",
    "NoDataReason",
    "Objective",
    "Outcome",
    "Override",
    "Page",
    "PeerStatus",
    "Pem",
    "ProbeResult",
    "PrometheusSettings",
    "Protocol",
    "RecentSlot",
    "RecentTable",
    "RecordType",
    "Report",
    "ReportRow",
    "SeriesKey",
    "ServerInfo",
    "ServerTls",
    "Settings",
    "Severity",
    "SilentFailure",
    "SkipReason",
    "Sli",
    "SliTable",
    "SliValue",
    "SloSettings",
    "SloSli",
    "SourceStatus",
    "Sum",
    "Target",
    "TargetSnapshot",
    "TensorSpec",
    "Timeouts",
    "TlsSettings",
    "Verdict",
    "WebAccess",
    "WebSettings",
    "Wedged",
    "WindowBurn",
    "WindowSums",
]

_MODULES: Mapping[str, str] = MappingProxyType(
    {
        "alert": "AlertCase AlertKey Alertmanager AlertMode AlertOverride AlertPhase AlertSettings AlertSeverity "
        "AlertState Labels PeerStatus",
        "budget": "VERDICTS BucketRow BudgetTable LedgerState SeriesKey Verdict WindowSums",
        "canary": "LATENCY_BUCKETS CanaryOptions CanaryReason CanaryResult CanarySent CanarySettings CanaryState "
        "CanaryVerdict GivenInput GivenTensor Protocol SkipReason",
        "discovery": "DiscoverySettings DnsSource FileSource RecordType SourceStatus",
        "finding": "Confidence Finding Severity",
        "history": "AgentStatus BatchSizes CanaryFailure CanaryHistory CanaryRun CycleMark Event EventKind EventLevel "
        "History LogLine RecentSlot RecentTable Sum",
        "metrics": "FAILURE_REASONS Counter FloatArray Gpu HistogramFrame MetricsFrame ModelIndex",
        "model": "EnsembleStep ModelConfig ModelKey ModelState ModelStatus ServerInfo TensorSpec",
        "objective": "BurnWindow Goal Objective Override Page PrometheusSettings SloSettings SloSli",
        "outcome": "Outcome ProbeResult",
        "report": "Course Report ReportRow WindowBurn",
        "settings": "CheckSettings LogSettings Settings WebSettings",
        "sli": "NoData NoDataReason Sli SliValue",
        "snapshot": "ConfigVectors SilentFailure SliTable TargetSnapshot Wedged",
        "target": "Credentials Target Timeouts TlsSettings",
        "web": "ClientAuth Pem ServerTls WebAccess",
    }
)
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}
"""Name -> the module that defines it."""


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
