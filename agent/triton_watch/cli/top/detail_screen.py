"""Everything that is known of one model, and the help: lines that are longer than the screen, partly seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.cli.top import cells, header
from triton_watch.cli.top.detail_parts import SECTIONS
from triton_watch.cli.top.list_screen import Place, keys_line
from triton_watch.cli.top.styles import QUIET, STANDINGS, TITLE, line, paragraph
from triton_watch.daemon.facts.standing import Standing
from triton_watch.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from triton_watch.cli.top.fetching import Fetched
    from triton_watch.cli.top.view import View
    from triton_watch.daemon.facts.model import Configuration, ModelDetail

_DETAIL_KEYS: Final = ("Esc back", "↑↓ PgUp PgDn scroll", "r now", "p pause", "? help")
_HELP_KEYS: Final = ("Esc back", "↑↓ scroll")
_HELP: Final = (
    ("↑ ↓ j k", "select a model"),
    ("PgUp PgDn", "a screen up or down"),
    ("Home End g G", "the first, the last"),
    ("Enter", "all that is known of the model; Esc or Enter: back"),
    ("s", "next order: worst first, name, rate, queue, latency, budget, failures"),
    ("S", "the same order reversed"),
    ("/", "filter by words of target and model; Enter keeps the filter, Esc takes it away"),
    ("f", "next standing: all, wrong or failing, burning, unknown, advice, ok, unloaded"),
    ("t", "next target"),
    ("Esc", "take filters away"),
    ("p", "pause, and go on"),
    ("r", "ask now"),
    ("+ -", "ask less, or more often"),
    ("q", "quit; on another screen: back"),
)
_STANDINGS: Final[Mapping[Standing, str]] = {
    Standing.WRONG: "clients get errors or nonsense, and the server counts success",
    Standing.FAILING: "it does not work, and that shows",
    Standing.BURNING: "it works, and an error budget burns or is exhausted",
    Standing.UNKNOWN: "nobody can tell",
    Standing.ADVICE: "it works, and could work better",
    Standing.OK: "all is well",
    Standing.UNLOADED: "nobody asked for it to be loaded",
}


def detail_lines(fetched: Fetched, view: View, place: Place) -> tuple[list[Text], int]:
    """Return the lines of the screen about `view.opened`, and the first of them that is seen."""
    said = header.notice(fetched, view, place.where, place.clock)
    lines = header.warning(said, place.width) if said else []
    if fetched.detail_of != view.opened:
        return _seen([*lines, line(f"Asking {place.where} …")], view.scroll, place, _DETAIL_KEYS)
    detail = fetched.aged(place.clock).detail
    if detail is None:
        return _seen([*lines, line("This model is not there any more.")], view.scroll, place, _DETAIL_KEYS)
    return _seen([*lines, *_all(detail, place.width)], view.scroll, place, _DETAIL_KEYS)


def help_lines(view: View, place: Place) -> tuple[list[Text], int]:
    """Return the lines of the help, and the first of them that is seen."""
    lines = [line(("Keys", TITLE))]
    for keys, text in _HELP:
        lines += paragraph(text, place.width, "cyan", cells.fill(keys, min(14, place.width // 3)))
    lines += [line(""), line(("Standings", TITLE))]
    for standing, style in STANDINGS.items():
        mark = cells.fill(standing.value, min(14, place.width // 3))
        lines += paragraph(_STANDINGS[standing], place.width, style, mark)
    return _seen(lines, view.scroll, place, _HELP_KEYS)


def _seen(lines: Sequence[Text], scroll: int, place: Place, keys: Sequence[str]) -> tuple[list[Text], int]:
    room = max(1, place.height - 1)
    first = max(0, min(scroll, len(lines) - room))
    page = [*lines[first : first + room]]
    page += [line("") for _ in range(room - len(page))]
    return [*page[: place.height - 1], keys_line(keys, place.width)], first


def _all(detail: ModelDetail, width: int) -> Iterator[Text]:
    brief = detail.brief
    style = STANDINGS[brief.standing]
    name = cells.model(brief.name, brief.version, max(20, width - 20))
    yield line((name, TITLE), "  ", (brief.standing.value, style), (f"  on {cells.name(brief.target)}", QUIET))
    state = brief.state.value if brief.state is not None else "state not known"
    yield from paragraph(f"{state} {detail.reason}", width)
    if detail.configuration is not None:
        yield from paragraph(_configured(detail.configuration), width, QUIET)
    if brief.links.dashboard:
        yield from paragraph(brief.links.dashboard, width, QUIET, "Grafana: ")
    for title, write in SECTIONS:
        lines = [*write(detail, width)]
        if lines:
            yield line("")
            yield line((title, TITLE))
            yield from lines


def _configured(config: Configuration) -> str:
    parts = [
        config.backend or config.platform,
        f"max_batch_size {config.max_batch_size}",
        f"{plural(config.instances, 'instance')} on {' and '.join(config.instance_kinds)}"
        if config.instance_kinds
        else "",
        *(["dynamic batching"] if config.dynamic_batching else []),
        *(["sequence batching"] if config.sequence_batching else []),
        *(["decoupled"] if config.decoupled else []),
        *(["response cache"] if config.response_cache else []),
    ]
    return ", ".join(part for part in parts if part)
