"""Text in so many columns of a terminal: cut, filled, drawn with block characters, or written without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment

from triton_watch.check.output.wrap import WIDEST
from triton_watch.wording.text import printable
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_NOTHING: Final = " "
ELLIPSIS: Final = "…"
_PLAIN: Final = str.maketrans(
    {
        **dict(zip(_LEVELS, "_.,-=+*#", strict=True)),
        **dict(zip(_EIGHTHS, "    ----", strict=True)),
        "·": ".",
        NO_DATA: "-",
        "…": "~",
        "≤": "<",
        "≥": ">",
        "µ": "u",
        "✓": "+",
        "✗": "x",
        "↑": "^",
        "↓": "v",
    }
)
"""What stands for the characters that we draw with where a terminal cannot show them: one for one."""


def name(text: str) -> str:
    """Return a name of unknown origin for one line of a screen; an empty one can be seen."""
    return printable(text) or '""'


def fit(text: str, width: int) -> str:
    """Return printable text in at most `width` columns; an ellipsis says that there is more."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def fill(text: str, width: int, *, right: bool = False) -> str:
    """Return text in exactly `width` columns, at the left or the right of them."""
    text = fit(text, width)
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def model(title: str, version: str, width: int) -> str:
    """Return `name:version` in at most `width` columns; what is cut is the name."""
    tail = f":{printable(version)}" if version else ""
    if cell_len(tail) * 3 > width:
        return fit(name(title) + tail, width)
    return fit(name(title), width - cell_len(tail)) + tail


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return text of unknown origin in lines of at most `width` columns; words are folded where they are longer.

    `indent` stands before each line but the first.
    """
    width = max(min(width, WIDEST), cell_len(indent) + 2)
    lines, line = [], ""
    for word in printable(text).split():
        if line.strip() and cell_len(line) + 1 + cell_len(word) <= width:
            line += f" {word}"
            continue
        if line.strip():
            lines.append(line)
            line = indent
        first, *more = chop_cells(word, width - cell_len(indent)) or [""]
        line += first
        for part in more:
            lines.append(line)
            line = indent + part
    return [*lines, line] if line.strip() else lines


def spark(values: Sequence[float | None], width: int) -> str:
    """Draw the last `width` values from zero up to the highest of them; a blank is no data."""
    values = values[-width:] if width > 0 else ()
    top = max((value for value in values if value is not None), default=0.0)
    return "".join(_level(value, top) for value in values).rjust(max(width, 0))


def squeezed(values: Sequence[float | None], width: int) -> list[float | None]:
    """Return at most `width` values: means of neighbours that are known, so that the whole time is shown."""
    each = -(-len(values) // width) if width > 0 else 0
    if each <= 1:
        return list(values) if width > 0 else []
    groups = (values[max(0, end - each) : end] for end in range(len(values), 0, -each))
    return [_mean(group) for group in groups][::-1]


def bar(left: float | None, width: int) -> str:
    """Draw what is left of a budget, 0 to 1; empty where it is not known."""
    if left is None or width <= 0:
        return ""
    eighths = round(min(max(left, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width, "·")


def or_dash(value: float | None, write: Callable[[float], str]) -> str:
    """Write a value, or a dash where none is known."""
    return NO_DATA if value is None else write(value)


def _level(value: float | None, top: float) -> str:
    if value is None:
        return _NOTHING
    share = value / top if top > 0 else 0.0
    return _LEVELS[min(len(_LEVELS) - 1, max(0, round(share * (len(_LEVELS) - 1))))]


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


class Encoded:
    """What is written where the terminal's encoding lacks characters: others of the same width stand for them."""

    def __init__(self, inner: RenderableType, encoding: str) -> None:
        self._inner = inner
        self._encoding = encoding

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        """Write the inner lines with what can be written."""
        for text, style, control in console.render(self._inner, options):
            yield Segment(text if control else encodable(text, self._encoding), style, control)


def encodable(text: str, encoding: str) -> str:
    """Return text of the same width that the encoding can write."""
    if _can_write(text, encoding):
        return text
    return "".join(one if _can_write(one, encoding) else _stand_in(one) for one in text)


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _stand_in(character: str) -> str:
    plain = character.translate(_PLAIN)
    return plain if plain.isascii() else "?" * cell_len(character)
