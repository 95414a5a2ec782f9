"""What the stage says of each expression: whether it gives series, and whether it agrees with the agent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from expressions.asking import Prometheus, RefusedError, Sample
from expressions.collect import ALL
from expressions.tables import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from expressions.collect import Expression
    from expressions.tables import Absent, Agreement

_FIXED: Final = (("[5m]", "[{}s]"), ("offset 5m", "offset {}s"))
"""What recording rules look back. Cut to the window here: a rate over longer than the stage has stood is too low."""
_MEAN: Final = re.compile(r"\b(model:triton_\w+:\w+5m)\{[^}]*\}")
_GRAPHS: Final = ("range", "annotation")


@dataclass(frozen=True, slots=True)
class Span:
    """Unix times between which the stage is looked at; agreement is over the last `window` seconds of it."""

    begin: float
    end: float
    window: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What an expression gave: so many series, the value of the first one. `reason` is why it may give none."""

    expression: Expression
    series: int
    value: float | None
    reason: str
    problem: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """An expression beside the agent's own metric, for one model; None = no value, or more than one."""

    agreement: Agreement
    expression: Expression
    model: str
    value: float | None
    agents: float | None

    @property
    def difference(self) -> float | None:
        """Share of the agent's value by which the other is off, with its sign."""
        if self.value is None or self.agents is None:
            return None
        return (self.value - self.agents) / abs(self.agents) if self.agents else self.value

    @property
    def agrees(self) -> bool:
        """Within the tolerance."""
        return self.difference is not None and abs(self.difference) <= self.agreement.tolerance


def answer(server: Prometheus, one: Expression, span: Span, table: Iterable[Absent]) -> Answer:
    """Ask for an expression as a board or a rule does."""
    reason = reason_of(one, table)
    try:
        samples = _asked(server, one, span)
    except RefusedError as error:
        return Answer(one, 0, None, reason, f"Prometheus refuses it: {error}")
    problem = ""
    if samples and reason:
        problem = "absent.yaml says that it gives no series, and it does"
    elif not samples and not reason:
        problem = "gives no series"
    return Answer(one, len(samples), samples[0].value if samples else None, reason, problem)


def _asked(server: Prometheus, one: Expression, span: Span) -> list[Sample]:
    expr = one.filled("30s")
    return server.over(expr, span.begin, span.end) if one.kind in _GRAPHS else server.at(expr, span.end)


def comparisons(
    server: Prometheus, entry: Agreement, expressions: Sequence[Expression], span: Span
) -> Iterator[Comparison]:
    """Compare each expression of an agreement with the agent, for each of its models."""
    recorded = {one.title: one.expr for one in expressions if one.kind == "record"}
    matched = [one for one in expressions if any(match.fits(one) for match in entry.expressions)]
    for model in entry.models:
        agents = _single(server, entry.agent_for(model, span.window), span, {})
        for one in matched:
            expr = one.filled(f"{span.window}s", f"{span.window}s", model=model)
            if one.kind == "record":
                expr = _cut(_unfolded(expr, recorded), span.window)
            wanted = {**dict(entry.only), **({} if model == ALL else {"model": model})}
            value = _single(server, expr, span, wanted)
            yield Comparison(entry, one, model, value, agents)


def _cut(expr: str, window: int) -> str:
    """The expression with the window in place of what recording rules look back."""
    for fixed, own in _FIXED:
        expr = expr.replace(fixed, own.format(window))
    return expr


def _unfolded(expr: str, recorded: Mapping[str, str]) -> str:
    """A rule with the rules that it reads written out, so that their windows can be cut, too."""
    while _MEAN.search(expr):
        expr = _MEAN.sub(lambda found: f"({recorded[found[1]]})", expr)
    return expr


def _single(server: Prometheus, expr: str, span: Span, wanted: dict[str, str]) -> float | None:
    """The value of the one series with these labels; those that a series does not have do not count."""
    samples = [one for one in server.at(expr, span.end) if _has(one, wanted)]
    return samples[0].value if len(samples) == 1 else None


def _has(sample: Sample, wanted: dict[str, str]) -> bool:
    return all(re.fullmatch(value, sample.labels.get(name, value)) for name, value in wanted.items())


def broken_rules(server: Prometheus) -> list[str]:
    """Rules that Prometheus could not evaluate, each with its error."""
    return [f"rule {one['name']}: {one['lastError']}" for one in server.rules() if one["health"] == "err"]


def unmatched(expressions: Iterable[Expression], absent: Iterable[Absent], agreed: Iterable[Agreement]) -> list[str]:
    """Entries of the two tables that mean no expression at all: they are out of date."""
    known = list(expressions)
    matches = [("absent.yaml", entry.match) for entry in absent]
    matches += [("agreements.yaml", match) for entry in agreed for match in entry.expressions]
    return [f"{file}: {match} fits no expression" for file, match in matches if not any(map(match.fits, known))]
