"""The list of models: sorted by trouble, filtered, a page of it at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.daemon.facts.common import VERSION
from triton_watch.daemon.facts.model import ModelBrief, ModelList, Recent
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.telling.brief import brief_of
from triton_watch.daemon.telling.recent import recent_of
from triton_watch.daemon.telling.views import views
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.daemon.state import StateSource
    from triton_watch.daemon.telling.views import Row, TargetView
    from triton_watch.records import RecentTable


@dataclass(frozen=True, slots=True)
class ModelQuery:
    """Which models are asked for. `search` is a part of their names, in whatever case; () = all standings.

    `recent`: with the last hour of each.
    """

    target: str | None = None
    standings: tuple[Standing, ...] = ()
    search: str = ""
    offset: int = 0
    limit: int = 50
    recent: bool = False


def model_list(source: StateSource, now: float, query: ModelQuery) -> ModelList:
    """Return a page of the models that match, the worst first, as of Unix time `now`."""
    found = views(source, now, query.target)
    matching = [row for view in found for row in view.rows if _is_found(row, query.search)]
    counted = Counter(row.standing for row in matching)
    if query.standings:
        matching = [row for row in matching if row.standing in query.standings]
    if len(found) > 1:
        matching.sort(key=lambda row: row.order)
    return ModelList(
        version=VERSION,
        at=now,
        total=len(matching),
        offset=query.offset,
        limit=query.limit,
        counts={standing: counted[standing] for standing in Standing},
        models=_briefs(source, now, found, matching[query.offset : query.offset + query.limit], query),
    )


def _is_found(row: Row, search: str) -> bool:
    return not search or whole(search).casefold() in whole(row.key.name).casefold()


def _briefs(
    source: StateSource, now: float, found: Sequence[TargetView], page: Sequence[Row], query: ModelQuery
) -> tuple[ModelBrief, ...]:
    by_name, alerts = {view.target.name: view for view in found}, source.alerts()
    hour = _recent(source.history().recent, by_name, page, now) if query.recent else {}
    return tuple(brief_of(row, by_name[row.target], alerts, hour.get(row)) for row in page)


def _recent(
    tables: Mapping[str, RecentTable], found: Mapping[str, TargetView], page: Sequence[Row], now: float
) -> dict[Row, Recent | None]:
    """The last hour of the rows of a page, target by target."""
    by_target: dict[str, list[Row]] = {}
    for row in page:
        by_target.setdefault(row.target, []).append(row)
    told: dict[Row, Recent | None] = {}
    for target, rows in by_target.items():
        interval = found[target].target.interval
        hours = recent_of(tables.get(target), [row.key for row in rows], now, interval)
        told |= zip(rows, hours, strict=True)
    return told
