"""Whatever a peer answers, and whatever becomes of the alerts meanwhile: in the end it knows how things are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from triton_watch.alerting.manager.kept import dump, load
from triton_watch.alerting.manager.payload import AHEAD, Payload, merged
from unit.alerting.payloads import INTERVAL, NOW, name_of, outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("A", "B", "C", "bad")
ANSWERS = ("takes", "is slow", "refuses", "fails")


class Peer:
    """An Alertmanager: `ends` is when each alert that it took ends, `taken` when it took it and with which times."""

    def __init__(self) -> None:
        self.ends: dict[str, float] = {}
        self.resolved: dict[str, bool] = {}
        self.taken: dict[str, tuple[float, tuple[float, float | None]]] = {}

    def take(self, batch: Sequence[Payload], now: float) -> None:
        for one in batch:
            name = name_of(one.labels)
            ends = one.resolved_at if one.resolved_at is not None else now + AHEAD * INTERVAL
            at, times = self.taken.get(name, (-1e9, (0.0, None)))
            assert one.times != times or now >= at + INTERVAL, "told too often"
            self.taken[name] = (now, one.times)
            self.ends[name], self.resolved[name] = ends, one.resolved_at is not None


class Delivery(RuleBasedStateMachine):
    """The wall clock and the monotonic one run alike; the latter begins anew with each process."""

    def __init__(self) -> None:
        super().__init__()
        self.box = outbox()
        self.peer = Peer()
        self.clock = 0.0
        self.started = 0.0
        self.state: dict[str, Payload] = {}
        self.ever: set[str] = set()
        self.detail = 0

    @property
    def now(self) -> float:
        return NOW + self.clock

    def offer(self) -> None:
        self.clock += 0.001  # no two things happen at the same moment
        self.box.offer(merged(self.state.values()), self.clock - self.started, self.now)

    @rule(name=st.sampled_from(NAMES))
    def fires(self, name: str) -> None:
        other = self.state.get(name)
        if other is None or other.resolved_at is not None:
            self.detail += 1
            texts = (("description", f"It is so for the {self.detail}th time."),)
            self.state[name] = Payload((("alertname", name),), texts, self.now)
            self.ever.add(name)
        self.offer()

    @rule(name=st.sampled_from(NAMES))
    def resolves(self, name: str) -> None:
        found = self.state.get(name)
        if found is not None and found.resolved_at is None:
            self.state[name] = Payload(found.labels, found.annotations, found.starts_at, self.now)
        self.offer()

    @rule(name=st.sampled_from(NAMES))
    def is_forgotten(self, name: str) -> None:
        self.state.pop(name, None)
        self.offer()

    @rule(seconds=st.floats(0.5, 400))
    def time_passes(self, seconds: float) -> None:
        self.clock += seconds
        self.offer()

    @rule(answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4))
    def is_sent(self, answers: list[str]) -> None:
        for answer in answers:
            clock = self.clock - self.started
            batch = self.box.batch(clock)
            if not batch:
                return
            if answer == "fails":
                self.box.fail(clock)
                return
            if answer == "is slow":
                self.fires("A")
                self.resolves("B")
            self.answer(batch, clock, takes_good=answer != "refuses")

    @rule()
    def restarts(self) -> None:
        kept = json.loads(json.dumps(dump(self.box)))
        self.started = self.clock
        self.box = outbox()
        load(self.box, kept, 0.0, self.now)
        assert dump(self.box) == kept
        self.peer.taken = {}  # all is told anew
        self.offer()

    def answer(self, batch: tuple[Payload, ...], clock: float, *, takes_good: bool) -> None:
        """As a real one: a batch with `bad` in it is refused, and the good ones of it are taken or (422) not."""
        if "bad" not in {name_of(one.labels) for one in batch}:
            self.peer.take(batch, self.now)
            self.box.took(batch, clock, self.now)
            return
        self.box.refuse(batch, "no", clock)
        if takes_good:
            for one in batch:
                if name_of(one.labels) != "bad":
                    self.peer.resolved[name_of(one.labels)] = one.resolved_at is not None

    @invariant()
    def never_tells_the_same_twice_in_a_batch(self) -> None:
        names = [one.labels for one in self.box.batch(self.clock - self.started)]
        assert len(names) == len(set(names))

    def teardown(self) -> None:
        """From now on the peer answers, time goes by, and once more everything changes."""
        for step in range(300):
            self.clock += 2.0
            if step == 60:
                for name in NAMES[:2]:
                    self.fires(name)
                self.resolves(NAMES[2])
            self.offer()
            clock = self.clock - self.started
            while batch := self.box.batch(clock):
                self.answer(batch, clock, takes_good=True)
            if step > 30:  # the longest back-off is over
                self.knows()
        assert self.box.waiting() == 0

    def knows(self) -> None:
        for name in self.ever - {"bad"}:
            state = self.state.get(name)
            if state is not None and state.resolved_at is None:
                assert not self.peer.resolved[name], f"{name} fires, and is resolved there"
                assert self.peer.ends[name] > self.now, f"{name} fires, and ended there"
            else:
                assert self.peer.resolved[name], f"{name} is resolved, and fires there"


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=250, stateful_step_count=30)
