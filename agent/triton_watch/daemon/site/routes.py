"""The way in: which path has which page, and what all pages have in common."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.app import Request, Response, Route
from triton_watch.daemon.negotiation import Representation, shared_form
from triton_watch.daemon.shared import Shared
from triton_watch.daemon.site.agent import agent
from triton_watch.daemon.site.alerts import alerts
from triton_watch.daemon.site.answers import answer, represented
from triton_watch.daemon.site.asking import NoPageError
from triton_watch.daemon.site.findings import findings
from triton_watch.daemon.site.frame import framed
from triton_watch.daemon.site.links import Linker, root_of
from triton_watch.daemon.site.model import model
from triton_watch.daemon.site.overview import overview
from triton_watch.daemon.site.redirects import SHORTENED, redirect
from triton_watch.daemon.site.slo import slo
from triton_watch.daemon.site.static import static_routes
from triton_watch.daemon.site.target import target
from triton_watch.daemon.site.visit import Page, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from triton_watch.daemon.state import StateSource


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    make: Callable[[Visit], Page]
    summary: str = ""
    prefix: bool = False


_PLACES: Final = (
    _Place(paths.OVERVIEW, overview, "status of all models, as a page (?standing=, ?search=, ?target=)"),
    _Place(paths.MODELS, model, prefix=True),
    _Place(paths.TARGETS, target, "all targets, as a page", prefix=True),
    _Place(paths.ALERTS, alerts, "alerts, as a page"),
    _Place(paths.FINDINGS, findings, "findings of the live configuration, as a page"),
    _Place(paths.BUDGETS, slo, "objectives and error budgets, as a page"),
    _Place(paths.AGENT, agent, "the agent itself, as a page"),
)
_HEADS: Final[Mapping[HTTPStatus, str]] = MappingProxyType(
    {HTTPStatus.NOT_FOUND: "Not found", HTTPStatus.BAD_REQUEST: "This cannot be answered"}
)


def site_routes(
    source: StateSource, now: Callable[[], float] = time.time, others: Iterable[Route] = ()
) -> tuple[Route, ...]:
    """The routes of the pages; `now` gives Unix seconds. The agent's page lists `others`."""
    site = _Site(source, now, tuple(others))
    pages = tuple(Route(one.path, partial(site.answer, one.make), one.summary, one.prefix) for one in _PLACES)
    shortened = tuple(Route(path, partial(site.answer, overview)) for path in SHORTENED)
    return (*pages, *shortened, *static_routes())


class _Site:
    """Answers requests for pages. A page is made once for all who ask for it within a second."""

    def __init__(self, source: StateSource, now: Callable[[], float], routes: tuple[Route, ...]) -> None:
        self._source, self._now, self._routes = source, now, routes
        self._shared: Shared[Representation] = Shared(weigh=lambda page: len(page.body))

    def answer(self, make: Callable[[Visit], Page], request: Request) -> Response:
        """Answer a request for the page that `make` makes, or say where the page is that a shortened path means."""
        segments, query = request.segments, str(request.environ.get("QUERY_STRING", ""))
        moved = redirect(segments)
        if moved is not None:
            return moved
        key, made = (make, segments, query), partial(self._made, make, segments, query)
        return answer(request, shared_form(request, self._shared, key, made))

    def _made(self, make: Callable[[Visit], Page], segments: tuple[str, ...], query: str) -> Representation:
        linker = Linker(root_of(segments), self._source.alerts().external_url)
        visit = Visit(self._source, self._now(), segments, query, linker, self._routes)
        try:
            return represented(HTTPStatus.OK, framed(visit, make(visit)))
        except NoPageError as error:
            return represented(error.status, framed(visit, _no_page(error)))


def _no_page(error: NoPageError) -> Page:
    return Page(
        "no_page",
        _HEADS[error.status],
        "",
        {"head": _HEADS[error.status], "sentence": error.sentence, "advice": error.advice},
    )
