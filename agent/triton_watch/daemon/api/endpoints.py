"""What there is below /api/v1/: every endpoint once, with its parameters and the record that it answers with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from triton_watch.daemon.api import parameters as of
from triton_watch.daemon.api.endpoint import Endpoint, Question
from triton_watch.daemon.api.known import check_model, check_slo, check_target, no_model
from triton_watch.daemon.facts.alert import AlertList
from triton_watch.daemon.facts.budget import BudgetList
from triton_watch.daemon.facts.canary import CanaryList
from triton_watch.daemon.facts.finding import FindingList
from triton_watch.daemon.facts.model import ModelDetail, ModelList
from triton_watch.daemon.facts.status import Status
from triton_watch.daemon.facts.target import TargetList
from triton_watch.daemon.telling.alerts import alert_list
from triton_watch.daemon.telling.budgets import budget_list
from triton_watch.daemon.telling.canaries import canary_list
from triton_watch.daemon.telling.findings import finding_list
from triton_watch.daemon.telling.model import model_detail
from triton_watch.daemon.telling.models import ModelQuery, model_list
from triton_watch.daemon.telling.status import status
from triton_watch.daemon.telling.targets import target_list

if TYPE_CHECKING:
    from collections.abc import Callable

Page = TypeVar("Page", FindingList, BudgetList, CanaryList)


def _status(question: Question) -> Status:
    return status(question.source, question.now)


def _targets(question: Question) -> TargetList:
    asked = question.asked
    return target_list(question.source, question.now, asked[of.OFFSET], asked[of.LIMIT])


def _models(question: Question) -> ModelList:
    asked = question.asked
    check_target(question.source, asked[of.TARGET])
    query = ModelQuery(
        target=asked[of.TARGET],
        standings=asked[of.STANDING],
        search=asked[of.SEARCH],
        offset=asked[of.OFFSET],
        limit=asked[of.LIMIT],
        recent=asked[of.RECENT],
    )
    return model_list(question.source, question.now, query)


def _model(question: Question) -> ModelDetail:
    target, name = question.names
    check_target(question.source, target)
    version, namespace = question.asked[of.VERSION], question.asked[of.NAMESPACE]
    found = model_detail(question.source, question.now, target, name, version, namespace)
    if found is None:
        other = model_detail(question.source, question.now, target, name)
        raise no_model(target, name, version, namespace, other)
    return found


def _alerts(question: Question) -> AlertList:
    asked = question.asked
    check_target(question.source, asked[of.TARGET])
    found = alert_list(
        question.source, question.now, phase=asked[of.PHASE], target=asked[of.TARGET], model=asked[of.MODEL]
    )
    if not found.alerts:
        check_model(question.source, asked[of.TARGET], asked[of.MODEL])
    return found


def _page_of(question: Question, tell: Callable[..., Page]) -> Page:
    """Return a page of a list that may be about a target and a model. Raises RefusedError (404): there is none such."""
    asked = question.asked
    target, model = asked[of.TARGET], asked[of.MODEL]
    check_target(question.source, target)
    page = {"offset": asked[of.OFFSET], "limit": asked[of.LIMIT]}
    found = tell(question.source, question.now, target=target, model=model, **page)
    if not found.total:
        check_model(question.source, target, model)
    return found


def _findings(question: Question) -> FindingList:
    return _page_of(question, partial(finding_list, severity=question.asked[of.SEVERITY]))


def _slo(question: Question) -> BudgetList:
    asked = question.asked
    check_target(question.source, asked[of.TARGET])
    check_slo(question.source, asked[of.SLO])
    return _page_of(question, partial(budget_list, slo=asked[of.SLO], verdict=asked[of.BUDGET_VERDICT]))


def _canaries(question: Question) -> CanaryList:
    return _page_of(question, partial(canary_list, verdict=question.asked[of.CANARY_VERDICT]))


_PAGE: Final = (of.OFFSET, of.LIMIT)

ENDPOINTS: Final = (
    Endpoint("/status", "status", "the verdict in one sentence, targets, alerts, the agent itself", Status, _status),
    Endpoint("/targets", "targets", "every target, the worst first", TargetList, _targets, _PAGE),
    Endpoint(
        "/models",
        "models",
        "models, those in trouble first, then by budget left",
        ModelList,
        _models,
        (of.TARGET, of.STANDING, of.SEARCH, of.RECENT, *_PAGE),
    ),
    Endpoint(
        "/models/{target}/{model}",
        "model",
        "all that is known of one model",
        ModelDetail,
        _model,
        (of.VERSION, of.NAMESPACE),
    ),
    Endpoint(
        "/alerts", "alerts", "alerts, and who is told", AlertList, _alerts, (of.PHASE, of.TARGET, of.MODEL)
    ),
    Endpoint(
        "/findings",
        "findings",
        "what is wrong with the live configuration, errors first",
        FindingList,
        _findings,
        (of.TARGET, of.MODEL, of.SEVERITY, *_PAGE),
    ),
    Endpoint(
        "/slo",
        "slo",
        "objectives and error budgets, the least left first",
        BudgetList,
        _slo,
        (of.TARGET, of.MODEL, of.SLO, of.BUDGET_VERDICT, *_PAGE),
    ),
    Endpoint(
        "/canaries",
        "canaries",
        "canaries of each model, failing ones first",
        CanaryList,
        _canaries,
        (of.TARGET, of.MODEL, of.CANARY_VERDICT, *_PAGE),
    ),
)  # fmt: skip
PATH_NAMES: Final = {
    "target": "The target's name, percent-encoded: a slash in it is %2F.",
    "model": "The model's name, percent-encoded: a slash in it is %2F.",
}
"""What stands in braces in a path."""
