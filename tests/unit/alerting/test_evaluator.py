from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from triton_watch.alerting.definitions import ALERTS
from triton_watch.alerting.evaluator import Evaluator
from triton_watch.alerting.in_force import OF_CHECKS
from triton_watch.records import AlertCase, AlertMode, AlertOverride, AlertPhase, AlertSettings, AlertSeverity
from unit.alerting.world import LOG, NAME, START, World, case, definition, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.alerting.definition import AlertDefinition, Condition, Facts

PAGE, TICKET, INFO = AlertSeverity


def overriding(*overrides: AlertOverride, **more: object) -> AlertSettings:
    return replace(AlertSettings(overrides=overrides), **more)  # type: ignore[arg-type]  # fields of AlertSettings


def yielding(*cases: AlertCase) -> Condition:
    return lambda facts, threshold: cases  # noqa: ARG005 - a condition


def above(facts: Facts, threshold: float) -> Iterator[AlertCase]:  # noqa: ARG001 - a condition
    """Models whose names are numbers above the threshold."""
    return (
        AlertCase((("model", name),), True, value=float(name)) for name in ("1", "5", "9") if float(name) > threshold
    )


def evaluator_of(*definitions: AlertDefinition, settings: AlertSettings | None = None) -> Evaluator:
    return Evaluator(settings or AlertSettings(), definitions, log=LOG, clock=lambda: 0.0, now=lambda: START)


def told(evaluator: Evaluator) -> list[tuple[str, str, str]]:
    return [
        (one.key.alert, one.key.severity.value, dict(one.key.labels).get("model", "")) for one in evaluator.states()
    ]


def test_alerts_are_those_of_their_targets() -> None:
    world = World()
    world.poll(case("m"), target="one")
    world.poll(case("m"), target="two")
    world.poll(target="one")
    assert world.phases() == {"m/two": "firing", "m/one": "resolved"}


def test_many_targets_at_once_are_evaluated_one_by_one_and_published_together() -> None:
    published: list[int] = []

    def one_each(facts: Facts, threshold: float) -> list[AlertCase]:  # noqa: ARG001 - a condition
        published.append(len(evaluator.states()))
        return [case("m")]

    evaluator = evaluator_of(definition(one_each))
    evaluator.only(["a", "b", "c"])
    evaluator.observe_all(facts_of(name, 1) for name in ("c", "gone", "a", "b"))
    assert [dict(one.key.labels)["target"] for one in evaluator.states()] == ["a", "b", "c"]
    assert published == [0, 0, 0]
    before = evaluator.states()
    evaluator.observe_all([])
    assert evaluator.states() is before


def test_the_bound_holds_over_the_targets_that_are_evaluated_at_once(caplog: pytest.LogCaptureFixture) -> None:
    rule = definition(yielding(*(case(f"m{number}") for number in range(4))))
    evaluator = Evaluator(AlertSettings(), (rule,), log=LOG, clock=lambda: 0.0, now=lambda: START, limit=10)
    evaluator.observe_all(facts_of(name, 1) for name in "abc")
    assert (len(evaluator.states()), evaluator.refused) == (10, 2)
    assert [record.args for record in caplog.records] == [(10, 2, "c")]


@pytest.mark.parametrize("name", sorted(OF_CHECKS))
def test_alerts_about_checks_end_when_the_checks_are_switched_off(name: str) -> None:
    world = World(definition(name=name, keep=600.0), more=(definition(yielding(case("other"))),))
    world.poll(case("m"))
    world.swap(AlertSettings(config_check=None))
    world.lose()
    assert world.phases() == {"other/t": "firing", "m/t": "resolved"}
    world.poll(case("m"))
    assert world.phases() == {"other/t": "firing", "m/t": "resolved"}
    world.swap(AlertSettings())
    world.poll(case("m"))
    assert world.phases() == {"other/t": "firing", "m/t": "firing"}


def test_the_alerts_about_checks_are_among_the_definitions() -> None:
    assert {one.name for one in ALERTS} >= OF_CHECKS


def test_they_come_sorted_by_phase_then_severity_then_name_then_labels() -> None:
    world = World(
        definition(hold=60.0, severity=INFO, name="TritonZ"),
        more=(
            definition(yielding(case("b"), case("a")), severity=TICKET, name="TritonA"),
            definition(yielding(case("x")), severity=PAGE, name="TritonB"),
            definition(yielding(case("y")), severity=PAGE, name="TritonY", hold=60.0),
        ),
    )
    world.poll(case("m"))
    assert told(world.evaluator) == [
        ("TritonB", "page", "x"),
        ("TritonA", "ticket", "a"),
        ("TritonA", "ticket", "b"),
        ("TritonY", "page", "y"),
        ("TritonZ", "info", "m"),
    ]


