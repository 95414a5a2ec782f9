"""Colours by value, names for values, and links: what panels of all kinds have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from grafanalib import core

from triton_watch.alerting.definitions import by_name
from triton_watch.alerting.effective import effective

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from triton_watch.records import AlertSettings, Goal, Settings, SloSli

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "#8e8e8e"


@dataclass(frozen=True, slots=True)
class Step:
    """From this value on the colour holds."""

    value: float
    color: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Colours by value: `base` below the first step."""

    base: str
    steps: tuple[Step, ...] = ()

    def as_json(self) -> list[core.Threshold]:
        """As grafanalib has it; the base's value is mended by `modernise`."""
        first = core.Threshold(self.base, 0, 0.0)
        return [first, *(core.Threshold(one.color, row, float(one.value)) for row, one in enumerate(self.steps, 1))]


PLAIN: Final = Scale(GREEN)
NEUTRAL: Final = Scale(BLUE)


def bad_above(bad: float) -> Scale:
    """Green, red from `bad` on."""
    return Scale(GREEN, (Step(bad, RED),))


def bad_below(bad: float, warn: float | None = None) -> Scale:
    """Red below `bad`, yellow below `warn`, green from there on."""
    if warn is None:
        return Scale(RED, (Step(bad, GREEN),))
    return Scale(RED, (Step(bad, YELLOW), Step(warn, GREEN)))


def threshold_of(alert: str, settings: AlertSettings) -> float:
    """The alert's threshold where no override is for some targets or models only. Raises `IndexError`, `ValueError`."""
    definition = by_name(alert)[0]
    threshold = (effective(definition, settings, target="") or definition).threshold
    if threshold is None:
        raise ValueError(f"{alert} has no threshold")
    return threshold


def goals_of(sli: SloSli, settings: Settings) -> Iterator[Goal]:
    """Yield the goals of the objectives about `sli` that are for every model, in the order of the configuration."""
    return (one.goal for one in settings.slo.objectives if one.sli is sli and one.models == ("*",))


@dataclass(frozen=True, slots=True)
class Named:
    """What a value is called, and its colour: `Named("1", "ready", GREEN)`."""

    value: str
    text: str
    color: str


def worst_first(names: Sequence[Named]) -> dict[str, int]:
    """Numbers for `queries.coded`: the place of each name, and those that stand last come first, for they win."""
    return {one.value: place for place, one in reversed(list(enumerate(names)))}


def numbered(names: Sequence[Named]) -> tuple[Named, ...]:
    """The names as panels see them after `queries.coded` with the numbers of `worst_first`."""
    return tuple(Named(str(place), one.text, one.color) for place, one in enumerate(names))


@dataclass(frozen=True, slots=True)
class Link:
    """Where a click leads. `url` may hold ${__field.labels.model}, ${__data.fields.model} and ${variables}."""

    title: str
    url: str


def as_links(links: Sequence[Link]) -> list[dict[str, str]]:
    """Links as Grafana has them."""
    return [{"title": one.title, "url": one.url} for one in links]


def as_override(matcher: str, fields: str, properties: Mapping[str, object]) -> dict[str, Any]:
    """What is otherwise for the fields that `matcher` finds: byName, or byRegexp with `/.../`."""
    return {
        "matcher": {"id": matcher, "options": fields},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def as_mappings(names: Sequence[Named]) -> list[dict[str, Any]]:
    """Names of values as Grafana has them."""
    options = {one.value: {"text": one.text, "color": one.color, "index": row} for row, one in enumerate(names)}
    return [{"type": "value", "options": options}] if options else []
