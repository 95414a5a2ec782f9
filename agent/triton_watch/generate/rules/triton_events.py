"""Objectives as good and bad events a second, from Triton's own metrics, and what of them these cannot say.

Rules know no "first that matches": what an override takes, the goals after it leave out by a matcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.alerting.promql import Matcher, any_glob, number
from triton_watch.config.units import format_duration
from triton_watch.conventions import recorded
from triton_watch.generate import queries
from triton_watch.generate.rules.adjusted import ANY
from triton_watch.generate.rules.triton_parts import model_scope, not_ensembles
from triton_watch.records import SloSli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from triton_watch.generate.queries import Scope
    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.records import Goal, Objective

_SHORTEST: Final = 60.0
"""Seconds: two scrapes at least have to lie in a span."""
_NO_QUEUE: Final = (SloSli.QUEUE_TIME, SloSli.BATCH_EFFICIENCY)
"""What an ensemble has none of by itself."""
_UNTOLD: Final[Mapping[SloSli, str]] = {
    SloSli.TTFT: "the bucket that is its threshold cannot be known here; an agent finds it on the server's page",
    SloSli.GPU_UTILIZATION: "Triton does not say which model runs on which GPU; an agent knows it",
    SloSli.CANARY: "an agent runs the canaries",
}


class Events(NamedTuple):
    """Expressions for events a second."""

    good: str
    bad: str


class Part(NamedTuple):
    """A goal and the models that it is for."""

    goal: Goal
    models: tuple[Matcher, ...]


def span_of(options: RuleOptions) -> str:
    """The span of which all requests are good or bad. No shorter than from one look to the next: no event is lost."""
    return format_duration(max(_SHORTEST, options.interval))


def told(objective: Objective, options: RuleOptions) -> bool:
    """Whether Triton's own metrics can tell of the objective."""
    return _why_not(objective, options) is None


def left_out(objective: Objective, options: RuleOptions) -> Iterator[str]:
    """Yield a sentence for an objective that is not in the rules, or not for every server."""
    why = _why_not(objective, options)
    if why is not None:
        yield f"Objective {objective.name} is not in these rules: {why}."
        return
    if objective.sli is SloSli.QUEUE_TIME and options.models is None:
        yield (
            f"Objective {objective.name} counts ensembles too, whose queue takes no time: nobody asked a server "
            "which models are ensembles."
        )
    if any(part.goal.quantile for part in parts(objective)):
        yield (
            f"Objective {objective.name} counts nothing on a server without summaries "
            "(--metrics-config summary_latencies=true)."
        )


def parts(objective: Objective) -> tuple[Part, ...]:
    """The goals of an objective, each with its models and without those that an earlier one took."""
    taken = _scope_of(objective)
    found = []
    for override in objective.overrides:
        pattern = any_glob(override.models)
        found.append(Part(override.goal, (*taken, Matcher("model", pattern))))
        taken = (*taken, Matcher("model", pattern, is_not=True))
    return (*found, Part(objective.goal, taken))


def events_of(objective: Objective, options: RuleOptions) -> Events:
    """The events of all models of an objective that is `told`."""
    leave = not_ensembles(options) if objective.sli in _NO_QUEUE else ()
    every = [
        _COUNTERS[objective.sli](model_scope(options, span_of(options), (*part.models, *leave)), part.goal)
        for part in parts(objective)
    ]
    return Events(" or ".join(one.good for one in every), " or ".join(one.bad for one in every))


def _why_not(objective: Objective, options: RuleOptions) -> str | None:
    if objective.sli in _UNTOLD:
        return _UNTOLD[objective.sli]
    if objective.sli is SloSli.BATCH_EFFICIENCY and options.models is None:
        return "it takes max_batch_size and instances, and nobody asked a server for them"
    if objective.targets != ANY:
        return f"it is for targets {', '.join(objective.targets)}, and Triton's metrics have no name of a target"
    return None


def _scope_of(objective: Objective) -> tuple[Matcher, ...]:
    only = () if objective.models == ANY else (Matcher("model", any_glob(objective.models)),)
    unwanted = any_glob(objective.exclude_models)
    return (*only, *((Matcher("model", unwanted, is_not=True),) if unwanted else ()))


def _availability(scope: Scope, goal: Goal) -> Events:
    """A server without the family of failures counts none: 0 is bad then."""
    del goal
    good = queries.successes(scope)
    return Events(good, f"{queries.failures(scope)} or {good} * 0")


def _time(step: str) -> Callable[[Scope, Goal], Events]:
    def count(scope: Scope, goal: Goal) -> Events:
        value = (
            queries.mean_time(scope, step)
            if goal.quantile is None
            else f"{queries.served_quantile(scope, step, goal.quantile)} >= 0"  # an empty summary says NaN
        )
        requests = queries.successes(scope)
        idle = f"({requests} == 0)"
        good, bad = _split(requests, f"({value})", goal)
        return Events(f"{good} or {idle}", f"{bad} or {idle}")

    return count


def _batches(scope: Scope, goal: Goal) -> Events:
    """Seconds with traffic; without executions, as when the cache answers, there is nothing to judge."""
    seconds = f"({queries.successes(scope)} > bool 0)"
    return _split(seconds, scope.series(recorded.BATCH_EFFICIENCY.name), goal)


def _split(events: str, value: str, goal: Goal) -> Events:
    """The events on the good and on the bad side of the thresholds."""
    sides = (("<=", goal.high), (">=", goal.low))
    within = " * ".join(f"({value} {sign} bool {number(limit)})" for sign, limit in sides if limit is not None)
    return Events(f"{events} * {within}", f"{events} * (1 - {within})")


_COUNTERS: Final[Mapping[SloSli, Callable[[Scope, Goal], Events]]] = {
    SloSli.AVAILABILITY: _availability,
    SloSli.QUEUE_TIME: _time("queue"),
    SloSli.REQUEST_TIME: _time("request"),
    SloSli.BATCH_EFFICIENCY: _batches,
}