def test_labels_are_sorted_and_none_is_empty() -> None:
    labels = (("version", "1"), ("model", "m"), ("namespace", ""))
    evaluator = evaluator_of(definition(yielding(AlertCase(labels, True))))
    evaluator.observe(facts_of("t", 1))
    (state,) = evaluator.states()
    assert state.key.labels == (("model", "m"), ("target", "t"), ("version", "1"))


def test_what_is_not_known_begins_nothing() -> None:
    world = World()
    world.poll(case("m", None))
    world.lose()
    assert world.phases() == {}


def test_a_condition_is_asked_for_what_is_not_known_only_while_there_are_alerts_that_hang_on_it() -> None:
    asked: list[bool] = []

    def doubting(facts: Facts, threshold: float) -> Iterator[AlertCase]:  # noqa: ARG001 - a condition
        asked.append(facts.wants_unknown)
        yield case("m", True if len(asked) == 1 else None)

    evaluator = evaluator_of(definition(yielding(), name="TritonOther"), definition(doubting))
    for cycle in (1, 2):
        evaluator.observe(facts_of("t", cycle))
    evaluator.observe(facts_of("other", 1))
    assert asked == [False, True, False]
    assert [one.is_known for one in evaluator.states()] == [False]


def test_a_condition_that_fails_is_told_once_and_is_unknown_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fails = False

    def brittle(facts: Facts, threshold: float) -> Iterator[AlertCase]:  # noqa: ARG001 - a condition
        yield case("m")
        if fails:
            raise ZeroDivisionError("division by zero")

    evaluator = evaluator_of(definition(brittle), definition(above, "TritonAbove", threshold=6.0))
    evaluator.observe(facts_of("t", 1))
    fails = True
    for cycle in range(2, 5):
        evaluator.observe(facts_of("t", cycle))
    known = {one.key.alert: (one.phase, one.is_known) for one in evaluator.states()}
    assert known == {NAME: (AlertPhase.FIRING, False), "TritonAbove": (AlertPhase.FIRING, True)}
    (record,) = caplog.records
    assert record.getMessage() == (
        "TritonTest is not known on t: its condition fails (ZeroDivisionError: division by zero)"
    )
    assert record.exc_info is None


def test_a_target_that_is_watched_no_longer_resolves_what_hangs_on_it() -> None:
    world = World(definition(keep=600.0))
    world.poll(case("m"), target="one")
    world.poll(case("m"), target="two")
    world.evaluator.only({"two": 1}.keys())
    assert world.phases() == {"m/two": "firing", "m/one": "resolved"}
    world.poll(case("m"), target="one")
    assert world.phases() == {"m/two": "firing", "m/one": "resolved"}, "a poll that was on its way"
    world.wait(300.0)
    assert world.phases() == {"m/two": "firing"}
    world.evaluator.only(["one", "two"])
    world.poll(case("m"), target="one")
    assert world.phases() == {"m/one": "firing", "m/two": "firing"}


def test_the_same_targets_again_are_no_work() -> None:
    world = World()
    world.poll(case("m"))
    world.evaluator.only(["t"])
    before = world.evaluator.states()
    world.evaluator.only(["t"])
    assert world.evaluator.states() is before


def test_time_that_changes_nothing_leaves_the_very_tuple() -> None:
    world = World()
    world.poll(case("m"))
    before = world.evaluator.states()
    world.wait(1000.0)
    world.poll(case("m"))
    assert world.evaluator.states() is before


def test_off_evaluates_nothing_and_ends_what_there_is() -> None:
    world = World()
    world.poll(case("m"))
    world.swap(AlertSettings(mode=AlertMode.OFF))
    assert world.phases() == {"m/t": "resolved"}
    world.poll(case("n"))
    world.wait(300.0)
    assert world.phases() == {}
    world.swap(AlertSettings(mode=AlertMode.PROMETHEUS))
    world.poll(case("n"))
    assert world.phases() == {"n/t": "firing"}


def test_an_override_for_one_model_changes_severity_and_patience_of_that_model_alone() -> None:
    world = World(definition(hold=60.0))
    world.swap(overriding(AlertOverride(models=("b*",), severity=TICKET, hold=0.0), AlertOverride(targets=("u",))))
    world.poll(case("a"), case("bert"))
    assert told(world.evaluator) == [(NAME, "ticket", "bert"), (NAME, "page", "a")]
    assert world.phases() == {"bert/t": "firing", "a/t": "pending"}


