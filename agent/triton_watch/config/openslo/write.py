"""Objectives as OpenSLO v1 documents of kind SLO."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from triton_watch.config.openslo.terms import ANNOTATION, API_VERSION, KEPT, MOST_WORDS, annotation, packed, window
from triton_watch.config.show_objective import objective_settings
from triton_watch.config.units import format_duration
from triton_watch.conventions.slo import SLO_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from triton_watch.records import Objective

Json = dict[str, Any]


def documents(objectives: Sequence[Objective], service: str, words: Callable[[Objective], str]) -> list[Json]:
    """Return a document for each objective; `words` says it in a sentence, for people who read the document.

    Good and total are the agent's own event counters, so they hold for every SLI, seconds or requests.
    """
    taken: set[str] = set()
    return [_document(objective, _name(objective.name, taken), service, words(objective)) for objective in objectives]


def as_yaml(documents: Sequence[Json]) -> str:
    """Write documents into one stream, each after a line of dashes."""
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, explicit_start=True, width=110)


def _name(name: str, taken: set[str]) -> str:
    """Return a name as OpenSLO wants it (RFC 1123: no underscore, no dash at the end), each once."""
    plain = re.sub(r"-+$", "", name.replace("_", "-"))
    choice, number = plain, 2
    while choice in taken:
        choice, number = f"{plain[:58].rstrip('-')}-{number}", number + 1
    taken.add(choice)
    return choice


def _document(objective: Objective, name: str, service: str, words: str) -> Json:
    description = {"description": objective.description[:MOST_WORDS]} if objective.description else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "SLO",
        "metadata": {"name": name, "annotations": _annotations(objective, name)},
        "spec": {
            **description,
            "service": service,
            "indicator": _indicator(objective, name, words),
            "timeWindow": [{"duration": window(objective.period), "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": objective.name, "target": objective.goal.objective}],
        },
    }


def _annotations(objective: Objective, name: str) -> dict[str, str]:
    settings = objective_settings(objective)
    kept = {annotation(key): packed(settings[key]) for key in KEPT if key in settings}
    if name != objective.name:
        kept[ANNOTATION + "name"] = objective.name
    if objective.period % 60:
        kept[ANNOTATION + "period"] = format_duration(objective.period)
    if len(objective.description) > MOST_WORDS:
        kept[ANNOTATION + "description"] = objective.description
    return kept


def _indicator(objective: Objective, name: str, words: str) -> Json:
    return {
        "metadata": {"name": f"{name[:58].rstrip('-')}-sli"},
        "spec": {
            "description": words[:MOST_WORDS],
            "ratioMetric": {
                "counter": True,
                "good": _query(f'{{slo="{objective.name}",result="good"}}'),
                "total": _query(f'{{slo="{objective.name}"}}'),
            },
        },
    }


def _query(selector: str) -> Json:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": SLO_EVENTS.name + selector}}}
