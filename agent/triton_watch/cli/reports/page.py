"""HTML: one file to keep or to send, which loads nothing and runs nothing. The worst rows have charts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from triton_watch.records import Verdict
from triton_watch.wording import words
from triton_watch.wording.cells import Cells, burn_titles, cells, shows_targets
from triton_watch.wording.charts import HEIGHT, WIDTH, Charts, charts
from triton_watch.wording.stories import count, headline, notes, promise, story
from triton_watch.wording.text import plural
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Template

    from triton_watch.records import Report, ReportRow

MOST_CHARTS = 100
"""Rows with charts; a page of 1,000 rows stays below 3 MB."""
MOST_OPEN = 3
"""Rows, if they are not well, whose details are open at first."""
MOST_STORIES = 20
_MOST_TARGETS = 100


@dataclass(frozen=True, slots=True)
class _Window:
    name: str
    events: str
    burn: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row, as the template needs it. `percent` is what is left, 0 to 100 for the bar; None is not known."""

    number: int
    kind: str
    cells: Cells
    percent: int | None
    story: str
    windows: Sequence[_Window]
    targets: str
    watched: str
    charts: Charts | None
    is_open: bool


def render(report: Report, most: int | None) -> str:
    """Return the page with all rows, whatever `most` is."""
    del most
    burns = burn_titles(report.rows)
    entries = [_entry(number, row, burns, report.at) for number, row in enumerate(report.rows, 1)]
    drawn = sum(entry.charts is not None for entry in entries)
    return _template().render(
        headline=headline(report),
        tiles=_tiles(report),
        entries=entries,
        unwell=[entry for entry in entries if entry.kind != Verdict.OK.value],
        most_stories=MOST_STORIES,
        burns=list(burns),
        targets=shows_targets(report.rows),
        notes=[*notes(report, len(report.rows)), *_chart_note(report, drawn)],
        warnings=[words.name(one, 500) for one in report.warnings],
        objectives=[
            (words.name(one.name), promise(one), words.name(one.description, 300)) for one in report.objectives
        ],
        width=WIDTH,
        height=HEIGHT,
    )


def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.jinja")


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    counts = count(report)
    order = (Verdict.EXHAUSTED, Verdict.BURNING, Verdict.NO_DATA, Verdict.OK)
    return [(one.value, words.VERDICT_WORDS[one], f"{counts[one]:,}") for one in order]


def _chart_note(report: Report, drawn: int) -> list[str]:
    if len(report.rows) <= MOST_CHARTS:
        return []
    return [f"Charts are drawn for the worst {MOST_CHARTS} rows only ({plural(drawn, 'chart')})."]


def _entry(number: int, row: ReportRow, burns: Mapping[str, float | None], at: float) -> _Entry:
    period = words.span(row.objective.period)
    return _Entry(
        number,
        row.verdict.value,
        cells(row, burns),
        None if row.remaining is None else round(100 * min(max(row.remaining, 0.0), 1.0)),
        story(row),
        [_window(row, i) for i in range(len(row.windows))],
        ", ".join(words.name(target) for target in row.targets[:_MOST_TARGETS]),
        f"{words.span(min(row.covered, row.objective.period))} of {period}",
        charts(row, at) if number <= MOST_CHARTS else None,
        is_open=number <= MOST_OPEN and row.verdict in (Verdict.EXHAUSTED, Verdict.BURNING),
    )


def _window(row: ReportRow, i: int) -> _Window:
    one = row.windows[i]
    total = one.good + one.bad
    write = words.amount
    events = f"{write(row.objective, one.bad)} of {write(row.objective, total)}" if total > 0 else NO_DATA
    return _Window(words.brief(one.window), events, words.pace(one.burn))
