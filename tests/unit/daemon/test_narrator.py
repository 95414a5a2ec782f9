"""The log says each change once; a failure that goes on is counted, and its end says how long it was."""

from __future__ import annotations

import io
import json
import logging
import threading
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from support.misbehaving import target_at
from triton_watch.daemon.chronicle import Chronicle
from triton_watch.daemon.logs import JsonFormatter, TextFormatter, set_up, tail_of
from triton_watch.daemon.narrator import Narrator
from triton_watch.daemon.process import agent_status
from triton_watch.records import (
    EventKind,
    EventLevel,
    LogSettings,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    TargetSnapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def chronicle(stream: io.StringIO, clock: list[float]) -> Chronicle:
    log = logging.getLogger("test_narrator")
    log.handlers.clear()
    log.propagate = False
    log.setLevel(logging.INFO)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter())
    log.addHandler(handler)
    chronicle = Chronicle(log, now=lambda: clock[0])
    chronicle.watch("gpu-7")
    return chronicle


@pytest.fixture
def narrator(chronicle: Chronicle) -> Narrator:
    return Narrator("gpu-7", chronicle)


def snapshot(*results: ProbeResult, models: tuple[ModelState, ...] | None = None) -> TargetSnapshot:
    probes = MappingProxyType({result.probe: result for result in results})
    return TargetSnapshot(target_at("http://h"), 1, 0.0, 0.0, probes, models=models)


REFUSED = ProbeResult("live", Outcome.REFUSED, 0.1, "http://h:8000 refused the connection")
FINE = ProbeResult("live", Outcome.OK, 0.1)


def test_a_failure_that_repeats_is_logged_once_and_its_end_says_how_often_it_happened(
    narrator: Narrator, stream: io.StringIO
) -> None:
    for _ in range(20):
        narrator.tell(snapshot(REFUSED))
    narrator.tell(snapshot(FINE))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert (
        "WARNING probe failed: http://h:8000 refused the connection target=gpu-7 probe=live outcome=refused" in lines[0]
    )
    assert "INFO    probe works again target=gpu-7 probe=live failures=20" in lines[1]


def test_probes_that_fail_in_one_way_on_one_port_share_a_line(narrator: Narrator, stream: io.StringIO) -> None:
    waiting = ProbeResult("config", Outcome.NOT_TRIED, 0.0, "no index")
    down = [replace(REFUSED, probe=name) for name in ("metrics", "live", "ready", "index")]
    narrator.tell(snapshot(*down, waiting))
    narrator.tell(snapshot(*(replace(one, outcome=Outcome.OK) for one in down), replace(waiting, outcome=Outcome.OK)))
    lines = stream.getvalue().splitlines()
    assert [line.partition("probe=")[2].split()[0] for line in lines] == [
        "metrics",
        "live,ready,index",
        "metrics,live,ready,index",
    ]


def test_another_way_to_fail_is_news(narrator: Narrator, stream: io.StringIO) -> None:
    narrator.tell(snapshot(REFUSED))
    narrator.tell(snapshot(replace(REFUSED, outcome=Outcome.READ_TIMEOUT)))
    assert len(stream.getvalue().splitlines()) == 2


def test_a_healthy_target_is_not_worth_a_line(narrator: Narrator, stream: io.StringIO) -> None:
    narrator.tell(snapshot(FINE, models=(ModelState(ModelKey("m", "1"), ModelStatus.READY),)))
    assert stream.getvalue() == ""


def test_a_model_that_fails_to_load_is_named_with_the_servers_reason_once(
    narrator: Narrator, stream: io.StringIO
) -> None:
    bad = ModelState(ModelKey("m", "1"), ModelStatus.UNAVAILABLE, "Internal: no file")
    for models in ((bad,), (bad,), (replace(bad, status=ModelStatus.READY, reason=""),)):
        narrator.tell(snapshot(FINE, models=models))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "WARNING model is UNAVAILABLE: Internal: no file target=gpu-7 model=m version=1" in lines[0]
    assert "well again" in lines[1]


def test_an_expected_model_that_is_not_loaded_is_worth_a_line_and_another_is_not(
    narrator: Narrator, stream: io.StringIO
) -> None:
    idle = ModelState(ModelKey("other", ""), ModelStatus.NOT_LOADED)
    awaited = ModelState(ModelKey("m", ""), ModelStatus.NOT_LOADED, expected=True)
    narrator.tell(snapshot(FINE, models=(idle, awaited)))
    assert [("model=m " in line) for line in stream.getvalue().splitlines()] == [True]


def test_a_failure_that_goes_on_is_one_event_that_counts_and_its_end_another(
    narrator: Narrator, chronicle: Chronicle, clock: list[float]
) -> None:
    for _ in range(240):
        narrator.tell(snapshot(REFUSED))
        clock[0] += 15.0
    (event,) = chronicle.events()
    assert (event.kind, event.level, event.target, event.model) == (EventKind.PROBE, EventLevel.TROUBLE, "gpu-7", "")
    assert (event.count, event.at, event.last) == (240, 1000.0, 1000.0 + 239 * 15.0)
    assert event.sentence == "Probe live failed: http://h:8000 refused the connection"
    narrator.tell(snapshot(FINE))
    ended, began = chronicle.events()
    assert began == event
    assert (ended.level, ended.sentence) == (EventLevel.RECOVERY, "Probe live works again after 240 failures.")


