"""Every panel of every board says what it shows, in which unit, and what to do; its colours and names are right."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from support.dashboards import DEFAULTS, Json, built, data_panels, every, panels, rows_and_panels
from triton_watch.records import AlertOverride

BOARDS = built()
KINDS = {"row", "timeseries", "stat", "bargauge", "state-timeline", "heatmap", "table", "text"}

FULL, SOME = 0.8, 0.7
"""Thresholds that are not the default's."""

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())


@each_board
def test_panels_are_of_kinds_that_grafana_still_has(board: Json) -> None:
    assert {one["type"] for one in rows_and_panels(board)} <= KINDS


@each_board
def test_every_panel_says_what_it_shows_and_what_to_do(board: Json) -> None:
    for one in data_panels(board):
        title, description = one["title"], one["description"]
        assert re.match(r"[A-Z0-9$].*[^.\s]$", title), title
        assert len(title) <= 60, title
        assert re.match(r"[A-Z0-9`].{38,}[.]$", description, re.DOTALL), (title, description)
        assert "  " not in description, title


@each_board
def test_no_two_panels_of_a_kind_have_the_same_title(board: Json) -> None:
    titles = [(one["title"], one["type"]) for one in panels(board)]
    assert len(set(titles)) == len(titles), sorted(titles)


@each_board
def test_every_panel_has_a_unit_and_says_what_an_empty_one_means(board: Json) -> None:
    for one in data_panels(board):
        defaults = one["fieldConfig"]["defaults"]
        assert defaults["noValue"].strip(), one["title"]
        assert "unit" in defaults or one["type"] == "table", one["title"]


@each_board
def test_every_value_column_of_a_table_has_a_name_and_a_unit(board: Json) -> None:
    for panel in (one for one in panels(board) if one["type"] == "table"):
        organized = next(one["options"] for one in panel["transformations"] if one["id"] == "organize")
        units = {
            one["matcher"]["options"]
            for one in panel["fieldConfig"]["overrides"]
            for each in one["properties"]
            if each["id"] == "unit"
        }
        hidden = organized["excludeByName"]
        shown = {name for field, name in organized["renameByName"].items() if field not in hidden}
        assert shown <= units, panel["title"]
        assert len(organized["renameByName"]) == len(panel["targets"]), panel["title"]


@each_board
def test_a_value_is_the_last_one_never_a_mean_over_time(board: Json) -> None:
    assert all(one["calcs"] == ["lastNotNull"] for one in every(board["panels"], "reduceOptions"))
    assert "mean" not in {calc for calcs in every(board["panels"], "calcs") for calc in calcs}


@each_board
def test_colours_begin_at_minus_infinity_and_rise(board: Json) -> None:
    for steps in every(board["panels"], "steps"):
        if isinstance(steps, list):
            first, *others = [one["value"] for one in steps]
            assert first is None
            assert others == sorted(set(others))
            assert None not in others


@each_board
def test_every_query_of_a_panel_has_a_letter_of_its_own_and_every_line_a_name(board: Json) -> None:
    for panel in data_panels(board):
        targets = panel["targets"]
        assert targets, panel["title"]
        assert len({one["refId"] for one in targets}) == len(targets), panel["title"]
        assert all(one["instant"] is not one["range"] for one in targets)
        if panel["type"] in ("timeseries", "state-timeline", "bargauge"):
            assert "__auto" not in {one["legendFormat"] for one in targets}, panel["title"]
        if panel["type"] == "heatmap":
            assert {(one["format"], one["legendFormat"]) for one in targets} == {("heatmap", "{{le}}")}, panel["title"]


def test_the_dashed_line_is_where_the_configuration_has_the_alert() -> None:
    for_some = AlertOverride(alerts=("TritonGpuMemoryHigh",), targets=("other",), threshold=SOME)
    for_all = AlertOverride(alerts=("TritonGpu*",), threshold=FULL)
    settings = replace(DEFAULTS, alerts=replace(DEFAULTS.alerts, overrides=(for_some, for_all)))
    panel = next(one for one in panels(built(settings)["gpu"]) if one["title"] == "Memory used of the total")
    assert [one["value"] for one in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]] == [None, FULL]
