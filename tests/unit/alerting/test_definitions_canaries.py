"""What the alerts about canaries say, and which of them a failure belongs to."""

from __future__ import annotations

import pytest

from support.alert_facts import M, facts, probes, snapshot
from support.alert_moments import FAILS, NONE_YET, PASSED_AGAIN, PASSES, SAID, WRONG, in_state
from triton_watch.alerting.definitions.canaries import CANARY_FAILING, CANARY_WRONG_OUTPUT, SILENT_FAILURE
from triton_watch.records import CanaryReason, CanaryState, CanaryVerdict, ModelStatus, Outcome, TargetSnapshot
from unit.alerting.test_definitions import cases
from unit.canary_samples import result, state

ALL = (CANARY_FAILING, CANARY_WRONG_OUTPUT, SILENT_FAILURE)


def detail(canary: CanaryState, of: TargetSnapshot | None = None) -> str:
    found = [one for alert in ALL[:2] for one in cases(alert, facts(of, canary)) or ()]
    assert [one.holds for one in found] == [True]
    return found[0].detail


def test_a_failure_is_told_as_a_client_would_tell_it() -> None:
    failure = result(CanaryReason.WRONG_SHAPE, M, detail="OUT has shape [2, 7], and the configuration promises [-1, 8]")
    text = detail(state(*(CanaryReason.WRONG_SHAPE,) * 3, key=M, last_failure=failure), snapshot(silent=SAID))
    assert text == (
        "encoder on gpu-7: 3 of 3 canaries failed: wrong shape, OUT has shape [2, 7], and the configuration promises "
        "[-1, 8]; the server counts these as success."
    )


def test_what_the_server_counts_is_told_only_where_it_is_known() -> None:
    assert detail(WRONG).endswith("wrong shape, it is wrong_shape.")


def test_failures_are_counted_among_the_last_three_or_among_all_where_they_lie_further_back() -> None:
    assert "2 of 3 canaries failed" in detail(PASSED_AGAIN)
    wide = state(
        CanaryReason.DEADLINE,
        CanaryReason.DEADLINE,
        CanaryReason.OK,
        CanaryReason.OK,
        key=M,
        verdict=CanaryVerdict.FAILING,
    )
    assert "2 of 4 canaries failed: deadline" in detail(wide)


@pytest.mark.parametrize("reason", [one for one in CanaryReason if one is not CanaryReason.OK])
def test_every_way_to_fail_belongs_to_one_of_the_two_alerts(reason: CanaryReason) -> None:
    failing = facts(None, state(*(reason,) * 3, key=M))
    found = [alert.name for alert in ALL if cases(alert, failing)]
    unanswered = not reason.was_served or reason is CanaryReason.TOO_SLOW
    assert found == ["TritonCanaryFailing" if unanswered else "TritonCanaryWrongOutput"]


def test_a_canary_that_has_not_decided_is_not_known_and_one_that_passes_is_fine() -> None:
    for one in ALL:
        assert [case.holds for case in cases(one, facts(None, NONE_YET)) or ()] == [None]
        assert cases(one, facts(snapshot(silent=SAID), PASSES)) == ()


@pytest.mark.parametrize("status", [ModelStatus.UNAVAILABLE, ModelStatus.LOADING, ModelStatus.UNLOADED])
def test_of_a_model_that_is_not_ready_or_gone_others_tell(status: ModelStatus) -> None:
    for alert in ALL:
        asleep = snapshot(models=(in_state(status),), silent=SAID)
        assert cases(alert, facts(asleep, WRONG)) == cases(alert, facts(asleep, NONE_YET)) == ()
        assert cases(alert, facts(snapshot(models=(), silent=SAID), WRONG)) == ()


def test_with_an_old_index_a_failing_canary_is_still_told() -> None:
    old = snapshot(models=(in_state(ModelStatus.LOADING),), probes=probes(index=Outcome.SERVER_ERROR))
    found = cases(CANARY_FAILING, facts(old, FAILS))
    assert found is not None
    assert [one.holds for one in found] == [True]


@pytest.mark.parametrize("reason", [CanaryReason.UNREACHABLE, CanaryReason.DEADLINE])
def test_a_canary_that_is_not_answered_waits_for_the_poll_that_says_whether_the_server_is_there(
    reason: CanaryReason,
) -> None:
    polled = snapshot().at
    early = state(*(reason,) * 3, key=M, last_failure=result(reason, M, at=polled + 1))
    late = state(*(reason,) * 3, key=M, last_failure=result(reason, M, at=polled - 1))
    assert [case.holds for case in cases(CANARY_FAILING, facts(None, early)) or ()] == [None]
    assert [case.holds for case in cases(CANARY_FAILING, facts(None, late)) or ()] == [True]
