"""The list of models: on a screen of a given size, or as long as it is where it is printed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from triton_watch.cli.top import cells, header
from triton_watch.cli.top.columns import layout
from triton_watch.cli.top.styles import QUIET, STANDINGS, TITLE, line
from triton_watch.cli.top.view import Screen, View, first_row, place_of, shown
from triton_watch.daemon.facts.standing import Standing
from triton_watch.wording.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from triton_watch.cli.top.fetching import Fetched
    from triton_watch.cli.top.sources import Seen
    from triton_watch.daemon.facts.model import ModelBrief

KEYS: Final = (
    "q quit", "? help", "↑↓ select", "Enter details", "s sort", "/ filter", "f standing", "t target", "p pause",
    "S reverse", "r now", "+- interval",
)  # fmt: skip
"""Of the last line, as far as there is room."""
_FEW: Final = 3
"""Rows of models that are shown before there is room for anything else below them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where lines go, and what is asked. `clock` is monotonic seconds."""

    width: int
    height: int
    where: str
    has_alerts: bool
    clock: float


@dataclass(frozen=True, slots=True)
class _Laid:
    """What goes where: the lines above, `room` rows of models, the lines below."""

    above: list[Text]
    rows: Sequence[ModelBrief]
    selected: int
    room: int
    below: list[Text]


def list_lines(fetched: Fetched, view: View, place: Place) -> list[Text]:
    """Return the lines of a screen: at most its height, none longer than its width."""
    laid = _laid(fetched, view, place)
    lines = [*laid.above]
    if fetched.seen is not None:
        first = first_row(view.top, laid.selected, laid.room, len(laid.rows))
        lines += _table(laid, fetched.seen, first, place.width)
    lines += _blank(place.height - 1 - len(lines) - len(laid.below))
    return [*[*lines, *laid.below][: place.height - 1], _footer(view, place.width)]


def rows_on(fetched: Fetched, view: View, place: Place) -> int:
    """Return how many rows of models the screen has."""
    return _laid(fetched, view, place).room


def printed(seen: Seen, view: View, place: Place, most: int | None) -> Iterator[Text]:
    """Yield the lines of one look: the list, at most so many rows of it, and what is to be said of them below."""
    yield from header.verdict(seen.status, place.width)
    yield from header.targets(seen, view, place.width, 20)
    yield from header.counts(seen.status, place.width, has_alerts=place.has_alerts)
    rows = shown(seen.models, view)
    if not rows:
        yield line((_none(seen), QUIET))
        return
    listed = rows[:most]
    table = layout(listed, place.width)
    yield line("")
    yield table.header()
    yield from (table.row(one, is_selected=False) for one in listed)
    if len(rows) > len(listed):
        yield line(
            (f"{plural(len(rows) - len(listed), 'more model')}: leave out --lines, or give a greater one", QUIET)
        )
    said = [one for one in listed if one.headline and one.standing is not Standing.OK]
    if said:
        yield line("")
    for one in said:
        yield from _headline(one, place.width)


def _laid(fetched: Fetched, view: View, place: Place) -> _Laid:
    above, seen = _above(fetched, view, place), fetched.seen
    if seen is None:
        return _Laid(above, (), 0, 1, [])
    rows = shown(seen.models, view)
    above.append(header.shown(view, len(rows), len(seen.models)))
    selected = place_of(rows, view)
    room = max(1, place.height - len(above) - 2)
    below = _headline(rows[selected], place.width)[: max(0, min(place.height // 3, room - _FEW))] if rows else []
    return _Laid(above, rows, selected, max(1, room - len(below)), below)


def _above(fetched: Fetched, view: View, place: Place) -> list[Text]:
    """Return the lines above the table, at most half of the screen."""
    said = header.notice(fetched, view, place.where, place.clock)
    lines = header.warning(said, place.width) if said else []
    if fetched.seen is None:
        return lines or [line(f"Asking {place.where} …")]
    seen = fetched.aged(place.clock).seen or fetched.seen
    status = seen.status
    lines = [*header.verdict(status, place.width), *lines]
    most = max(1, min(6, place.height // 2 - len(lines) - 2))
    lines += header.targets(seen, view, place.width, most)
    lines += header.counts(status, place.width, has_alerts=place.has_alerts)
    return lines[: max(1, place.height // 2)]


def _table(laid: _Laid, seen: Seen, first: int, width: int) -> list[Text]:
    if not laid.rows:
        return [line((_none(seen), QUIET))]
    table = layout(laid.rows, width)
    page = enumerate(laid.rows[first : first + laid.room], first)
    return [table.header(), *(table.row(one, is_selected=place == laid.selected) for place, one in page)]


def _none(seen: Seen) -> str:
    return "No model passes the filter: Esc takes it away." if seen.models else "No models are known."


def _headline(model: ModelBrief, width: int) -> list[Text]:
    """Return what is to be said of a model, whole."""
    title = cells.model(model.name, model.version, max(20, width // 2))
    text = f"{title}: {model.headline or 'nothing to say of it.'}"
    first, *more = cells.wrapped(text, width, "  ")
    style = STANDINGS[model.standing]
    if not first.startswith(title):
        return [line((one, style)) for one in (first, *more)]
    return [line((title, f"{TITLE} {style}"), first[len(title) :]), *(line(one) for one in more)]


def _footer(view: View, width: int) -> Text:
    if view.screen is Screen.FILTER:
        text = cells.fit(f"Filter: {printable(view.text)}_", max(8, width - 34))
        return line((text, TITLE), ("   Enter keeps it, Esc takes it away", QUIET))
    return keys_line(KEYS, width)


def keys_line(keys: Sequence[str], width: int) -> Text:
    """Return as many of the keys as there is room for."""
    text = ""
    for key in keys:
        longer = f"{text}  {key}" if text else key
        if cell_len(longer) > width:
            break
        text = longer
    return line((cells.fill(text, width), "reverse dim"))


def _blank(count: int) -> list[Text]:
    return [line("") for _ in range(count)]
