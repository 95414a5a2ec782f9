"""What TritonErrorBudgetBurn says of each burn window by itself."""

from __future__ import annotations

from support.alert_facts import budget, facts, probes, snapshot
from support.alert_moments import OBJECTIVES, PAGING, TICKETING
from support.frames import key
from support.objectives import DAY, HOUR, MINUTE, PERIOD, availability
from triton_watch.alerting.definitions.budgets import BUDGET_PAGE, BUDGET_TICKET
from triton_watch.records import AlertCase, BudgetTable, Outcome, TargetSnapshot
from unit.alerting.test_definitions import cases

ALL_BAD = dict.fromkeys((5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY, PERIOD), 100.0)


def pages(table: BudgetTable, of: TargetSnapshot | None = None) -> tuple[AlertCase, ...]:
    return cases(BUDGET_PAGE, facts(of, budgets=[table], objectives=OBJECTIVES)) or ()


def windows(found: tuple[AlertCase, ...]) -> list[str]:
    return [dict(one.labels)["window"] for one in found if one.holds]


def test_a_burning_budget_is_told_with_its_rates_its_limit_and_what_is_left() -> None:
    (found,) = pages(budget(PAGING))
    assert dict(found.labels) == {"slo": "availability", "model": "encoder", "version": "1", "window": "1h"}
    assert found.detail == (
        "availability (99.9%) of encoder on gpu-7 burns its budget too fast: over 1h at 50 times and over 5m at 50 "
        "times the pace at which it just lasts for 30 days (limit 14.4); nothing of it is left."
    )
    assert found.value is not None
    assert round(found.value, 6) == 50.0


def test_what_is_left_of_a_budget_is_told_while_something_is() -> None:
    (found,) = pages(budget({5 * MINUTE: 50.0, HOUR: 50.0, PERIOD: 0.25}))
    assert found.detail.endswith("; 75% of it is left.")


def test_each_window_is_judged_by_itself_and_has_its_own_patience() -> None:
    found = pages(budget(ALL_BAD))
    assert [(dict(one.labels)["window"], one.hold) for one in found] == [("1h", 120.0), ("6h", 900.0)]
    tickets = cases(BUDGET_TICKET, facts(budgets=[budget(ALL_BAD)], objectives=OBJECTIVES)) or ()
    assert [(dict(one.labels)["window"], one.hold) for one in tickets] == [("1d", 3600.0), ("3d", 10800.0)]


def test_one_window_alone_does_not_burn() -> None:
    assert pages(budget({HOUR: 50.0, PERIOD: 50.0})) == ()
    assert pages(budget({5 * MINUTE: 50.0, PERIOD: 50.0})) == ()
    assert windows(pages(budget({**PAGING, **TICKETING}))) == ["1h"]


def test_an_objective_without_tickets_makes_none() -> None:
    one = availability(windows=availability().windows[:2])
    found = cases(BUDGET_TICKET, facts(budgets=[budget(ALL_BAD, objective=one)], objectives=[one]))
    assert found == ()


def test_as_many_events_as_are_needed_are_enough() -> None:
    assert windows(pages(budget({**PAGING, 5 * MINUTE: 10.0, HOUR: 10.0}, total=20.0))) == ["1h"]
    assert pages(budget({5 * MINUTE: 10.0, HOUR: 10.0}, total=19.0)) == ()


def test_a_short_window_without_events_leaves_open_what_the_long_one_began() -> None:
    (found,) = pages(budget({HOUR: 50.0, PERIOD: 50.0}, empty=[5 * MINUTE]))
    assert (found.holds, found.hold) == (None, 120.0)
    assert pages(budget({HOUR: 1.0, PERIOD: 50.0}, empty=[5 * MINUTE])) == (), "the long one does not burn"


def test_a_silent_indicator_leaves_open_whatever_may_have_fired() -> None:
    assert [one.holds for one in pages(budget(PAGING, silence=700.0))] == [None, None]
    assert pages(budget({}, silence=700.0)) == (), "nothing was bad in the whole period"


def test_of_a_model_that_the_index_does_not_name_any_more_nothing_is_told() -> None:
    gone = budget(PAGING, model=key("gone"))
    assert pages(gone) == ()
    old = snapshot(probes=probes(index=Outcome.SERVER_ERROR))
    assert windows(pages(gone, old)) == ["1h"], "an old index is no proof"


def test_other_periods_have_other_windows() -> None:
    tiers = tuple(
        type(one)(one.severity, one.factor, one.long / 6, one.short / 3, one.hold) for one in availability().windows[:1]
    )
    week = availability(windows=tiers, period=5 * DAY)
    (found,) = pages(budget({100.0: 50.0, 600.0: 50.0, 5 * DAY: 50.0}, objective=week))
    assert dict(found.labels)["window"] == "10m"
