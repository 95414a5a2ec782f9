"""What tests of the rules on Triton's own metrics need: settings, a live server's models, series for promtool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.objectives import availability, batch_efficiency, override, queue_time
from triton_watch.config import from_flags
from triton_watch.generate.rules.options import RuleOptions
from triton_watch.records import (
    AlertOverride,
    AlertSettings,
    AlertSeverity,
    EnsembleStep,
    Goal,
    ModelConfig,
    Objective,
    Settings,
    SloSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULTS: Final = from_flags(["http://localhost:8000"])
LIVE: Final = RuleOptions(
    selectors=(("cluster", "a"),),
    labels=(("team", "ml"),),
    models=(
        ModelConfig("encoder", max_batch_size=8, instances=2, dynamic_batching=True),
        ModelConfig("pipeline", platform="ensemble", max_batch_size=8, steps=(EnsembleStep("encoder", -1),)),
        ModelConfig("plain", max_batch_size=8, instances=1),
        ModelConfig("single", max_batch_size=0, instances=3),
    ),
)
"""A live server with a batcher, an ensemble, a model that lacks a batcher and one that takes no batches."""
OBJECTIVES: Final = (
    availability(overrides=(override("enc*", Goal(0.9, min_events=50)), override("*", Goal(0.99)))),
    queue_time(quantile="0.99", exclude_models=("single",)),
    batch_efficiency(),
)
OVERRIDES: Final = (
    AlertOverride(alerts=("TritonModelWedged",), models=("enc*",), hold=300.0, severity=AlertSeverity.TICKET),
    AlertOverride(alerts=("TritonGpuMemoryHigh",), threshold=0.5, labels=(("owner", "infra"),)),
    AlertOverride(alerts=("TritonGpuUnderused",), enabled=False),
)
RENAMED: Final = {AlertSeverity.PAGE: "critical", AlertSeverity.TICKET: "warning"}
_BASE: Final = {"job": "triton", "instance": "gpu-1:8002", "cluster": "a"}


def settings_with(
    *objectives: Objective,
    overrides: tuple[AlertOverride, ...] = (),
    severities: Mapping[AlertSeverity, str] | None = None,
) -> Settings:
    """The default settings with other objectives and alerts."""
    alerts = AlertSettings(watchdog=True, overrides=overrides, severities=severities or {})
    return Settings(targets=DEFAULTS.targets, slo=SloSettings(objectives=objectives), alerts=alerts)


def labels(**more: str) -> str:
    """Labels of a series of the server `gpu-1` in cluster `a`, as PromQL writes them."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in {**_BASE, **more}.items()) + "}"


def of_model(model: str, values: Mapping[str, str]) -> list[dict[str, str]]:
    """Input series of a model: metric without `nv_`, a label more behind a bar, and promtool's notation of values."""
    series = []
    for metric, notation in values.items():
        name, _, extra = metric.partition("|")
        more = dict([extra.split("=")]) if extra else {}
        series.append({"series": f"nv_{name}{labels(model=model, version='1', **more)}", "values": notation})
    return series


def value(expr: str, at: str, *samples: tuple[str, float]) -> dict[str, Any]:
    """A `promql_expr_test`: the expression, rounded to what floating point keeps, has these samples."""
    found = [{"labels": one, "value": number} for one, number in samples]
    return {"expr": f"round({expr}, 0.000001)", "eval_time": at, "exp_samples": found}


def firing(alert: str, at: str, *expected: str) -> dict[str, Any]:
    """A `promql_expr_test`: the alert fires with these severities, for one series each."""
    found = [{"labels": f'{{severity="{one}"}}', "value": 1} for one in expected]
    expr = f'count by (severity) (ALERTS{{alertname="{alert}", alertstate="firing"}})'
    return {"expr": expr, "eval_time": at, "exp_samples": found}
