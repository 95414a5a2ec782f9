"""What a report says in sentences: its headline, what each promise is, and what a row that is not well means."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.records import SloSli, Verdict
from triton_watch.slo.words import in_words
from triton_watch.wording import words
from triton_watch.wording.cells import burn_over, lasts
from triton_watch.wording.text import plural
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import Objective, Report, ReportRow

_BAD: Mapping[SloSli, str] = MappingProxyType(
    {
        SloSli.AVAILABILITY: "failed",
        SloSli.QUEUE_TIME: "waited too long",
        SloSli.REQUEST_TIME: "took too long",
        SloSli.TTFT: "had their first token too late",
        SloSli.BATCH_EFFICIENCY: "had batches too small",
        SloSli.GPU_UTILIZATION: "had a GPU out of its band",
        SloSli.CANARY: "failed",
    }
)

_NOUN: Mapping[SloSli, str] = MappingProxyType({SloSli.CANARY: "canaries"})
"""What is counted where it is not requests."""

_ABOUT: Mapping[SloSli, str] = MappingProxyType(
    {
        SloSli.QUEUE_TIME: "a queue time",
        SloSli.REQUEST_TIME: "a request time",
        SloSli.TTFT: "a first response",
        SloSli.BATCH_EFFICIENCY: "a batch",
        SloSli.GPU_UTILIZATION: "a GPU's use",
        SloSli.CANARY: "a canary",
    }
)
_WHY = "`triton-watch slo check --target URL` says why."
_NEARLY = 0.99
_RECENT = 60.0
"""Seconds up to which an indicator that has nothing to count has just said so."""


def headline(report: Report) -> str:
    """Return how many budgets are well and what they were formed of, in one sentence."""
    read = f"read from {words.name(report.source, 200)}, {periods(report)}up to {words.when(report.at)}."
    if not report.rows:
        return f"No budget to report; {read}"
    counts = count(report)
    total = len(report.rows)
    if counts[Verdict.OK] == total:
        return f"{'The one budget holds' if total == 1 else f'All {total:,} budgets hold'}; {read}"
    parts = _parts(counts, total)
    return f"{', '.join(parts)}; {read}"


def _parts(counts: Counter[Verdict], total: int) -> list[str]:
    said = (
        (Verdict.EXHAUSTED, "is exhausted", "are exhausted"),
        (Verdict.BURNING, "burns", "burn"),
        (Verdict.NO_DATA, "has no data", "have no data"),
    )
    parts: list[str] = []
    for verdict, one, many in said:
        if counts[verdict]:
            of = f" of {plural(total, 'budget')}" if not parts else ""
            parts.append(f"{counts[verdict]:,}{of} {one if counts[verdict] == 1 else many}")
    return parts


def count(report: Report) -> Counter[Verdict]:
    """Return the number of rows of each verdict."""
    return Counter(row.verdict for row in report.rows)


def periods(report: Report) -> str:
    """Return the periods of the rows: `30 d `, `7 d to 30 d `, or empty."""
    found = sorted({row.objective.period for row in report.rows})
    ends = [words.span(one) for one in (found if len(found) <= 1 else (found[0], found[-1]))]
    return f"{' to '.join(ends)} " if ends else ""


def promise(objective: Objective) -> str:
    """Return an objective in words, on one line."""
    return words.name(in_words(objective), 1000)


def story(row: ReportRow, *, fires: bool = False) -> str:
    """Return what a row's verdict means and what to do about it, as a sentence without the row's name.

    `fires`: some window does, where the row does not tell which.
    """
    if row.verdict is Verdict.NO_DATA:
        return _silent(row)
    if row.verdict is Verdict.EXHAUSTED:
        return f"{_spent(row)}; {'it still burns' if fires and row.fires is None else _still(row)}."
    if row.verdict is Verdict.BURNING:
        return f"{_burning(row)}{_end(row)}."
    return f"{words.percent(row.remaining)} of the budget of {words.span(row.objective.period)} is left."


def _still(row: ReportRow) -> str:
    """Tell a spent budget that goes on burning from one that will come back."""
    if row.fires:
        return f"it still {_burning(row)}"
    if any(
        (burn_over(row, one.long) or 0) > one.factor < (burn_over(row, one.short) or 0) for one in row.objective.windows
    ):
        return f"it still burns, with too few events in a window for an alert (min_events {row.goal.min_events})"
    return "no window burns now, it comes back as bad events grow old"


def is_spent(row: ReportRow) -> bool:
    """Whether nothing was left of the budget when there was data last."""
    return row.remaining is not None and row.remaining <= 0


def _burning(row: ReportRow) -> str:
    if row.fires is None:  # a source that tells the verdict and no window
        return "burns"
    window = row.fires
    over = " and ".join(
        f"{words.pace(burn_over(row, one))} over {words.brief(one)}" for one in (window.long, window.short)
    )
    return f"burns {over} (limit {window.factor:g}): {window.severity.value}"


def _end(row: ReportRow) -> str:
    left = lasts(row)
    return "" if left == NO_DATA else f"; at this pace the budget is gone in {left}"


def _spent(row: ReportRow) -> str:
    total = row.good + row.bad
    of, bad, may = (words.amount(row.objective, one) for one in (total, row.bad, total * (1 - row.goal.objective)))
    noun = "" if row.objective.sli.is_time_based else f" {_NOUN.get(row.objective.sli, 'requests')}"
    did = _BAD[row.objective.sli]
    return f"the budget of {words.span(row.objective.period)} is spent: {bad} of {of}{noun} {did}, where {may} may"


def _silent(row: ReportRow) -> str:
    """Tell an indicator that stopped, a model without traffic, and one that was never heard of."""
    period = words.span(row.objective.period)
    if row.silence is None:
        return (
            f"nothing was counted in {period}, nothing was ever reported: `triton-watch status` says what is missing."
        )
    if row.good + row.bad > 0:
        before = f"; before that {_spent(row)}" if is_spent(row) else ""
        return f"no data for {words.span(row.silence)}, which is not counted as good{before}: {_WHY}"
    if row.silence > _RECENT:
        return f"its indicator has had nothing to say for {words.span(row.silence)}: {_WHY}"
    about = _ABOUT.get(row.objective.sli)
    return f"no traffic{f', or none with {about}' if about else ''}: nothing was counted in {period}."


def notes(report: Report, shown: int, how: str = "--all") -> list[str]:
    """Return what else is to be said, a sentence each: how many are well, not watched for long, not `shown`.

    `how` shows them all.
    """
    well, total = count(report)[Verdict.OK], len(report.rows)
    said = [f"{plural(well, 'budget')} {'is' if well == 1 else 'are'} ok."] if 0 < well < total else []
    short = [row.covered for row in report.rows if row.covered < _NEARLY * row.objective.period and row.good + row.bad]
    if short:
        were = f"{len(short):,} of {plural(total, 'budget')} {'was' if len(short) == 1 else 'were'}"
        least = words.span(min(short))
        said.append(f"{were} watched for less than the period, {least} at least: what was before is not known.")
    if shown < total:
        rows = f"{total - shown:,} rows are" if total - shown > 1 else "1 row is"
        said.append(f"{rows} left out, the best off: {how} shows all {total:,}.")
    return said