def test_probes_that_fail_together_are_one_event_and_count_on_while_some_of_them_do(
    narrator: Narrator, chronicle: Chronicle
) -> None:
    live, ready = REFUSED, replace(REFUSED, probe="ready")
    narrator.tell(snapshot(live, ready))
    narrator.tell(snapshot(FINE, ready))
    narrator.tell(snapshot(FINE, ready))
    told = {(event.sentence.partition(":")[0], event.count) for event in chronicle.events()}
    assert told == {("Probes live, ready failed", 3), ("Probe live works again after 1 failure.", 1)}


def test_what_fails_anew_after_it_worked_is_an_event_of_its_own(narrator: Narrator, chronicle: Chronicle) -> None:
    other_port = replace(REFUSED, probe="metrics")
    for _ in range(2):
        narrator.tell(snapshot(REFUSED, other_port))
        narrator.tell(snapshot(FINE, replace(other_port, outcome=Outcome.OK)))
    assert [(event.sentence.partition(":")[0], event.count) for event in chronicle.events()] == [
        ("Probes live, metrics work again after 1 failure.", 1),
        ("Probe metrics failed", 1),
        ("Probe live failed", 1),
    ] * 2


def test_a_model_that_fails_to_load_again_and_again_is_one_event_and_loading_is_none(
    narrator: Narrator, chronicle: Chronicle, stream: io.StringIO
) -> None:
    bad = ModelState(ModelKey("m", "1"), ModelStatus.UNAVAILABLE, "Internal:\nno file")
    for _ in range(3):
        for state in (replace(bad, status=ModelStatus.LOADING, reason=""), bad):
            narrator.tell(snapshot(FINE, models=(state,)))
    assert [event.count for event in chronicle.events()] == [3]
    narrator.tell(snapshot(FINE, models=(replace(bad, status=ModelStatus.LOADING, reason=""),)))
    narrator.tell(snapshot(FINE, models=(replace(bad, status=ModelStatus.READY, reason=""),)))
    assert [event.sentence for event in chronicle.events()] == [
        "Model is well again or gone",
        "Model is UNAVAILABLE: Internal: no file",
    ]
    assert len(stream.getvalue().splitlines()) == 8, "each change is in the log"


def test_a_model_that_is_loaded_in_peace_is_no_event(narrator: Narrator, chronicle: Chronicle) -> None:
    key = ModelKey("m", "1")
    for status in (ModelStatus.LOADING, ModelStatus.READY, ModelStatus.UNLOADING, ModelStatus.UNLOADED):
        narrator.tell(snapshot(FINE, models=(ModelState(key, status),)))
    assert chronicle.events() == ()


def record(message: str, **facts: object) -> logging.LogRecord:
    made = logging.LogRecord("triton_watch", logging.WARNING, "", 0, message, None, None)
    made.created = 1700000000.25
    made.facts = facts
    return made


def test_json_lines_hold_time_level_message_and_facts() -> None:
    line = json.loads(JsonFormatter().format(record("hello", target="gpü")))
    assert line == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "warning",
        "message": "hello",
        "target": "gpü",
    }


def test_a_text_line_stays_one_line_whatever_is_in_it() -> None:
    line = TextFormatter().format(record("a\nb", model='x "y"\nz'))
    assert line == '2023-11-14T22:13:20.250Z WARNING a\\nb model="x \\"y\\"\\nz"'


def test_the_level_decides_what_is_said() -> None:
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    try:
        log = set_up(LogSettings(level="error", format="json"), stream)
        log.warning("quiet")
        log.error("loud")
    finally:
        logging.getLogger().handlers[:] = before
    assert json.loads(stream.getvalue())["message"] == "loud"


@pytest.fixture
def own_handlers() -> Iterator[None]:
    """Handlers of the root logger that a test sets up end with it."""
    log = logging.getLogger("triton_watch")
    before, level = logging.getLogger().handlers[:], log.level
    yield
    logging.getLogger().handlers[:] = before
    log.setLevel(level)


@pytest.mark.usefixtures("own_handlers")
def test_the_last_warnings_are_remembered_and_counted_over_a_reload() -> None:
    log = set_up(LogSettings(), io.StringIO())
    log.info("not this one")
    log.warning("hot: %d\nC", 90, extra={"facts": {"target": "gpu 7"}})
    set_up(LogSettings(format="json"), io.StringIO())
    log.error("loud")
    tail = tail_of(log)
    assert tail is not None
    assert [(line.level, line.message, line.facts) for line in tail.lines] == [
        ("ERROR", "loud", ""),
        ("WARNING", "hot: 90\\nC", 'target="gpu 7"'),
    ]
    assert (tail.warnings, tail.errors) == (1, 1)
    for number in range(100):
        log.warning("%d", number)
    assert [line.message for line in tail.lines] == [str(number) for number in range(99, 49, -1)]
    assert (tail.warnings, tail.errors) == (101, 1)


@pytest.mark.usefixtures("own_handlers")
def test_the_status_of_the_process_is_read_from_linux_and_has_the_last_warnings() -> None:
    log = set_up(LogSettings(), io.StringIO())
    before = agent_status(1.7e9, log)
    assert before.started == 1.7e9
    assert 10e6 < before.memory < 10e9
    assert before.cpu > 0
    assert before.log == ()
    end = threading.Event()
    waits = threading.Thread(target=end.wait)
    waits.start()
    log.critical("giving up")
    after = agent_status(1.7e9, log)
    end.set()
    waits.join()
    assert after.threads == before.threads + 1
    assert ([line.message for line in after.log], after.errors) == (["giving up"], 1)


def test_where_no_log_was_set_up_the_status_has_none() -> None:
    alone = logging.getLogger("test_of_its_own")
    alone.propagate = False
    assert agent_status(0.0, alone).log == ()
