"""The routes of the API. What many ask for at once is made once, and a second later anew."""

from __future__ import annotations

import time
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.paths import API
from triton_watch.daemon.api.answers import answer, represented
from triton_watch.daemon.api.document import DOCUMENT, stored
from triton_watch.daemon.api.endpoint import Endpoint, Question
from triton_watch.daemon.api.endpoints import ENDPOINTS
from triton_watch.daemon.api.errors import RefusedError, refusal, unknown
from triton_watch.daemon.api.parameters import asked_of
from triton_watch.daemon.app import Route, plain
from triton_watch.daemon.facts.coding import as_data
from triton_watch.daemon.negotiation import Representation, compressed, is_to_be_compressed, shared_form
from triton_watch.daemon.shared import KEPT_SECONDS, Shared
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.daemon.app import Handler, Request, Response
    from triton_watch.daemon.state import StateSource

_ROOT: Final = API.rstrip("/")
_PARTS: Final = len(_ROOT.split("/")) - 1


class _Api:
    """Answers for every endpoint; `kept` is for how many seconds an answer is everybody's."""

    def __init__(self, source: StateSource, now: Callable[[], float], kept: float) -> None:
        self._source, self._now = source, now
        self._shared: Shared[Representation] = Shared(kept, weigh=lambda one: len(one.body))

    def answer(self, endpoint: Endpoint, request: Request) -> Response:
        """Return the answer of an endpoint. Raises RefusedError."""
        names = _names(endpoint, request)
        asked = asked_of(_query(request), endpoint.parameters)
        key = (endpoint.path, names, asked)

        def make() -> Representation:
            return represented(as_data(endpoint.tell(Question(self._source, self._now(), names, asked))))

        return answer(request, shared_form(request, self._shared, key, make))


def api_routes(
    source: StateSource, now: Callable[[], float] = time.time, kept: float = KEPT_SECONDS
) -> tuple[Route, ...]:
    """The routes of the API; `now` gives Unix seconds, `kept` is for how many of them an answer may be shared."""
    api = _Api(source, now, kept)
    return (
        *(_route(one, partial(api.answer, one)) for one in ENDPOINTS),
        Route(_ROOT + DOCUMENT, _told(_document), "what this API has, for programs (OpenAPI 3.1)", refusal=refusal),
        Route(_ROOT, _to_the_document, refusal=refusal),
        Route(API, _told(_nothing), prefix=True, refusal=refusal),
    )


def _route(endpoint: Endpoint, handler: Handler) -> Route:
    fixed, brace, _ = endpoint.path.partition("{")
    summary = "" if brace else f"{endpoint.summary}, as JSON"
    return Route(_ROOT + fixed, _told(handler), summary, prefix=bool(brace), refusal=refusal)


def _told(handler: Handler) -> Handler:
    """The handler, with what it refuses as an answer."""

    def told(request: Request) -> Response:
        try:
            return handler(request)
        except RefusedError as refused:
            return refusal(refused.status, str(refused))

    return told


def _names(endpoint: Endpoint, request: Request) -> tuple[str, ...]:
    """Return what stands for the {names} in the path. Raises RefusedError (404) for another path."""
    wanted = endpoint.path.split("/")[1:]
    if "{" not in endpoint.path:
        return ()
    found = request.segments[_PARTS:]
    fixed = [(a, b) for a, b in zip(wanted, found, strict=False) if not a.startswith("{")]
    if len(found) != len(wanted) or any(a != b for a, b in fixed):
        raise _no_page(request)
    return tuple(b for a, b in zip(wanted, found, strict=True) if a.startswith("{"))


def _document(request: Request) -> Response:
    asked_of(_query(request), ())
    return answer(request, _written_document(is_to_be_compressed(request, _written_document(False))))


@cache
def _written_document(compress: bool) -> Representation:
    whole = represented(stored())
    return compressed(whole) if compress else whole


def _to_the_document(_request: Request) -> Response:
    """Lead on to the document; the location is relative, for the agent may stand behind a path prefix."""
    location = _ROOT.rpartition("/")[2] + DOCUMENT
    return plain(HTTPStatus.PERMANENT_REDIRECT, f"It is at {location}", Location=location)


def _nothing(request: Request) -> Response:
    raise _no_page(request)


def _no_page(request: Request) -> RefusedError:
    return unknown(f"There is nothing at {clip(request.path, 100)}; {_ROOT}{DOCUMENT} says what there is.")


def _query(request: Request) -> str:
    return str(request.environ.get("QUERY_STRING", ""))
