"""The pages about alerts, served for a test from a daemon's state made by hand."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from synthetic_state import SyntheticState, alerts_of
from triton_watch.daemon.alert_pages import alert_routes
from triton_watch.daemon.api.routes import api_routes
from triton_watch.daemon.app import App
from triton_watch.daemon.state import TargetCounts
from triton_watch.daemon.web import WebServer
from triton_watch.records import Target, WebSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = 1_795_826_172.25
"""2026-11-28T00:36:12.250Z."""


def some_alerts() -> SyntheticState:
    """Alerts of two targets as of `AT`."""
    targets = {name: Target(name, f"http://{name}:8000", "", "") for name in ("gpu-7", "gpu-8")}
    return SyntheticState({}, dict.fromkeys(targets, TargetCounts()), alert_view=alerts_of(AT), unpolled=targets)


@contextmanager
def served(state: SyntheticState) -> Iterator[str]:
    """The URL of an agent that has only these pages, and whose clock stands at `AT`."""
    server = WebServer(WebSettings(port=0), App([*api_routes(state, lambda: AT), *alert_routes()]))
    server.start()
    try:
        yield server.url
    finally:
        server.close()
