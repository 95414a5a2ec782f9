"""Colours, once, and the lines that have them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from rich.cells import cell_len
from rich.text import Text

from triton_watch.cli.top import cells
from triton_watch.daemon.facts.standing import Standing
from triton_watch.records import CanaryVerdict, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

STANDINGS: Final[Mapping[Standing, str]] = MappingProxyType(
    {
        Standing.WRONG: "bold red",
        Standing.FAILING: "red",
        Standing.BURNING: "yellow",
        Standing.UNKNOWN: "magenta",
        Standing.ADVICE: "cyan",
        Standing.OK: "green",
        Standing.UNLOADED: "dim",
    }
)
VERDICTS: Final[Mapping[Verdict, str]] = MappingProxyType(
    {Verdict.OK: "green", Verdict.BURNING: "yellow", Verdict.EXHAUSTED: "bold red", Verdict.NO_DATA: "magenta"}
)
CANARIES: Final[Mapping[CanaryVerdict, str]] = MappingProxyType(
    {CanaryVerdict.PASSING: "green", CanaryVerdict.FAILING: "red", CanaryVerdict.UNKNOWN: "magenta"}
)
TITLE: Final = "bold"
QUIET: Final = "dim"
SELECTED: Final = "reverse"
NOTICE: Final = "bold yellow"
TITLE_WIDTH: Final = 22
"""Columns of what stands before the values."""


Part: TypeAlias = "str | tuple[str, str]"
"""Text, or text and its style."""


def line(*parts: Part) -> Text:
    """Make one line of text, cut where the screen ends. Parts may have a style; markup in them means nothing."""
    return Text.assemble(*parts, no_wrap=True, overflow="crop")


def flow(chunks: Iterable[Sequence[Part]], width: int, between: str, indent: str = "") -> list[Text]:
    """Put chunks, each of some parts, on as few lines of `width` columns as hold them; a chunk is not broken."""
    lines: list[list[Part]] = []
    used = 0
    for chunk in chunks:
        size = sum(cell_len(part if isinstance(part, str) else part[0]) for part in chunk)
        if lines and used + len(between) + size <= width:
            lines[-1] += [between, *chunk]
            used += len(between) + size
        else:
            lines.append([indent if lines else "", *chunk])
            used = size + (len(indent) if len(lines) > 1 else 0)
    return [line(*parts) for parts in lines]


def paragraph(text: str, width: int, style: str = "", mark: str = "") -> Iterator[Text]:
    """Yield a sentence of unknown origin in lines, behind a mark in its style."""
    space = " " * cell_len(mark)
    for place, one in enumerate(cells.wrapped(text, width - len(space))):
        yield line((space if place else mark, style), one)
