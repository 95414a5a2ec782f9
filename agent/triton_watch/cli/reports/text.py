"""For people at a terminal: a sentence, a table with the worst first, and what each row that is not well means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from triton_watch.check.output.wrap import WIDEST
from triton_watch.records import Page, Verdict
from triton_watch.wording import words
from triton_watch.wording.cells import burn_titles, cells, shows_targets, tells_apart
from triton_watch.wording.stories import headline, notes, story
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from triton_watch.records import Report, ReportRow

PLAIN_WIDTH = 160
MOST_STORIES = 20
_BAR = 8
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEFT = ("SLO", "MODEL", "TARGET", "OBJECTIVE", "VERDICT")
_STYLES = {Verdict.OK: "green", Verdict.EXHAUSTED: "bold red", Verdict.NO_DATA: "magenta"}


def render(report: Report, most: int | None) -> str:
    """Return the report as text in lines of at most `PLAIN_WIDTH` columns, without colours."""
    console = Console(width=PLAIN_WIDTH, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as capture:
        console.print(renderable(report, PLAIN_WIDTH, most))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def renderable(
    report: Report, width: int, most: int | None, *, bars: bool = True, how: str = "--all"
) -> RenderableType:
    """Return the report for `width` columns. `most` rows are shown, None = all; `bars`: block characters can be.

    `how` is the flag or command that shows what is left out.
    """
    rows = report.rows[:most]
    parts: list[RenderableType] = [Text(headline(report), style="bold")]
    if rows:
        parts += [Text(""), _table(rows, width, bars=bars)]
    parts += [Text(""), *_below(report, rows, width, how)]
    return Group(*parts)


def _table(rows: Sequence[ReportRow], width: int, *, bars: bool) -> RenderableType:
    """Return the table of rows: what says least where it is narrow is left out, and said so."""
    burns = burn_titles(rows)
    lines = [_line(row, burns) for row in rows]
    shown = ["SLO", "MODEL", "TARGET", "OBJECTIVE", "EVENTS", "BAR", "BUDGET", *burns, "LASTS", "VERDICT"]
    if not bars:
        shown.remove("BAR")
    if not shows_targets(rows):
        shown.remove("TARGET")
    widths = {title: max(len(title), *(line[title].cell_len for line in lines)) + 2 for title in shown}
    left_out = []
    for title in _left_out_first(rows, burns):
        if title in shown and sum(widths[one] for one in shown) - 2 > width:
            shown.remove(title)
            left_out.append(title)
    return _with_note(_grid(shown, lines), [title for title in left_out if title != "BAR"])


def _left_out_first(rows: Sequence[ReportRow], burns: Iterable[str]) -> list[str]:
    first = ["BAR", *[*burns][1:], "OBJECTIVE", "EVENTS", "LASTS"]
    return first if tells_apart(rows) else ["BAR", "TARGET", *first[1:]]


def _grid(shown: Sequence[str], lines: Sequence[dict[str, Text]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in shown:
        folds = title in ("SLO", "MODEL", "TARGET")
        table.add_column(
            "" if title == "BAR" else title,
            justify="left" if title in (*_LEFT, "BAR") else "right",
            no_wrap=not folds,
            overflow="fold",
        )
    for line in lines:
        table.add_row(*(line[title] for title in shown))
    return table


def _with_note(table: Table, left_out: Sequence[str]) -> RenderableType:
    if not left_out:
        return table
    note = f"No room for {', '.join(left_out)}: widen the terminal, or use --format json."
    return Group(table, Text(note, style="dim"))


def _line(row: ReportRow, burns: Mapping[str, float | None]) -> dict[str, Text]:
    written, style = cells(row, burns), style_of(row)
    texts = {
        "SLO": Text(written.slo),
        "MODEL": Text(written.model),
        "TARGET": Text(written.targets),
        "OBJECTIVE": Text(written.objective),
        "EVENTS": Text(written.events),
        "BAR": Text(bar(row.remaining), style=style),
        "BUDGET": Text(written.budget, style=style),
        "LASTS": Text(written.lasts),
        "VERDICT": Text(written.verdict, style=style),
    }
    texts.update({title: Text(burn) for title, burn in zip(burns, written.burns, strict=True)})
    for text in texts.values():
        if text.plain == NO_DATA:
            text.style = "dim"
    return texts


def style_of(row: ReportRow) -> str:
    """Return the colour of a verdict: no data is never green."""
    if row.verdict is Verdict.BURNING:
        return "yellow" if row.fires is not None and row.fires.severity is Page.TICKET else "red"
    return _STYLES[row.verdict]


def bar(remaining: float | None) -> str:
    """Return what is left of a budget as block characters; empty where it is not known."""
    if remaining is None:
        return ""
    eighths = round(min(max(remaining, 0.0), 1.0) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_BAR, "·")


def _below(report: Report, rows: Sequence[ReportRow], width: int, how: str) -> list[RenderableType]:
    """Return the sentences under the table."""
    unwell = [row for row in rows if row.verdict is not Verdict.OK]
    parts: list[RenderableType] = []
    if unwell:
        parts += [_stories(unwell, width), Text("")]
    parts += [Text(note, style="dim") for note in notes(report, len(rows), how)]
    return [*parts, *(Text(f"Warning: {words.name(one, 500)}", style="yellow") for one in report.warnings)]


def _stories(rows: Sequence[ReportRow], width: int) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.width = min(width, WIDEST)
    table.add_column(no_wrap=True)
    for row in rows[:MOST_STORIES]:
        who = f"{words.model(row)} {words.name(row.objective.name)}"
        if tells_apart(rows):
            who += f" on {words.name(', '.join(row.targets), 100)}"
        table.add_row(Text(words.VERDICT_WORDS[row.verdict], style=style_of(row)), Text(f"{who}: {story(row)}"))
    if len(rows) <= MOST_STORIES:
        return table
    return Group(table, Text(f"and {len(rows) - MOST_STORIES:,} more of the rows above.", style="dim"))
