"""Where a model stands is the worst that is to be said of it, and what nobody knows is not called well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.objectives import queue_time
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.state import BudgetsView, TargetBudgets
from triton_watch.daemon.telling.models import ModelQuery, model_list
from triton_watch.records import (
    CanaryReason,
    Counter,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    SkipReason,
    Sli,
)
from triton_watch.slo.sli import ROW
from unit.daemon.telling.scenes import (
    LATE,
    NOW,
    SILENT,
    WEDGED,
    budgets,
    calm,
    deaf,
    failing,
    key,
    passing,
    ready,
    snapshot,
    source,
    target,
    undecided,
)

M = key("m")
STATE = ModelStatus


def stand(snap: Any, canary: Any = None, now: float = NOW, **fields: Any) -> tuple[Standing, str]:
    """The standing and the headline of the one model."""
    canaries = {} if canary is None else {"t": {M: canary}}
    (found,) = model_list(source(snap, canary_states=canaries, **fields), now, ModelQuery()).models
    return found.standing, found.headline


def in_state(status: ModelStatus, reason: str = "", *, expected: bool = False) -> Any:
    return snapshot([ModelState(M, status, reason, expected)])


WELL = snapshot([ready(M)])
NO_METRICS = snapshot([ready(M)], probes={"metrics": ProbeResult("metrics", Outcome.REFUSED, 0.1, "refused")})
CASES = {
    "a ready model without a canary": (WELL, None, Standing.OK, ""),
    "a ready model whose canary passes": (WELL, passing(M), Standing.OK, ""),
    "a silent failure": (
        snapshot([ready(M)], silent={M: SILENT}),
        failing(M),
        Standing.WRONG,
        "Silent failure: its canary fails (not_finite), and Triton counts success: Y holds NaN",
    ),
    "a silent failure that a canary has since passed": (
        snapshot([ready(M)], silent={M: SILENT}),
        passing(M),
        Standing.OK,
        "",
    ),
    "a silent failure of a model whose canaries were just switched off": (
        snapshot([ready(M)], silent={M: SILENT}),
        None,
        Standing.WRONG,
        "Silent failure: its canary fails, and Triton counts success.",
    ),
    "a canary that fails since the last poll": (
        WELL,
        failing(M),
        Standing.FAILING,
        "Its canary fails (not_finite): Y holds NaN",
    ),
    "a wedged model": (snapshot([ready(M)], wedged={M: WEDGED}), None, Standing.FAILING, "Wedged: 3 requests wait"),
    "a model that failed to load": (
        in_state(STATE.UNAVAILABLE, "no such file"),
        None,
        Standing.FAILING,
        "Failed to load: no such file",
    ),
    "an expected model that is not there": (
        in_state(STATE.MISSING, expected=True),
        None,
        Standing.FAILING,
        "Expected, and not in the server's repository",
    ),
    "an expected model that is not loaded": (
        in_state(STATE.NOT_LOADED, expected=True),
        None,
        Standing.FAILING,
        "Expected, and NOT_LOADED",
    ),
    "a model that loads": (in_state(STATE.LOADING), None, Standing.UNKNOWN, "Its state is LOADING."),
    "a model that unloads": (in_state(STATE.UNLOADING), None, Standing.UNKNOWN, "Its state is UNLOADING."),
    "a model that nobody loaded": (in_state(STATE.NOT_LOADED), None, Standing.UNLOADED, ""),
    "a model that somebody unloaded": (in_state(STATE.UNLOADED), None, Standing.UNLOADED, ""),
    "a canary that has not decided": (WELL, undecided(M), Standing.UNKNOWN, "Its canary has not decided yet."),
    "a canary that backs off": (
        WELL,
        undecided(M, SkipReason.BACKING_OFF),
        Standing.UNKNOWN,
        "Its canary has not decided yet.",
    ),
    "a canary for which there is no input": (
        WELL,
        undecided(M, SkipReason.NO_INPUT),
        Standing.ADVICE,
        "No canary asks it: no input can be made for it; give one",
    ),
    "a canary that needs gRPC": (
        WELL,
        undecided(M, SkipReason.NEEDS_GRPC),
        Standing.ADVICE,
        "No canary asks it: it answers over gRPC alone, and the server's gRPC does not answer",
    ),
    "a canary whose note says why it is not sent": (
        WELL,
        replace(undecided(M, SkipReason.NEEDS_GRPC), note="t:8001 refused: is the port right?"),
        Standing.ADVICE,
        "No canary asks it: t:8001 refused: is the port right?",
    ),
    "a ready model without a canary and without metrics": (
        NO_METRICS,
        None,
        Standing.UNKNOWN,
        "Its server's metrics could not be read.",
    ),
    "a model without metrics that no canary can ask": (
        NO_METRICS,
        undecided(M, SkipReason.NEEDS_GRPC),
        Standing.UNKNOWN,
        "Its server's metrics could not be read.",
    ),
    "a model without metrics whose canary passes": (NO_METRICS, passing(M), Standing.OK, ""),
    "a canary that waits for a long queue": (WELL, undecided(M, SkipReason.PENDING), Standing.OK, ""),
    "a model that only the metrics page knows": (
        snapshot([], slis=calm([M])),
        None,
        Standing.UNKNOWN,
        "Not known: the server counts requests of it",
    ),
    "a model of a server whose index was never read": (
        snapshot([], models=None, slis=calm([M])),
        None,
        Standing.UNKNOWN,
        "Not known: the server's repository index",
    ),
    "a model of a server that does not answer": (
        deaf([ready(M)]),
        passing(M),
        Standing.UNKNOWN,
        "Not known: its server does not answer.",
    ),
    "a failing canary of a server that does not answer": (
        deaf([ready(M)]),
        failing(M, CanaryReason.UNREACHABLE),
        Standing.UNKNOWN,
        "Not known: its server does not answer.",
    ),
    "an unloaded model of a server that does not answer": (
        deaf([ModelState(M, STATE.UNLOADED)]),
        None,
        Standing.UNLOADED,
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_model_stands_where_the_worst_puts_it(case: str) -> None:
    snap, canary, standing, headline = CASES[case]
    found, said = stand(snap, canary)
    assert found is standing
    assert said.startswith(headline)
    assert bool(said) is bool(headline)


def test_what_was_known_of_a_server_long_ago_is_not_told_as_if_it_held_now() -> None:
    silent = snapshot([ready(M)], silent={M: SILENT})
    for snap in (WELL, silent, in_state(STATE.UNAVAILABLE)):
        assert stand(snap, passing(M), now=LATE) == (Standing.UNKNOWN, "Not known: its server was not polled of late.")


def test_a_canary_that_fails_does_not_outlive_the_polls() -> None:
    assert stand(WELL, failing(M), now=LATE)[0] is Standing.UNKNOWN


def test_requests_that_fail_make_a_model_fail() -> None:
    table = calm([M])
    table.values[ROW[Sli.REQUEST_RATE]], table.values[ROW[Sli.AVAILABILITY]] = 1.0, 0.8
    table.deltas[Counter.FAIL_BACKEND] = 3.0
    standing, headline = stand(snapshot([ready(M)], slis=table), passing(M))
    assert standing is Standing.FAILING
    assert headline.startswith("20% of its requests failed")


def test_a_silent_failure_is_told_before_requests_that_fail() -> None:
    table = calm([M])
    table.values[ROW[Sli.REQUEST_RATE]], table.values[ROW[Sli.AVAILABILITY]] = 1.0, 0.8
    table.deltas[Counter.FAIL_BACKEND] = 3.0
    standing, headline = stand(snapshot([ready(M)], slis=table, silent={M: SILENT}), failing(M))
    assert standing is Standing.WRONG
    assert headline.startswith("Silent failure")


def queueing() -> Any:
    table = calm([M])
    table.values[ROW[Sli.REQUEST_RATE]] = 1.0
    table.values[ROW[Sli.QUEUE_TIME]], table.values[ROW[Sli.COMPUTE_INFER_TIME]] = 0.2, 0.1
    return snapshot([ready(M)], slis=table, configs={"m": ModelConfig("m")})


def test_a_queue_that_is_longer_than_the_work_is_advice() -> None:
    standing, headline = stand(queueing(), passing(M))
    assert standing is Standing.ADVICE
    assert headline.startswith("Requests wait 200 ms")


@pytest.mark.parametrize(
    ("view", "begins"),
    [
        (budgets({M: -0.5}), "The error budget of availability is exhausted: Requests wait 200 ms for 100 ms"),
        (
            budgets({M: 0.4}, burning=[M]),
            "The error budget of availability burns (40% is left): Requests wait 200 ms for 100 ms",
        ),
    ],
)
def test_a_budget_that_burns_is_told_with_what_can_be_done(view: BudgetsView, begins: str) -> None:
    standing, headline = stand(queueing(), undecided(M, SkipReason.NO_INPUT), budget_view=view)
    assert standing is Standing.BURNING
    assert headline.startswith(begins)
    assert headline.endswith("(default_queue_policy).")


def test_that_no_canary_asks_a_model_is_not_what_burns_its_budget() -> None:
    view = budgets({M: -0.5})
    assert stand(WELL, undecided(M, SkipReason.NO_INPUT), budget_view=view) == (
        Standing.BURNING,
        "The error budget of availability is exhausted.",
    )


def test_that_no_canary_asks_a_model_is_told_before_other_advice() -> None:
    standing, headline = stand(queueing(), undecided(M, SkipReason.NO_INPUT))
    assert standing is Standing.ADVICE
    assert headline.startswith("No canary asks it")


def test_a_budget_that_burns_or_is_exhausted_is_told_of_a_model_that_works() -> None:
    burning = budgets({M: 0.4}, burning=[M])
    assert stand(WELL, passing(M), budget_view=burning) == (
        Standing.BURNING,
        "The error budget of availability burns: 40% is left.",
    )
    assert stand(WELL, passing(M), budget_view=budgets({M: -0.5})) == (
        Standing.BURNING,
        "The error budget of availability is exhausted.",
    )


def test_a_budget_that_burns_is_told_even_if_another_one_has_less_left() -> None:
    low, burning = budgets({M: 0.1}), budgets({M: 0.6}, queue_time(), burning=[M])
    tables = low.targets["t"].tables + burning.targets["t"].tables
    both = BudgetsView((*low.objectives, *burning.objectives), {"t": TargetBudgets(tables)})
    assert stand(WELL, passing(M), budget_view=both) == (
        Standing.BURNING,
        "The error budget of queue-time burns or is exhausted.",
    )


def test_a_budget_is_not_told_of_a_model_that_fails_or_of_which_nothing_is_known() -> None:
    burning = budgets({M: 0.4}, burning=[M])
    assert stand(WELL, failing(M), budget_view=burning)[0] is Standing.FAILING
    assert stand(deaf([ready(M)]), None, budget_view=burning)[0] is Standing.UNKNOWN


@pytest.mark.parametrize("view", [budgets({M: 0.1}), budgets({M: float("nan")}), budgets({M: -1.0}, silence=1e6)])
def test_a_budget_that_is_well_or_without_data_makes_no_trouble(view: BudgetsView) -> None:
    assert stand(WELL, passing(M), budget_view=view) == (Standing.OK, "")


def test_a_model_in_a_namespace_has_the_canary_the_silence_and_the_troubles_of_its_name() -> None:
    spaced = ModelKey("m", "1", "team")
    snap = snapshot([ready(M)], slis=calm([spaced]), silent={M: SILENT})
    (found,) = model_list(source(snap, canary_states={"t": {M: failing(M)}}), NOW, ModelQuery()).models
    assert (found.namespace, found.standing, found.canary_reason) == ("team", Standing.WRONG, CanaryReason.NOT_FINITE)
    assert found.headline.startswith("Silent failure")


def test_the_models_of_a_target_that_was_never_polled_are_not_known_at_all() -> None:
    assert model_list(source(unpolled={"t": target()}), NOW, ModelQuery()).total == 0


def test_headlines_are_for_one_line() -> None:
    _, headline = stand(in_state(STATE.UNAVAILABLE, "a\x1b[2J\nb"))
    assert headline == "Failed to load: a\N{REPLACEMENT CHARACTER}[2J b"
    assert headline.isprintable()
