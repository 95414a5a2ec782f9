"""What an alert is: its condition as a function and as PromQL, its patience and its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from triton_watch.records import (
        AlertCase,
        AlertSeverity,
        BudgetTable,
        CanaryState,
        Finding,
        ModelKey,
        Objective,
        TargetSnapshot,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """All that is known of one target.

    `canaries` may be newer than the snapshot's. `objectives` are by name. `findings` are those of the last check of
    the live server; None = it was not checked. `wants_unknown`: whether anybody asks for subjects of which nothing is
    known; where nobody does a condition may leave them out.
    """

    snapshot: TargetSnapshot
    canaries: Mapping[ModelKey, CanaryState]
    budgets: tuple[BudgetTable, ...]
    objectives: Mapping[str, Objective]
    findings: tuple[Finding, ...] | None
    wants_unknown: bool = True


Condition: TypeAlias = Callable[[Facts, float], "Iterable[AlertCase] | None"]
"""Takes the facts and the threshold (NaN where the alert has none). Yields the subjects for which the condition holds
or is not known; what is not yielded does not hold. None = nothing is known of the whole target.
"""


@dataclass(frozen=True, slots=True)
class AlertDefinition:
    """One alert. Times are seconds.

    `summary`, `description` and `expr` are Prometheus's own: `{{ $labels.model }}`, `{{ $value }}`; the agent fills in
    the labels of the summary too, and says the case's detail in place of the description. `advice` is what to do first
    and ends both. `expr` holds `$threshold` where the threshold goes.

    It fires when the condition held in `failures` of the last `window` polls, for `hold` seconds; `keep` seconds after
    it held for the last time it resolves. `condition` None: only Prometheus can see it. `labels` are the names that
    say of what it is, beside target. `dashboard` is the name of the board that shows it.
    """

    name: str
    severity: AlertSeverity
    summary: str
    description: str
    advice: str
    expr: str
    condition: Condition | None
    dashboard: str
    labels: tuple[str, ...] = ()
    hold: float = 0.0
    keep: float = 0.0
    failures: int = 1
    window: int = 1
    threshold: float | None = None
    unit: str = ""
    """Of the threshold: ratio (0..1) or times."""
