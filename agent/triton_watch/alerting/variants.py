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

    `hold` is what an override says, None = nothing; `mark` is the override's place among those of the alert, from 1,
    "" = of none.
    """

    definition: AlertDefinition
    matchers: tuple[Matcher, ...] = ()
    labels: Labels = ()
    hold: float | None = None
    mark: str = ""


def variants(definition: AlertDefinition, settings: AlertSettings) -> Iterator[Variant]:
    """Yield the variants of a definition, none for what is switched off."""
    taken: tuple[Matcher, ...] = ()
    for place, override in enumerate(_of(definition, settings), start=1):
        matcher = None if _is_general(override) else _matcher(override, definition)
        if matcher is None and not _is_general(override):
            continue
        own = taken if matcher is None else (*taken, matcher)
        changed = overridden(definition, override)
        if changed is not None:
            yield Variant(changed, own, override.labels, override.hold, str(place))
        if matcher is None:
            return
        taken = (*taken, matcher._replace(is_not=True))
    yield Variant(definition, taken)


def left_out(definition: AlertDefinition, settings: AlertSettings) -> Iterator[str]:
    """Yield a sentence for each override, or part of one, that rules cannot say."""
    for override in _of(definition, settings):
        where = f"targets {', '.join(override.targets)}, models {', '.join(override.models)}"
        if not _is_general(override) and _matcher(override, definition) is None:
            yield f"{definition.name}: the override for {where} is not in these rules: {_why(override)}."
        elif override.enabled and (counts := _uncounted(definition, override)):
            yield (
                f"{definition.name}: {' and '.join(counts)} of the override for {where} cannot be said in a rule: "
                "Prometheus does not see single polls."
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
    return Matcher(label, any_glob(override.targets if label == "target" else override.models))


def _why(override: AlertOverride) -> str:
    """Why there is no matcher, and what to write instead."""
    if _ANY not in (override.targets, override.models):
        return "a rule can be for some targets or for some models, and not for both at once; name only one of them"
    return "the alert is about the server too, and a rule for some models would miss that; name targets instead"


def _uncounted(definition: AlertDefinition, override: AlertOverride) -> list[str]:
    """What the override says of polls and the expression has no place for."""
    said = (
        ("failures", "$failures", override.failures, definition.failures),
        ("window", "$span", override.window, definition.window),
    )
    return [
        name
        for name, place, wanted, usual in said
        if wanted is not None and wanted != usual and place not in definition.expr
    ]
