"""What is looked at: which models, in which order, which one is selected. Nothing here does any I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.daemon.telling.versions import version_order
from triton_watch.records.sli import Sli
from triton_watch.wording.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from triton_watch.daemon.facts.model import ModelBrief
    from triton_watch.daemon.facts.standing import Standing


class Screen(Enum):
    """What is on the screen. FILTER is the list while a filter is typed."""

    LIST = "list"
    FILTER = "filter"
    DETAIL = "detail"
    HELP = "help"


class Sort(str, Enum):
    """Orders of the list."""

    TROUBLE = "trouble"
    """As the agent gives it: the worst first, then the least budget left."""
    NAME = "name"
    RATE = "rate"
    QUEUE = "queue"
    LATENCY = "latency"
    BUDGET = "budget"
    FAILURES = "failures"


class ModelId(NamedTuple):
    """One model version on one target."""

    target: str
    name: str
    version: str
    namespace: str


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at. `standings` empty = all; `target` None = all. `top` and `scroll` are first lines shown.

    `selected` None = whatever is first. `interval` is seconds between two questions. `refreshes` counts the demands
    for one now.
    """

    sort: Sort = Sort.TROUBLE
    is_reversed: bool = False
    text: str = ""
    standings: tuple[Standing, ...] = ()
    target: str | None = None
    selected: ModelId | None = None
    place: int = 0
    top: int = 0
    screen: Screen = Screen.LIST
    opened: ModelId | None = None
    scroll: int = 0
    interval: float = 2.0
    is_paused: bool = False
    refreshes: int = 0
    is_over: bool = False


_BY: Final[Mapping[Sort, Callable[[ModelBrief], float | None]]] = {
    Sort.RATE: lambda one: _negative(one.slis.get(Sli.REQUEST_RATE)),
    Sort.QUEUE: lambda one: _negative(one.slis.get(Sli.QUEUE_TIME)),
    Sort.LATENCY: lambda one: _negative(one.slis.get(Sli.REQUEST_TIME)),
    Sort.FAILURES: lambda one: _negative(one.slis.get(Sli.FAILURE_RATE)),
    Sort.BUDGET: lambda one: one.budget_left,
}


def id_of(model: ModelBrief) -> ModelId:
    """Return which model a line is about."""
    return ModelId(model.target, model.name, model.version, model.namespace)


def shown(models: Sequence[ModelBrief], view: View) -> list[ModelBrief]:
    """Return the models that pass the filters, in order; what has no value comes last in either direction."""
    found = [one for one in models if _passes(one, view)]
    if view.sort in (Sort.TROUBLE, Sort.NAME):
        if view.sort is Sort.NAME:
            found.sort(key=lambda one: (one.name, version_order(one.version), one.target, one.namespace))
        return found[::-1] if view.is_reversed else found
    key = _BY[view.sort]
    known = sorted((one for one in found if key(one) is not None), key=lambda one: key(one) or 0.0)
    return [*(known[::-1] if view.is_reversed else known), *(one for one in found if key(one) is None)]


def place_of(rows: Sequence[ModelBrief], view: View) -> int:
    """Return the row of the selected model; where it is gone, the row that it was in, or the last one."""
    if view.selected is not None:
        for place, one in enumerate(rows):
            if id_of(one) == view.selected:
                return place
    return max(0, min(view.place, len(rows) - 1))


def first_row(top: int, place: int, height: int, count: int) -> int:
    """Return the first row of `height` to show, near `top`, so that `place` is seen and no room is wasted."""
    top = min(max(top, place - height + 1), place)
    return max(0, min(top, count - height))


def _passes(model: ModelBrief, view: View) -> bool:
    if view.standings and model.standing not in view.standings:
        return False
    if view.target not in (None, model.target):
        return False
    where = printable(f"{model.namespace} {model.target} {model.name}:{model.version}").lower()
    return all(word in where for word in view.text.lower().split())


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
