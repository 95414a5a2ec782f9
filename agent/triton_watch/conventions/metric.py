"""What an exported metric is, and the labels and groups that there are."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "triton_watch_"

MetricType: TypeAlias = Literal["gauge", "counter", "info", "histogram"]

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "target": "Name of the target, configured or found; one target is one Triton server.",
        "source": "Where targets are looked for: `dns:`, record type, name and port, or `file:` and the path.",
        "model": "Name of the model, as Triton serves it.",
        "version": "Version of the model, empty where the server named none; on build_info, of the agent.",
        "model_namespace": "Namespace of the model; only on servers that run with --model-namespacing.",
        "state": "State of the model version: Triton's own, or NOT_LOADED, UNLOADED, MISSING.",
        "probe": "Name of the probe.",
        "outcome": "How the probe ended: ok, or the one name of its way to fail.",
        "sli": "Name of the service level indicator.",
        "gpu_uuid": "UUID of the GPU, as NVIDIA's tools print it.",
        "server": "Name that the server gives itself.",
        "server_version": "Version of the server.",
        "backend": "Backend that runs the model.",
        "platform": "Platform in the model's configuration; empty for most backends.",
        "max_batch_size": "Largest batch that the model takes; 0 means that it does not batch.",
        "instances": "Instances of the model over all its groups and GPUs.",
        "dynamic_batching": "Whether the dynamic batcher is on: true or false.",
        "ensemble": "Whether the model is an ensemble: true or false.",
        "step": "Number of the step in the ensemble's configuration, counted from 1.",
        "member": "Name of the model that is the step.",
        "member_version": "Version of that model: the latest that is ready where none is named; empty when none is.",
        "slo": "Name of the objective in the configuration.",
        "result": "What the objective says of the events: good or bad.",
        "window": "Length of the window, such as 5m or 1h.",
        "verdict": "Of an objective: ok, burning, exhausted or no_data; of canaries: passing, failing or unknown.",
        "reason": "How a canary ended, or why it was not sent: see docs/canary.md.",
        "alerts": "Severities of the burn windows that the objective has: page,ticket, one of them, or none.",
        "bound": "Which end of the good range the threshold is: lower or upper.",
        "served_quantile": "Served quantile that the objective judges, such as 0.99; empty for the mean.",
        "alertname": "Name of the alert: see docs/alerts.md.",
        "severity": "Of an alert: page, ticket, info or their new names; of a finding: error, warning or info.",
        "alert_state": "Where the alert stands: pending or firing.",
        "alertmanager": "URL of the Alertmanager.",
        "notified": "What became of the alerts: sent, refused or dropped.",
        "rule": "Id of the rule of `triton-watch check`.",
        "red_line": "Whether the finding crosses a red line of good practice: true or false.",
        "failure": "What was wrong with the store: full, read_only, corrupt, foreign, newer or io.",
    }
)
"""Every label that may stand on an exported series."""

AGENT = "The agent itself"
DISCOVERY = "Where targets are looked for"
TARGETS = "Targets"
PROBES = "Probes"
MODELS = "Models"
SLIS = "Service level indicators of models"
GPUS = "GPUs"
CANARIES = "Canaries"
SLOS = "Objectives and error budgets"
ALERTS = "Alerts"
STORE = "The store of events"


@dataclass(frozen=True, slots=True)
class Metric:
    """One exported metric.

    `name` is the name of its series (counters end in `_total`, infos in `_info`); `unit` is the base
    unit that ends the name, empty where the value is a count, a rate or a truth value. `notes` says
    when it is absent and what to mind. Model metrics carry `model_namespace` where there is one.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...]
    group: str
    unit: str = ""
    notes: str = ""
