"""Names that no one would choose: nothing fails, everything can be written as JSON and read again, nothing leaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from synthetic_state import HOSTILE, SyntheticState, alerts_of, budgets_of, canaries_of, snapshot_of
from triton_watch.conventions.paths import segments
from triton_watch.daemon.facts.alert import AlertList
from triton_watch.daemon.facts.budget import BudgetList
from triton_watch.daemon.facts.canary import CanaryList
from triton_watch.daemon.facts.coding import as_json
from triton_watch.daemon.facts.finding import FindingList
from triton_watch.daemon.facts.model import ModelDetail, ModelList
from triton_watch.daemon.facts.reading import from_json
from triton_watch.daemon.facts.status import Status
from triton_watch.daemon.facts.target import TargetList
from triton_watch.daemon.telling.alerts import alert_list
from triton_watch.daemon.telling.budgets import budget_list
from triton_watch.daemon.telling.canaries import canary_list
from triton_watch.daemon.telling.findings import finding_list
from triton_watch.daemon.telling.model import model_detail
from triton_watch.daemon.telling.models import ModelQuery, model_list
from triton_watch.daemon.telling.status import status
from triton_watch.daemon.telling.targets import target_detail, target_list
from triton_watch.records import (
    AlertKey,
    Alertmanager,
    AlertPhase,
    AlertSettings,
    AlertSeverity,
    AlertState,
    BatchSizes,
    CanaryFailure,
    CanaryHistory,
    CanaryReason,
    Confidence,
    Credentials,
    Event,
    EventKind,
    EventLevel,
    Finding,
    History,
    LogLine,
    ModelKey,
    Severity,
)
from triton_watch.wording.text import whole
from unit.daemon.telling.scenes import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = ("s3cret-user", "s3cret-password", "s3cret-token", "s3cret-header", "s3cret-restricted")
USER, PASSWORD, TOKEN, HEADER, RESTRICTED = SECRETS
CREDENTIALS = Credentials(USER, PASSWORD, TOKEN, (("X-Key", HEADER),), ("triton-key", RESTRICTED))


def state(name: str) -> SyntheticState:
    """Everything there is, of targets and models of that name."""
    key = ModelKey(name, name)
    made = snapshot_of([ModelKey(name, name, name)])
    mine = replace(made.target, name=name, credentials=CREDENTIALS)
    alert = AlertState(
        AlertKey("TritonCanaryFailing", AlertSeverity.PAGE, (("model", name), ("target", name))),
        AlertPhase.FIRING,
        active_at=NOW,
        summary=name,
        detail=name,
    )
    finding = Finding("TW1", "slug", Severity.ERROR, Confidence.LOW, name, name, name, 1, 1, name, source=name)
    settings = AlertSettings(
        dashboard_url="https://g/{dashboard}/{target}/{model}",
        alertmanagers=(Alertmanager("http://peer", credentials=CREDENTIALS),),
    )
    view = replace(alerts_of(NOW), settings=settings, states=(alert,), ended=(alert,), findings={name: (finding,)})
    event = Event(NOW, NOW, EventKind.MODEL, EventLevel.TROUBLE, name, name, name, name)
    line = LogLine(NOW, "ERROR", name, name)
    failure = CanaryFailure(CanaryReason.NOT_FINITE, name, NOW, NOW)
    found = SyntheticState({name: replace(made, target=mine)})
    return replace(
        found,
        canary_states={name: canaries_of([key])},
        budget_view=budgets_of([ModelKey(name, name, name)], [name]),
        alert_view=view,
        past=History(events=(event,)),
        canary_pasts={(name, key): CanaryHistory((), (failure,))},
        batches={(name, name, name): BatchSizes(NOW, {1: 2}, name)},
        process=replace(found.process, log=(line,)),
    )


BUILDERS: dict[str, tuple[type, Callable[[SyntheticState], Any]]] = {
    "models": (ModelList, lambda one: model_list(one, NOW, ModelQuery(recent=True))),
    "status": (Status, lambda one: status(one, NOW)),
    "targets": (TargetList, lambda one: target_list(one, NOW)),
    "alerts": (AlertList, lambda one: alert_list(one, NOW)),
    "findings": (FindingList, lambda one: finding_list(one, NOW)),
    "budgets": (BudgetList, lambda one: budget_list(one, NOW)),
    "canaries": (CanaryList, lambda one: canary_list(one, NOW)),
}


@pytest.mark.parametrize("builder", BUILDERS)
def test_answers_are_read_back_as_they_were_written_whatever_the_names(builder: str) -> None:
    kind, make = BUILDERS[builder]
    for name in HOSTILE:
        found = make(state(name))
        assert as_json(from_json(kind, as_json(found))) == as_json(found)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_model_is_found_by_its_own_name_by_the_told_one_and_by_its_page(name: str) -> None:
    source = state(name)
    found = model_detail(source, NOW, name, name, name, name)
    assert found is not None
    assert as_json(from_json(ModelDetail, as_json(found))) == as_json(found)
    assert model_detail(source, NOW, *(whole(name),) * 4) == found
    assert (found.brief.name, found.brief.target, found.brief.namespace) == (whole(name),) * 3
    _, target, model = segments(found.brief.links.page)
    assert model_detail(source, NOW, target, model) == found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_target_is_found_by_its_own_name_and_by_its_page(name: str) -> None:
    source = state(name)
    found = target_detail(source, NOW, name)
    assert found is not None
    assert target_detail(source, NOW, segments(found.brief.links.page)[1]) == found


@pytest.mark.parametrize("name", HOSTILE)
def test_lists_may_be_narrowed_to_told_names(name: str) -> None:
    source, told = state(name), whole(name)
    assert model_list(source, NOW, ModelQuery(target=told, search=told)).total == 1
    assert len(alert_list(source, NOW, target=told, model=told).alerts) == 1
    assert finding_list(source, NOW, target=told, model=told).total == 1
    assert budget_list(source, NOW, target=told, model=told).total == 4
    assert canary_list(source, NOW, target=told, model=told).total == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_sentences_are_for_one_line_and_all_text_can_be_written_as_utf_8(name: str) -> None:
    source = state(name)
    found = model_detail(source, NOW, name, name)
    assert found is not None
    troubles, events = ([one.sentence for one in told] for told in (found.troubles, found.events))
    for sentence in (found.brief.headline, *troubles, *events):
        assert sentence.isprintable()
    for answer in (found, *(make(source) for _, make in BUILDERS.values())):
        assert repr(answer).encode()
        assert b"\\ud800" not in as_json(answer)


def test_no_secret_is_told() -> None:
    source = state("m")
    answers = [make(source) for _, make in BUILDERS.values()]
    answers += [model_detail(source, NOW, "m", "m"), target_detail(source, NOW, "m")]
    for answer in answers:
        text = as_json(answer).decode() + repr(answer)
        assert not [secret for secret in SECRETS if secret in text]
