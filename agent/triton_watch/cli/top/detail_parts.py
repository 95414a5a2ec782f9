"""Sections of the screen about one model: each is a title and its lines; one without lines is not shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from triton_watch.cli.alerts_render import words as age
from triton_watch.cli.top import cells
from triton_watch.cli.top.measures import batches, courses, indicators, members
from triton_watch.cli.top.styles import CANARIES, QUIET, STANDINGS, TITLE_WIDTH, VERDICTS, line, paragraph
from triton_watch.records import AlertPhase, CanaryReason
from triton_watch.records.history import EventLevel
from triton_watch.slo.troubles import Level
from triton_watch.wording import words
from triton_watch.wording.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from triton_watch.daemon.facts.model import ModelDetail

Section = tuple[str, Callable[["ModelDetail", int], Iterator["Text"]]]
_MOST: Final = 20
"""Lines of each kind of thing that may be many."""
_BAR: Final = 10


def troubles(detail: ModelDetail, width: int) -> Iterator[Text]:
    """What is wrong, and what to do about it."""
    for one in detail.troubles:
        style = "red" if one.level is Level.PROBLEM else "yellow"
        yield from paragraph(one.sentence, width, style, f"{one.level.value}: ")


def alerts(detail: ModelDetail, width: int) -> Iterator[Text]:
    """Alerts that fire or are about to."""
    for one in detail.alerts[:_MOST]:
        style = "red" if one.phase is AlertPhase.FIRING else QUIET
        mark = f"{one.severity.value} {one.phase.value}: "
        yield from paragraph(f"{one.name}: {one.detail or one.summary}", width, style, mark)


def budgets(detail: ModelDetail, width: int) -> Iterator[Text]:
    """What is left of each error budget, and how fast it burns in each window."""
    for one in detail.budgets:
        style = VERDICTS[one.verdict]
        left = f"{words.percent(one.remaining)} left of {words.span(one.period_seconds)}"
        yield line(
            cells.fill(cells.name(one.slo), min(TITLE_WIDTH, width // 2)),
            " ",
            (cells.bar(one.remaining, _BAR), style),
            f" {left}  ",
            (words.judged(one.verdict, one.fires), style),
            (f"  {printable(one.goal)}", QUIET),
        )
        burns = "  ".join(f"{words.brief(window.window_seconds)} {words.pace(window.burn)}" for window in one.windows)
        lasts = f"; gone in {words.span(one.exhaustion_seconds)} at this pace" if one.exhaustion_seconds else ""
        yield from paragraph(f"burns {burns}{lasts}", width, QUIET, "  ")


def canary(detail: ModelDetail, width: int) -> Iterator[Text]:
    """How the canaries of late ended, and the failures, which are kept for longer."""
    known = detail.canary
    if known is None:
        return
    verdict = (known.verdict.value, CANARIES[known.verdict])
    recent = "".join("✓" if passed else "✗" for passed in known.recent[-30:])
    took = "" if known.latency_seconds is None else f"  the last in {words.seconds(known.latency_seconds)}"
    last = "" if known.at is None else f", {age(detail.at - known.at)} ago"
    yield line(verdict, f"  {recent}{took}{last}", ("  held against a recorded answer" if known.golden else "", QUIET))
    if known.detail and known.reason is not CanaryReason.OK:
        yield from paragraph(known.detail, width, "red", f"{known.reason.value if known.reason else 'failed'}: ")
    if known.note:
        yield from paragraph(known.note, width, QUIET)
    failures = detail.canary_history.failures if detail.canary_history is not None else ()
    for one in failures[:_MOST]:
        times = f"{one.count} times, " if one.count > 1 else ""
        mark = f"{times}{age(detail.at - one.last_at)} ago  {one.reason.value}: "
        yield from paragraph(one.detail, width, QUIET, cells.fit(mark, width // 2))


def findings(detail: ModelDetail, width: int) -> Iterator[Text]:
    """What is wrong with its configuration, and the fix."""
    for one in detail.findings[:_MOST]:
        style = "red" if one.severity.value == "error" else "yellow"
        yield from paragraph(f"{one.message} ({one.rule})", width, style, f"{one.severity.value}: ")
        if one.fix:
            yield from paragraph(one.fix, width, "green", "  fix: ")


def versions(detail: ModelDetail, width: int) -> Iterator[Text]:
    """Versions beside this one."""
    if len(detail.versions) < 2:
        return
    for one in detail.versions[:_MOST]:
        state = one.state.value if one.state is not None else "state not known"
        yield from paragraph(f"{state} {one.reason}", width, STANDINGS[one.standing], f"{cells.name(one.version)}: ")


def events(detail: ModelDetail, width: int) -> Iterator[Text]:
    """What happened of late, the newest first."""
    for one in detail.events[:_MOST]:
        style = "red" if one.level is EventLevel.TROUBLE else "green"
        times = f" ({one.count} times)" if one.count > 1 else ""
        yield from paragraph(f"{one.sentence}{times}", width, style, f"{age(detail.at - one.last)} ago: ")


SECTIONS: Final[Sequence[Section]] = (
    ("What is wrong", troubles),
    ("Alerts", alerts),
    ("Canary", canary),
    ("Error budgets", budgets),
    ("Indicators", indicators),
    ("The last hour", courses),
    ("Configuration findings", findings),
    ("Steps of the ensemble", members),
    ("Executions by batch size", batches),
    ("Versions", versions),
    ("Events", events),
)
"""Of the screen, from the top."""
