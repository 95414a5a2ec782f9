"""What can go wrong with an Alertmanager, as one sentence about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.triton.peer_errors import Peer, PeerError

if TYPE_CHECKING:
    from triton_watch.triton.http import Response


class ManagerError(PeerError):
    """An Alertmanager was not told."""

    peer = "Alertmanager"


class AlertsRefusedError(ManagerError):
    """It answers, and does not take an alert of this batch, which it will not at another time either.

    `reason` is in its own words. Of a 400 it took the alerts that are good, of a 422 none (seen on 0.25).
    """

    def __init__(self, reason: str, *, url: str, http_status: int) -> None:
        self.reason = reason
        super().__init__(f"refuses alerts (HTTP {http_status}): {reason}", url=url, http_status=http_status)


_PEER: Final = Peer(
    ManagerError,
    port=9093,
    expected="Alertmanager's API",
    too_slow="it hangs or is overloaded; see its log",
    too_large=": is it an Alertmanager?",
    by_status={
        404: "it does not know Alertmanager's API v2; is it an Alertmanager (usually port 9093), and does its URL "
        "have the path of --web.external-url or --web.route-prefix?",
        405: "it takes no alerts here; is it an Alertmanager (usually port 9093), and is the path of its URL right?",
        429: "it limits its clients; they are sent again later",
        503: "it is starting, or overloaded; see its log",
    },
    # Of alerts it says a bare text, of a request that is not as its API wants it an object.
    text_of=lambda found: found.get("message") if isinstance(found, dict) else found,
)
unreachable: Final = _PEER.unreachable
not_alertmanager: Final = _PEER.stranger


def refusal(response: Response, url: str) -> ManagerError:
    """The error that a status other than 2xx stands for.

    Only 400, 413 and 422 are about the alerts, and of the first and the last only those in Alertmanager's own
    JSON: whatever else says no (a proxy, a missing password) may say yes later, and must not cost an alert.
    """
    status = response.status
    said, is_own = _PEER.said(response)
    if status == 413 or (status in {400, 422} and is_own):
        return AlertsRefusedError(said or "too large", url=url, http_status=status)
    return _PEER.refusal(response, url)
