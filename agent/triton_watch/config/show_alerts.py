"""The `alerts` section as a configuration file would say it, every default filled in and every secret masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triton_watch.config import units
from triton_watch.config.show_access import credentials_settings, tls_settings

if TYPE_CHECKING:
    from triton_watch.records import Alertmanager, AlertOverride, AlertSettings


def alerts_section(alerts: AlertSettings) -> dict[str, Any]:
    """Give the settings in the shape of the section: only texts, numbers, lists and mappings.

    Loading it gives the same settings, but for the secrets.
    """
    optional = {
        "alertmanagers": [_alertmanager(one) for one in alerts.alertmanagers],
        "external_url": alerts.external_url,
        "runbook_url": alerts.runbook_url,
        "dashboard_url": alerts.dashboard_url,
        "external_labels": dict(alerts.external_labels),
        "severities": {severity.value: name for severity, name in alerts.severities.items()},
        "overrides": [_override(one) for one in alerts.overrides],
    }
    check = alerts.config_check
    return {
        "mode": alerts.mode.value,
        "resend_interval": units.format_duration(alerts.resend_interval),
        "watchdog": alerts.watchdog,
        "config_check": "off" if check is None else units.format_duration(check),
        **{name: value for name, value in optional.items() if value},
    }


def _alertmanager(one: Alertmanager) -> dict[str, Any]:
    optional = {**credentials_settings(one.credentials), "tls": tls_settings(one.tls)}
    return {
        "url": one.url,
        "timeout": units.format_duration(one.timeouts.total),
        **{name: value for name, value in optional.items() if value},
    }


def _override(one: AlertOverride) -> dict[str, Any]:
    values = {
        "alerts": list(one.alerts),
        "targets": list(one.targets),
        "models": list(one.models),
        "enabled": one.enabled,
        "severity": None if one.severity is None else one.severity.value,
        "for": None if one.hold is None else units.format_duration(one.hold),
        "keep_firing_for": None if one.keep is None else units.format_duration(one.keep),
        "failures": one.failures,
        "window": one.window,
        "threshold": one.threshold,
        "labels": dict(one.labels) or None,
    }
    return {name: value for name, value in values.items() if value is not None}
