"""What is drawn across the panels of every board: models that were loaded, and alerts that fire."""

from __future__ import annotations

from typing import Any, Final

from triton_watch.generate.dashboards.modernise import PROMETHEUS
from triton_watch.generate.dashboards.scales import BLUE, RED
from triton_watch.generate.queries import RANGE

_READY: Final = 'triton_watch_model_ready{target=~"$target", model=~"$model"}'
_WATCHED: Final = 'triton_watch_target_up{target=~"$target"}'


def _annotation(name: str, expr: str, color: str, title: str, text: str, tags: str) -> dict[str, Any]:
    return {
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": expr,
        "hide": False,
        "iconColor": color,
        "name": name,
        "step": "30s",
        "tagKeys": tags,
        "textFormat": text,
        "titleFormat": title,
        "type": "dashboard",
        "useValueForTime": False,
    }


LOADED: Final = (
    "max by (target, model, version) ("
    f"({_READY} == 1 unless (min_over_time({_READY}[{RANGE}]) == 1 and {_READY} offset {RANGE}))"
    f" and on (job, instance, target) {_WATCHED} offset {RANGE})"
)
"""A model that is ready and was not just before: loaded anew, or a new version. An agent that began to watch within
that time knows of no load.

The range reaches back to the point before. A fixed one would miss most of the loads where points lie far apart: up to
version 11 Grafana asks for 100 points only, whatever the time that is shown."""
_OF_ALERTS: Final = "max by (alertname, target, model, version, slo, gpu_uuid)"
FIRING: Final = (
    f'{_OF_ALERTS} (max_over_time(triton_watch_alert_state{{alert_state="firing", target=~"$target", '
    f'model=~"$model|"}}[{RANGE}]))'
    f' or {_OF_ALERTS} (max_over_time(ALERTS{{alertname=~"Triton.+", alertstate="firing", model=~"$model|"}}[{RANGE}]))'
)
"""What the agents say, whether they tell Alertmanager of it themselves or a Prometheus does, and what only Prometheus
can say; `model` is empty where an alert is about none."""

ANNOTATIONS: Final = (
    _annotation(
        "Model loaded", LOADED, BLUE, "{{model}} {{version}} became ready", "on {{target}}", "target,model,version"
    ),
    _annotation("Alert firing", FIRING, RED, "{{alertname}}", "{{target}} {{model}} {{slo}} {{gpu_uuid}}", "alertname"),
)
