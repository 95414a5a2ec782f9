"""One request for a page, and what a page is before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.daemon.app import Route
    from triton_watch.daemon.site.links import Linker
    from triton_watch.daemon.state import StateSource


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page may know. `at` is Unix seconds, `segments` the decoded parts of the path, `query` what was asked.

    `routes` are those that the agent lists.
    """

    source: StateSource
    at: float
    segments: tuple[str, ...]
    query: str
    link: Linker
    routes: tuple[Route, ...] = ()

    @property
    def targets(self) -> list[str]:
        """The names of all targets, sorted, as they are told and asked for: whole."""
        return sorted(map(whole, self.source.targets()))

    @property
    def here(self) -> str:
        """The way from the page to itself, without its query."""
        return self.link.to("/" + "/".join(quote(part, safe="", errors="replace") for part in self.segments))


@dataclass(frozen=True, slots=True)
class Page:
    """A template with its values. `title` is the window's, `section` the entry of the navigation that it belongs to."""

    template: str
    title: str
    section: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One link of a row of filters. `count` is how many it shows, None = not counted."""

    word: str
    kind: str
    href: str
    count: int | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a list of several pages stands; hrefs are None at its ends. Numbers count from 1."""

    first: int
    last: int
    total: int
    before: str | None
    after: str | None


def pager(visit: Visit, values: Mapping[str, list[str]], page: int, length: int, total: int) -> Pager:
    """Return the pager of page `page` of a list of `total` entries, `length` a page."""
    first = (page - 1) * length
    before = again(visit, values, page=[str(min(page - 1, max(1, -(-total // length))))]) if page > 1 else None
    after = again(visit, values, page=[str(page + 1)]) if first + length < total else None
    return Pager(min(first + 1, total), min(first + length, total), total, before, after)


def again(visit: Visit, values: Mapping[str, list[str]], **other: Iterable[str]) -> str:
    """Return the link to the same page with `other` values in its query; an empty one is left out."""
    asked = {**values, **{name: list(given) for name, given in other.items()}}
    if asked.get("page") == ["1"]:
        del asked["page"]
    pairs = [(name, value) for name, given in asked.items() for value in given]
    return f"{visit.here}?{urlencode(pairs, errors='replace')}" if pairs else visit.here
