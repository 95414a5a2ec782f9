"""The WSGI application: an explicit list of routes, and the same manners on every answer.

GET and HEAD only. A handler takes a `Request` and gives a `Response`; what it raises is logged, and the
client reads one line without a traceback.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs, quote

from triton_watch.conventions.paths import segments

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LOG = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

ASKED_AT = "triton_watch.asked_at"
"""In the environment of a request: when it was complete, in monotonic seconds."""

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
    }
)
"""On every answer; a response's own headers replace them by name."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler may know. `query` is by name, percent-decoded; `header` asks by name, "" = not sent."""

    path: str
    query: Mapping[str, Sequence[str]]
    environ: Mapping[str, object] = field(repr=False)

    @property
    def segments(self) -> tuple[str, ...]:
        """The decoded parts of the path; a slash within a name that was sent as %2F stays in its part."""
        return segments(str(self.environ.get("REQUEST_URI") or quote(self.path)))

    @property
    def asked_at(self) -> float:
        """When it was asked, in monotonic seconds: it may have waited for a thread since."""
        asked_at = self.environ.get(ASKED_AT)
        return asked_at if isinstance(asked_at, float) else time.monotonic()

    def header(self, name: str) -> str:
        """The value of a request header, or an empty string."""
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; `headers` are those beside Content-Type and Content-Length."""

    status: HTTPStatus
    content_type: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


Handler: TypeAlias = Callable[[Request], Response]
Refusal: TypeAlias = Callable[..., Response]
"""Makes the answer of a status and a sentence; keywords are further headers, with underscores for hyphens."""


def plain(status: HTTPStatus, sentence: str, **headers: str) -> Response:
    """One line of plain text; underscores in the names of `headers` stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    # A name on a Triton server may hold half of a surrogate pair, which UTF-8 cannot say.
    return Response(status, PLAIN, f"{sentence}\n".encode(errors="replace"), named)


@dataclass(frozen=True, slots=True)
class Route:
    """A path and its handler; with `prefix` also every path below `path`, which then ends in a slash.

    `summary` is the line that the index shows; routes without one are not listed there. `refusal` is how it is
    said that a method is not answered, or that the handler failed.
    """

    path: str
    handler: Handler
    summary: str = ""
    prefix: bool = False
    refusal: Refusal = plain


class App:
    """A WSGI application over `routes`: the exact path wins, then the longest prefix."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._exact = {route.path: route for route in self.routes}
        prefixes = [route for route in self.routes if route.prefix]
        self._prefixes = sorted(prefixes, key=lambda route: len(route.path), reverse=True)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        response = self._respond(environ)
        headers = {**SECURITY_HEADERS, **_of_body(response), **response.headers}
        start_response(f"{response.status.value} {response.status.phrase}", list(headers.items()))
        return () if environ["REQUEST_METHOD"] == "HEAD" else _body(environ, response.body)

    def _respond(self, environ: WSGIEnvironment) -> Response:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace") or "/"
        route = self._route(path)
        if route is None:
            shown = quote(path)[:100]
            return plain(HTTPStatus.NOT_FOUND, f"There is nothing at {shown}; see / for what there is.")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            sentence = "Only GET and HEAD are answered here."
            return route.refusal(HTTPStatus.METHOD_NOT_ALLOWED, sentence, Allow="GET, HEAD")
        return _guarded(route, Request(path, parse_qs(environ.get("QUERY_STRING", "")), environ))

    def _route(self, path: str) -> Route | None:
        below = (route for route in self._prefixes if path.startswith(route.path))
        return self._exact.get(path) or next(below, None)


def _of_body(response: Response) -> dict[str, str]:
    """What the headers say of the body; a client has that of a 304 already."""
    if response.status is HTTPStatus.NOT_MODIFIED:
        return {}
    return {"Content-Type": response.content_type, "Content-Length": str(len(response.body))}


def _body(environ: WSGIEnvironment, body: bytes) -> Iterable[bytes]:
    """The body as the server takes it best: a file is not copied, and waits where it is for slow readers."""
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(BytesIO(body)) if wrapper is not None and body else (body,)


def _guarded(route: Route, request: Request) -> Response:
    try:
        return route.handler(request)
    except Exception as error:
        LOG.error(  # noqa: TRY400 - a traceback only at level debug; whatever fails, the server goes on
            "Answering %s failed: %s: %s",
            quote(request.path),
            type(error).__name__,
            error,
            exc_info=error if LOG.isEnabledFor(logging.DEBUG) else None,
        )
        sentence = "The agent failed to make this page; its log says why."
        return route.refusal(HTTPStatus.INTERNAL_SERVER_ERROR, sentence)
