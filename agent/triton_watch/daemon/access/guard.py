"""WSGI middleware: who may read, and the headers that the web configuration file sets."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from triton_watch.daemon.app import App, Route, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from triton_watch.daemon.access.live import Access

OPEN: Final = frozenset(("/-/healthy", "/-/ready"))
"""For everybody: a kubelet has no password, and they tell nothing but whether this process is well."""

_SENTENCE: Final = "A user name and a password are needed here."
_CHALLENGE: Final = 'Basic realm="triton-watch", charset="UTF-8"'


class Guard:
    """`app` for those who may read it, and a 401 for others, under the headers of the file."""

    def __init__(self, app: WSGIApplication, access: Access) -> None:
        self._app = app
        self._access = access
        refuse = Route(
            "/", lambda _: plain(HTTPStatus.UNAUTHORIZED, _SENTENCE, WWW_Authenticate=_CHALLENGE), prefix=True
        )
        self._refusal = App([refuse])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        now = self._access.now
        users = now.passwords
        is_open = environ.get("PATH_INFO") in OPEN
        may = is_open or users is None or users.admits(environ.get("HTTP_AUTHORIZATION", ""))
        return (self._app if may else self._refusal)(environ, _over(now.headers, start_response))


def _over(own: tuple[tuple[str, str], ...], start_response: StartResponse) -> StartResponse:
    """`start_response` with `own` headers in place of those of the same name."""
    if not own:
        return start_response
    names = {name.lower() for name, _ in own}

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:  # noqa: ANN401 - WSGI's
        kept = [(name, value) for name, value in headers if name.lower() not in names]
        return start_response(status, [*kept, *own], *more)

    return start
