"""What Grafana makes of values, of missing ones, and of choices; seen by running its own code on our boards."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from support.dashboards import Json, built, every, panels
from support.grafana_schema import SCHEMAS
from triton_watch.conventions.dashboards import MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator

BOARDS = built()
UNITS = set(json.loads((SCHEMAS / "units.json").read_text())["units"])
OWN_UNIT = "suffix:"
"""What follows it is written behind the number."""
LETTERS = 18
"""So many fit into a column of the usual width."""
COMPLETE = {"Model versions", "Serving", "Ready"}
"""Columns of numbers that every row has, or that should stand first where they are not known."""

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())


def _of_kind(board: Json, kind: str) -> Iterator[Json]:
    return (one for one in panels(board) if one["type"] == kind)


def _properties(panel: Json, field: str) -> dict[str, Any]:
    """The properties of the overrides of one field."""
    overrides = panel["fieldConfig"]["overrides"]
    return {
        each["id"]: each["value"]
        for one in overrides
        if one["matcher"] == {"id": "byName", "options": field}
        for each in one["properties"]
    }


def _organized(panel: Json) -> Json:
    options: Json = next(one["options"] for one in panel["transformations"] if one["id"] == "organize")
    return options


@each_board
def test_every_unit_is_one_that_grafana_has(board: Json) -> None:
    given = {one for one in every(board["panels"], "unit") if one}
    given |= {each["value"] for found in every(board["panels"], "properties") for each in found if each["id"] == "unit"}
    assert {one for one in given if not one.startswith(OWN_UNIT)} <= UNITS


@each_board
def test_an_empty_cell_says_nothing_and_only_a_table_without_rows_says_why(board: Json) -> None:
    for panel in _of_kind(board, "table"):
        first = panel["fieldConfig"]["overrides"][0]
        assert first["matcher"] == {"id": "byRegexp", "options": "/.*/"}, panel["title"]
        assert first["properties"] == [{"id": "noValue", "value": ""}], panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


@each_board
def test_a_table_is_sorted_by_a_column_that_it_shows(board: Json) -> None:
    for panel in _of_kind(board, "table"):
        organized = _organized(panel)
        hidden, names = organized["excludeByName"], organized["renameByName"]
        shown = {names.get(one, one) for one in organized["indexByName"] if one not in hidden}
        assert {one["displayName"] for one in panel["options"]["sortBy"]} <= shown, panel["title"]


@each_board
def test_a_table_does_not_rise_by_a_number_that_some_rows_lack_for_grafana_puts_those_first(board: Json) -> None:
    for panel in _of_kind(board, "table"):
        values = set(_organized(panel)["renameByName"].values())
        rising = {one["displayName"] for one in panel["options"]["sortBy"] if not one["desc"]}
        assert rising & values <= COMPLETE, panel["title"]


@each_board
def test_a_column_of_long_words_is_wide_enough_for_them(board: Json) -> None:
    for panel in _of_kind(board, "table"):
        for name in _organized(panel)["renameByName"].values():
            properties = _properties(panel, name)
            texts = [one["text"] for found in every(properties, "options") for one in found.values()]
            if longest := max((len(one) for one in texts if len(one) > LETTERS), default=0):
                assert properties["custom.width"] >= 7 * longest, (panel["title"], name)
        assert panel["fieldConfig"]["defaults"]["custom"]["minWidth"] <= 100, panel["title"]


def test_a_gpus_whole_id_can_be_read_in_a_table() -> None:
    tables = [one for one in _of_kind(BOARDS["gpu"], "table") if "gpu_uuid" in _organized(one)["indexByName"]]
    assert tables
    assert all(_properties(one, "gpu_uuid")["custom.width"] >= 300 for one in tables)


@each_board
def test_the_axis_and_the_cells_of_a_heatmap_have_units(board: Json) -> None:
    for panel in _of_kind(board, "heatmap"):
        assert panel["options"]["yAxis"]["unit"] == panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["options"]["cellValues"]["unit"] == "cps", panel["title"]


@each_board
def test_a_value_without_neighbours_is_drawn_as_a_point(board: Json) -> None:
    for panel in _of_kind(board, "timeseries"):
        assert panel["fieldConfig"]["defaults"]["custom"]["showPoints"] == "auto", panel["title"]


@each_board
def test_a_large_value_is_of_now_where_it_ends_with_the_traffic(board: Json) -> None:
    over_time = (one for panel in _of_kind(board, "stat") for one in panel["targets"] if one["range"])
    assert not [one["expr"] for one in over_time if "> 0)" in one["expr"]]


@each_board
def test_an_annotation_looks_back_as_far_as_its_points_are_apart(board: Json) -> None:
    for one in board["annotations"]["list"]:
        assert "[$__rate_interval]" in one["expr"], one["name"]
        assert set(re.findall(r"offset (\S+?)\)*(?:\s|$)", one["expr"])) <= {"$__rate_interval"}, one["name"]


@pytest.mark.parametrize("name", ["fleet", "model", "slo", "canary", "config", "agent"])
def test_a_model_that_is_missing_or_failed_to_load_can_be_chosen(name: str) -> None:
    choice = next(one for one in BOARDS[name]["templating"]["list"] if one["name"] == "model")
    assert "triton_watch_model_ready" in choice["definition"]


@each_board
def test_no_panel_leads_with_all_models_to_the_board_about_one(board: Json) -> None:
    (offered,) = (one for one in board["templating"]["list"] if one["name"] == "model")
    if offered["includeAll"]:
        assert not [one for one in every(board["panels"], "url") if MODEL.uid in one and "${model:queryparam}" in one]
