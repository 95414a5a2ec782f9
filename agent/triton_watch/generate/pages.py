"""The runbooks as pages of the repository, and the table of all alerts: what the definitions say by default."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from triton_watch.alerting.definitions import ALERTS, by_name
from triton_watch.alerting.definitions.agent import WATCH_DOWN
from triton_watch.alerting.rules import alert_groups
from triton_watch.alerting.runbooks import runbook
from triton_watch.records import AlertSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.records import Objective

MADE: Final = "<!-- Generated from agent/triton_watch/alerting/ by `make generate`. -->"
BEGIN, END = "<!-- table of alerts: begin, by `make generate` -->", "<!-- table of alerts: end -->"
_DOCS: Final = re.compile(r"`docs/([\w.-]+)`")


def page(name: str, objectives: Sequence[Objective]) -> str:
    """Return the runbook of an alert below its facts, as it stands in alerts/runbooks/. Raises `KeyError`."""
    title, _, text = runbook(name).partition("\n")
    rules = [rule for definition in by_name(name) for rule in _rules(definition, objectives)]
    linked = _DOCS.sub(r"[docs/\1](../../docs/\1)", text)
    return f"{title}\n\n{MADE}\n\n{_facts(by_name(name), objectives)}{linked}\n{_queries(rules)}"


def table(objectives: Sequence[Objective]) -> str:
    """Return the table of all alerts, each with a link to its page."""
    rows = [
        f"| [{one.name}](../alerts/runbooks/{one.name}.md) | {one.severity.value} | {_when(one, objectives)} | "
        f"{_resolves(one)} | {_threshold(one)} | {', '.join(_labels(one))} |"
        for one in ALERTS
    ]
    head = ["| alert | severity | fires when it held | resolves after | threshold | labels |"]
    return "\n".join([*head, "| --- | --- | --- | --- | --- | --- |", *rows])


def with_table(text: str, objectives: Sequence[Objective]) -> str:
    """Return a page with the table put between its marks. Raises `ValueError` when it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there is no {BEGIN} with an {END} behind it")
    return f"{before}{begin}\n\n{table(objectives)}\n\n{end}{after}"


def hold_words(one: AlertDefinition, objectives: Sequence[Objective]) -> str:
    """Say for how long the condition must hold, such as `2m or 15m` where the rules differ; "" = not for long."""
    times = dict.fromkeys(rule.get("for", "0s") for rule in _rules(one, objectives))
    return " or ".join(times) if set(times) - {"0s"} else ""


def _facts(definitions: Iterable[AlertDefinition], objectives: Sequence[Objective]) -> str:
    lines = ["| severity | fires when it held | resolves after | threshold | labels | evaluated by | dashboard |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for one in definitions:
        where = "Prometheus" if one.name == WATCH_DOWN.name else "agent, Prometheus"
        cells = (one.severity.value, _when(one, objectives), _resolves(one), _threshold(one), ", ".join(_labels(one)))
        lines.append(f"| {' | '.join(cells)} | {where} | {one.dashboard} |")
    return "\n".join(lines) + "\n"


def _queries(rules: Sequence[dict[str, Any]]) -> str:
    """The rule as Prometheus gets it; of several that differ in their windows the first."""
    more = f" (one of {len(rules)} that differ in their windows)" if len(rules) > 1 else ""
    return f"## In PromQL\n\nBy default{more}:\n\n```promql\n{rules[0]['expr']}\n```\n"


def _rules(definition: AlertDefinition, objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    groups = alert_groups(AlertSettings(watchdog=True), objectives, external_url="")
    severity = definition.severity.value
    rules = (rule for group in groups for rule in group["rules"])
    return [one for one in rules if one["alert"] == definition.name and one["labels"]["severity"] == severity]


def _when(one: AlertDefinition, objectives: Sequence[Objective]) -> str:
    polls = [f"in {one.failures} of {one.window} polls"] if one.window > 1 else []
    held = hold_words(one, objectives)
    return ", ".join([*polls, *([f"for {held}"] if held else [])]) or "once"


def _resolves(one: AlertDefinition) -> str:
    return f"{one.keep / 60:g}m" if one.keep else "at once"


def _threshold(one: AlertDefinition) -> str:
    return "none" if one.threshold is None else f"{one.threshold:g} ({one.unit})"


def _labels(one: AlertDefinition) -> tuple[str, ...]:
    return ("target", *one.labels) if one.condition is not None else one.labels or ("none",)
