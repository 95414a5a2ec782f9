"""Liveness and readiness, as the server tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.records import Outcome

if TYPE_CHECKING:
    from triton_watch.probes.watch import Watch


def live(watch: Watch, deadline: float) -> tuple[Outcome, str]:
    """GET /v2/health/live."""
    watch.live = watch.client.live(deadline=deadline)
    return (Outcome.OK, "") if watch.live else (Outcome.NOT_READY, "the server says that it is not live")


def ready(watch: Watch, deadline: float) -> tuple[Outcome, str]:
    """GET /v2/health/ready."""
    watch.ready = watch.client.ready(deadline=deadline)
    return (Outcome.OK, "") if watch.ready else (Outcome.NOT_READY, "the server says that it is not ready")
