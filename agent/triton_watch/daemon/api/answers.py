"""A record as an answer: its JSON, and an ETag of what lasts in it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.api.errors import JSON
from triton_watch.daemon.facts.coding import written
from triton_watch.daemon.negotiation import Representation, answered, etag_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.daemon.app import Request, Response

PASSING: Final = frozenset({"loop_age_seconds", "memory_bytes", "cpu_seconds", "threads", "not_seen_for_seconds"})
"""Fields that another answer a moment later has otherwise though nothing happened: they are no part of an ETag."""
_HEADERS: Final = MappingProxyType({"Cache-Control": "no-cache"})


def represented(data: Mapping[str, object]) -> Representation:
    """Return an object as JSON. Its ETag leaves out when it was made, and what passes in any case."""
    return Representation(written(data) + b"\n", etag_of(written(_lasting(data))))


def answer(request: Request, one: Representation) -> Response:
    """Return the answer that this client takes."""
    return answered(request, one, JSON, _HEADERS)


def _lasting(data: object) -> object:
    """Leave out what passes; a list of anything but objects is as it is."""
    if isinstance(data, dict):
        # What has a version of the API is an answer, be it within another one: `at` is when it was made.
        passing = PASSING | {"at"} if isinstance(data.get("version"), int) else PASSING
        return {name: _lasting(one) for name, one in data.items() if name not in passing}
    if isinstance(data, list) and data and isinstance(data[0], dict):
        return [_lasting(one) for one in data]
    return data
