"""grafanalib's dashboards in the shape that Grafana 10 to 13 write themselves: schema 39, no migration needed.

grafanalib 0.7.1 emits schema 12 and panels that Grafana has since changed. Everything that is wrong is mended here and
nowhere else: keys are taken from a list, not left out by one, so that a newer grafanalib adds nothing unseen.
"""

from __future__ import annotations

from typing import Final

from triton_watch.generate.dashboards.kinds import CUSTOM, OPTIONS, Json, no_custom, taken

SCHEMA_VERSION: Final = 39
PROMETHEUS: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}

_BOARD: Final = (
    "annotations",
    "description",
    "links",
    "panels",
    "refresh",
    "tags",
    "templating",
    "time",
    "title",
    "uid",
)
_PANEL: Final = (
    "id",
    "type",
    "title",
    "description",
    "gridPos",
    "transformations",
    "repeat",
    "repeatDirection",
    "maxPerRow",
)
_DEFAULTS: Final = ("unit", "min", "max", "decimals", "noValue", "mappings", "links", "color", "thresholds")
_LABEL_VALUES, _QUERY_RESULT = 1, 3
"""What Grafana's editor of variables calls the kinds of queries."""


def modernise(board: Json) -> Json:
    """Return the dashboard in the new shape; `board` is what grafanalib's encoder makes and is not changed."""
    modern = taken(board, _BOARD)
    modern["panels"] = [_panel(one) for one in board["panels"]]
    modern["templating"] = {"list": [_variable(one) for one in board["templating"]["list"]]}
    modern |= {
        "editable": False,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "timepicker": {},
        "timezone": "browser",
    }
    return modern


def _panel(old: Json) -> Json:
    if old["type"] == "row":
        return _row(old)
    new = taken(old, _PANEL)
    new["fieldConfig"] = _field_config(old)
    new["options"] = OPTIONS[old["type"]](old.get("options") or {})
    if old["targets"]:
        new["datasource"] = PROMETHEUS
        new["targets"] = [_target(one, old["type"]) for one in old["targets"]]
    return new


def _row(old: Json) -> Json:
    row = taken(old, ("id", "type", "title", "gridPos"))
    return {**row, "collapsed": old["collapsed"], "panels": [_panel(one) for one in old["panels"]]}


def _target(old: Json, kind: str) -> Json:
    instant = bool(old["instant"])
    return {
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": old["expr"],
        "format": "heatmap" if kind == "heatmap" else old["format"],
        "instant": instant,
        "legendFormat": old["legendFormat"] or "__auto",
        "range": not instant,
        "refId": old["refId"],
    }


def _field_config(old: Json) -> Json:
    given = old["fieldConfig"]
    defaults = taken(given["defaults"], _DEFAULTS)
    defaults["thresholds"] = {"mode": "absolute", "steps": _steps(given["defaults"]["thresholds"]["steps"] or [])}
    if not defaults.get("links"):
        defaults.pop("links", None)
    defaults.setdefault("mappings", [])
    defaults.setdefault("color", {"mode": "thresholds"})
    defaults["custom"] = CUSTOM.get(old["type"], no_custom)(given["defaults"].get("custom") or {})
    return {"defaults": defaults, "overrides": [_override(one) for one in given.get("overrides", [])]}


def _steps(old: list[Json]) -> list[Json]:
    """The first step holds from minus infinity on, which Grafana writes as null; grafanalib as a text."""
    if not old:
        return [{"color": "green", "value": None}]
    return [{"color": one["color"], "value": None if row == 0 else one["value"]} for row, one in enumerate(old)]


def _override(old: Json) -> Json:
    properties = [_with_steps(one) if one["id"] == "thresholds" else one for one in old["properties"]]
    return {"matcher": old["matcher"], "properties": properties}


def _with_steps(old: Json) -> Json:
    return {"id": old["id"], "value": {**old["value"], "steps": _steps(old["value"]["steps"])}}


def _variable(old: Json) -> Json:
    new = taken(old, ("name", "label", "type", "hide", "regex"))
    new |= {"multi": old["multi"], "includeAll": old["includeAll"], "options": [], "refresh": 2, "skipUrlSync": False}
    if old["type"] == "query":
        kind = _QUERY_RESULT if old["query"].startswith("query_result(") else _LABEL_VALUES
        query = {"qryType": kind, "query": old["query"], "refId": "PrometheusVariableQueryEditor-VariableQuery"}
        new |= {"datasource": PROMETHEUS, "definition": old["query"], "query": query, "sort": 1}
    else:
        new |= {"query": old["query"], "refresh": 1}
    if old["includeAll"]:
        new |= {"allValue": ".+", "current": {"text": ["All"], "value": ["$__all"]}}
    return new
