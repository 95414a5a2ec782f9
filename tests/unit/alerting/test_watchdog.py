from __future__ import annotations

from triton_watch.records import AlertOverride, AlertPhase, AlertSettings, AlertSeverity
from unit.alerting.world import World, case, definition

DOG = definition(name="TritonWatchdog", severity=AlertSeverity.INFO, summary="All is watched")
ON = AlertSettings(watchdog=True)


def test_it_fires_from_the_beginning_and_is_about_no_target() -> None:
    world = World(more=(DOG,), settings=ON)
    state = world.the_state()
    assert (state.key.alert, state.key.labels, state.phase) == ("TritonWatchdog", (), AlertPhase.FIRING)
    assert (state.fired_at, state.summary, state.is_known) == (world.now(), "All is watched", True)


def test_nothing_that_happens_to_targets_ends_it() -> None:
    world = World(more=(DOG,), settings=ON)
    before = world.the_state()
    world.poll(case("m"))
    world.wait(1e6)
    world.evaluator.only([])
    world.wait(1e6)
    world.swap(AlertSettings(watchdog=True, overrides=(AlertOverride(alerts=("TritonTest",), enabled=False),)))
    assert world.the_state() is before


def test_without_being_asked_for_it_is_not_there() -> None:
    assert World(more=(DOG,)).evaluator.states() == ()
    assert World(settings=ON).evaluator.states() == ()


def test_switched_on_and_off_by_a_reload_it_fires_and_resolves() -> None:
    world = World(more=(DOG,))
    world.wait(50.0)
    world.swap(ON)
    assert world.the_state().fired_at == world.now()
    world.swap(AlertSettings())
    assert world.the_state().phase is AlertPhase.RESOLVED
    world.swap(ON)
    assert world.the_state().phase is AlertPhase.FIRING
    world.swap(AlertSettings())
    world.wait(300.0)
    assert world.evaluator.states() == ()


def test_after_a_restart_it_is_the_new_process_that_barks() -> None:
    world = World(more=(DOG,), settings=ON)
    world.restart(down=60.0)
    assert (world.the_state().fired_at, world.the_state().is_known) == (world.now(), True)
    world.settings = AlertSettings()
    world.restart()
    assert world.the_state().phase is AlertPhase.RESOLVED, "it is told that nobody wants it any more"
