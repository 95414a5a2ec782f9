"""grafanalib's dashboards in the shape that Grafana 10 to 13 write themselves: schema 39, no migration needed.

grafanalib 0.7.1 emits schema 12 and panels that Grafana has since changed. Everything that is wrong is mended here and
nowhere else: keys are taken from a list, not left out by one, so that a newer grafanalib adds nothing unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

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
_LINE: Final = (
    "axisLabel", "axisPlacement", "barAlignment", "drawStyle", "fillOpacity", "gradientMode", "hideFrom",
    "lineInterpolation", "lineWidth", "pointSize", "showPoints", "spanNulls", "stacking", "thresholdsStyle",
)  # fmt: skip
_LAST: Final[Json] = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def modernise(board: Json) -> Json:
    """Return the dashboard in the new shape; `board` is what grafanalib's encoder makes and is not changed."""
    modern = _taken(board, _BOARD)
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
    new = _taken(old, _PANEL)
    new["fieldConfig"] = _field_config(old)
    new["options"] = _OPTIONS[old["type"]](old.get("options") or {})
    if old["targets"]:
        new["datasource"] = PROMETHEUS
        new["targets"] = [_target(one, old["type"]) for one in old["targets"]]
    return new


def _row(old: Json) -> Json:
    row = _taken(old, ("id", "type", "title", "gridPos"))
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
    defaults = _taken(given["defaults"], _DEFAULTS)
    defaults["thresholds"] = {"mode": "absolute", "steps": _steps(given["defaults"]["thresholds"]["steps"] or [])}
    if not defaults.get("links"):
        defaults.pop("links", None)
    defaults.setdefault("mappings", [])
    defaults.setdefault("color", {"mode": "thresholds"})
    defaults["custom"] = _CUSTOM.get(old["type"], _no_custom)(given["defaults"].get("custom") or {})
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
    new = _taken(old, ("name", "label", "type", "hide", "regex"))
    new |= {"multi": old["multi"], "includeAll": old["includeAll"], "options": [], "refresh": 2, "skipUrlSync": False}
    if old["type"] == "query":
        query = {"qryType": 1, "query": old["query"], "refId": "PrometheusVariableQueryEditor-VariableQuery"}
        new |= {"datasource": PROMETHEUS, "definition": old["query"], "query": query, "sort": 1}
    else:
        new |= {"query": old["query"], "refresh": 1}
    if old["includeAll"]:
        new |= {"allValue": ".+", "current": {"text": ["All"], "value": ["$__all"]}}
    return new


def _taken(old: Json, keys: tuple[str, ...]) -> Json:
    """The keys that are wanted, where they say something."""
    return {key: old[key] for key in keys if old.get(key) is not None}


def _no_custom(old: Json) -> Json:
    del old
    return {}


def _line(old: Json) -> Json:
    return {**_taken(old, _LINE), "axisBorderShow": False, "scaleDistribution": {"type": "linear"}}


def _band(old: Json) -> Json:
    return {**_taken(old, ("fillOpacity", "lineWidth")), "hideFrom": {"legend": False, "tooltip": False, "viz": False}}


def _cell(old: Json) -> Json:
    return {"align": old.get("align", "auto"), "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}


_CUSTOM: Final[dict[str, Callable[[Json], Json]]] = {"timeseries": _line, "state-timeline": _band, "table": _cell}


def _graph_options(old: Json) -> Json:
    legend = {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True}
    return {"legend": legend, "tooltip": {"mode": old["tooltip"]["mode"], "sort": old["tooltip"]["sort"]}}


def _stat_options(old: Json) -> Json:
    kept = _taken(old, ("colorMode", "graphMode", "justifyMode", "orientation", "textMode"))
    return {**kept, "reduceOptions": _LAST, "showPercentChange": False, "wideLayout": True}


def _bar_options(old: Json) -> Json:
    del old
    return {
        "displayMode": "gradient",
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "auto",
        "orientation": "horizontal",
        "reduceOptions": _LAST,
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }


def _state_options(old: Json) -> Json:
    kept = _taken(old, ("alignValue", "mergeValues", "rowHeight", "showValue"))
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    return {**kept, "legend": legend, "tooltip": {"mode": "single", "sort": "none"}}


def _heatmap_options(old: Json) -> Json:
    """By hand: grafanalib's heatmap is the Angular one, which Grafana would turn into buckets of buckets."""
    del old
    return {
        "calculate": False,
        "cellGap": 1,
        "color": {"exponent": 0.5, "fill": "dark-orange", "mode": "scheme", "reverse": False, "scale": "exponential",
                  "scheme": "Oranges", "steps": 64},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False},
    }  # fmt: skip


def _table_options(old: Json) -> Json:
    return {"cellHeight": "sm", "showHeader": True, "sortBy": old.get("sortBy") or []}


def _text_options(old: Json) -> Json:
    return _taken(old, ("content", "mode"))


_OPTIONS: Final[dict[str, Callable[[Json], Json]]] = {
    "timeseries": _graph_options,
    "stat": _stat_options,
    "bargauge": _bar_options,
    "state-timeline": _state_options,
    "heatmap": _heatmap_options,
    "table": _table_options,
    "text": _text_options,
}
"""The kinds of panels that the boards may have. A kind that is not here is an error (KeyError)."""
