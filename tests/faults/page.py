"""docs/faults.md: what `make faults` measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from faults.run import Row

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "faults.md"

HEAD = """\
<!-- Written by `make faults`. -->
# Faults, and the alerts that come of them

A real Triton with eleven Python models and a client on each was broken on purpose, and the alerts were taken by two
real Alertmanagers. Seconds are from the moment of the fault, or of its mending, to the notification by the
Alertmanager. Beside the agent a real Prometheus scraped it every 5 s and ran the rules that
`triton-watch generate rules` makes of the same definitions; its Alertmanager is a third one.

"once" means: each of the two Alertmanagers notified once of firing and once of resolved, and of nothing else.
"""
TITLES: Mapping[str, str] = {
    "fast": "With `for: 0s`, polls and canaries every 5 s",
    "default": "With every setting at its default",
}


def write_page(rows: Mapping[str, Sequence[Row]], notes: Sequence[str]) -> None:
    """Write the whole document."""
    parts = [HEAD, *(_table(part, rows[part]) for part in rows)]
    if notes:
        parts.append("## Beside the faults\n\n" + "\n".join(f"- {note}" for note in notes) + "\n")
    DOCUMENT.write_text("\n".join(parts))


def _table(part: str, rows: Sequence[Row]) -> str:
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
