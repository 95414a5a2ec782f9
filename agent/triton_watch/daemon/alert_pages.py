"""The runbooks: what each alert means, and what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from triton_watch.alerting.runbooks import runbook
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.daemon.app import PLAIN, Request, Response, Route, plain
from triton_watch.daemon.link_page import link_page

MARKDOWN: Final = "text/markdown; charset=utf-8"
RUNBOOKS: Final = "/runbooks/"


def alert_routes() -> tuple[Route, ...]:
    """The routes about alerts that are no part of the API."""
    return (Route(RUNBOOKS, runbooks, "what each alert means, and what to do", prefix=True),)


def runbooks(request: Request) -> Response:
    """The runbook whose name ends the path, or a page of links to all. Plain text, unless Markdown is asked for."""
    name = request.path.removeprefix(RUNBOOKS)
    if not name:
        links = ((f"{RUNBOOKS}{one}", one, "") for one in ALERT_NAMES)
        return link_page("Runbooks of triton-watch", "Runbooks", links)
    if name not in ALERT_NAMES:
        return plain(HTTPStatus.NOT_FOUND, f"There is no runbook {name[:100]!r}; there are: {', '.join(ALERT_NAMES)}.")
    # Browsers save what is called Markdown; whoever follows the link of an alert wants to read.
    kind = MARKDOWN if "text/markdown" in request.header("Accept") else PLAIN
    return Response(HTTPStatus.OK, kind, runbook(name).encode(), {"Vary": "Accept"})
