"""Markdown for a ticket or a weekly mail: the same sentences and the same table as the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.output.markdown import code, escape
from triton_watch.records import Verdict
from triton_watch.wording import words
from triton_watch.wording.cells import burn_titles, cells, shows_targets
from triton_watch.wording.stories import headline, notes, promise, story

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from triton_watch.records import Report, ReportRow

_MARKS = {
    Verdict.OK: "ok",
    Verdict.BURNING: "**burning**",
    Verdict.EXHAUSTED: "**exhausted**",
    Verdict.NO_DATA: "*no data*",
}


def render(report: Report, most: int | None) -> str:
    """Return the report; `most` rows are shown, None = all."""
    return "\n".join(_lines(report, most)) + "\n"


def _lines(report: Report, most: int | None) -> Iterator[str]:
    rows = report.rows[:most]
    yield "## Error budgets"
    yield from ("", escape(headline(report)))
    if unwell := [row for row in rows if row.verdict is not Verdict.OK]:
        yield ""
        yield from (f"- {_MARKS[row.verdict]} {_who(row)}: {escape(story(row))}" for row in unwell)
    if rows:
        yield ""
        yield from _table(rows)
    for heading, sentences in (("", notes(report, len(rows))), ("### Warnings", report.warnings)):
        if sentences:
            yield from ("", heading) if heading else ()
            yield ""
            yield from (f"- {escape(words.name(one, 500))}" for one in sentences)
    if report.objectives:
        yield from ("", "### Objectives", "")
        yield from (f"- {code(words.name(one.name))}: {escape(promise(one))}" for one in report.objectives)


def _who(row: ReportRow) -> str:
    return f"{code(words.model(row))} {code(words.name(row.objective.name))}"


def _table(rows: Sequence[ReportRow]) -> Iterator[str]:
    burns, targets = burn_titles(rows), shows_targets(rows)
    titles = ["SLO", "Model", *(["Target"] if targets else []), "Objective", "Bad events", "Budget left"]
    titles += [*(title.capitalize() for title in burns), "Lasts", "Verdict"]
    yield f"| {' | '.join(titles)} |"
    left = 4 if targets else 3
    yield f"| {' | '.join('---' if i < left or i == len(titles) - 1 else '---:' for i in range(len(titles)))} |"
    yield from (_row(row, burns, targets=targets) for row in rows)


def _row(row: ReportRow, burns: Mapping[str, float | None], *, targets: bool) -> str:
    written = cells(row, burns)
    parts = [code(written.slo), code(written.model), *([code(written.targets)] if targets else [])]
    parts += map(escape, (written.objective, written.events, written.budget, *written.burns, written.lasts))
    page = f", {row.fires.severity.value}" if row.fires else ""
    return f"| {' | '.join(parts)} | {_MARKS[row.verdict]}{page} |"