def test_the_patience_of_a_case_goes_before_the_definitions_and_an_override_before_both() -> None:
    world = World(definition(hold=60.0))
    world.poll(case("m", hold=10.0))
    assert world.the_state().hold == 10.0
    world.swap(overriding(AlertOverride(hold=0.0)))
    world.poll(case("m", hold=10.0))
    assert world.phases() == {"m/t": "firing"}


def test_each_model_is_held_against_its_own_threshold() -> None:
    rule = definition(above, threshold=4.0)
    overrides = AlertOverride(models=("9",), threshold=10.0), AlertOverride(models=("1",), threshold=0.0)
    evaluator = evaluator_of(rule, settings=overriding(*overrides))
    evaluator.observe(facts_of("t", 1))
    assert [model for _, _, model in told(evaluator)] == ["1", "5"]
    evaluator.swap(overriding())
    evaluator.observe(facts_of("t", 2))
    firing = [dict(one.key.labels)["model"] for one in evaluator.states() if one.phase is AlertPhase.FIRING]
    assert firing == ["5", "9"]


def test_a_reload_that_switches_an_alert_off_for_a_model_resolves_it_at_once_and_no_other() -> None:
    world = World(definition(keep=600.0))
    world.poll(case("a"), case("b"))
    world.swap(overriding(AlertOverride(models=("a",), enabled=False)))
    assert world.phases() == {"b/t": "firing", "a/t": "resolved"}
    world.poll(case("a"), case("b"))
    assert world.phases() == {"b/t": "firing", "a/t": "resolved"}


def test_a_reload_that_changes_the_severity_resolves_the_old_alert_and_begins_another() -> None:
    world = World(definition(keep=600.0))
    world.poll(case("m"))
    world.swap(overriding(AlertOverride(severity=INFO)))
    assert world.phases() == {"m/t": "resolved"}
    world.poll(case("m"))
    states = {one.key.severity: one.phase for one in world.evaluator.states()}
    assert states == {PAGE: AlertPhase.RESOLVED, INFO: AlertPhase.FIRING}


def test_a_reload_that_changes_nothing_of_an_alert_leaves_it_as_it_is() -> None:
    world = World(definition(hold=60.0))
    world.poll(case("m"), after=30.0)
    world.wait(20.0)
    world.swap(overriding(AlertOverride(alerts=("TritonOther",), enabled=False)))
    world.wait(40.0)
    assert world.phases() == {"m/t": "firing"}


def test_two_definitions_that_are_told_as_one_alert_are_one_and_fire_while_either_does() -> None:
    page, ticket = definition(), definition(yielding(case("m")), severity=TICKET)
    world = World(page, more=(ticket,), settings=overriding(AlertOverride(severity=TICKET)))
    for cases in ([case("m")], [], [case("m")]):
        world.poll(*cases)
        assert told(world.evaluator) == [(NAME, "ticket", "m")]
        assert world.phases() == {"m/t": "firing"}
        world.restart()


def test_of_two_that_are_told_as_one_the_first_is_shown_whatever_the_other_says_since() -> None:
    words = iter("abcdef")
    other = definition(lambda facts, threshold: [case("m", detail=next(words))], severity=TICKET)  # noqa: ARG005
    world = World(more=(other,), settings=overriding(AlertOverride(severity=TICKET)))
    for _ in range(3):
        world.poll(case("m", detail="first"))
        assert world.the_state().detail == "first"


def test_what_only_prometheus_can_see_is_not_evaluated() -> None:
    evaluator = evaluator_of(definition(None))
    evaluator.observe(facts_of("t", 1))
    assert evaluator.states() == ()


def test_beyond_the_bound_nothing_begins_and_that_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    world = World(limit=10)
    world.poll(*(case(f"m{number}") for number in range(4)), target="one")
    world.poll(*(case(f"m{number}") for number in range(9)), target="two")
    assert (len(world.evaluator.states()), world.evaluator.refused) == (9, 4), "no target has more than half"
    world.poll(*(case(f"m{number}") for number in range(5)), target="three")
    assert (len(world.evaluator.states()), world.evaluator.refused) == (10, 8)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    world.evaluator.only(["two", "three"])
    assert world.evaluator.refused == 8
    world.wait(300.0)
    world.poll(*(case(f"m{number}") for number in range(5)), target="three")
    assert world.phases()["m4/three"] == "firing"
    assert world.evaluator.refused == 4
    world.evaluator.only(["three"])
    assert world.evaluator.refused == 0


def test_a_summary_names_what_is_known_and_leaves_out_what_is_not() -> None:
    rule = definition(yielding(AlertCase((), True)), summary="{{ $labels.target }} has {{$labels.nothing}}{{ $value }}")
    evaluator = evaluator_of(rule)
    evaluator.observe(facts_of("t", 1))
    assert evaluator.states()[0].summary == "t has {{ $value }}"
