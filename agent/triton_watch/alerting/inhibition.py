"""Which alerts follow from which: while the cause fires, Alertmanager keeps back what follows from it.

A silenced alert still keeps others back. So an alert never does that to a more urgent one, and what clients suffer is
kept back only by what says it better.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from triton_watch.alerting.promql import any_of
from triton_watch.conventions.alerts import TARGET_DOWN, WATCH_DOWN, WATCHDOG
from triton_watch.records import AlertSeverity
from triton_watch.records.objective import SloSli

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from triton_watch.records import AlertSettings, Objective

PREFIX: Final = "Triton.+"
BURN: Final = "TritonErrorBudgetBurn"
_SERVER: Final = ("target",)
_NAME: Final = ("target", "model")
_MODEL: Final = (*_NAME, "version", "model_namespace")
_URGENCY: Final = tuple(AlertSeverity)
"""The most urgent first."""


class Consequence(NamedTuple):
    """While one of `causes` fires, those of `effects` with the same labels `about` are kept back.

    `least` is the least urgent cause that counts, and the most urgent effect that is kept back. Beside `effects` there
    are burning budgets of objectives about `slis`. `only` narrows the causes further.
    """

    causes: tuple[str, ...]
    effects: tuple[str, ...] = ()
    about: tuple[str, ...] = _MODEL
    least: AlertSeverity = AlertSeverity.PAGE
    slis: tuple[SloSli, ...] = ()
    only: tuple[str, ...] = ()


_OF_TRAFFIC: Final = ("TritonQueueGrowing", "TritonNotBatching")
_OF_CANARIES: Final = ("TritonSilentFailure", "TritonCanaryFailing", "TritonCanaryWrongOutput")
_OF_GPUS: Final = ("TritonGpuMemoryHigh", "TritonGpuUnderused", "TritonGpuSaturated")

CONSEQUENCES: Final = (
    # By default a server is not ready while one of its models failed to load; the model's alert has the reason.
    Consequence(("TritonModelUnavailable",), ("TritonNotReady",), _SERVER),
    Consequence(
        ("TritonModelUnavailable",),
        ("TritonModelWedged", *_OF_CANARIES, BURN, *_OF_TRAFFIC, "TritonConfigErrors"),
        _NAME,
    ),
    # A check of a server that is not ready finds that, too; findings about models have a label model, and stay.
    Consequence(("TritonNotReady",), ("TritonConfigErrors",), _NAME),
    Consequence(("TritonModelWedged",), ("TritonCanaryFailing", BURN, *_OF_TRAFFIC)),
    Consequence(("TritonSilentFailure",), ("TritonCanaryFailing", "TritonCanaryWrongOutput")),
    Consequence(("TritonCanaryFailing", "TritonCanaryWrongOutput"), slis=(SloSli.CANARY,)),
    # Without a page nothing new is known: what still fires is old. With a label slo it says less than that.
    Consequence(
        ("TritonMetricsMissing",),
        ("TritonGpuMetricsMissing", BURN, *_OF_TRAFFIC, *_OF_GPUS),
        _SERVER,
        AlertSeverity.TICKET,
        only=('slo=""',),
    ),
    Consequence(("TritonGpuMetricsMissing",), _OF_GPUS, _SERVER, AlertSeverity.TICKET),
    Consequence(
        ("TritonQueueGrowing",),
        least=AlertSeverity.TICKET,
        slis=(SloSli.QUEUE_TIME, SloSli.REQUEST_TIME, SloSli.TTFT),
    ),
)


def inhibit_rules(settings: AlertSettings, objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    """Return Alertmanager's inhibit_rules, which hold within one agent's external labels."""
    return list(_rules(settings, objectives))


def one_of(name: str, values: Iterable[str]) -> str:
    """Return the matcher for a label that has one of these values, which hold nothing special to a pattern."""
    listed = tuple(values)
    return f"{name}={json.dumps(listed[0])}" if len(listed) == 1 else f'{name}=~"{"|".join(listed)}"'


def of_severity(settings: AlertSettings, *severities: AlertSeverity) -> str:
    """Return the matcher for the severity label; it may have been renamed to anything."""
    labels = list(dict.fromkeys(map(settings.severity_label, severities)))
    if len(labels) == 1:
        return f"severity={json.dumps(labels[0], ensure_ascii=False)}"
    return f"severity=~{json.dumps(any_of(labels), ensure_ascii=False)}"


def _rules(settings: AlertSettings, objectives: Sequence[Objective]) -> Iterator[dict[str, Any]]:
    own = [f'alertname=~"{PREFIX}"']
    others = f'alertname!~"{TARGET_DOWN}|{WATCH_DOWN}|{WATCHDOG}"'
    yield _rule([f'alertname="{TARGET_DOWN}"'], [*own, others], _SERVER, settings)
    page, ticket = (of_severity(settings, one) for one in (AlertSeverity.PAGE, AlertSeverity.TICKET))
    if page != ticket:
        yield _rule([*own, page], [*own, ticket], ("alertname", "slo", *_MODEL), settings)
    for one in CONSEQUENCES:
        place = _URGENCY.index(one.least)
        causes = [one_of("alertname", one.causes), of_severity(settings, *_URGENCY[: place + 1]), *one.only]
        limit = [of_severity(settings, *_URGENCY[place:])] if place else []
        if one.effects:
            yield _rule(causes, [one_of("alertname", one.effects), *limit], one.about, settings)
        slos = [objective.name for objective in objectives if objective.sli in one.slis]
        if slos:
            yield _rule(causes, [f'alertname="{BURN}"', one_of("slo", slos), *limit], one.about, settings)


def _rule(sources: list[str], targets: list[str], about: tuple[str, ...], settings: AlertSettings) -> dict[str, Any]:
    equal = dict.fromkeys((*about, *(name for name, _ in settings.external_labels)))
    return {"source_matchers": sources, "target_matchers": targets, "equal": list(equal)}
