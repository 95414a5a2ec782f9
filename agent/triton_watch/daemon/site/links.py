"""Links as a page may have them: relative, for the agent may stand behind a path prefix; never `javascript:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCHEMES = frozenset({"http", "https"})


def root_of(segments: Sequence[str]) -> str:
    """Return the way from a page to `/`, by the parts of the page's path: `./`, `../`, `../../`."""
    return "../" * (len(segments) - 1) or "./"


@dataclass(frozen=True, slots=True)
class Linker:
    """Makes the links of one page. `root` is the way from it to `/`; `own` the URL of the agent, "" = not known."""

    root: str
    own: str = ""

    def to(self, path: str) -> str:
        """A path of the agent (`/alerts?phase=firing`), relative to the page."""
        return self.root + path.lstrip("/")

    def out(self, url: str | None) -> str | None:
        """A link that somebody configured, as it may stand in a page; None where a browser must not follow it.

        One to the agent itself becomes relative: whoever reads the page may have come by another address.
        """
        if not url:
            return None
        own = self.own.rstrip("/")
        if own and url.startswith(f"{own}/"):
            return self.to(url[len(own) :])
        if url.startswith("/"):
            return self.to(url)
        return url if _is_web(url) else None

    def elsewhere(self, url: str | None) -> str | None:
        """The same, but None for the agent's own front page: it stands for a dashboard where none is configured."""
        found = self.out(url)
        return None if found == self.root else found


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc) and url.isprintable()
