"""The style and the script: read once, kept by browsers for as long as their content stays."""

from __future__ import annotations

from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.conventions.paths import STATIC
from triton_watch.daemon.app import Request, Response, Route
from triton_watch.daemon.negotiation import Representation, answered, compressed, is_to_be_compressed

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"style.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
)
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "public, no-cache"


class _Asset(NamedTuple):
    whole: Representation
    packed: Representation
    version: str


def asset(name: str) -> str:
    """Return the agent's path of an asset, which changes with its content: `/static/style.css?v=0a1b…`."""
    return f"{STATIC}{name}?v={_asset(name).version}"


def static_routes() -> tuple[Route, ...]:
    """The routes of all assets."""
    return tuple(Route(f"{STATIC}{name}", partial(_serve, name)) for name in _KINDS)


@cache
def _asset(name: str) -> _Asset:
    body = (Path(__file__).parent / "static" / name).read_bytes()
    version = sha256(body).hexdigest()[:16]
    whole = Representation(body, f'W/"{version}"')
    return _Asset(whole, compressed(whole), version)


def _serve(name: str, request: Request) -> Response:
    found = _asset(name)
    is_this = request.query.get("v", ())[-1:] == [found.version]
    form = found.packed if is_to_be_compressed(request, found.whole) else found.whole
    return answered(request, form, _KINDS[name], {"Cache-Control": _FOR_GOOD if is_this else _ASK_AGAIN})
