"""Where an HTML page leads."""

from __future__ import annotations

from html.parser import HTMLParser


def links_of(page: str) -> tuple[set[str], set[str]]:
    """What a page refers to by `href` and `src`, and the ids in it."""
    parser = _Parser()
    parser.feed(page)
    return parser.links, parser.ids


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src") and value is not None:
                self.links.add(value)
            if name == "id" and value:
                self.ids.add(value)
