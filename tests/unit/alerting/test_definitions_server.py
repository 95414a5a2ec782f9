"""What TritonTargetDown, TritonNotReady and TritonMetricsMissing say, and when they know nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.alert_facts import budget, facts, probes, snapshot, unheard
from support.alert_moments import AVAILABILITY, OBJECTIVES, READY, in_state
from support.objectives import queue_time
from triton_watch.alerting.definitions.server import METRICS_MISSING, NOT_READY, TARGET_DOWN
from triton_watch.records import ModelStatus, Outcome, ProbeResult, ServerInfo, TargetSnapshot
from unit.alerting.test_definitions import cases


def details(found: object) -> list[str]:
    assert isinstance(found, tuple)
    return [one.detail for one in found]


def test_a_target_that_is_down_is_told_with_what_the_probes_met() -> None:
    (detail,) = details(cases(TARGET_DOWN, facts(unheard())))
    assert detail == "Nothing answers as Triton: http://gpu-7: refused."


def test_a_target_is_not_down_while_its_metrics_page_comes() -> None:
    found = snapshot(live=None, ready=None, probes=probes(live=Outcome.REFUSED, ready=Outcome.REFUSED))
    assert cases(TARGET_DOWN, facts(found)) == ()


def test_what_a_server_said_of_itself_in_an_earlier_cycle_keeps_no_target_up() -> None:
    """A server that hangs uses up the cycle, and what nobody had time to ask is left as it was."""
    hung = unheard(Outcome.READ_TIMEOUT)
    known = replace(hung, server=ServerInfo("triton", "2.51.0"))
    late = replace(known, probes={**hung.probes, "server": ProbeResult("server", Outcome.NOT_TRIED, 0.0)})
    assert details(cases(TARGET_DOWN, facts(late))) == ["Nothing answers as Triton: http://gpu-7: read_timeout."]
    asked_before = replace(known, probes=probes(live=Outcome.REFUSED, ready=Outcome.REFUSED))
    assert cases(TARGET_DOWN, facts(asked_before)) == ()


def test_a_server_that_is_not_ready_is_told_with_the_models_that_are_not() -> None:
    models = (
        READY,
        in_state(ModelStatus.UNAVAILABLE, "no", version="2"),
        replace(in_state(ModelStatus.UNLOADED), key=READY.key._replace(name="off")),
        replace(in_state(ModelStatus.LOADING), key=READY.key._replace(name="late")),
        replace(in_state(ModelStatus.NOT_LOADED, expected=True), key=READY.key._replace(name="wanted")),
    )
    (detail,) = details(cases(NOT_READY, facts(snapshot(ready=False, models=models))))
    assert detail == "The server says that it is not ready; not loaded: encoder, late and wanted."


def test_a_readiness_that_nobody_answers_is_told_as_that() -> None:
    hung = snapshot(ready=None, live=None, probes=probes(ready=Outcome.READ_TIMEOUT))
    (detail,) = details(cases(NOT_READY, facts(hung)))
    assert detail == "The server does not say whether it is ready: http://gpu-7: read_timeout."


@pytest.mark.parametrize(
    "found", [unheard(), unheard(Outcome.READ_TIMEOUT), snapshot(ready=None, probes=probes(ready=Outcome.NOT_TRIED))]
)
def test_of_a_server_that_is_down_or_was_not_asked_nobody_knows_whether_it_is_ready(found: TargetSnapshot) -> None:
    assert cases(NOT_READY, facts(found)) is None


def test_a_missing_page_is_one_alert_of_the_target_with_what_the_probe_met() -> None:
    gone = snapshot(slis=None, probes=probes(metrics=Outcome.EMPTY))
    found = cases(METRICS_MISSING, facts(gone, budgets=[budget({}, silence=700.0)], objectives=OBJECTIVES))
    assert found is not None
    assert [(dict(one.labels), one.holds) for one in found] == [
        ({}, True),
        ({"slo": "availability", "model": "encoder", "version": "1"}, None),
    ]
    assert found[0].detail == "There is no metrics page: http://gpu-7: empty."


def test_counters_that_stand_still_are_told_with_the_flag_that_stops_them() -> None:
    frozen = snapshot(slis=replace(snapshot().slis, counters_off=True))  # type: ignore[type-var]
    (detail,) = details(cases(METRICS_MISSING, facts(frozen)))
    assert "counter_latencies=false" in detail


def test_each_objective_has_its_own_patience_with_a_silent_indicator() -> None:
    patient = queue_time(no_data_after=3600.0)
    tables = [budget({}, silence=700.0), budget({}, silence=700.0, objective=patient)]
    found = cases(METRICS_MISSING, facts(budgets=tables, objectives=[AVAILABILITY, patient]))
    assert found is not None
    assert [dict(one.labels)["slo"] for one in found] == ["availability"]
    assert found[0].detail == "The indicator of availability has said nothing about encoder for 11.7 min."
    assert found[0].value == 700.0


@pytest.mark.parametrize("silence", [0.0, 600.0])
def test_an_indicator_that_spoke_in_time_is_not_silent(silence: float) -> None:
    found = cases(METRICS_MISSING, facts(budgets=[budget({}, silence=silence)], objectives=OBJECTIVES))
    assert found == ()


def test_a_silence_that_nobody_measured_is_not_known() -> None:
    found = cases(METRICS_MISSING, facts(budgets=[budget({}, silence=np.nan)], objectives=OBJECTIVES))
    assert found is not None
    assert [one.holds for one in found] == [None]


def test_without_an_index_nobody_knows_whether_a_silent_model_is_ready() -> None:
    old = snapshot(probes=probes(index=Outcome.READ_TIMEOUT))
    found = cases(METRICS_MISSING, facts(old, budgets=[budget({}, silence=700.0)], objectives=OBJECTIVES))
    assert found is not None
    assert [one.holds for one in found] == [None]
