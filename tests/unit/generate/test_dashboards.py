"""Every board is one that Grafana 10 to 13 shows as it is meant: its shape, its places, its words."""

from __future__ import annotations

import json
import re
from itertools import combinations, groupby
from typing import TYPE_CHECKING, Any

import pytest

from support.dashboards import (
    Json,
    built,
    data_panels,
    every,
    expressions,
    panels,
    queries_of_variables,
    rows_and_panels,
)
from support.grafana_schema import MAJORS, faults
from support.promql_text import variables
from triton_watch.alerting.definitions import ALERTS
from triton_watch.conventions.dashboards import DASHBOARDS

if TYPE_CHECKING:
    from collections.abc import Iterator

BOARDS = built()
BUILT_IN = {"__rate_interval", "__range", "__url_time_range", "__field", "__data", "__value", "__all"}
RUNBOOKS = "http://${__data.fields.instance}/runbooks/"
"""The agent's own pages: it is what Prometheus scrapes."""
COLUMNS = 24

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())


def test_the_boards_are_those_that_are_promised_in_their_order() -> None:
    assert list(BOARDS) == [one.name for one in DASHBOARDS]


def test_building_twice_gives_the_same_bytes() -> None:
    assert json.dumps(built()) == json.dumps(BOARDS)


def test_every_alert_names_a_board_that_exists() -> None:
    assert {one.dashboard for one in ALERTS} <= set(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_keeps_its_uid_and_says_what_it_is_for(name: str) -> None:
    board, known = BOARDS[name], {one.name: one for one in DASHBOARDS}[name]
    assert (board["uid"], board["title"], board["description"]) == (known.uid, known.title, known.description)
    assert board["uid"] == f"triton-watch-{name}"


@pytest.mark.parametrize("major", MAJORS)
@each_board
def test_a_board_fits_the_strict_types_of_grafana(board: Json, major: int) -> None:
    assert faults(board, major) == []


@each_board
def test_a_board_needs_no_migration_and_is_not_edited_by_hand(board: Json) -> None:
    assert (board["schemaVersion"], board["editable"], board["graphTooltip"]) == (39, False, 1)
    assert not {"__inputs", "rows", "style", "hideControls", "sharedCrosshair", "gnetId"} & set(board)


@each_board
def test_a_board_has_panels_and_at_most_one_of_text(board: Json) -> None:
    kinds = [one["type"] for one in panels(board)]
    assert len(kinds) >= 8
    assert kinds.count("text") <= 1


@each_board
def test_every_panel_has_an_id_of_its_own(board: Json) -> None:
    ids = [one["id"] for one in rows_and_panels(board)]
    assert len(set(ids)) == len(ids)


@each_board
def test_no_panel_lies_on_another_or_beyond_the_right_edge(board: Json) -> None:
    for group in _levels(board):
        assert all(one["x"] >= 0 and one["x"] + one["w"] <= COLUMNS for one in group)
        assert not [pair for pair in combinations(group, 2) if _overlap(*pair)]


@each_board
def test_the_panels_of_a_line_fill_it_and_are_equally_high(board: Json) -> None:
    for group in _levels(board):
        for _, line in groupby(sorted(group, key=lambda one: one["y"]), key=lambda one: one["y"]):
            places = list(line)
            assert sum(one["w"] for one in places) == COLUMNS, places
            assert len({one["h"] for one in places}) == 1, places


@each_board
def test_the_data_source_is_chosen_by_the_reader(board: Json) -> None:
    assert board["templating"]["list"][0]["type"] == "datasource"
    sources = list(every({key: board[key] for key in ("panels", "annotations", "templating")}, "datasource"))
    assert len(sources) > len(list(data_panels(board)))
    assert all(one == {"type": "prometheus", "uid": "${datasource}"} for one in sources)


@each_board
def test_links_lead_to_boards_that_exist_and_from_each_board_to_all_others(board: Json) -> None:
    uids = {one.uid for one in DASHBOARDS}
    for url in (*every(board["panels"], "url"), *every(board["links"], "url")):
        led = re.match(r"/d/([\w-]+)\?", url)
        assert url.startswith(RUNBOOKS) or (led and led[1] in uids), url
    assert sorted(link["url"].split("?")[0] for link in board["links"]) == sorted(
        f"/d/{uid}" for uid in uids - {board["uid"]}
    )


@each_board
def test_links_choose_only_what_the_board_they_lead_to_offers(board: Json) -> None:
    offers = {one["uid"]: {each["name"] for each in one["templating"]["list"]} for one in BOARDS.values()}
    for url in (one for one in every(board["panels"], "url") if not one.startswith(RUNBOOKS)):
        uid = url.removeprefix("/d/").split("?")[0]
        assert set(re.findall(r"var-(\w+)=", url)) <= offers[uid], url


@each_board
def test_every_variable_acts_on_a_panel_or_another_variable(board: Json) -> None:
    used = {name for one in expressions(board) if "annotation" not in one.place for name in variables(one.text)}
    used |= {name for one in queries_of_variables(board) for name in variables(one.text)}
    used |= {one["repeat"] for one in panels(board) if "repeat" in one}
    assert {one["name"] for one in board["templating"]["list"]} - {"datasource"} <= used


@each_board
def test_no_text_names_a_variable_that_the_board_does_not_offer(board: Json) -> None:
    offered = {one["name"] for one in board["templating"]["list"]}
    assert variables(json.dumps(board)) - BUILT_IN <= offered


@each_board
def test_a_variable_takes_several_values_and_offers_all_unless_it_is_the_model(board: Json) -> None:
    for one in board["templating"]["list"][1:]:
        assert (one["multi"], one["refresh"]) == (True, 2), one["name"]
        if one["includeAll"]:
            assert one["allValue"] == ".+", one["name"]
            assert one["current"] == {"text": ["All"], "value": ["$__all"]}
        else:
            assert (one["name"], "allValue" in one) == ("model", False)


@each_board
def test_loads_and_alerts_are_drawn_across_all_panels(board: Json) -> None:
    assert [one["name"] for one in board["annotations"]["list"]] == ["Model loaded", "Alert firing"]


def _levels(board: Json) -> Iterator[list[dict[str, Any]]]:
    """The places that share a level: all rows and open panels, and the panels of each collapsed row."""
    yield [one["gridPos"] for one in board["panels"]]
    yield from ([inner["gridPos"] for inner in one["panels"]] for one in board["panels"] if one.get("panels"))


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (apart or below)
