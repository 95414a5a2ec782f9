"""The names of every alert there is, in the order in which they are shown, and the labels that say which one it is."""

from __future__ import annotations

ALERT_PREFIX = "Triton"

ALERT_NAMES = (
    "TritonTargetDown",
    "TritonNotReady",
    "TritonModelUnavailable",
    "TritonModelWedged",
    "TritonMetricsMissing",
    "TritonGpuMetricsMissing",
    "TritonCanaryFailing",
    "TritonCanaryWrongOutput",
    "TritonSilentFailure",
    "TritonErrorBudgetBurn",
    "TritonQueueGrowing",
    "TritonNotBatching",
    "TritonGpuMemoryHigh",
    "TritonGpuUnderused",
    "TritonGpuSaturated",
    "TritonConfigErrors",
    "TritonConfigDrift",
    "TritonWatchDown",
    "TritonWatchdog",
)
"""Each once, where an alert has a definition for pages and one for tickets too."""

RATIO_ALERTS = ("TritonNotBatching", "TritonGpuMemoryHigh", "TritonGpuUnderused", "TritonGpuSaturated")
"""Those with a threshold that is a ratio, from 0 to 1."""

OTHER_THRESHOLD_ALERTS = ("TritonQueueGrowing",)
"""Those with a threshold that may be above 1."""

MODEL_ALERTS = (
    "TritonModelUnavailable",
    "TritonModelWedged",
    "TritonMetricsMissing",
    "TritonCanaryFailing",
    "TritonCanaryWrongOutput",
    "TritonSilentFailure",
    "TritonErrorBudgetBurn",
    "TritonQueueGrowing",
    "TritonNotBatching",
    "TritonConfigErrors",
    "TritonConfigDrift",
)
"""Those that are, or may be, about a model."""

TARGET_DOWN, WATCH_DOWN, WATCHDOG = "TritonTargetDown", "TritonWatchDown", "TritonWatchdog"
"""Those that concern all others."""

RESERVED_LABELS = (
    "alertname",
    "severity",
    "alertstate",
    "alert_state",
    "target",
    "model",
    "model_namespace",
    "version",
    "gpu_uuid",
    "slo",
    "window",
    "probe",
    "reason",
    "rule",
)
"""Names that an alert or Prometheus gives itself: nobody may add a label that is called so."""
