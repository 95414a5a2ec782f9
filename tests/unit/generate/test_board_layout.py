"""The flow of panels: whatever their sizes, each gets a place of its own, in reading order."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from triton_watch.conventions.dashboards import FLEET
from triton_watch.generate.dashboards.board import COLUMNS, Board, Row, board_json
from triton_watch.generate.dashboards.panels import Panel, Query, stat
from triton_watch.generate.dashboards.variables import SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

widths, heights = st.integers(1, COLUMNS), st.integers(1, 30)
panels = st.lists(st.tuples(widths, heights), max_size=12)
rows = st.lists(st.tuples(panels, st.booleans()), max_size=5)


def made(given_rows: Sequence[tuple[Sequence[tuple[int, int]], bool]]) -> list[Json]:
    """The panels of a board with these rows of (width, height), collapsed or not; each is called by its place."""
    board = Board(
        FLEET,
        (SOURCE,),
        tuple(
            Row(f"row {row}", _panels(row, given), is_collapsed) for row, (given, is_collapsed) in enumerate(given_rows)
        ),
    )
    shown: list[Json] = board_json(board)["panels"]
    return shown


def _panels(row: int, sizes: Sequence[tuple[int, int]]) -> tuple[Panel, ...]:
    return tuple(stat(f"{row} {place}", "", Query("up"), width=w, height=h) for place, (w, h) in enumerate(sizes))


def nested(shown: Sequence[Json]) -> list[Json]:
    """All panels, those of collapsed rows behind their row."""
    return [each for one in shown for each in (one, *one.get("panels", []))]


@given(rows)
def test_no_two_panels_share_a_place(given_rows: Any) -> None:
    shown = made(given_rows)
    for level in (shown, *(one["panels"] for one in shown if one.get("panels"))):
        taken = [_cells(one["gridPos"]) for one in level]
        assert all(not one & other for one, other in combinations(taken, 2))


@given(rows)
def test_no_panel_reaches_beyond_the_right_edge_or_changes_its_size(given_rows: Any) -> None:
    inside = [one["gridPos"] for one in nested(made(given_rows)) if one["type"] != "row"]
    assert all(one["x"] >= 0 and one["x"] + one["w"] <= COLUMNS for one in inside)
    assert [(one["w"], one["h"]) for one in inside] == [size for sizes, _ in given_rows for size in sizes]


@given(rows)
def test_panels_stay_in_the_order_in_which_they_are_written(given_rows: Any) -> None:
    shown = made(given_rows)
    for level in (shown, *(one["panels"] for one in shown if one.get("panels"))):
        places = [(one["gridPos"]["y"], one["gridPos"]["x"]) for one in level]
        assert places == sorted(places)
    assert [one["title"] for one in nested(shown)] == [
        title
        for row, (sizes, _) in enumerate(given_rows)
        for title in (f"row {row}", *(f"{row} {n}" for n in range(len(sizes))))
    ]


@given(rows)
def test_panels_are_numbered_from_1_on(given_rows: Any) -> None:
    ids = [one["id"] for one in nested(made(given_rows))]
    assert ids == list(range(1, len(ids) + 1))


@given(rows)
def test_a_collapsed_row_holds_its_panels_and_an_open_one_none(given_rows: Any) -> None:
    held = [len(one["panels"]) for one in made(given_rows) if one["type"] == "row"]
    assert held == [len(sizes) if is_collapsed else 0 for sizes, is_collapsed in given_rows]


@given(panels)
def test_a_line_begins_below_the_highest_panel_of_the_line_before(sizes: Any) -> None:
    places = [one["gridPos"] for one in made([(sizes, False)])[1:]]
    lines = sorted({one["y"] for one in places})
    for above, below in pairwise(lines):
        assert below == above + max(one["h"] for one in places if one["y"] == above)


def test_what_does_not_fit_beside_the_others_begins_a_line() -> None:
    places = [one["gridPos"] for one in made([([(12, 8), (12, 4), (1, 2)], False)])]
    assert [(one["x"], one["y"]) for one in places] == [(0, 0), (0, 1), (12, 1), (0, 9)]


def _cells(place: dict[str, int]) -> set[tuple[int, int]]:
    return {
        (x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])
    }
