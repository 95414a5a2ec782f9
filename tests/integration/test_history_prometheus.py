"""History as a real Prometheus tells it: what was put in is what comes out, added up and never averaged.

All scenarios lie in one Prometheus with a week of history, a scrape a minute; each has a cluster of its own, and is
chosen with the selector. Counters grow evenly, so that the events of each window are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.prometheus_server import RealPrometheus, Series, write_blocks
from support.slo_series import AT, DAY, END, HOUR, MINUTE, WEEK, WINDOWS, events, history_at, scenario
from triton_watch.records import Goal, ModelKey, Objective, SeriesKey, SloSli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from triton_watch.store.prometheus import PeriodSums

START = END - WEEK - HOUR
"""Before the period begins: what is older must not be counted."""
LENGTHS = (5 * MINUTE, HOUR, 6 * HOUR, DAY, WEEK)
HOSTILE = ('quote"', "back\\slash", "new\nline", "日本語", "a{b}|c.*", "")
AGES = 0.023
"""How well an age is told."""
YOUNG = (4 * MINUTE, 40 * MINUTE, 5 * HOUR, 2 * DAY)
AVAILABILITY = Objective("availability", SloSli.AVAILABILITY, Goal(0.99), WEEK, WINDOWS)


def scenarios() -> list[Series]:
    return [
        *scenario("steady", events({"instance": "i"}, 120, 1, start=START)),
        *scenario(
            "restarts",
            events({"instance": "i"}, 120, 12, start=START, restarts=[END - n * 13 * HOUR for n in range(1, 13)]),
        ),
        *scenario(
            "skew",
            events({"instance": "i", "target": "busy"}, 1000, 0, start=START),
            events({"instance": "j", "target": "idle"}, 1, 1, start=START),
        ),
        *scenario(
            "vanished",
            events({"instance": "i", "target": "stays"}, 60, 0, start=START),
            events({"instance": "j", "target": "gone"}, 60, 60, start=END - 6 * DAY, end=END - 3 * DAY, silence=40),
        ),
        *scenario(
            "pair",
            events({"instance": "i", "replica": "0"}, 120, 6, start=START),
            events({"instance": "j", "replica": "1"}, 120, 6, start=START),
        ),
        *scenario(
            "succession",
            events({"instance": "old"}, 60, 6, start=START, end=END - HOUR),
            events({"instance": "new"}, 60, 6, start=END - HOUR - 5 * MINUTE),
        ),
        *(one for age in YOUNG for one in scenario(f"young {age}", events({}, 60, 6, start=END - age))),
        *scenario("many", *(events({"model": f"m{n}"}, 60, 6, start=END - 4 * MINUTE) for n in range(120))),
        *scenario("stopped", events({"instance": "i"}, 60, 6, start=START, end=END - 20 * MINUTE, silence=7)),
        *scenario(
            "two", *(events({"slo": slo}, 60, n, start=START) for n, slo in enumerate(("availability", "wait"), 1))
        ),
        *scenario("rare", events({"instance": "i"}, 60, 6, start=START, every=10 * MINUTE)),
        *scenario(
            "hostile",
            *(
                events({"model": name, "model_namespace": name}, 60, n, start=END - HOUR)
                for n, name in enumerate(HOSTILE)
            ),
        ),
        *scenario('hostile "\\\n值', events({"slo": 'a|b "\\\n.*值'}, 60, 6, start=END - HOUR)),
    ]


@pytest.fixture(scope="module")
def data(promtool: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blocks(promtool, scenarios(), tmp_path_factory.mktemp("history") / "data")


@pytest.fixture(scope="module")
def server(prometheus_bin: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    with RealPrometheus(prometheus_bin, data, tmp_path_factory.mktemp("server")) as running:
        yield running


def sums_of(
    server: RealPrometheus, cluster: str, objective: Objective = AVAILABILITY, **options: Any
) -> tuple[PeriodSums, tuple[str, ...]]:
    """The sums, and the warnings."""
    with history_at(server.url, cluster, selector=options.pop("selector", {})) as history:
        (found,) = history.sums([objective], **options)
        return found, history.warnings


def key(target: str = "", model: str = "m", slo: str = "availability") -> SeriesKey:
    return SeriesKey(slo, target, ModelKey(model, "1"))


def minutes(count: float) -> list[float]:
    """Minutes of each window, for `count` a minute."""
    return [count * length / MINUTE for length in LENGTHS]


def test_sums_are_the_events_that_happened_in_each_window(server: RealPrometheus) -> None:
    found, warnings = sums_of(server, "steady")
    assert found.sums.keys == (key(),)
    assert found.targets == {key(): ("a",)}
    assert found.sums.windows == LENGTHS
    assert found.sums.at == AT
    np.testing.assert_allclose(found.sums.good[:, 0], minutes(120), rtol=0.005)
    np.testing.assert_allclose(found.sums.bad[:, 0], minutes(1), rtol=0.005)
    assert found.sums.covered == [WEEK]
    np.testing.assert_allclose(found.sums.silence, [23.0])
    assert warnings == ()


def test_restarts_of_the_agent_lose_no_more_than_the_time_between_two_scrapes(server: RealPrometheus) -> None:
    found, _ = sums_of(server, "restarts")
    np.testing.assert_allclose(found.sums.good[:, 0], minutes(120), rtol=0.005)
    np.testing.assert_allclose(found.sums.bad[:, 0], minutes(12), rtol=0.005)


def test_targets_are_added_up_and_not_averaged(server: RealPrometheus) -> None:
    """The mean of the two ratios is 25 % bad, fifty times what the objective allows; 0.1 % of all requests were."""
    found, warnings = sums_of(server, "skew")
    assert found.targets == {key(): ("busy", "idle")}
    bad, good = found.sums.bad[-1, 0], found.sums.good[-1, 0]
    assert bad / (good + bad) == pytest.approx(1 / 1002, rel=0.005)
    assert good + bad == pytest.approx(1002 * WEEK / MINUTE, rel=0.005)
    assert warnings == ()


def test_each_target_can_be_seen_by_itself(server: RealPrometheus) -> None:
    found, _ = sums_of(server, "skew", per_target=True)
    assert found.sums.keys == (key("busy"), key("idle"))
    assert found.targets == {key("busy"): ("busy",), key("idle"): ("idle",)}
    np.testing.assert_allclose(found.sums.good[-1], [1000 * WEEK / MINUTE, WEEK / MINUTE], rtol=0.005)


def test_an_objective_for_some_targets_counts_those_alone(server: RealPrometheus) -> None:
    some = Objective("availability", SloSli.AVAILABILITY, Goal(0.99), WEEK, WINDOWS, targets=("id*",))
    found, _ = sums_of(server, "skew", some)
    assert found.targets == {key(): ("idle",)}
    np.testing.assert_allclose(found.sums.good[-1], [WEEK / MINUTE], rtol=0.005)
    with history_at(server.url, "skew") as history:
        assert history.courses([some])[key()].good[-1] == pytest.approx(WEEK / MINUTE, rel=0.005)


def test_a_replica_that_vanished_still_counts_and_is_silent(server: RealPrometheus) -> None:
    found, _ = sums_of(server, "vanished", per_target=True)
    gone = found.sums.keys.index(key("gone"))
    np.testing.assert_allclose(found.sums.bad[:, gone], [0, 0, 0, 0, 3 * DAY], rtol=0.005)
    assert found.sums.silence[gone] == pytest.approx(3 * DAY + 60, rel=AGES)
    assert found.sums.covered[gone] == pytest.approx(6 * DAY + 20, rel=AGES)
    together, warnings = sums_of(server, "vanished")
    assert together.targets == {key(): ("gone", "stays")}
    np.testing.assert_allclose(together.sums.bad[-1], [3 * DAY], rtol=0.005)
    np.testing.assert_allclose(together.sums.silence, [23.0])
    (warning,) = warnings
    assert "target gone has had no data for 3 d: its part of the sums ends there" in warning


def test_an_agent_that_stopped_minutes_ago_has_been_silent_since(server: RealPrometheus) -> None:
    found, _ = sums_of(server, "stopped")
    assert found.sums.silence[0] == pytest.approx(20 * MINUTE + 27, rel=AGES)
    assert found.sums.good[0, 0] == 0


def test_two_agents_on_one_target_keep_the_ratio_and_are_told_of(server: RealPrometheus) -> None:
    found, warnings = sums_of(server, "pair")
    good, bad = found.sums.good[-1, 0], found.sums.bad[-1, 0]
    assert bad / (good + bad) == pytest.approx(6 / 126, rel=0.005)
    assert good == pytest.approx(240 * WEEK / MINUTE, rel=0.005)
    (warning,) = warnings
    assert "target 'a' is counted by several agents at a time (2 on average)" in warning
    one, warnings = sums_of(server, "pair", selector={"replica": "0"})
    assert one.sums.good[-1, 0] == pytest.approx(120 * WEEK / MINUTE, rel=0.005)
    assert warnings == ()


def test_a_pod_and_its_successor_are_one_target(server: RealPrometheus) -> None:
    found, warnings = sums_of(server, "succession")
    # Both watched for five minutes, in which all was counted twice.
    np.testing.assert_allclose(found.sums.good[3:, 0], np.array(minutes(60)[3:]) + 300, rtol=0.005)
    assert warnings == ()


@pytest.mark.parametrize("age", YOUNG)
def test_a_young_history_says_how_little_it_covers(server: RealPrometheus, age: float) -> None:
    found, _ = sums_of(server, f"young {age}")
    assert found.sums.covered[0] == pytest.approx(age + 20, rel=AGES)
    # increase() extrapolates by half a minute at each end, where it does not know what was.
    assert found.sums.good[-1, 0] == pytest.approx(age, abs=60)


def test_many_young_models_are_as_young_as_a_few(server: RealPrometheus) -> None:
    found, _ = sums_of(server, "many")
    assert len(found.sums.keys) == 120
    assert found.sums.covered == pytest.approx(np.full(120, 260), rel=AGES)


def test_scrapes_too_rare_for_the_shortest_window_are_told_of(server: RealPrometheus) -> None:
    found, warnings = sums_of(server, "rare")
    assert found.sums.good[0, 0] == 0
    assert any("the window of 300 s holds no two scrapes" in warning for warning in warnings)


def test_names_survive_whatever_is_in_them(server: RealPrometheus) -> None:
    found, _ = sums_of(server, "hostile")
    bad = {one.model.name: value for one, value in zip(found.sums.keys, found.sums.bad[-1], strict=True)}
    assert {one.model.namespace for one in found.sums.keys} == set(HOSTILE)
    assert bad == {name: pytest.approx(n * 60, rel=0.02) for n, name in enumerate(HOSTILE)}


def test_a_selector_and_an_objective_may_have_any_characters(server: RealPrometheus) -> None:
    odd = Objective('a|b "\\\n.*值', SloSli.AVAILABILITY, Goal(0.99), WEEK, WINDOWS)
    found, _ = sums_of(server, 'hostile "\\\n值', odd)
    assert found.sums.keys == (key(slo=odd.name),)


def test_courses_end_at_the_sums(server: RealPrometheus) -> None:
    with history_at(server.url, "skew") as history:
        course = history.courses([AVAILABILITY])[key()]
        apart = history.courses([AVAILABILITY], per_target=True, points=30)
    assert len(course.times) == 61
    assert course.times[0] == pytest.approx(AT - WEEK)
    assert course.times[-1] == AT
    np.testing.assert_allclose(course.good, np.linspace(0, 1001 * WEEK / MINUTE, 61), rtol=0.005)
    assert apart.keys() == {key("busy"), key("idle")}
    assert apart[key("idle")].bad[-1] == pytest.approx(WEEK / MINUTE, rel=0.005)


def test_a_course_begins_where_its_series_does_and_stays_where_it_ended(server: RealPrometheus) -> None:
    with history_at(server.url, "vanished") as history:
        course = history.courses([AVAILABILITY], per_target=True)[key("gone")]
    assert course.times[0] == pytest.approx(END - 6 * DAY, abs=WEEK / 60)
    assert course.good[0] == 0
    assert course.bad[-1] == pytest.approx(3 * DAY, rel=0.005)


def test_several_objectives_and_periods_are_asked_for_at_once(server: RealPrometheus) -> None:
    day = Objective("wait", SloSli.QUEUE_TIME, Goal(0.99), DAY, ())
    with history_at(server.url, "steady") as history:
        week_sums, day_sums = history.sums([AVAILABILITY, day])
    assert week_sums.objectives == {"availability": AVAILABILITY}
    assert (day_sums.sums.keys, day_sums.sums.windows, day_sums.sums.good.shape) == ((), (DAY,), (1, 0))


def test_objectives_of_one_period_are_told_together(server: RealPrometheus) -> None:
    both = [AVAILABILITY, Objective("wait", SloSli.QUEUE_TIME, Goal(0.99), WEEK, WINDOWS)]
    with history_at(server.url, "two") as history:
        (found,) = history.sums(both)
        courses = history.courses(both)
    assert found.sums.keys == (key(), key(slo="wait"))
    np.testing.assert_allclose(found.sums.bad, np.array([minutes(1), minutes(2)]).T, rtol=0.005)
    for n, one in enumerate(found.sums.keys, 1):
        assert courses[one].bad[-1] == pytest.approx(n * WEEK / MINUTE, rel=0.005)
