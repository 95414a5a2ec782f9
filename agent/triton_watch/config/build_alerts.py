"""From the checked `alerts` section to `AlertSettings`: defaults filled in, names found, settings compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from triton_watch.config.alert_fields import LABEL_NAME, OFF
from triton_watch.config.override_checks import unfit
from triton_watch.config.overrides import ALERTMANAGER_TIMEOUT, alertmanager_timeouts
from triton_watch.config.problems import suggestion
from triton_watch.conventions.alerts import ALERT_NAMES, RESERVED_LABELS
from triton_watch.records import (
    Alertmanager,
    AlertMode,
    AlertOverride,
    AlertSettings,
    AlertSeverity,
    TlsSettings,
)
from triton_watch.records.objective import matches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.config.alert_sections import (
        AlertmanagerSection,
        AlertOverrideSection,
        AlertsSection,
        SeveritiesSection,
    )
    from triton_watch.config.common import Resolver
    from triton_watch.config.errors import Location
    from triton_watch.records import Labels

_AT: Final = ("alerts",)
_TEMPLATE: Final = "{{"
"""Rules expand it in the values of labels."""


def alert_settings(section: AlertsSection, resolver: Resolver) -> AlertSettings:
    """Build the settings from a checked section; what is wrong is reported to the resolver's `report`."""
    builder, usual = _Builder(resolver), AlertSettings()
    check = section.config_check
    return AlertSettings(
        mode=AlertMode(section.mode or usual.mode),
        alertmanagers=builder.alertmanagers(section.alertmanagers or ()),
        external_labels=builder.labels(section.external_labels, (*_AT, "external_labels")),
        external_url=section.external_url or "",
        runbook_url=section.runbook_url or "",
        dashboard_url=section.dashboard_url or "",
        # A dict: the settings travel between processes, and a mapping proxy cannot.
        severities=builder.severities(section.severities),
        resend_interval=section.resend_interval or usual.resend_interval,
        watchdog=usual.watchdog if section.watchdog is None else section.watchdog,
        config_check=usual.config_check if check is None else None if check == OFF else float(check),
        overrides=tuple(
            builder.override(one, (*_AT, "overrides", index)) for index, one in enumerate(section.overrides or ())
        ),
    )


@dataclass(frozen=True, slots=True)
class _Builder:
    resolver: Resolver

    def alertmanagers(self, sections: Sequence[AlertmanagerSection]) -> tuple[Alertmanager, ...]:
        first: dict[str, int] = {}
        for index, section in enumerate(sections):
            if section.url in first:
                other = f"alerts.alertmanagers[{first[section.url]}]"
                self.resolver.report((*_AT, "alertmanagers", index, "url"), f"is already that of {other}: delete one.")
            first.setdefault(section.url, index)
        return tuple(
            self._alertmanager(section, (*_AT, "alertmanagers", index)) for index, section in enumerate(sections)
        )

    def _alertmanager(self, section: AlertmanagerSection, at: Location) -> Alertmanager:
        access = self.resolver.access(section, at)
        self.resolver.refuse_clashes(access, at)
        return Alertmanager(
            url=section.url,
            timeouts=alertmanager_timeouts(section.timeout or ALERTMANAGER_TIMEOUT),
            credentials=access.credentials(),
            tls=access.tls or TlsSettings(),
        )

    def severities(self, section: SeveritiesSection | None) -> Mapping[AlertSeverity, str]:
        if section is None:
            return {}
        given = {one: name for one in AlertSeverity if (name := getattr(section, one.value)) is not None}
        first: dict[str, AlertSeverity] = {}
        for severity in sorted(AlertSeverity, key=lambda one: one in given):
            name = given.get(severity, severity.value)
            if name in first:
                text = f"{name} is what {first[name].value} is called already: choose another name."
                self.resolver.report((*_AT, "severities", severity.value), text)
            first.setdefault(name, severity)
        return given

    def labels(self, given: Mapping[str, str] | None, at: Location) -> Labels:
        labels = given or {}
        for name in labels:
            if not re.fullmatch(LABEL_NAME, name, re.ASCII):
                text = "is not the name of a label: use letters, digits and _, and begin with neither a digit nor __."
                self.resolver.report((*at, name), text)
            elif name in RESERVED_LABELS:
                self.resolver.report((*at, name), "is a label that alerts have themselves: choose another name.")
            elif _TEMPLATE in labels[name]:
                text = f"holds {_TEMPLATE}, with which Prometheus begins a template: write the value itself."
                self.resolver.report((*at, name), text)
        return tuple(sorted(labels.items()))

    def override(self, section: AlertOverrideSection, at: Location) -> AlertOverride:
        if not section.model_fields_set - {"alerts", "targets", "models"}:
            text = "changes nothing: give severity, for, threshold or another setting, or delete it."
            self.resolver.report(at, text)
        for glob in section.alerts:
            self._refuse_unknown(glob, (*at, "alerts"))
        for setting, text in unfit(section):
            self.resolver.report((*at, setting), text)
        failures, window = section.failures, section.window
        if failures is not None and window is not None and failures > window:
            text = f"is {failures}, more than the window of {window}: lower it or raise that."
            self.resolver.report((*at, "failures"), text)
        return AlertOverride(
            alerts=tuple(section.alerts),
            targets=tuple(section.targets or ("*",)),
            models=tuple(section.models or ("*",)),
            enabled=section.enabled is not False,
            severity=None if section.severity is None else AlertSeverity(section.severity),
            hold=section.hold,
            keep=section.keep_firing_for,
            failures=failures,
            window=window,
            threshold=section.threshold,
            labels=self.labels(section.labels, (*at, "labels")),
        )

    def _refuse_unknown(self, glob: str, at: Location) -> None:
        if not any(matches((glob,), name) for name in ALERT_NAMES):
            self.resolver.report(at, f"{glob} is the name of no alert: {suggestion(glob, ALERT_NAMES)}")
