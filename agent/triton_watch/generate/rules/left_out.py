"""What of the configuration the rules do not say, for their comment and for whoever generates them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.alerting.rules import left_out_of
from triton_watch.generate.rules.fleet_burn import OF_SERVERS, left_out_of_fleet
from triton_watch.generate.rules.options import BurnBy, Source
from triton_watch.generate.rules.triton_alerts import left_out_of_alerts
from triton_watch.generate.rules.triton_slo import left_out_of_objectives

if TYPE_CHECKING:
    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.records import Settings


def left_out(source: Source, settings: Settings, options: RuleOptions) -> tuple[str, ...]:
    """Return a sentence for each objective and override, or part of one, that the rules for a source do not say."""
    if source is Source.TRITON:
        return (*left_out_of_objectives(settings, options), *left_out_of_alerts(settings, options))
    if options.burn_by is BurnBy.TARGET:
        return left_out_of(settings.alerts)
    return tuple(dict.fromkeys((*left_out_of(settings.alerts, OF_SERVERS), *left_out_of_fleet(settings.alerts))))
