"""Each kind of panel: its options and its own fields, as Grafana 10 to 13 write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Json: TypeAlias = "dict[str, Any]"

_LINE: Final = (
    "axisLabel", "axisPlacement", "barAlignment", "drawStyle", "fillOpacity", "gradientMode", "hideFrom",
    "lineInterpolation", "lineWidth", "pointSize", "showPoints", "spanNulls", "stacking", "thresholdsStyle",
)  # fmt: skip
_LAST: Final[Json] = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def taken(old: Json, keys: tuple[str, ...]) -> Json:
    """The keys that are wanted, where they say something."""
    return {key: old[key] for key in keys if old.get(key) is not None}


def no_custom(old: Json) -> Json:
    """For kinds of panels that have no fields of their own."""
    del old
    return {}


def _line(old: Json) -> Json:
    return {**taken(old, _LINE), "axisBorderShow": False, "scaleDistribution": {"type": "linear"}}


def _band(old: Json) -> Json:
    return {**taken(old, ("fillOpacity", "lineWidth")), "hideFrom": {"legend": False, "tooltip": False, "viz": False}}


def _cell(old: Json) -> Json:
    # By default no column is narrower than 150 pixels, and those beyond the tenth are outside the screen.
    shape = {"align": old.get("align", "auto"), "cellOptions": {"type": "auto"}, "minWidth": 100}
    return {**shape, "filterable": True, "inspect": False}


CUSTOM: Final[dict[str, Callable[[Json], Json]]] = {"timeseries": _line, "state-timeline": _band, "table": _cell}


def _graph_options(old: Json) -> Json:
    legend = {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True}
    return {"legend": legend, "tooltip": {"mode": old["tooltip"]["mode"], "sort": old["tooltip"]["sort"]}}


def _stat_options(old: Json) -> Json:
    kept = taken(old, ("colorMode", "graphMode", "justifyMode", "orientation", "textMode"))
    fixed = {"percentChangeColorMode": "standard", "showPercentChange": False, "wideLayout": True}
    return {**kept, "reduceOptions": _LAST, **fixed}


def _bar_options(old: Json) -> Json:
    del old
    return {
        "displayMode": "gradient",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
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
    kept = taken(old, ("alignValue", "mergeValues", "rowHeight", "showValue"))
    legend = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
    return {**kept, "legend": legend, "tooltip": {"mode": "single", "sort": "none"}}


def _heatmap_options(old: Json) -> Json:
    """By hand: grafanalib's heatmap is the Angular one, which Grafana would turn into buckets of buckets.

    A heatmap does not read the field's unit: that of the buckets stands at the axis, and cells are counts in a second.
    """
    return {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": "cps"},
        "color": {"exponent": 0.5, "fill": "dark-orange", "mode": "scheme", "reverse": False, "scale": "exponential",
                  "scheme": "Oranges", "steps": 64},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, **taken(old, ("unit",))},
    }  # fmt: skip


def _table_options(old: Json) -> Json:
    return {"cellHeight": "sm", "frameIndex": 0, "showHeader": True, "sortBy": old.get("sortBy") or []}


OPTIONS: Final[dict[str, Callable[[Json], Json]]] = {
    "timeseries": _graph_options,
    "stat": _stat_options,
    "bargauge": _bar_options,
    "state-timeline": _state_options,
    "heatmap": _heatmap_options,
    "table": _table_options,
}
"""The kinds of panels that the boards may have. A kind that is not here is an error (KeyError)."""
