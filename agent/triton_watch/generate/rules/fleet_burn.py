"""TritonErrorBudgetBurn over a fleet: of a model over all its servers, from what the rules record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.definitions import ALERTS
from triton_watch.alerting.definitions.budgets import BUDGET_PAGE, BUDGET_TICKET
from triton_watch.alerting.inhibition import BURN
from triton_watch.alerting.variants import left_out
from triton_watch.conventions.recorded_slo import FLEET_BURN_RATE, FLEET_EVENTS, by
from triton_watch.generate.rules.adjusted import ANY, without_targets
from triton_watch.records.objective import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.records import AlertSettings

_FLEET: Final = by(FLEET_BURN_RATE)

_EXPR: Final = f"""label_replace(
  (
    {FLEET_BURN_RATE.over("$long").name}{{slo=~"$slo"}} > $factor
    and {FLEET_BURN_RATE.over("$short").name}{{slo=~"$slo"}} > $factor
    and sum without (result) ({FLEET_EVENTS.over("$long").name}{{slo=~"$slo"}})
      >= on (slo) group_left () max by (slo) (triton_watch_slo_min_events{{slo=~"$slo"}})
  )
  and on ({_FLEET}) (
    triton_watch_slo_verdict{{slo=~"$slo", verdict!="no_data"}}
    and on (instance, target, model, version) (
      triton_watch_model_ready
      or on (instance, target, model, version) (
        triton_watch_slo_objective_ratio{{slo=~"$slo"}}
        unless on (instance, target) triton_watch_probe_success{{probe="index"}} == 1
      )
    )
  ),
  "window", "$long", "", ""
)"""
"""One tier of some objectives. The second part: of what no server serves any more, or tells, nobody wants to hear.

Texts of an alert know the labels of its series alone, so the window is put there.
"""


def _over_the_fleet(definition: AlertDefinition, what: str) -> AlertDefinition:
    return replace(
        definition,
        expr=_EXPR,
        labels=("slo", "model", "window"),
        summary=f"Error budget of {{{{ $labels.slo }}}} burns {what}: model {{{{ $labels.model }}}} over all "
        "its servers",
        description="The error budget of {{ $labels.slo }} for {{ $labels.model }} over all its servers was spent "
        '{{ $value | printf "%.1f" }} times faster than allowed over the last {{ $labels.window }}.',
    )


FLEET_BURNS: Final = (_over_the_fleet(BUDGET_PAGE, "fast"), _over_the_fleet(BUDGET_TICKET, "slowly"))
"""Name, windows, patience and severities are those of the alerts of each server."""
OF_SERVERS: Final = tuple(one for one in ALERTS if one.name != BURN)
"""The alerts that are of a server beside them."""


def left_out_of_fleet(settings: AlertSettings) -> Iterator[str]:
    """Yield a sentence for each override of burning budgets that rules over a fleet cannot say."""
    for one in settings.overrides:
        if one.targets != ANY and matches(one.alerts, BURN):
            yield (
                f"{BURN}: the override for targets {', '.join(one.targets)} is not in these rules: they are about a "
                "model over all its servers; name models instead."
            )
    for definition in FLEET_BURNS:
        yield from left_out(definition, without_targets(settings))
