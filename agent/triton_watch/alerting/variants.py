"""What overrides make of a definition as rules: one rule for what each override narrows down, one for the rest.

Rules know no "first that matches": what an override takes, the rules after it leave out by a matcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.alerting.effective import overridden
from triton_watch.alerting.promql import Matcher, any_glob
from triton_watch.records.objective import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.records import AlertOverride, AlertSettings, Labels

_ANY: Final = ("*",)
_OF_SERVER_TOO: Final = ("TritonMetricsMissing",)
"""Alerts about a model now and about the server then: a matcher on the model cannot tell which."""


class Variant(NamedTuple):
    """A definition for the targets and models that have the matchers, and the labels that are added to the alert.

    `hold` is what an override says, None = nothing.
    """

    definition: AlertDefinition
    matchers: tuple[Matcher, ...] = ()
    labels: Labels = ()
    hold: float | None = None


def variants(definition: AlertDefinition, settings: AlertSettings) -> Iterator[Variant]:
    """Yield the variants of a definition, none for what is switched off."""
    taken: tuple[Matcher, ...] = ()
    for override in _of(definition, settings):
        matcher = None if _is_general(override) else _matcher(override, definition)
        if matcher is None and not _is_general(override):
            continue
        own = taken if matcher is None else (*taken, matcher)
        changed = overridden(definition, override)
        if changed is not None:
            yield Variant(changed, own, override.labels, override.hold)
        if matcher is None:
            return
        taken = (*taken, matcher._replace(is_not=True))
    yield Variant(definition, taken)


def left_out(definition: AlertDefinition, settings: AlertSettings) -> Iterator[str]:
    """Yield a sentence for each override, or part of one, that rules cannot say."""
    for override in _of(definition, settings):
        where = f"targets {', '.join(override.targets)}, models {', '.join(override.models)}"
        if not _is_general(override) and _matcher(override, definition) is None:
            yield f"{definition.name}: the override for {where} is left out, for no matcher says it."
        elif override.enabled and _counts_otherwise(definition, override):
            yield (
                f"{definition.name}: failures and window of the override for {where} are left out, for they count "
                "polls, which Prometheus does not see."
            )
        if _is_general(override):
            return


def _of(definition: AlertDefinition, settings: AlertSettings) -> Iterator[AlertOverride]:
    """The overrides that may be about the alert: one of some models is never about an alert without a model."""
    for one in settings.overrides:
        has_subject = definition.condition is not None or one.targets == _ANY
        is_apt = has_subject and (one.models == _ANY or "model" in definition.labels)
        if is_apt and matches(one.alerts, definition.name):
            yield one


def _is_general(override: AlertOverride) -> bool:
    return override.targets == _ANY and override.models == _ANY


def _matcher(override: AlertOverride, definition: AlertDefinition) -> Matcher | None:
    """The one matcher that says what a narrow override is about; None = it takes more than one."""
    if _ANY not in (override.targets, override.models):
        return None
    label = "target" if override.models == _ANY else "model"
    if label == "model" and definition.name in _OF_SERVER_TOO:
        return None
    pattern = any_glob(override.targets if label == "target" else override.models)
    return None if pattern is None else Matcher(label, pattern)


def _counts_otherwise(definition: AlertDefinition, override: AlertOverride) -> bool:
    changed = overridden(definition, override)
    if changed is None:
        return False
    can_failures, can_window = (f"${name}" in definition.expr for name in ("failures", "span"))
    return (changed.failures != definition.failures and not can_failures) or (
        changed.window != definition.window and not can_window
    )
