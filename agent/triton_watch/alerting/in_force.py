"""The definitions as the configuration has them, and what they say of one target."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.alerting.effective import effective, hold_of
from triton_watch.conventions.alerts import WATCHDOG
from triton_watch.records import AlertKey, AlertMode, AlertPhase, AlertState
from triton_watch.records.objective import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from triton_watch.alerting.definition import AlertDefinition, Facts
    from triton_watch.records import AlertCase, AlertSettings, Labels

OF_CHECKS: Final = frozenset({"TritonConfigErrors", "TritonConfigDrift"})
"""The alerts about what a check of the live server finds: without checks there are none."""
CASES_LIMIT: Final = 20_000
"""Subjects of one condition and target that are looked at."""
_CACHED: Final = 65_536
_LABEL: Final = re.compile(r"\{\{\s*\$labels\.(\w+)\s*\}\}")


class Found(NamedTuple):
    """One subject: what its condition says, the definition that holds for it, and for how long it must hold."""

    case: AlertCase
    rule: AlertDefinition
    hold: float


class InForce:
    """Definitions by their place in `definitions`, after the overrides of `settings`."""

    def __init__(self, settings: AlertSettings, definitions: Sequence[AlertDefinition]) -> None:
        self.settings = settings
        self.definitions = tuple(definitions)
        self.rule: Callable[[int, str, str], AlertDefinition | None] = lru_cache(_CACHED)(self._rule)
        """Which definition holds for a place, target and model ("" = about no model); None = it is switched off."""

    def __bool__(self) -> bool:
        """Whether anything is evaluated."""
        return self.settings.mode is not AlertMode.OFF

    def places(self) -> Iterator[int]:
        """The definitions that can be evaluated here."""
        evaluated = (
            one.condition is not None and one.name != WATCHDOG and self._is_wanted(one) for one in self.definitions
        )
        return (place for place, is_so in enumerate(evaluated) if is_so)

    def places_of(self, key: AlertKey, target: str) -> list[int]:
        """The definitions that are told as this alert; several may be where overrides give them one severity."""
        of_name = (place for place, one in enumerate(self.definitions) if one.name == key.alert)
        rules = ((place, self.rule(place, target, model_of(key.labels))) for place in of_name)
        return [place for place, rule in rules if rule is not None and rule.severity is key.severity]

    def watchdog(self, now: float) -> tuple[int, AlertState] | None:
        """The place of the watchdog, and how it fires since `now`; None = nobody wants it."""
        place = next((place for place, one in enumerate(self.definitions) if one.name == WATCHDOG), None)
        rule = None if place is None else self.rule(place, "", "")
        if place is None or rule is None:
            return None
        key = AlertKey(rule.name, rule.severity, ())
        fires = AlertState(key, AlertPhase.FIRING, active_at=now, fired_at=now, recent=(True,), summary=rule.summary)
        return place, fires

    def judge(self, place: int, facts: Facts, *, has_alerts: bool) -> dict[AlertKey, Found] | None:
        """The subjects of one definition for which its condition holds or is not known; None = nothing is known.

        Without `has_alerts` those that are not known are left out: no alert begins with one, and there may be one for
        each model at each evaluation. Raises whatever the condition raises.
        """
        found: dict[AlertKey, Found] = {}
        facts = facts if has_alerts else replace(facts, wants_unknown=False)
        condition, target = self.definitions[place].condition, facts.snapshot.target.name
        if condition is None:
            return found
        for threshold in self._thresholds(place, target):
            cases = condition(facts, math.nan if threshold is None else threshold)
            if cases is None:
                return None
            for case in islice(cases, CASES_LIMIT):
                if has_alerts or case.holds is not None:
                    self._add(found, place, target, case, threshold)
        return found

    def _add(
        self, found: dict[AlertKey, Found], place: int, target: str, case: AlertCase, threshold: float | None
    ) -> None:
        model = model_of(case.labels)
        rule = self.rule(place, target, model)
        if rule is not None and rule.threshold == threshold:
            key = AlertKey(rule.name, rule.severity, labels_of(target, case.labels))
            hold = hold_of(case, rule, self.settings, target, model)
            found.setdefault(key, Found(case, rule, hold))

    def _rule(self, place: int, target: str, model: str) -> AlertDefinition | None:
        definition = self.definitions[place]
        return effective(definition, self.settings, target, model) if self._is_wanted(definition) else None

    def _is_wanted(self, definition: AlertDefinition) -> bool:
        """Whether the settings have the alert at all, whatever the overrides say."""
        if definition.name == WATCHDOG:
            return bool(self) and self.settings.watchdog
        return bool(self) and (definition.name not in OF_CHECKS or self.settings.config_check is not None)

    def _thresholds(self, place: int, target: str) -> tuple[float | None, ...]:
        """The thresholds that some subject of the target may have."""
        definition = self.definitions[place]
        if definition.threshold is None:
            return (None,)
        others = (
            one.threshold
            for one in self.settings.overrides
            if one.threshold is not None and matches(one.alerts, definition.name) and matches(one.targets, target)
        )
        return tuple(dict.fromkeys((definition.threshold, *others)))


def labels_of(target: str, labels: Labels) -> Labels:
    """The labels that say of what an alert is: the target and those of a case."""
    return tuple(sorted((("target", target), *(pair for pair in labels if pair[1]))))


def model_of(labels: Labels) -> str:
    """The value of the label `model`, "" where there is none."""
    return dict(labels).get("model", "")


def target_of(labels: Labels) -> str:
    """The value of the label `target`, "" where there is none."""
    return dict(labels).get("target", "")


def summary_of(summary: str, labels: Labels) -> str:
    """The summary with the values of the labels that it names; an unknown one is empty, as with Prometheus."""
    values: Mapping[str, str] = dict(labels)
    return _LABEL.sub(lambda match: values.get(match[1], ""), summary).rstrip()
