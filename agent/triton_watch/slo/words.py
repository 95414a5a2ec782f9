"""Objectives in words, for people who read no YAML."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from triton_watch.records import Page, SloSli

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import Goal, Objective, Override

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


def in_words(objective: Objective) -> str:
    """Say an objective in a sentence, with its budget as time at even traffic; each override in a further one."""
    return " ".join(sentences(objective))


def sentences(objective: Objective) -> tuple[str, ...]:
    """Return what `in_words` says, a sentence each: the objective, then its overrides."""
    about = _promise(objective.sli, objective.goal, _about(objective))
    main = f"{about} over {period_words(objective.period)}: {_budget(objective, objective.goal)}."
    return (main, *map(partial(_override, objective), objective.overrides))


def budget_words(seconds: float) -> str:
    """Write a time in the unit that suits, to three digits: 25920 is `7.2 h`."""
    size = abs(seconds)
    if 0 < size < 1:
        return f"{seconds * 1000:.3g} ms"
    for unit, length in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if size >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def period_words(seconds: float) -> str:
    """Write a period in the largest unit that divides it: 2592000 is `30 days`."""
    for unit, length in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if seconds >= length and seconds % length == 0:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} s"


def window_words(seconds: float) -> str:
    """Write a window as short as Prometheus does: 3600 is `1h`, 90 is `1m30s`."""
    rest, parts = round(seconds), []
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def percent(ratio: float) -> str:
    """Write a ratio as a percentage, without the noise of binary fractions: 0.999 is `99.9%`."""
    return f"{ratio * 100:.11g}%"


def times(factor: float) -> str:
    """Write how many times something is more: 1.3, 36, 1,000."""
    return f"{factor:.1f}" if factor < 9.95 else f"{factor:,.0f}"


def _override(objective: Objective, override: Override) -> str:
    goal = override.goal
    promise = f"{_promise(objective.sli, goal, '')}, {_budget(objective, goal)}"
    return f"For {_listed(override.models)}: {promise}{_needs(goal, objective.goal)}."


def _needs(goal: Goal, usual: Goal) -> str:
    if goal.min_events == usual.min_events:
        return ""
    return f", and alerts need {goal.min_events} event{'' if goal.min_events == 1 else 's'}"


def _budget(objective: Objective, goal: Goal) -> str:
    return f"{budget_words((1 - goal.objective) * objective.period)} of budget"


def _about(objective: Objective) -> str:
    """Say which models on which targets, with the word in front of it."""
    word = "to" if objective.sli is SloSli.AVAILABILITY else "of"
    models = "every model" if objective.models == ("*",) else _listed(objective.models)
    but = f" except {_listed(objective.exclude_models)}" if objective.exclude_models else ""
    where = "" if objective.targets == ("*",) else f" on {_listed(objective.targets)}"
    return f" {word} {models}{but}{where}"


_PROMISES: Final = {
    SloSli.AVAILABILITY: "{share} of requests{of} are answered without an error",
    SloSli.QUEUE_TIME: "{share} of requests{of} wait under {high}",
    SloSli.REQUEST_TIME: "{share} of requests{of} take under {high}",
    SloSli.TTFT: "{share} of requests{of} give their first response in under {high}",
    SloSli.BATCH_EFFICIENCY: "{share} of the time with traffic, the batch efficiency{of} is at least {low:g}",
    SloSli.GPU_UTILIZATION: "{share} of the time with traffic, the GPU utilization{of} is {band}",
    SloSli.CANARY: "{share} of canaries{of} pass",
}
_WITH_QUANTILE: Final = {
    SloSli.QUEUE_TIME: "{share} of requests{of} come while the served {quantile} queue time is under {high}",
    SloSli.REQUEST_TIME: "{share} of requests{of} come while the served {quantile} request time is under {high}",
}


def _promise(sli: SloSli, goal: Goal, of: str) -> str:
    """Say how much must be how; `of` is " of" or " to" and the models, or empty where they were named."""
    template = _PROMISES[sli] if goal.quantile is None else _WITH_QUANTILE[sli]
    return template.format(
        share=percent(goal.objective),
        of=of,
        low=goal.low,
        high=None if goal.high is None else budget_words(goal.high),
        band=_band(goal),
        quantile=None if goal.quantile is None else f"p{float(goal.quantile) * 100:.10g}",
    )


def _band(goal: Goal) -> str:
    if goal.low is None:
        return "anything" if goal.high is None else f"at most {percent(goal.high)}"
    return f"at least {percent(goal.low)}" if goal.high is None else f"{percent(goal.low)} to {percent(goal.high)}"


def _listed(names: Sequence[str]) -> str:
    """Join names as in a sentence: `a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def alerts_in_words(objective: Objective) -> tuple[str, ...]:
    """Say when somebody is told, a line a severity; empty where nobody is."""
    lines = []
    for severity, verb in ((Page.PAGE, "pages"), (Page.TICKET, "makes a ticket")):
        rows = [window for window in objective.windows if window.severity is severity]
        burns = (f"{row.factor:g}x over {window_words(row.long)} and {window_words(row.short)}" for row in rows)
        if rows:
            lines.append(f"{verb} when the budget burns {', or '.join(burns)}")
    return tuple(lines)


def listed(names: Sequence[str]) -> str:
    """Join names as in a sentence, `a, b and c`, and count those after the first six."""
    most = 6
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return _listed(names)
