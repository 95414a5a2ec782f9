"""A page of links in the look of the site, for people who look at the agent with a browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from triton_watch.daemon.app import HTML, Response
from triton_watch.daemon.site.answers import HEADERS
from triton_watch.daemon.site.frame import common
from triton_watch.daemon.site.links import Linker
from triton_watch.daemon.site.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterable


def link_page(
    title: str, heading: str, links: Iterable[tuple[str, str, str]], *, lead: str = "", root: str = "../"
) -> Response:
    """The page; each link is the agent's path, its text and what follows it, `lead` a paragraph before them.

    `root` is the way from the page to `/`, by which all links are relative.
    """
    linker = Linker(root)
    values = {
        **common(linker, title, ""),
        "heading": heading,
        "lead": lead,
        "links": [(linker.to(path), text, more) for path, text, more in links],
    }
    return Response(HTTPStatus.OK, HTML, render("links", values).encode(), HEADERS)
