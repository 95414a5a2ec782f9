"""Parts of a model's page: its indicators, the strip of its canaries, the steps of an ensemble, its batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.site.marks import Mark
from triton_watch.daemon.site.values import NAMES, share
from triton_watch.records.canary import CanaryReason
from triton_watch.wording import words
from triton_watch.wording.measures import duration, with_unit
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from triton_watch.daemon.facts.canary import CanaryRun
    from triton_watch.daemon.facts.model import Indicator, Member, ModelDetail
    from triton_watch.daemon.site.visit import Visit

MOST_BARS: Final = 32
_QUEUE: Final = "queue"
_WITHIN: Final = {True: Mark("within", "ok"), False: Mark("outside", "failing")}


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """An indicator in words; `why` says why it has no value."""

    title: str
    value: str
    why: str
    goal: str
    within: Mark | None


@dataclass(frozen=True, slots=True)
class Run:
    """One canary in the strip; `x` and `height` are of its bar, in a box of `Strip.width` x 40."""

    x: int
    y: int
    height: int
    failed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The last canaries, the oldest first."""

    width: int
    runs: tuple[Run, ...]
    label: str
    first: float
    slowest: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an ensemble. The lengths are of its part in the stacked bar, 0 to 100, from `begin` on."""

    member: Member
    href: str
    tone: int
    begin: float
    length: float
    share: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Executions with one batch size; `length` is 0 to 100."""

    title: str
    executions: float
    share: str
    length: int | None


def indicators(found: ModelDetail) -> list[IndicatorRow]:
    """Return the indicators, those with a value first."""
    return [_indicator(one) for one in sorted(found.indicators, key=lambda one: one.value is None)]


def _indicator(one: Indicator) -> IndicatorRow:
    within = None if one.within is None else _WITHIN[one.within]
    return IndicatorRow(NAMES[one.sli], with_unit(one.value, one.unit), one.no_data, one.goal, within)


def times(found: ModelDetail) -> list[tuple[str, str, float | None]]:
    """Return the percentiles that the server serves: `request`, `p99`, seconds.

    An ensemble has no queue: what the server serves of one tells nothing.
    """
    return [
        (kind, words.served_quantile(quantile), value)
        for kind, served in found.percentiles.items()
        if not (found.brief.ensemble and kind == _QUEUE)
        for quantile, value in served.items()
    ]


def runs(found: ModelDetail) -> Strip | None:
    """Return the last canaries as bars whose heights are how long each took; None where none has run."""
    past = found.canary_history
    if past is None or not past.runs:
        return None
    last = past.runs[::-1]
    known = [one.latency_seconds for one in last if one.latency_seconds is not None]
    slowest = max(known, default=0.0)
    failed = sum(one.reason is not CanaryReason.OK for one in last)
    label = f"The last {len(last)} canaries: {len(last) - failed} passed, {failed} failed"
    bars = tuple(_run(i, one, slowest) for i, one in enumerate(last))
    return Strip(10 * len(last), bars, label, last[0].at, duration(slowest) if known else NO_DATA)


def _run(number: int, one: CanaryRun, slowest: float) -> Run:
    latency = one.latency_seconds
    height = 40 if latency is None or not slowest else max(4, round(40 * latency / slowest))
    took = "no answer" if latency is None else duration(latency)
    return Run(10 * number, 40 - height, height, one.reason is not CanaryReason.OK, f"{one.reason.value}, {took}")


def steps(visit: Visit, found: ModelDetail) -> list[Step]:
    """Return the steps of an ensemble with the part that each has of their times together."""
    known = [one.request_time or 0.0 for one in found.members]
    total = sum(known) + (found.ensemble_overhead_seconds or 0.0)
    made, begin = [], 0.0
    for number, (one, took) in enumerate(zip(found.members, known, strict=True)):
        length = round(100 * took / total, 1) if total > 0 else 0.0
        part = NO_DATA if one.request_time is None or total <= 0 else words.percent(took / total)
        made.append(Step(one, visit.link.to(one.links.page), number % 6, begin, length, part))
        begin = round(begin + length, 1)
    return made


def bars(found: ModelDetail) -> list[Bar]:
    """Return the executions by batch size, ascending; of many sizes the rest is one bar."""
    if found.batches is None or not found.batches.sizes:
        return []
    pairs = sorted(zip(found.batches.sizes, found.batches.executions, strict=True))
    shown: list[tuple[str, float]] = [(f"{size:,}", count) for size, count in pairs[:MOST_BARS]]
    if len(pairs) > MOST_BARS:
        shown.append((f"over {pairs[MOST_BARS - 1][0]:,}", sum(count for _, count in pairs[MOST_BARS:])))
    most, total = max(count for _, count in shown), sum(count for _, count in shown)
    return [
        Bar(title, count, words.percent(count / total) if total else NO_DATA, share(count, most))
        for title, count in shown
    ]
