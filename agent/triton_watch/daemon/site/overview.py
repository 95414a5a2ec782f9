"""The front page: the verdict, the targets, and the models, those in trouble first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.site import asking
from triton_watch.daemon.site.budget_bar import BudgetBar, budget_bar
from triton_watch.daemon.site.parts import TargetRow, event_rows, standing_choices, target_row
from triton_watch.daemon.site.sparks import spark
from triton_watch.daemon.site.values import last_time
from triton_watch.daemon.site.visit import Page, pager
from triton_watch.daemon.telling.models import ModelQuery, model_list
from triton_watch.daemon.telling.parts import sentence
from triton_watch.daemon.telling.status import status
from triton_watch.records.sli import Sli
from triton_watch.wording.measures import duration, rate
from triton_watch.wording.text import clip
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.daemon.facts.model import ModelBrief, Recent
    from triton_watch.daemon.facts.status import Status
    from triton_watch.daemon.site.sparks import Spark
    from triton_watch.daemon.site.visit import Visit

NAMES: Final = ("standing", "search", "target", "page")
MOST_TARGETS: Final = 8
MOST_EVENTS: Final = 8
_NAME: Final = "triton-watch"
_IN_TITLE: Final = (Standing.WRONG, Standing.FAILING)


@dataclass(frozen=True, slots=True)
class Metric:
    """A value of now with its course of late; `head` is short, for a column."""

    title: str
    head: str
    value: str
    spark: Spark | None


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model in the list; `left` is the bar of its budget."""

    brief: ModelBrief
    href: str
    target_href: str
    left: BudgetBar
    metrics: tuple[Metric, ...]


def overview(visit: Visit) -> Page:
    """The page; the query filters the models."""
    values = asking.values_of(visit.query, NAMES)
    known = status(visit.source, visit.at)
    query = ModelQuery(
        target=asking.of_target(values, [one.name for one in known.targets]),
        standings=asking.kinds(values, "standing", Standing),
        search=asking.one(values, "search") or "",
        offset=(asking.page_of(values) - 1) * asking.PAGE_LENGTH,
        limit=asking.PAGE_LENGTH,
        recent=True,
    )
    found = model_list(visit.source, visit.at, query)
    return Page(
        "overview",
        _title(known),
        "overview",
        {
            "status": known,
            "sources": [sentence(clip(one.label)) for one in visit.source.discovery()],
            "models": sum(known.models.values()),
            "targets": _targets(visit, known, 0, MOST_TARGETS),
            "all_targets": visit.link.to(paths.TARGETS) if len(known.targets) > MOST_TARGETS else None,
            "target_names": sorted(one.name for one in known.targets),
            "query": query,
            "filtered": bool(query.target is not None or query.standings or query.search),
            "choices": standing_choices(visit, values, found.counts, query.standings),
            "rows": [_row(visit, one) for one in found.models],
            "period": last_time(max((watched_of(one.recent) for one in found.models), default=0.0)),
            "pager": pager(visit, values, asking.page_of(values), asking.PAGE_LENGTH, found.total),
            "events": event_rows(visit, known.events[:MOST_EVENTS]),
        },
    )


def _title(known: Status) -> str:
    """Return the verdict as short as the tab of a browser is: `3 wrong, 2 failing`."""
    if not known.targets:
        return _NAME
    counts = [f"{known.models[one]:,} {one.value}" for one in _IN_TITLE if known.models.get(one)]
    return ", ".join(counts) or known.standing.value


def all_targets(visit: Visit) -> Page:
    """The page of all targets, the worst first."""
    values = asking.values_of(visit.query, ("page",))
    known = status(visit.source, visit.at)
    page, length = asking.page_of(values), asking.PAGE_LENGTH
    rows = _targets(visit, known, (page - 1) * length, length)
    total = len(known.targets)
    return Page(
        "targets",
        "Targets",
        "overview",
        {"targets": rows, "pager": pager(visit, values, page, length, total), "total": total},
    )


def _targets(visit: Visit, known: Status, first: int, most: int) -> list[TargetRow]:
    return [target_row(visit, one) for one in known.targets[first : first + most]]


def _row(visit: Visit, one: ModelBrief) -> ModelRow:
    return ModelRow(
        one,
        visit.link.to(one.links.page),
        visit.link.to(paths.target_page(one.target)),
        budget_bar(one.budget_left, one.budget_verdict, is_wrong=one.standing is Standing.WRONG),
        metrics_of(one, one.recent),
    )


_METRICS: Final = (
    (Sli.REQUEST_RATE, "Requests a second", "Requests/s", rate, "request_rate", "failure_rate"),
    (Sli.QUEUE_TIME, "Queue time", "Queue time", duration, "queue_time", ""),
    (Sli.REQUEST_TIME, "Request time", "Request time", duration, "request_time", ""),
    (Sli.AVERAGE_BATCH, "Average batch", "Batch", rate, "average_batch", ""),
)
"""Indicator, its names, how it is written, and the lists of `Recent` with its last hour and with what failed of it."""


def metrics_of(one: ModelBrief, recent: Recent | None) -> tuple[Metric, ...]:
    """Return the four values of a model that a list shows, with their course of late."""
    made, period = [], last_time(watched_of(recent))
    for sli, title, head, write, past, failed in _METRICS:
        value = one.slis.get(sli)
        drawn = spark(title, period, _course(recent, past), write, value, _course(recent, failed))
        made.append(Metric(title, head, NO_DATA if value is None else write(value), drawn))
    return tuple(made)


def watched_of(recent: Recent | None) -> float:
    """Return of how many seconds a model's course is."""
    return 0.0 if recent is None else len(recent.request_rate) * recent.step_seconds


def _course(recent: Recent | None, name: str) -> Sequence[float | None]:
    return getattr(recent, name) if recent is not None and name else ()
