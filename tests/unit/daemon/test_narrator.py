"""The log says each change once; a failure that goes on is counted, and its end says how long it was."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from types import MappingProxyType

import pytest

from support.misbehaving import target_at
from triton_watch.daemon.logs import JsonFormatter, TextFormatter, set_up
from triton_watch.daemon.narrator import Narrator
from triton_watch.records import (
    LogSettings,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    TargetSnapshot,
)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def narrator(stream: io.StringIO) -> Narrator:
    log = logging.getLogger("test_narrator")
    log.handlers.clear()
    log.propagate = False
    log.setLevel(logging.INFO)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter())
    log.addHandler(handler)
    return Narrator("gpu-7", log)


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
