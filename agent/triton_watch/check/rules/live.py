"""All rules about live servers, 801-844, in the order of their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rules import live_disk, live_server, live_states

if TYPE_CHECKING:
    from triton_watch.check.rule import Rule

RULES: tuple[Rule, ...] = (
    *live_server.RULES_OF_HEALTH,
    *live_states.RULES,
    *live_disk.RULES,
    *live_server.RULES_OF_METRICS,
)
