"""Parts that several pages have: rows of targets, findings and alerts, and filters with their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.site.carets import Excerpt, excerpt
from triton_watch.daemon.site.marks import mark
from triton_watch.daemon.site.rendering import full_name
from triton_watch.daemon.site.visit import Choice, again

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from enum import Enum

    from triton_watch.daemon.facts.alert import Alert
    from triton_watch.daemon.facts.common import Happening
    from triton_watch.daemon.facts.finding import Finding
    from triton_watch.daemon.facts.target import TargetBrief
    from triton_watch.daemon.site.visit import Visit

_SUBJECT: Final = ("target", "model", "version")
_WINDOW: Final = "window"


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target in a list. `models` are links to its models of each standing that it has."""

    brief: TargetBrief
    href: str
    models: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert in a list. The hrefs are None where there is nothing to follow; `labels` are those of no page."""

    alert: Alert
    model_href: str | None
    target_href: str | None
    runbook: str | None
    dashboard: str | None
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding in a list; `excerpt` is None where it has no source."""

    finding: Finding
    excerpt: Excerpt | None
    model_href: str | None
    target_href: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that happened, and the page of what it happened to."""

    event: Happening
    subject: str
    href: str


def target_row(visit: Visit, one: TargetBrief) -> TargetRow:
    """Return the row of a target."""
    models = tuple(
        Choice(standing.value, standing.value, _filtered(visit, one.name, standing), one.models[standing], chosen=False)
        for standing in Standing
        if one.models.get(standing)
    )
    return TargetRow(one, visit.link.to(paths.target_page(one.name)), models)


def _filtered(visit: Visit, target: str, standing: Standing) -> str:
    return visit.link.to(paths.OVERVIEW + paths.query({"target": target, "standing": standing.value}))


def alert_rows(visit: Visit, alerts: Iterable[Alert]) -> list[AlertRow]:
    """Return the rows of alerts. Those that differ in their window alone share one: that of the first, the gravest."""
    shared: dict[object, list[Alert]] = {}
    for one in alerts:
        subject = frozenset((name, value) for name, value in one.labels.items() if name != _WINDOW)
        shared.setdefault((one.name, one.phase, subject), []).append(one)
    return [_alert_row(visit, alike) for alike in shared.values()]


def _alert_row(visit: Visit, alike: Sequence[Alert]) -> AlertRow:
    one = alike[0]
    labels = {**one.labels, **({_WINDOW: _windows(alike)} if len(alike) > 1 else {})}
    target, model = labels.get("target"), labels.get("model")
    return AlertRow(
        one,
        None if not target or not model else visit.link.to(paths.model_page(target, model, labels.get("version", ""))),
        None if not target else visit.link.to(paths.target_page(target)),
        visit.link.out(one.runbook_url),
        visit.link.elsewhere(one.dashboard_url),
        tuple((name, value) for name, value in labels.items() if name not in _SUBJECT),
    )


def _windows(alike: Sequence[Alert]) -> str:
    """Write the windows of alerts, and how grave one is that is not as grave as the first: `1h, 3d (ticket)`."""
    first = alike[0].severity
    return ", ".join(
        one.labels[_WINDOW] + ("" if one.severity is first else f" ({one.severity.value})") for one in alike
    )


def finding_row(visit: Visit, one: Finding) -> FindingRow:
    """Return the row of a finding."""
    model = None if one.model is None else visit.link.to(paths.model_page(one.target, one.model))
    return FindingRow(one, excerpt(one), model, visit.link.to(paths.target_page(one.target)))


def event_rows(visit: Visit, events: Iterable[Happening]) -> list[EventRow]:
    """Return the rows of what happened."""
    return [_event_row(visit, one) for one in events]


def _event_row(visit: Visit, one: Happening) -> EventRow:
    if one.model is None:
        return EventRow(one, one.target, visit.link.to(paths.target_page(one.target)))
    href = visit.link.to(paths.model_page(one.target, one.model, one.version or ""))
    return EventRow(one, full_name(one.model, one.version), href)


def standing_choices(
    visit: Visit, values: Mapping[str, list[str]], counts: Mapping[Standing, int], chosen: Sequence[Standing]
) -> list[Choice]:
    """Return the filter by standing: all, and each standing that there is, or that is chosen."""
    there = [one for one in Standing if counts.get(one) or one in chosen]
    return choices(visit, values, "standing", {one: counts.get(one, 0) for one in there}, chosen)


def choices(
    visit: Visit,
    values: Mapping[str, list[str]],
    name: str,
    counts: Mapping[Enum, int | None],
    chosen: Sequence[Enum],
) -> list[Choice]:
    """Return links that filter a list by `name`, after one to the whole. A count of None is not shown."""
    known = [count for count in counts.values() if count is not None]
    whole = sum(known) if len(known) == len(counts) else None
    first = Choice("all", "", again(visit, values, **{name: [], "page": []}), whole, chosen=not chosen)
    rest = (
        Choice(
            mark(one).word,
            mark(one).kind,
            again(visit, values, **{name: [str(one.value)], "page": []}),
            count,
            chosen=one in chosen,
        )
        for one, count in counts.items()
    )
    return [first, *rest]
