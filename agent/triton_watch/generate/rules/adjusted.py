"""Settings otherwise than the configuration has them: as flags want them, or as rules can say them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.config.windows import burn_windows
from triton_watch.conventions.dashboards import UID_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import AlertSettings, AlertSeverity, Objective, Settings

ANY: Final = ("*",)
"""What objectives and overrides say that are for every target, or every model."""


def with_period(settings: Settings, seconds: float) -> Settings:
    """Return the settings with this period for every objective, and the burn windows that belong to it.

    The burn alerts of each server look at burn rates that the agents export: with another period than theirs only
    those over a fleet (`BurnBy.MODEL`) and what is recorded have something to look at.
    """
    objectives = tuple(_over(one, seconds) for one in settings.slo.objectives)
    return replace(settings, slo=replace(settings.slo, objectives=objectives))


def with_severities(settings: Settings, mapping: Mapping[AlertSeverity, str]) -> Settings:
    """Return the settings with these values of the severity label; the others stay as they are."""
    severities = {**settings.alerts.severities, **mapping}
    return replace(settings, alerts=replace(settings.alerts, severities=severities))


def with_grafana(settings: Settings, url: str) -> Settings:
    """Return the settings with links to the boards in the Grafana at `url`, which has no slash at its end."""
    board = f"{url}/d/{UID_PREFIX}{{dashboard}}?var-target={{target}}&var-model={{model}}"
    return replace(settings, alerts=replace(settings.alerts, dashboard_url=board))


def without_targets(settings: AlertSettings) -> AlertSettings:
    """Return the settings without the overrides for some targets, for rules that know no names of targets."""
    return replace(settings, overrides=tuple(one for one in settings.overrides if one.targets == ANY))


def _over(objective: Objective, period: float) -> Objective:
    severities = {window.severity for window in objective.windows}
    return replace(objective, period=period, windows=burn_windows(period, severities))
