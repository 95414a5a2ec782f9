"""What the rules on Triton's own metrics have in common: which series, by which labels, and how an alert is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from triton_watch.alerting.promql import Matcher, any_of, inside
from triton_watch.alerting.rules import alert_rule
from triton_watch.config.units import format_duration
from triton_watch.generate.queries import Scope
from triton_watch.generate.rules.adjusted import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from triton_watch.alerting.variants import Variant
    from triton_watch.conventions.recorded import Recorded
    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.records import AlertSettings, Labels

Rule = dict[str, Any]
Group = dict[str, Any]

NOWHERE: Final = "http://127.0.0.1:9099/fill-in"
"""Stands for the address where people find runbooks and boards, where nobody said one: nothing listens there."""
_TARGET: Final = "{{ $labels.instance }}"
"""What Alertmanager's routes and inhibitions know as `target` is here what Prometheus scrapes."""


def base(options: RuleOptions) -> Labels:
    """The labels that every series has, with their values: the job and the selectors."""
    return (("job", options.triton_job), *options.selectors)


def matchers(options: RuleOptions, narrow: Iterable[Matcher] = ()) -> str:
    """Matchers for Triton's series, and for those recorded from them, as they stand between braces."""
    return ", ".join([*(f'{name}="{inside(value)}"' for name, value in base(options)), *map(str, narrow)])


def labels_by(options: RuleOptions, *labels: str) -> tuple[str, ...]:
    """The labels that sums keep: those given, and the selectors, so that files for several clusters do not mix."""
    return tuple(dict.fromkeys(("job", *labels, *(name for name, _ in options.selectors))))


def model_scope(options: RuleOptions, span: str, narrow: Iterable[Matcher] = ()) -> Scope:
    """Each version of each model of each server."""
    return Scope(matchers(options, narrow), span, labels_by(options, "instance", "model", "version"))


def not_ensembles(options: RuleOptions) -> tuple[Matcher, ...]:
    """The matcher that leaves out ensembles, whose queue and batches are not their own; () = none is known."""
    names = sorted({one.name for one in options.models or () if one.is_ensemble})
    return (Matcher("model", any_of(names), is_not=True),) if names else ()


def record(what: Recorded, expr: str, **labels: str) -> Rule:
    """A recording rule."""
    rule: Rule = {"record": what.name, "expr": expr}
    return {**rule, "labels": labels} if labels else rule


def group(name: str, interval: float, rules: list[Rule]) -> Group:
    """A group of rules that are evaluated one after the other each `interval` seconds."""
    return {"name": name, "interval": format_duration(interval), "rules": rules}


def alert(
    variant: Variant,
    expr: str,
    *,
    settings: AlertSettings,
    options: RuleOptions,
    hold: float,
    labels: Mapping[str, str],
) -> Rule:
    """An alerting rule with the words of its definition; what it calls `target` is the instance."""
    told = variant.definition
    worded = replace(
        told,
        summary=_of_instance(told.summary),
        description=_of_instance(told.description),
        advice=_of_instance(told.advice),
    )
    rule = alert_rule(
        variant._replace(definition=worded),
        expr,
        hold=hold,
        labels=labels,
        about=told.labels,
        settings=settings,
        external_url=options.external_url or settings.external_url or NOWHERE,
    )
    return {**rule, "labels": {**dict(options.labels), **rule["labels"]}}


def of_target(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels, and the one that says which server."""
    return {**labels, "target": _TARGET}


def overrides_left_out(settings: AlertSettings) -> Iterator[str]:
    """A sentence for each override that is for some targets only."""
    for one in settings.overrides:
        if one.targets != ANY:
            yield (
                f"The override of {', '.join(one.alerts)} for targets {', '.join(one.targets)} is not in these rules: "
                "Triton's metrics have an instance, and no name of a target."
            )


def _of_instance(text: str) -> str:
    return text.replace("$labels.target", "$labels.instance")
