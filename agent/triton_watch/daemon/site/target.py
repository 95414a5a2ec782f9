"""The page of one target: its server, its probes, its GPUs and its models' counts."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.site import asking
from triton_watch.daemon.site.asking import NoPageError
from triton_watch.daemon.site.overview import all_targets
from triton_watch.daemon.site.parts import event_rows, target_row
from triton_watch.daemon.site.rendering import full_name, name
from triton_watch.daemon.site.sparks import of_cycles
from triton_watch.daemon.site.values import share
from triton_watch.daemon.site.visit import Page
from triton_watch.daemon.telling.targets import target_detail
from triton_watch.wording import words
from triton_watch.wording.measures import size
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.daemon.facts.common import Trouble
    from triton_watch.daemon.facts.target import GpuState, TargetDetail
    from triton_watch.daemon.site.visit import Visit

MOST_EVENTS: Final = 50
MOST_SHARES: Final = 12
MOST_REASONS: Final = 50
_PARTS: Final = 2
"""Of the path: /targets/{target}."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A value of a GPU with its bar, 0 to 100; None = not known."""

    title: str
    value: str
    length: int | None


@dataclass(frozen=True, slots=True)
class GpuRow:
    """A GPU, and the models that compute on it."""

    uuid: str
    gauges: tuple[Gauge, ...]
    shares: tuple[tuple[str, str, str, int | None], ...]
    """Link, name, share in words, and the length of its bar."""


def target(visit: Visit) -> Page:
    """The page of the target that the path names; without a name, that of all targets."""
    if len(visit.segments) == _PARTS and not visit.segments[1]:
        return all_targets(visit)
    asking.values_of(visit.query, ())
    if len(visit.segments) != _PARTS:
        raise NoPageError(
            HTTPStatus.NOT_FOUND,
            "There is no such page of a target.",
            "Its path is /targets/TARGET; a slash in a name is written %2F.",
        )
    asking.check_target(visit.segments[1], visit.targets)
    found = target_detail(visit.source, visit.at, visit.segments[1])
    if found is None:
        raise asking.no_target(visit.segments[1])
    return Page("target", name(found.brief.name), "overview", _values(visit, found))


def _values(visit: Visit, found: TargetDetail) -> dict[str, object]:
    cycles = found.cycles
    seconds = [one.seconds for one in cycles]
    return {
        "detail": found,
        "brief": found.brief,
        "reasons": found.reasons[:MOST_REASONS],
        "row": target_row(visit, found.brief),
        "models": sum(found.brief.models.values()),
        "all_models": visit.link.to(paths.OVERVIEW + paths.query({"target": found.brief.name})),
        "dashboard": visit.link.elsewhere(found.brief.links.dashboard),
        "troubles": [(one, _model_href(visit, found, one)) for one in found.troubles],
        "troubles_total": found.troubles_total,
        "gpus": [_gpu(visit, found.brief.name, one) for one in found.gpus],
        "cycles": of_cycles(seconds),
        "cycles_shown": len(cycles),
        "slowest": max(seconds, default=None),
        "mean": sum(seconds) / len(seconds) if seconds else None,
        "events": event_rows(visit, found.events[:MOST_EVENTS]),
    }


def _model_href(visit: Visit, found: TargetDetail, one: Trouble) -> str | None:
    if one.model is None:
        return None
    return visit.link.to(paths.model_page(found.brief.name, one.model, one.version or ""))


def _gpu(visit: Visit, target_name: str, one: GpuState) -> GpuRow:
    shares = sorted(one.shares, key=lambda share: -share.share)[:MOST_SHARES]
    return GpuRow(
        one.uuid,
        (
            _gauge("Utilization", one.utilization, 1.0, words.percent),
            _gauge("Memory", one.memory_used, one.memory_total, size),
            _gauge("Power", one.power_watts, one.power_limit_watts, lambda watts: f"{watts:.0f} W"),
        ),
        tuple(
            (
                visit.link.to(paths.model_page(target_name, of.model, of.version)),
                full_name(of.model, of.version),
                words.percent(of.share),
                share(of.share),
            )
            for of in shares
        ),
    )


def _gauge(title: str, value: float | None, whole: float | None, write: Callable[[float], str]) -> Gauge:
    if value is None:
        return Gauge(title, NO_DATA, None)
    of = f" of {write(whole)}" if whole is not None and whole != 1.0 else ""
    return Gauge(title, write(value) + of, share(value, whole))
