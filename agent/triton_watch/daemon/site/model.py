"""The page of one model version: everything that is known of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.site import asking
from triton_watch.daemon.site.asking import NoPageError
from triton_watch.daemon.site.budget_parts import budget_view, courses_by_slo
from triton_watch.daemon.site.model_parts import bars, indicators, runs, steps, times
from triton_watch.daemon.site.overview import metrics_of, watched_of
from triton_watch.daemon.site.parts import alert_rows, event_rows, finding_row
from triton_watch.daemon.site.rendering import full_name, name
from triton_watch.daemon.site.values import last_time
from triton_watch.daemon.site.visit import Page
from triton_watch.daemon.telling.model import model_detail

if TYPE_CHECKING:
    from triton_watch.daemon.facts.model import ModelDetail
    from triton_watch.daemon.site.visit import Visit

NAMES: Final = ("version", "namespace")
MOST_FINDINGS: Final = 50
MOST_EVENTS: Final = 30
MOST_BUDGETS: Final = 20
MOST_MEMBERS: Final = 60
MOST_TENSORS: Final = 60
MOST_VERSIONS: Final = 50
_PARTS: Final = 3
"""Of the path: /models/{target}/{model}."""


def model(visit: Visit) -> Page:
    """The page of the model that the path names, of its latest version unless the query names one."""
    values = asking.values_of(visit.query, NAMES)
    if len(visit.segments) != _PARTS:
        raise NoPageError(
            HTTPStatus.NOT_FOUND,
            "There is no such page of a model.",
            "Its path is /models/TARGET/MODEL; a slash in a name is written %2F.",
        )
    _, target, wanted = visit.segments
    asking.check_target(target, visit.targets)
    version, namespace = asking.one(values, "version"), asking.one(values, "namespace")
    found = model_detail(visit.source, visit.at, target, wanted, version, namespace)
    if found is None:
        raise NoPageError(
            HTTPStatus.NOT_FOUND,
            f"There is no model {full_name(wanted, version)} on {name(target)}.",
            "The server's repository index does not name it, and no metric does: it may have been unloaded. "
            "Look for it among all models.",
        )
    title = full_name(found.brief.name, found.brief.version)
    return Page("model", f"{title} on {name(target)}", "overview", _values(visit, found))


def _values(visit: Visit, found: ModelDetail) -> dict[str, object]:
    brief, courses = found.brief, courses_by_slo(found.courses)
    config = found.configuration
    return {
        "detail": found,
        "troubles": [one for one in found.troubles if one.sentence != brief.headline],
        "brief": brief,
        "target_href": visit.link.to(paths.target_page(brief.target)),
        "dashboard": visit.link.elsewhere(brief.links.dashboard),
        "metrics": metrics_of(brief, found.recent),
        "period": last_time(watched_of(found.recent)),
        "indicators": indicators(found),
        "times": times(found),
        "failures": {reason: count for reason, count in found.failures.items() if count},
        "budgets": [
            budget_view(visit, one, courses.get(one.slo), is_wrong=brief.standing is Standing.WRONG)
            for one in found.budgets[:MOST_BUDGETS]
        ],
        "budgets_total": len(found.budgets),
        "runs": runs(found),
        "canary": found.canary,
        "past": found.canary_history,
        "findings": [finding_row(visit, one) for one in found.findings[:MOST_FINDINGS]],
        "findings_total": len(found.findings),
        "all_findings": visit.link.to(paths.FINDINGS + paths.query({"target": brief.target})),
        "steps": steps(visit, found)[:MOST_MEMBERS],
        "batches": bars(found),
        "versions": [
            (one, visit.link.to(one.links.page), one.version == brief.version) for one in found.versions[:MOST_VERSIONS]
        ],
        "config": config,
        "inputs": () if config is None else config.inputs[:MOST_TENSORS],
        "outputs": () if config is None else config.outputs[:MOST_TENSORS],
        "alerts": alert_rows(visit, found.alerts),
        "events": event_rows(visit, found.events[:MOST_EVENTS]),
    }
