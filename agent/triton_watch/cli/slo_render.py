"""Checked objectives as text for people and as data for JSON."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from triton_watch.config.show_objective import objective_settings
from triton_watch.records import NoData, SliValue, SloSli
from triton_watch.slo.words import alerts_in_words, budget_words, in_words, percent, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from triton_watch.cli.slo_live import Checked
    from triton_watch.records import BurnWindow, Objective
    from triton_watch.slo.coverage import Covered

_TIMES = (SloSli.QUEUE_TIME, SloSli.REQUEST_TIME, SloSli.TTFT)
_MOST_MODELS = 20
"""Models of one target that are listed; `--json` has all of them."""


def as_text(file: str, checked: Checked) -> Iterator[RenderableType]:
    """Yield the parts to print: an entry for each objective, then what to look at, then a last line."""
    for objective in checked.slo.objectives:
        yield Text(objective.name, style="bold")
        for line in _lines(objective, checked):
            yield Padding(line, (0, 0, 0, 2))
        yield Text("")
    for style, word, texts in (("cyan", "note", checked.notes), ("yellow", "warning", checked.warnings)):
        for text in texts:
            yield Text.assemble((f"{word}: ", style), text)
    if checked.notes or checked.warnings:
        yield Text("")
    yield Text(_last_line(file, checked))


def as_data(checked: Checked) -> dict[str, Any]:
    """Return everything as JSON's own types."""
    return {
        "version": 1,
        "are_defaults": checked.slo.are_defaults,
        "objectives": [_objective(objective, checked) for objective in checked.slo.objectives],
        "notes": list(checked.notes),
        "warnings": list(checked.warnings),
    }


def _lines(objective: Objective, checked: Checked) -> Iterator[Text]:
    yield from (Text(sentence) for sentence in sentences(objective))
    for line in alerts_in_words(objective):
        yield Text(f"{line[0].upper()}{line[1:]}.", style="dim")
    if objective.description:
        yield Text(objective.description, style="italic")
    for target, models in groupby(checked.covered[objective.name], key=lambda one: one.target):
        yield _found(target, list(models), objective.sli)


def _found(target: str, models: Sequence[Covered], sli: SloSli) -> Text:
    line = Text.assemble((f"{target}: ", "bold"))
    shown = (f"{one.key.name} v{one.key.version} {_reading(one, sli)}" for one in models[:_MOST_MODELS])
    line.append("; ".join(shown))
    rest = len(models) - _MOST_MODELS
    return line.append(f"; {rest} more" if rest > 0 else "")


def _reading(one: Covered, sli: SloSli) -> str:
    if isinstance(one.reading, SliValue):
        value = one.reading.value
        return budget_words(value) if sli in _TIMES else percent(round(value, 4))
    return "has data" if one.reading is None else f"({one.reading.reason.value})"


def _last_line(file: str, checked: Checked) -> str:
    count = _many(len(checked.slo.objectives), "objective")
    kind = "the default objectives, as it has none" if checked.slo.are_defaults else f"ok, {count}"
    if not checked.asked:
        return f"{file}: {kind}"
    warnings = _many(len(checked.warnings), "warning")
    return f"{file}: {kind}; {checked.heard} of {checked.asked} servers answered, {warnings}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _objective(objective: Objective, checked: Checked) -> dict[str, Any]:
    covered = [_model(one) for one in checked.covered[objective.name]]
    return {
        **objective_settings(objective),
        "sentence": in_words(objective),
        "budget_seconds": round((1 - objective.goal.objective) * objective.period, 3),
        "windows": [_window(window) for window in objective.windows],
        **({"models_covered": covered} if checked.asked else {}),
    }


def _window(window: BurnWindow) -> dict[str, Any]:
    return {
        "severity": window.severity.value,
        "factor": window.factor,
        "long_seconds": window.long,
        "short_seconds": window.short,
        "hold_seconds": window.hold,
    }


def _model(one: Covered) -> dict[str, Any]:
    found = {"target": one.target, "model": one.key.name, "version": one.key.version}
    if isinstance(one.reading, NoData):
        return {**found, "no_data": one.reading.reason.value}
    return {**found, "value": one.reading.value if one.reading else None}
