"""docs/faults.md, into which each part of `make faults` writes what it measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faults.run import Row

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "faults.md"

TITLES: Mapping[str, str] = {
    "fast": "With `for: 0s`, polls and canaries every 5 s",
    "default": "With every setting at its default",
}


def write_part(part: str, text: str) -> None:
    """Put what was measured of a part in its place; the others stay."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    head, _, rest = DOCUMENT.read_text().partition(begin)
    tail = rest.partition(end)[2]
    DOCUMENT.write_text(f"{head}{begin}\n\n{text}\n{end}{tail}")


def table(part: str, rows: Sequence[Row]) -> str:
    """The table of a profile, with its title."""
    lines = [
        f"## {TITLES[part]}",
        "",
        "| fault | alert | fires after | promised | Prometheus fires after | resolves after | |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        model = f" ({row.expected.model})" if row.expected.model else ""
        cells = (_seconds(row.fired), f"{row.promised:.0f} s", _seconds(row.prometheus), _seconds(row.resolved))
        lines.append(f"| {row.fault} | {row.expected.alert}{model} | {' | '.join(cells)} | {row.problem or 'once'} |")
    return "\n".join(lines) + "\n"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"
