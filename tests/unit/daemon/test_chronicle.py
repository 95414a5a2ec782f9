"""Events are the log's lines, kept for a while: bounded, and nobody's noise hides what others have to say."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from synthetic_state import HOSTILE
from triton_watch.daemon.chronicle import IN_ALL, LONGEST, OF_A_SUBJECT, OF_A_TARGET, Chronicle, News, Topic
from triton_watch.records import EventKind, EventLevel

LOG = logging.getLogger("test_chronicle")


@dataclass
class World:
    """A chronicle of two targets on a clock that goes on by a second with each news."""

    time: float = 0.0
    log: logging.Logger = LOG

    def __post_init__(self) -> None:
        self.chronicle = Chronicle(self.log, now=lambda: self.time)
        for target in ("t", "u"):
            self.chronicle.watch(target)

    def tell(
        self,
        sentence: str,
        model: str = "",
        target: str = "t",
        *,
        level: EventLevel | None = EventLevel.TROUBLE,
        name: str = "",
    ) -> None:
        self.time += 1.0
        topic = Topic(EventKind.MODEL, target, model, "1" if model else "", name)
        self.chronicle.tell(News(topic, level, sentence))

    def sentences(self) -> list[str]:
        return [event.sentence for event in self.chronicle.events()]


@pytest.fixture
def world() -> World:
    return World()


def test_the_newest_come_first_and_one_that_goes_on_is_new(world: World) -> None:
    world.tell("a", "m")
    world.tell("b", "n")
    assert world.sentences() == ["B", "A"]
    world.time += 1
    world.chronicle.again(Topic(EventKind.MODEL, "t", "m", "1"))
    assert [(event.sentence, event.at, event.last, event.count) for event in world.chronicle.events()] == [
        ("A", 1.0, 3.0, 2),
        ("B", 2.0, 2.0, 1),
    ]


def test_the_same_again_counts_unless_something_else_of_the_topic_came_between(world: World) -> None:
    for sentence in ("a", "a", "b", "a"):
        world.tell(sentence, "m")
        world.tell("other", "m", name="other")
    assert sorted((event.sentence, event.count) for event in world.chronicle.events()) == [
        ("A", 1),
        ("A", 2),
        ("B", 1),
        ("Other", 4),
    ]


def test_the_same_after_a_recovery_is_another_event_and_a_recovery_never_goes_on(world: World) -> None:
    topic = Topic(EventKind.MODEL, "t", "m", "1")
    world.tell("a", "m")
    world.tell("well", "m", level=EventLevel.RECOVERY)
    world.chronicle.again(topic)
    world.tell("a", "m")
    assert [(event.sentence, event.count) for event in world.chronicle.events()] == [("A", 1), ("Well", 1), ("A", 1)]


def test_a_noisy_model_keeps_its_last_events_and_pushes_out_nobody(world: World) -> None:
    world.tell("quiet", "quiet")
    world.tell("the target itself")
    for number in range(1000):
        world.tell(f"{number}", "noisy")
    last = [str(number) for number in range(999, 999 - OF_A_SUBJECT, -1)]
    assert world.sentences() == [*last, "The target itself", "Quiet"]


def test_a_target_with_many_noisy_models_keeps_the_quiet_ones_and_what_is_of_itself(world: World) -> None:
    world.tell("the target itself")
    world.tell("quiet", "quiet")
    for number in range(2000):
        world.tell(f"{number}", f"noisy{number % 40}")
    kept = world.sentences()
    assert len(kept) == OF_A_TARGET
    assert {"Quiet", "The target itself"} <= set(kept)
    assert kept[0] == "1999"


def test_a_noisy_target_makes_room_for_the_others_where_there_are_too_many_in_all(world: World) -> None:
    world.tell("quiet", "m", "u")
    for target in ("t", "v", "w", "x"):
        world.chronicle.watch(target)
        for number in range(300):
            world.tell(f"{number}", f"m{number}", target)
    events = world.chronicle.events()
    assert len(events) == IN_ALL
    by_target = {target: sum(event.target == target for event in events) for target in "tuvwx"}
    assert by_target["u"] == 1
    assert max(by_target.values()) <= OF_A_TARGET
    assert min(by_target[target] for target in "tvwx") > 90


def test_what_goes_on_and_has_no_event_any_more_is_not_told_again(world: World) -> None:
    """A thousand models that fail must not push each other out with each of their canaries."""
    for number in range(1000):
        world.tell("fails", f"m{number}")
    before = world.sentences()
    for number in range(1000):
        world.chronicle.again(Topic(EventKind.MODEL, "t", f"m{number}", "1"))
    events = world.chronicle.events()
    assert len(events) == len(before) == OF_A_TARGET
    assert {event.count for event in events} == {2}
    assert len(world.chronicle._last) == OF_A_TARGET, "what was dropped is forgotten whole"  # noqa: SLF001 - a leak shows nowhere else


def test_events_go_with_their_target_and_what_is_told_of_others_is_in_the_log_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.tell("a", "m")
    world.chronicle.forget("t")
    world.tell("b", "m")
    world.tell("no target", target="")
    assert world.sentences() == []
    world.chronicle.watch("t")
    world.tell("a", "m")
    assert [event.count for event in world.chronicle.events()] == [1]
    assert [record.getMessage() for record in caplog.records] == ["a", "b", "no target", "a"]


def test_every_event_is_a_line_of_the_log_and_what_is_no_event_is_one_too(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.tell("fails", "m")
    world.tell("is loading", "m", level=None)
    world.tell("is well", "m", level=EventLevel.RECOVERY)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "fails"),
        ("INFO", "is loading"),
        ("INFO", "is well"),
    ]
    assert world.sentences() == ["Is well", "Fails"]


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 10_000])
def test_a_sentence_is_printable_and_not_long_whatever_a_server_says(text: str) -> None:
    # pytest would report what is logged, and pytest-xdist cannot carry half a character.
    alone = logging.Logger("alone", logging.CRITICAL)  # noqa: LOG001 - outside of the tree, where nobody listens
    world = World(log=alone)
    world.tell(text, "m")
    (event,) = world.chronicle.events()
    assert event.sentence.isprintable()
    assert len(event.sentence) <= LONGEST
    event.sentence.encode()
