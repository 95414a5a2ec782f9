"""Paths that people shorten by hand, and where the pages are that they mean."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.app import plain
from triton_watch.daemon.site.links import Linker, root_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.daemon.app import Response

_TARGETS: Final = paths.TARGETS.rstrip("/")
SHORTENED: Final = (_TARGETS, paths.MODELS.rstrip("/"))
"""Paths that no page has."""
_PARTS: Final = 2
"""Of the path of a target's models: /models/{target}."""


def redirect(segments: Sequence[str]) -> Response | None:
    """Return the answer that leads from a shortened path to its page; None where the path is not shortened.

    The location is relative, for the agent may stand behind a path prefix, and never leaves it.
    """
    page = _page(segments)
    if page is None:
        return None
    location = Linker(root_of(segments)).to(page)
    return plain(HTTPStatus.PERMANENT_REDIRECT, f"It is at {location}", Location=location)


def _page(segments: Sequence[str]) -> str | None:
    path = f"/{segments[0]}"
    if path not in SHORTENED or len(segments) > _PARTS:
        return None
    name = "".join(segments[1:])
    if path == _TARGETS:
        return paths.TARGETS if len(segments) < _PARTS else None
    return paths.target_page(name) if name else paths.OVERVIEW
