"""Alertmanager's API v2, as far as it is needed: tell it alerts, and look which it has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from triton_watch.alerting.manager.errors import not_alertmanager, refusal, unreachable
from triton_watch.records import Target
from triton_watch.triton.answers import is_html
from triton_watch.triton.errors import TritonError
from triton_watch.triton.http import HttpFetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from triton_watch.records import Alertmanager
    from triton_watch.triton.http import Response

_BODY_LIMIT: Final = 64_000_000
_JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that an Alertmanager has. `receivers` are the names of those it was routed to.

    `silenced_by` and `inhibited_by` are ids of silences, and fingerprints of alerts: then nobody is told.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]


class ManagerApi:
    """Speaks to one Alertmanager. Every method may raise ManagerError; `clock` gives monotonic seconds.

    A thread that asks while another one does waits for it.
    """

    def __init__(self, peer: Alertmanager, *, clock: Callable[[], float]) -> None:
        self.url: Final = peer.url
        self._fetcher = HttpFetcher(_as_target(peer), clock=clock)

    def tell(self, alerts: Sequence[Mapping[str, Any]], deadline: float | None = None) -> None:
        """Send alerts; `deadline`, by the clock, can shorten the peer's own.

        Raises AlertsRefusedError where one of them is not to its liking.
        """
        response = self._fetch("POST", "/api/v2/alerts", json.dumps(alerts).encode(), deadline)
        if is_html(response):
            raise not_alertmanager(response, self.url)

    def held(self, alertname: str) -> list[Held]:
        """Return the alerts of this name that it has and that fire."""
        query = urlencode({"filter": f'alertname="{alertname}"'})
        response = self._fetch("GET", f"/api/v2/alerts?{query}")
        try:
            return [_held(one) for one in json.loads(response.body)]
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise not_alertmanager(response, self.url) from error

    def redirect(self) -> str:
        """Return where its start page leads to; empty = nowhere."""
        try:
            return self._fetcher.fetch("GET", f"{self.url}/", limit=_BODY_LIMIT).location
        except TritonError as error:
            raise unreachable(error, self.url) from error

    def close(self) -> None:
        """Close the connection; waits for a request that is under way."""
        self._fetcher.close()

    def _fetch(self, method: str, path: str, body: bytes | None = None, deadline: float | None = None) -> Response:
        url = f"{self.url}{path}"
        headers = None if body is None else _JSON
        try:
            # To tell an alert twice does no harm.
            response = self._fetcher.fetch(
                method, url, limit=_BODY_LIMIT, body=body, headers=headers, deadline=deadline, idempotent=True
            )
        except TritonError as error:
            raise unreachable(error, self.url) from error
        if not 200 <= response.status < 300:
            raise refusal(response, self.url)
        return response


def _held(found: Any) -> Held:  # noqa: ANN401 - JSON, checked by the caller's except
    status = found["status"]
    return Held(
        labels=dict(found["labels"]),
        annotations=dict(found["annotations"]),
        receivers=tuple(str(one["name"]) for one in found["receivers"]),
        silenced_by=tuple(map(str, status["silencedBy"])),
        inhibited_by=tuple(map(str, status["inhibitedBy"])),
    )


def _as_target(peer: Alertmanager) -> Target:
    """The peer in the shape that the fetcher takes; what is Triton's own stays empty."""
    return Target(
        name="alertmanager",
        http_url=peer.url,
        metrics_url=peer.url,
        grpc_address="",
        timeouts=peer.timeouts,
        credentials=peer.credentials,
        tls=peer.tls,
    )
