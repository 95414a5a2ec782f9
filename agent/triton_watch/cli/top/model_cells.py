"""What stands in the cells of the table of models, and in which colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from triton_watch.cli.top import cells
from triton_watch.cli.top.styles import CANARIES, QUIET, STANDINGS, VERDICTS
from triton_watch.records import CanaryReason, CanaryVerdict, Sli
from triton_watch.wording import words
from triton_watch.wording.measures import duration
from triton_watch.wording.text import printable
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.daemon.facts.model import ModelBrief

Cell: TypeAlias = tuple[str, str]
"""Text and style."""
_LEAST_RATE: Final = 0.001


def rate(value: float) -> str:
    """Write a rate in at most six characters."""
    if 0 < value < _LEAST_RATE:
        return "<0.001"
    return f"{value:.2g}" if value < 1 else f"{value:.3g}" if value < 100 else words.number(round(value))


def standing_cell(model: ModelBrief, _: int) -> Cell:
    """Where it stands."""
    return model.standing.value, STANDINGS[model.standing]


def model_name(model: ModelBrief) -> str:
    """Return its name, with its namespace where it has one."""
    return f"{cells.name(model.namespace)}/{cells.name(model.name)}" if model.namespace else cells.name(model.name)


def model_cell(model: ModelBrief, width: int) -> Cell:
    """Its name and version; what is cut is the name."""
    return cells.model(model_name(model), model.version, width), ""


def target_cell(model: ModelBrief, width: int) -> Cell:
    """Where it is served."""
    return cells.fit(cells.name(model.target), width), ""


def sli_cell(sli: Sli, write: Callable[[float], str], model: ModelBrief, _: int) -> Cell:
    """The value of an SLI."""
    return cells.or_dash(model.slis.get(sli), write), ""


def failures_cell(model: ModelBrief, _: int) -> Cell:
    """Failures a second, red where there are any."""
    value = model.slis.get(Sli.FAILURE_RATE)
    return cells.or_dash(value, rate), "red" if value else ""


def trend_cell(model: ModelBrief, width: int) -> Cell:
    """Requests of the last hour in block characters."""
    rates = model.recent.request_rate if model.recent is not None else ()
    return cells.spark(cells.squeezed(rates, width), width), "blue"


def budget_cell(model: ModelBrief, _: int) -> Cell:
    """What is left of the budget with the least left, in at most six characters."""
    left = model.budget_left
    return words.percent(left), _budget_style(model)


def bar_cell(model: ModelBrief, width: int) -> Cell:
    """The same, drawn."""
    return cells.bar(model.budget_left, width), _budget_style(model)


def _budget_style(model: ModelBrief) -> str:
    return "" if model.budget_verdict is None else VERDICTS[model.budget_verdict]


def canary_cell(model: ModelBrief, width: int) -> Cell:
    """How its canaries fare."""
    return cells.fit(canary_word(model), width), "" if model.canary is None else CANARIES[model.canary]


def canary_word(model: ModelBrief) -> str:
    """Return ok, the reason of a failure, or what else is known; a dash where it has none."""
    if model.canary is None:
        return NO_DATA
    if model.canary is CanaryVerdict.PASSING:
        return "ok"
    reason = model.canary_reason if model.canary is CanaryVerdict.FAILING else None
    word: str = model.canary.value if reason is None or reason is CanaryReason.OK else reason.value
    return word


def headline_cell(model: ModelBrief, width: int) -> Cell:
    """The first words of what is to be said of it."""
    return cells.fit(printable(model.headline), width), QUIET


def p99_cell(model: ModelBrief, _: int) -> Cell:
    """The slowest of 100 requests, as the server serves it."""
    return cells.or_dash(model.request_p99, duration), ""


def batch(value: float) -> str:
    """Write a batch size."""
    return f"{value:.1f}"
