"""What is drawn across the panels of every board: models that were loaded, and alerts that fire."""

from __future__ import annotations

from typing import Any, Final

from triton_watch.generate.dashboards.modernise import PROMETHEUS
from triton_watch.generate.dashboards.scales import BLUE, RED

_CHOSEN: Final = 'target=~"$target", model=~"$model"'
_NO_MODEL: Final = 'target=~"$target", model=""'


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
    f"triton_watch_model_ready{{{_CHOSEN}}} == 1 unless (triton_watch_model_ready{{{_CHOSEN}}} offset 1m == 1)"
)
"""A model that is ready and was not a minute ago: loaded anew, or a new version."""
FIRING: Final = (
    "max by (alertname, target, model, version, slo, gpu_uuid) ("
    f'triton_watch_alert_state{{alert_state="firing", {_CHOSEN}}}'
    f' or triton_watch_alert_state{{alert_state="firing", {_NO_MODEL}}})'
)
"""What the agents say, whether they tell Alertmanager of it themselves or a Prometheus does."""

ANNOTATIONS: Final = (
    _annotation(
        "Model loaded", LOADED, BLUE, "{{model}} {{version}} became ready", "on {{target}}", "target,model,version"
    ),
    _annotation("Alert firing", FIRING, RED, "{{alertname}}", "{{target}} {{model}} {{slo}} {{gpu_uuid}}", "alertname"),
)
