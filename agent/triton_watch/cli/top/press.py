"""What a key does to what is looked at: pure functions and tables of keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from triton_watch.cli.top.view import Screen, Sort, View, first_row, id_of, place_of, shown
from triton_watch.daemon.facts.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from triton_watch.daemon.facts.model import ModelBrief

T = TypeVar("T")

_LONGEST: Final = 100
"""Characters of a filter."""
INTERVALS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)
"""Seconds that + and - go through."""
STANDINGS: Final[tuple[tuple[Standing, ...], ...]] = (
    (),
    (Standing.WRONG, Standing.FAILING),
    *((standing,) for standing in Standing if standing.rank >= Standing.BURNING.rank),
)
"""What f goes through."""


def press(view: View, key: str, models: Sequence[ModelBrief], targets: Sequence[str], height: int) -> View:
    """Return what is looked at after a key. `models` are all that are known, `height` the rows on a screen."""
    if view.screen is Screen.FILTER:
        return _typed(view, key)
    if key in ("q", "Q"):
        return replace(view, is_over=True) if view.screen is Screen.LIST else _back(view)
    if key in _ANYWHERE:
        return _ANYWHERE[key](view)
    if view.screen is Screen.LIST:
        return _in_list(view, key, models, targets, height)
    return _in_text(view, key, height)


def _in_list(view: View, key: str, models: Sequence[ModelBrief], targets: Sequence[str], height: int) -> View:
    rows = shown(models, view)
    place = place_of(rows, view)
    if key in _STEPS:
        return _select(view, rows, place + _STEPS[key](height), height)
    if key == "enter" and rows:
        return replace(view, screen=Screen.DETAIL, opened=id_of(rows[place]), scroll=0)
    if key == "esc":
        return replace(view, text="") if view.text else replace(view, standings=(), target=None)
    return _filtered(view, key, models, targets)


def _filtered(view: View, key: str, models: Sequence[ModelBrief], targets: Sequence[str]) -> View:
    if key == "s":
        return replace(view, sort=_next(view.sort, list(Sort)), is_reversed=False, top=0)
    if key == "S":
        return replace(view, is_reversed=not view.is_reversed, top=0)
    if key == "f":
        known = {one.standing for one in models}
        return replace(view, standings=_next(view.standings, [one for one in STANDINGS if not one or known & {*one}]))
    if key == "t" and len(targets) > 1:
        return replace(view, target=_next(view.target, [None, *targets]))
    return view


def _select(view: View, rows: Sequence[ModelBrief], place: int, height: int) -> View:
    if not rows:
        return view
    place = max(0, min(place, len(rows) - 1))
    top = first_row(view.top, place, height, len(rows))
    return replace(view, selected=id_of(rows[place]), place=place, top=top)


def _in_text(view: View, key: str, height: int) -> View:
    """Take a key on a screen of text; the lines say themselves where they end."""
    if key in _STEPS:
        return replace(view, scroll=max(0, view.scroll + _STEPS[key](height)))
    return _back(view) if key in ("esc", "enter") else view


def _back(view: View) -> View:
    if view.screen is Screen.HELP and view.opened is not None:
        return replace(view, screen=Screen.DETAIL, scroll=0)
    return replace(view, screen=Screen.LIST, opened=None, scroll=0)


def _typed(view: View, key: str) -> View:
    if key == "enter":
        return replace(view, screen=Screen.LIST)
    if key == "esc":
        return replace(view, screen=Screen.LIST, text="")
    if key == "backspace":
        return replace(view, text=view.text[:-1])
    return replace(view, text=view.text + key) if len(key) == 1 and len(view.text) < _LONGEST else view


def _paced(view: View, *, slower: bool) -> View:
    if slower:
        longer = [one for one in INTERVALS if one > view.interval]
        return replace(view, interval=longer[0] if longer else view.interval)
    shorter = [one for one in INTERVALS if one < view.interval]
    return replace(view, interval=shorter[-1] if shorter else view.interval)


def _next(value: T, values: Sequence[T]) -> T:
    return values[(values.index(value) + 1) % len(values)] if value in values else values[0]


_ANYWHERE: Final[Mapping[str, Callable[[View], View]]] = {
    "p": lambda view: replace(view, is_paused=not view.is_paused),
    "r": lambda view: replace(view, refreshes=view.refreshes + 1),
    "+": lambda view: _paced(view, slower=True),
    "-": lambda view: _paced(view, slower=False),
    "/": lambda view: replace(view, screen=Screen.FILTER, opened=None, top=0),
    "?": lambda view: replace(view, screen=Screen.HELP, scroll=0),
}
_EVERY: Final = 1_000_000_000
_STEPS: Final[Mapping[str, Callable[[int], int]]] = {
    "up": lambda _: -1,
    "k": lambda _: -1,
    "down": lambda _: 1,
    "j": lambda _: 1,
    "pgup": lambda height: -max(1, height - 1),
    "pgdn": lambda height: max(1, height - 1),
    "home": lambda _: -_EVERY,
    "g": lambda _: -_EVERY,
    "end": lambda _: _EVERY,
    "G": lambda _: _EVERY,
}
"""Keys that move, and by how many rows on a screen of so many."""
