"""What can go wrong when history is read from Prometheus, as one sentence about Prometheus."""

from __future__ import annotations

import json
from typing import Any, Final

from triton_watch.triton.peer_errors import Peer, PeerError


class HistoryError(PeerError):
    """History cannot be read."""

    peer = "Prometheus"


_NOT_200: Final = "Prometheus answers 200; is something else on this port?"
_PEER: Final = Peer(
    HistoryError,
    port=9090,
    expected="a query's result in JSON",
    too_slow="raise the timeout, narrow the selector, or see its load",
    too_large=" to be read: narrow it down with a selector",
    by_status={
        1: _NOT_200,
        2: _NOT_200,
        4: "it refuses the query",
        400: "it does not take this query; check the selector, and that this is Prometheus's API",
        404: "it does not know this API; is the path of its URL right (that of Mimir ends in /prometheus)?",
        405: "it does not take POST here; is the path of its URL right?",
        413: "it or a proxy limits the size of queries; raise that limit",
        422: "it could not evaluate the query; raise its limits (--query.max-samples, --query.timeout)",
        429: "it limits its clients; try again later or raise that limit",
        503: "it is starting, overloaded, or ran out of time; see its log",
    },
    text_of=lambda found: found.get("error") if isinstance(found, dict) else None,
)
unreachable: Final = _PEER.unreachable
refusal: Final = _PEER.refusal
not_prometheus: Final = _PEER.stranger


def parsed(body: bytes) -> Any:  # noqa: ANN401 - JSON, read by the caller into records
    """Decode JSON. Raises ValueError, also for nesting that would use up the interpreter's stack."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
