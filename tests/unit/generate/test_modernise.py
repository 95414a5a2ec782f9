"""What grafanalib 0.7.1 emits that Grafana has since changed, and what becomes of it; each was seen on the real one."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from grafanalib import core
from grafanalib._gen import DashboardEncoder

from triton_watch.generate.dashboards.modernise import PROMETHEUS, modernise

Json = dict[str, Any]

PANEL = {"title": "A", "dataSource": "${datasource}", "gridPos": core.GridPos(8, 12, 0, 0), "id": 1}
ASKED = {**PANEL, "targets": [core.Target(expr="up", refId="A", legendFormat="{{job}}")]}
STEPS = [core.Threshold("green", 0, 0.0), core.Threshold("red", 1, 0.9)]


def encoded(*panels: core.Panel, variables: tuple[core.Template, ...] = ()) -> Json:
    """As grafanalib writes it."""
    board = core.Dashboard(title="Board", uid="board", panels=list(panels), templating=core.Templating(list(variables)))
    made: Json = json.loads(json.dumps(board, cls=DashboardEncoder))
    return made


def of_panel(panel: core.Panel) -> Json:
    """The only panel of a board, made modern."""
    (made,) = modernise(encoded(panel))["panels"]
    assert isinstance(made, dict)
    return made


def of_variable(**given: Any) -> Json:
    """The only variable of a board, made modern."""
    (made,) = modernise(encoded(variables=(core.Template(**given),)))["templating"]["list"]
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize("key", ["__inputs", "rows", "style", "hideControls", "sharedCrosshair", "gnetId"])
def test_a_dashboard_loses_what_grafana_no_longer_has(key: str) -> None:
    old = encoded()
    assert key in old
    assert key not in modernise(old)


def test_a_dashboard_is_of_schema_39_with_a_shared_crosshair() -> None:
    old, new = encoded(), modernise(encoded())
    assert (old["schemaVersion"], new["schemaVersion"], new["graphTooltip"], new["uid"]) == (12, 39, 1, "board")
    assert "time_options" in old["timepicker"]
    assert new["timepicker"] == {}


def test_the_given_json_is_not_changed() -> None:
    old = encoded(core.Stat(**ASKED))
    before = copy.deepcopy(old)
    modernise(old)
    assert old == before


@pytest.mark.parametrize(
    "panel",
    [core.TimeSeries(**ASKED), core.Stat(**ASKED), core.BarGauge(**ASKED), core.Table(**ASKED), core.Heatmap(**ASKED)],
    ids=lambda panel: type(panel).__name__,
)
def test_a_panel_keeps_no_null_and_no_old_key(panel: core.Panel) -> None:
    new = of_panel(panel)
    assert not {"editable", "error", "height", "span", "minSpan", "maxDataPoints", "cacheTimeout", "links"} & set(new)
    assert None not in new.values()
    kept = {"datasource", "fieldConfig", "gridPos", "id", "options", "targets", "title", "transformations", "type"}
    assert set(new) == kept


def test_the_data_source_is_an_object_on_the_panel_and_on_its_query() -> None:
    new = of_panel(core.Stat(**ASKED))
    assert new["datasource"] == new["targets"][0]["datasource"] == PROMETHEUS
    assert PROMETHEUS == {"type": "prometheus", "uid": "${datasource}"}


def test_a_query_is_a_range_of_code_with_nothing_of_other_data_sources() -> None:
    assert of_panel(core.TimeSeries(**ASKED))["targets"] == [
        {
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": "up",
            "format": "time_series",
            "instant": False,
            "legendFormat": "{{job}}",
            "range": True,
            "refId": "A",
        }
    ]


def test_an_instant_query_is_no_range() -> None:
    targets = [core.Target(expr="up", refId="A", instant=True, format="table")]
    (one,) = of_panel(core.Table(**PANEL, targets=targets))["targets"]
    assert (one["instant"], one["range"], one["format"], one["legendFormat"]) == (True, False, "table", "__auto")


def test_colours_begin_at_null_where_grafanalib_writes_a_text() -> None:
    old = encoded(core.Stat(**ASKED, thresholds=STEPS))["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert old[0]["value"] == "null"
    new = of_panel(core.Stat(**ASKED, thresholds=STEPS))["fieldConfig"]["defaults"]["thresholds"]
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 0.9}]
    assert new == {"mode": "absolute", "steps": steps}


def test_colours_of_a_tables_column_begin_at_null_too() -> None:
    thresholds = {"id": "thresholds", "value": {"mode": "absolute", "steps": STEPS}}
    overrides = [{"matcher": {"id": "byName", "options": "a"}, "properties": [thresholds]}]
    new = of_panel(core.Table(**ASKED, overrides=overrides))["fieldConfig"]["overrides"][0]["properties"][0]["value"]
    assert [one["value"] for one in new["steps"]] == [None, 0.9]


@pytest.mark.parametrize("kind", [core.Stat, core.BarGauge])
def test_one_value_is_the_last_and_not_a_mean(kind: Any) -> None:
    new = of_panel(kind(**ASKED))
    assert new["options"]["reduceOptions"] == {"calcs": ["lastNotNull"], "fields": "", "values": False}
    assert "mean" in json.dumps(encoded(kind(**ASKED)))
    assert "mean" not in json.dumps(new)


def test_a_bar_gauge_has_the_options_of_today() -> None:
    new = of_panel(core.BarGauge(**ASKED, thresholds=STEPS, extraJson={"fieldConfig": {"defaults": {"unit": "s"}}}))
    assert "fieldOptions" not in new["options"]
    assert new["fieldConfig"]["defaults"]["unit"] == "s"
    assert len(new["fieldConfig"]["defaults"]["thresholds"]["steps"]) == 2


def test_a_heatmap_takes_buckets_as_they_are() -> None:
    new = of_panel(core.Heatmap(**ASKED))
    assert new["options"]["calculate"] is False
    assert new["targets"][0]["format"] == "heatmap"
    assert not {"dataFormat", "yAxis", "xAxis", "color", "cards", "tooltip", "legend"} & set(new)


def test_a_table_says_how_its_cells_look_where_grafana_reads_it() -> None:
    new = of_panel(core.Table(**ASKED, sortBy=[core.TableSortByField("a", desc=True)]))
    assert not {"color", "columns", "fontSize"} & set(new)
    assert new["fieldConfig"]["defaults"]["custom"]["cellOptions"] == {"type": "auto"}
    assert new["options"]["sortBy"] == [{"displayName": "a", "desc": True}]


def test_a_band_of_states_is_coloured_by_its_names() -> None:
    mappings = [{"type": "value", "options": {"1": {"text": "up", "color": "green", "index": 0}}}]
    new = of_panel(core.StateTimeline(**ASKED, mappings=mappings, colorMode="fixed"))["fieldConfig"]["defaults"]
    assert (new["color"], new["mappings"]) == ({"mode": "fixed"}, mappings)


def test_a_variable_begins_with_all_of_its_values() -> None:
    new = of_variable(
        name="job", label="Job", query="label_values(up, job)", dataSource="x", multi=True, includeAll=True
    )
    assert new["current"] == {"text": ["All"], "value": ["$__all"]}
    assert (new["allValue"], new["multi"], new["refresh"], new["datasource"]) == (".+", True, 2, PROMETHEUS)
    assert (new["definition"], new["query"]["query"]) == ("label_values(up, job)", "label_values(up, job)")


@pytest.mark.parametrize(("query", "kind"), [("label_values(up, job)", 1), ("query_result(up)", 3)])
def test_the_editor_of_a_variable_knows_the_kind_of_its_query(query: str, kind: int) -> None:
    assert of_variable(name="job", query=query, dataSource="x")["query"]["qryType"] == kind


def test_a_variable_of_data_sources_names_their_type() -> None:
    new = of_variable(name="datasource", type="datasource", query="prometheus")
    assert (new["type"], new["query"], new["refresh"]) == ("datasource", "prometheus", 1)
    assert not {"datasource", "definition", "allValue"} & set(new)


def test_a_row_is_a_row_and_nothing_else() -> None:
    row = core.RowPanel(title="R", id=1, gridPos=core.GridPos(1, 24, 0, 0), collapsed=True, panels=[core.Stat(**ASKED)])
    new = of_panel(row)
    assert set(new) == {"id", "type", "title", "gridPos", "collapsed", "panels"}
    assert [one["type"] for one in new["panels"]] == ["stat"]


def test_a_panel_that_repeats_says_so() -> None:
    new = of_panel(core.Stat(**ASKED, repeat=core.Repeat("h", "gpu", 3)))
    assert (new["repeat"], new["repeatDirection"], new["maxPerRow"]) == ("gpu", "h", 3)


@pytest.mark.parametrize("panel", [core.Graph(**ASKED), core.SingleStat(**ASKED), core.GaugePanel(**ASKED)])
def test_a_kind_that_grafana_has_given_up_or_no_board_uses_is_refused(panel: core.Panel) -> None:
    with pytest.raises(KeyError):
        modernise(encoded(panel))
