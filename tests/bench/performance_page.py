"""docs/performance.md, into which each bench writes its own part."""

from __future__ import annotations

from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def write_between(begin: str, end: str, lines: list[str], page: Path = DOCUMENT) -> None:
    """Put the lines in place of what stands between the two marks of a page."""
    head, _, rest = page.read_text().partition(begin)
    tail = rest.partition(end)[2]
    page.write_text(f"{head}{begin}\n" + "\n".join(lines) + f"\n{end}{tail}")
