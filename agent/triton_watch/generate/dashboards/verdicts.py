"""What the agents say of a model, in names and colours: whether it is ready, and the verdict of its canaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.generate.dashboards.scales import GREEN, GREY, RED, Named, numbered, worst_first
from triton_watch.generate.queries import coded

if TYPE_CHECKING:
    from triton_watch.generate.queries import Scope

READY_NAMES: Final = (Named("0", "not ready", RED), Named("1", "ready", GREEN))
CANARY_VERDICT: Final = "triton_watch_canary_verdict"
FAILING: Final = 'verdict="failing"'
_VERDICTS: Final = (
    Named("passing", "passing", GREEN),
    Named("unknown", "unknown", GREY),
    Named("failing", "failing", RED),
)
CANARY_NAMES: Final = numbered(_VERDICTS)


def canary_verdict(scope: Scope) -> str:
    """The verdict on each model, as a number of `CANARY_NAMES`; where several hold, the worst."""
    return coded(scope, CANARY_VERDICT, "verdict", worst_first(_VERDICTS))
