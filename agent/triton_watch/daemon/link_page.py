"""A page of links, for people who look at the agent with a browser."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

from triton_watch.daemon.app import HTML, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }}
a {{ font-family: ui-monospace, monospace; }}
</style>
</head>
<body>
<h1>{heading}</h1>
{lead}<ul>
{items}</ul>
</body>
</html>
"""


def link_page(title: str, heading: str, links: Iterable[tuple[str, str, str]], *, lead: str = "") -> Response:
    """The page; each link is its path, its text and what follows it, `lead` a paragraph before them. All plain text."""
    items = "".join(
        f'<li><a href="{escape(path)}">{escape(text)}</a>{escape(f" {more}" if more else "")}</li>\n'
        for path, text, more in links
    )
    paragraph = f"<p>{escape(lead)}</p>\n" if lead else ""
    page = _PAGE.format(title=escape(title), heading=escape(heading), lead=paragraph, items=items)
    return Response(HTTPStatus.OK, HTML, page.encode())
