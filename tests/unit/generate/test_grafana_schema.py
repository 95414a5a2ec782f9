"""The strict schemas take a dashboard as Grafana exports it, and each thing that Grafana would ignore is a fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.grafana_schema import MAJORS, SCHEMAS, faults

DELETE = object()


def good() -> dict[str, Any]:
    """A dashboard with a panel of each type of which there are types; the last row is collapsed."""
    dashboard: dict[str, Any] = json.loads((SCHEMAS / "good_dashboard.json").read_text())
    return dashboard


def changed(part: str, path: str, value: object) -> dict[str, Any]:
    """The good dashboard with one change: in the dashboard itself, or in its panel of one type."""
    dashboard = good()
    panels = [panel for one in dashboard["panels"] for panel in (one, *one.get("panels", []))]
    at: Any = dashboard if part == "dashboard" else next(panel for panel in panels if panel["type"] == part)
    *steps, last = path.split("/")
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is DELETE:
        del at[last]
    else:
        at[last] = value
    return dashboard


# The part that is changed, where in it, what is there then; the fault.
FAULTY: list[tuple[str, str, object, str]] = [
    ("dashboard", "rows", [], "dashboard: Additional properties are not allowed ('rows' was unexpected)"),
    ("dashboard", "schemaVersion", DELETE, "dashboard: 'schemaVersion' is a required property"),
    ("dashboard", "graphTooltip", 3, "dashboard graphTooltip: 3 is not one of"),
    ("dashboard", "timepicker/time_options", ["5m"], "dashboard timepicker: Additional properties"),
    (
        "dashboard",
        "templating/list/0/type",
        "datasources",
        "dashboard templating.list.0.type: 'datasources' is not one",
    ),
    ("dashboard", "templating/list/1/datasource", "Prometheus", "dashboard templating.list.1.datasource: 'Prometheus'"),
    (
        "dashboard",
        "annotations/list/1/target/query",
        "up",
        "dashboard annotations.list.1.target: Additional properties",
    ),
    ("dashboard", "annotations/list/1/query", "up", "dashboard annotations.list.1: Additional properties"),
    (
        "dashboard",
        "templating/list/0/current",
        {},
        "dashboard templating.list.0.current: 'text' is a required property",
    ),
    ("dashboard", "links/0/icon", DELETE, "dashboard links.0: 'icon' is a required property"),
    ("row", "span", 12, "row 'R' (id 1): Additional properties are not allowed ('span' was unexpected)"),
    ("row", "collapsed", DELETE, "row 'R' (id 1): 'collapsed' is a required property"),
    ("stat", "type", "graph", "panel 'A stat' (id 3) type: there are no types of a panel of type 'graph'"),
    ("stat", "type", "row", "row 'A stat' (id 3): Additional properties are not allowed"),
    ("stat", "maxDataPoints", "100", "panel 'A stat' (id 3) maxDataPoints: '100' is not of type 'number'"),
    ("stat", "nullPointMode", "null", "panel 'A stat' (id 3): Additional properties"),
    ("stat", "datasource", "Prometheus", "panel 'A stat' (id 3) datasource: 'Prometheus' is not of type 'object'"),
    ("stat", "links/0/title", DELETE, "panel 'A stat' (id 3) links.0: 'title' is a required property"),
    ("stat", "targets/0/datasource", "Prometheus", "panel 'A stat' (id 3) targets.0.datasource: 'Prometheus' is not"),
    ("stat", "targets/0/step", 10, "panel 'A stat' (id 3) targets.0: Additional properties"),
    ("stat", "targets/0/format", "timeseries", "panel 'A stat' (id 3) targets.0.format: 'timeseries' is not one of"),
    ("stat", "targets/0/expr", DELETE, "panel 'A stat' (id 3) targets.0: 'expr' is a required property"),
    ("stat", "options/reducerOptions", {}, "panel 'A stat' (id 3) options: Additional properties"),
    ("stat", "options/reduceOptions/calcs", "mean", "panel 'A stat' (id 3) options.reduceOptions.calcs: 'mean' is not"),
    ("stat", "options", DELETE, "panel 'A stat' (id 3) options: 'reduceOptions' is a required property"),
    ("stat", "fieldConfig/defaults/calcs", ["mean"], "panel 'A stat' (id 3) fieldConfig.defaults: Additional"),
    (
        "stat",
        "fieldConfig/defaults/custom",
        {"width": 1},
        "panel 'A stat' (id 3) fieldConfig.defaults.custom: Addition",
    ),
    (
        "stat",
        "fieldConfig/defaults/thresholds/steps/0/value",
        "null",
        "panel 'A stat' (id 3) fieldConfig.defaults.thresholds.steps.0.value: 'null' is not of type 'number', 'null'",
    ),
    (
        "stat",
        "fieldConfig/defaults/mappings/0/options/1/colour",
        "red",
        "panel 'A stat' (id 3) fieldConfig.defaults.mappings.0.options.1: Additional properties",
    ),
    (
        "timeseries",
        "options/legend/displayMode",
        "grid",
        "panel 'A timeseries' (id 2) options.legend.displayMode: 'grid' is not one of ['hidden', 'list', 'table']",
    ),
    (
        "timeseries",
        "fieldConfig/defaults/custom/drawStyle",
        "area",
        "panel 'A timeseries' (id 2) fieldConfig.defaults.custom.drawStyle: 'area' is not one of",
    ),
    (
        "timeseries",
        "fieldConfig/overrides/0/properties/0/value/fill",
        "dashed",
        "panel 'A timeseries' (id 2) override.custom.lineStyle.fill: 'dashed' is not one of",
    ),
    (
        "timeseries",
        "fieldConfig/overrides/0/properties/1/id",
        "colour",
        "panel 'A timeseries' (id 2) override: Additional properties",
    ),
    (
        "table",
        "fieldConfig/overrides/0/properties/0/value/type",
        "colour-text",
        "panel 'A table' (id 6) override.custom.cellOptions: {'type': 'colour-text'} is not valid under any",
    ),
    ("table", "options/columns", [], "panel 'A table' (id 6) options: Additional properties"),
    ("heatmap", "options/color/scheme", DELETE, "panel 'A heatmap' (id 7) options.color: 'scheme' is a required"),
    ("barchart", "options/stacking", "on", "panel 'A barchart' (id 14) options.stacking: 'on' is not one of"),
    ("barchart", "type", "row", "panel 'A barchart' (id 14) type: there are no types of a panel of type 'row'"),
]
# The same for what one version takes and the other does not: the version of the fault comes first.
FAULTY_IN: list[tuple[int, str, str, object, str]] = [
    (11, "dashboard", "gnetId", 1860, "dashboard gnetId: 1860 is not of type 'string'"),
    (13, "dashboard", "gnetId", "1860", "dashboard gnetId: '1860' is not of type 'number'"),
    (11, "gauge", "options/shape", "circle", "panel 'A gauge' (id 4) options: Additional properties"),
    (13, "table", "options/footer", {"reducer": [], "show": False}, "panel 'A table' (id 6) options: Additional"),
]


@pytest.mark.parametrize("major", MAJORS)
def test_a_dashboard_as_grafana_exports_it_has_no_fault(major: int) -> None:
    assert faults(good(), major) == []


@pytest.mark.parametrize("major", MAJORS)
def test_the_good_dashboard_has_a_panel_of_each_type_that_a_schema_has(major: int) -> None:
    names = json.loads((SCHEMAS / f"schema-{major}.json").read_text())["definitions"]
    panels = [panel for one in good()["panels"] for panel in (one, *one.get("panels", []))]
    assert {panel["type"] for panel in panels} - {"row"} == {
        name.removesuffix(".Options") for name in names if name.endswith(".Options")
    }


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize(("part", "path", "value", "fault"), FAULTY, ids=[f"{one[0]}-{one[1]}" for one in FAULTY])
def test_what_grafana_would_ignore_or_not_take_is_a_fault(
    part: str, path: str, value: object, fault: str, major: int
) -> None:
    found = faults(changed(part, path, value), major)
    assert any(line.startswith(fault) for line in found), found


@pytest.mark.parametrize(("major", "part", "path", "value", "fault"), FAULTY_IN)
def test_a_version_has_its_own_types(major: int, part: str, path: str, value: object, fault: str) -> None:
    dashboard = changed(part, path, value)
    (other,) = set(MAJORS) - {major}
    (found,) = faults(dashboard, major)
    assert found.startswith(fault)
    assert faults(dashboard, other) == []
