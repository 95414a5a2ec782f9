"""What makes sums doubtful although every query was answered: told as sentences, never guessed away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.store.prometheus_queries import BY_KEY, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.store.prometheus_sums import Question

_LOOK: Final = 86_400.0
_POINTS: Final = 144
"""The last day, every ten minutes."""
_SEVERAL: Final = 1.1
"""Agents at a time, on average: a pod and its successor overlap for minutes, which is no pair."""
_NAMED: Final = 3


def doubts(question: Question) -> Iterator[str]:
    """Sentences about these sums, without a full stop. Raises HistoryError."""
    yield from _counted_more_than_once(question)
    yield from _scraped_too_rarely(question)


def _counted_more_than_once(question: Question) -> Iterator[str]:
    """Targets that several agents counted at the same time during the last day."""
    look = min(_LOOK, question.period)
    agents = f"(count by ({BY_KEY}) ({question.events(result='good')}))[{duration(look)}:{duration(look / _POINTS)}]"
    query = f"max by (target) (avg_over_time({agents})) > {_SEVERAL}"
    found = {one.labels.get("target", ""): one.value for one in question.api.instant(query, question.at)}
    if found:
        most = max(found.values())
        yield (
            f"{_listed(found)} counted by several agents at a time ({most:.3g} on average), and all are added up: "
            "if they watch the same server its events are counted as often, though ratios stay right; choose one agent "
            "with the selector, or give different servers different target names"
        )


def _scraped_too_rarely(question: Question) -> Iterator[str]:
    """A shortest window with one scrape in it has no increase, and what needs it never fires."""
    shortest = question.windows()[0]
    query = f"max(count_over_time({question.events(result='good')}[{duration(shortest)}]))"
    if any(one.value < 2 for one in question.api.instant(query, question.at)):
        yield (
            f"the agents are scraped so rarely that the window of {shortest:.0f} s holds no two scrapes, so burn rates "
            f"over it are not known: scrape them at least every {shortest / 2:.0f} s"
        )


def _listed(names: Iterable[str]) -> str:
    first, *others = sorted(names)
    if not others:
        return f"target {first!r} is"
    more = f" and {len(others) + 1 - _NAMED} more" if len(others) >= _NAMED else ""
    return f"targets {', '.join(map(repr, [first, *others][:_NAMED]))}{more} are"
