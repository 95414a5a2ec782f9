"""Definitions after the overrides of the configuration: what holds for one target, or one model of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from triton_watch.alerting.definitions import ALERTS
from triton_watch.records.objective import matches

if TYPE_CHECKING:
    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.records import AlertCase, AlertKey, AlertOverride, AlertSettings, Labels

_ANY: Final = ("*",)
_BY_NAME: Final = {one.name: one for one in reversed(ALERTS)}
_BY_SEVERITY: Final = {(one.name, one.severity): one for one in ALERTS}
_T = TypeVar("_T")


def definition_of(key: AlertKey) -> AlertDefinition | None:
    """The definition of an alert; where two have its name that of its severity, which overrides may have changed."""
    return _BY_SEVERITY.get((key.alert, key.severity)) or _BY_NAME.get(key.alert)


def override_of(alert: str, settings: AlertSettings, target: str, model: str = "") -> AlertOverride | None:
    """The first override that matches the alert `alert` of this target and model; `model` "" = about no model."""
    return next(
        (
            one
            for one in settings.overrides
            if matches(one.alerts, alert)
            and matches(one.targets, target)
            and (one.models == _ANY or (model != "" and matches(one.models, model)))
        ),
        None,
    )


def effective(
    definition: AlertDefinition, settings: AlertSettings, target: str, model: str = ""
) -> AlertDefinition | None:
    """The definition with the values of the override that matches; None = it is switched off."""
    override = override_of(definition.name, settings, target, model)
    return definition if override is None else overridden(definition, override)


def overridden(definition: AlertDefinition, override: AlertOverride) -> AlertDefinition | None:
    """The definition with the values of `override`; None = it switches the alert off.

    A threshold is for alerts that have one. A window is never shorter than the failures that it must hold.
    """
    if not override.enabled:
        return None
    failures = _either(override.failures, definition.failures)
    threshold = None if definition.threshold is None else _either(override.threshold, definition.threshold)
    return replace(
        definition,
        severity=override.severity or definition.severity,
        hold=_either(override.hold, definition.hold),
        keep=_either(override.keep, definition.keep),
        failures=failures,
        window=max(failures, _either(override.window, definition.window)),
        threshold=threshold,
    )


def hold_of(
    case: AlertCase, definition: AlertDefinition, settings: AlertSettings, target: str, model: str = ""
) -> float:
    """Seconds for which a case must hold: what the configuration says, else the case itself, else the definition.

    `definition` is the effective one.
    """
    override = override_of(definition.name, settings, target, model)
    if override is not None and override.hold is not None:
        return override.hold
    return definition.hold if case.hold is None else case.hold


def added_labels(definition: AlertDefinition, settings: AlertSettings, target: str, model: str = "") -> Labels:
    """The labels that the configuration adds to the alert."""
    override = override_of(definition.name, settings, target, model)
    return () if override is None else override.labels


def _either(value: _T | None, other: _T) -> _T:
    return other if value is None else value
