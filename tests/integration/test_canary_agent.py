"""Canaries of a running agent on a real Triton: every way in which a server lies or dies, and what is seen of it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.canary_models import Switch, copied, kill
from support.watched import INTERVAL, POLL, Watched, watching
from triton_watch.demo import EmbeddedTriton

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO_INTERVALS = 2 * INTERVAL
MODELS = ("good", "good_no_batch", "switch", "pipeline", "sequence", "stream", "overloaded")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedTriton, Path]]:
    folder = tmp_path_factory.mktemp("canaries")
    repository = copied(folder / "models", *MODELS)
    flags = ("--model-control-mode=explicit", *(f"--load-model={name}" for name in MODELS))
    with EmbeddedTriton(repository, workdir=folder, extra_args=flags) as triton:
        yield triton, repository


@pytest.fixture
def watched(server: tuple[EmbeddedTriton, Path], tmp_path: Path) -> Iterator[Watched]:
    """An agent of the test's own; the models are healthy before and after it."""
    triton, repository = server
    Switch(repository).to("")
    with watching(tmp_path, triton, repository) as one:
        one.until(lambda: one.serving() == 200)
        yield one
    Switch(repository).to("")


@pytest.mark.parametrize(
    ("mood", "reason", "silent"),
    [
        ("nan", "not_finite", 1),
        ("shape", "wrong_shape", 1),
        ("error", "server_error", 1),
        ("raise", "server_error", 0),
        ("hang", "deadline", 0),
    ],
)
def test_a_model_that_turns_bad_is_not_serving_within_two_intervals_while_triton_says_ready(
    watched: Watched, mood: str, reason: str, silent: int
) -> None:
    watched.switch.to(mood)
    took = watched.until(lambda: watched.serving("switch") == 503)
    assert took < TWO_INTERVALS + 1.0, took
    assert reason in watched.why("switch")
    assert watched.is_ready("switch")
    assert watched.metric("canary_verdict", "switch", verdict="failing") == 1
    watched.until(lambda: watched.metric("model_silent_failure", "switch") == silent)
    assert watched.serving("good") == 200
    watched.switch.to("")
    watched.until(lambda: watched.serving("switch") == 200)
    watched.until(lambda: watched.metric("model_silent_failure", "switch") == 0)


def test_a_killed_stub_turns_serving_503_within_two_intervals_and_a_reload_brings_it_back(watched: Watched) -> None:
    kill(watched.triton, "good_no_batch")
    took = watched.until(lambda: watched.serving() == 503)
    assert took < TWO_INTERVALS, took
    assert "good_no_batch:1 fails: server_error: Stub process" in watched.why("good_no_batch")
    assert "made up" not in watched.why("good_no_batch"), "the model took that input before"
    assert watched.is_ready("good_no_batch")
    watched.repository_api("load", "good_no_batch")
    if watched.serving("good_no_batch") != 200:  # 24.10 keeps a loaded model as it is: it takes an unload
        watched.repository_api("unload", "good_no_batch")
        watched.repository_api("load", "good_no_batch")
    watched.until(lambda: watched.serving() == 200)


def test_canaries_alone_are_no_traffic_and_clients_are_counted_exactly(watched: Watched) -> None:
    for name in ("good", "switch", "pipeline", "sequence", "stream"):
        watched.until(lambda name=name: (watched.metric("canary_runs_total", name, reason="ok") or 0) >= 3)  # type: ignore[misc]  # a default of a lambda
    for _ in range(10):
        for name in ("good", "pipeline", "sequence"):
            assert watched.metric("model_requests_per_second", name) == 0
            assert watched.metric("model_availability_ratio", name) is None
        time.sleep(POLL)
    before = {result: _events(watched, "up", result, "good") for result in ("good", "bad")}
    statuses = [watched.ask("good") for _ in range(50)]
    assert statuses == [200] * 50
    watched.until(lambda: _events(watched, "up", "good", "good") - before["good"] == 50)
    time.sleep(3 * POLL)
    assert _events(watched, "up", "good", "good") - before["good"] == 50
    assert _events(watched, "up", "bad", "good") == before["bad"] == 0


def _events(watched: Watched, slo: str, result: str, model: str) -> float:
    return watched.metric("slo_events_total", model, slo=slo, result=result) or 0.0


def test_each_canary_is_one_event_of_an_objective_about_canaries(watched: Watched) -> None:
    watched.switch.to("nan")
    watched.until(lambda: (watched.metric("canary_runs_total", "switch", reason="not_finite") or 0) >= 3)
    watched.switch.to("")
    watched.until(lambda: watched.serving("switch") == 200)

    def adds_up() -> bool:
        runs = [watched.metric("canary_runs_total", "switch", reason=reason) or 0 for reason in ("ok", "not_finite")]
        return runs == [_events(watched, "canaries", result, "switch") for result in ("good", "bad")]

    watched.until(adds_up)


def test_a_full_queue_is_overloaded_and_a_long_one_pauses_canaries(watched: Watched) -> None:
    threads = [threading.Thread(target=watched.ask, args=("overloaded",)) for _ in range(12)]
    stop = time.monotonic() + 10

    def press() -> None:
        while time.monotonic() < stop:
            watched.ask("overloaded")

    threads += [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    watched.until(lambda: (watched.metric("canary_runs_total", "overloaded", reason="overloaded") or 0) >= 1)
    for thread in threads:
        thread.join()
    watched.until(lambda: watched.serving("overloaded") == 200)


def test_a_model_that_hangs_under_traffic_is_wedged_in_metrics_and_status(watched: Watched) -> None:
    watched.switch.to("hang")
    threads = [threading.Thread(target=_give_up, args=(watched,), daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    watched.until(lambda: watched.metric("model_wedged", "switch") == 1)
    code, found = status(watched)
    assert code == 1
    assert found["switch"]["wedged"]["polls"] >= 4
    assert found["good"]["wedged"] is None
    assert watched.is_ready("switch")
    assert watched.metric("model_wedged", "good") == 0
    watched.switch.to("")
    for thread in threads:
        thread.join()
    watched.until(lambda: watched.metric("model_wedged", "switch") == 0)


def status(watched: Watched, *flags: str) -> tuple[int, dict[str, Any]]:
    """Exit code of `status`, and what it says of each model."""
    urls = ("--target", watched.triton.http_url, "--metrics-url", watched.triton.metrics_url)
    command = [sys.executable, "-m", "triton_watch", "status", *urls, "--grpc", watched.triton.grpc_address, "--json"]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=90, check=False)
    return done.returncode, {model["name"]: model for model in json.loads(done.stdout)["models"]}


def test_status_asks_the_models_itself_and_names_a_silent_failure(watched: Watched) -> None:
    watched.switch.to("error")
    code, found = status(watched, "--canary")
    watched.switch.to("")
    assert code == 1
    assert found["switch"]["canary"]["verdict"] == "failing"
    assert found["switch"]["silent_failure"]["reason"] == "server_error"
    assert found["switch"]["silent_failure"]["detail"].startswith("the weights are gone")
    assert found["good"]["canary"]["verdict"] == "passing"
    assert found["good"]["silent_failure"] is None


def _give_up(watched: Watched) -> None:
    with pytest.raises((requests.RequestException, AssertionError)):
        assert watched.ask("switch", timeout=15.0) != 200


def test_unloading_and_loading_again_is_no_failure_and_the_first_call_is_told_apart(watched: Watched) -> None:
    end = time.monotonic() + 3 * INTERVAL
    while time.monotonic() < end:
        watched.repository_api("unload", "good")
        time.sleep(0.3)
        watched.repository_api("load", "good")
        time.sleep(0.7)
        assert watched.metric("canary_verdict", "good", verdict="failing") is None
    watched.until(lambda: watched.serving("good") == 200)
    watched.until(lambda: (watched.metric("canary_first_call_seconds", "good") or 0) > 0)
    assert watched.metric("canary_verdict", "good", verdict="passing") == 1
    assert "canary fails" not in watched.agent.log, watched.agent.log


def test_a_loaded_model_is_asked_in_the_first_cycle_after_its_load(watched: Watched) -> None:
    watched.repository_api("unload", "stream")
    watched.until(lambda: watched.metric("canary_verdict", "stream", verdict="passing") is None)
    watched.repository_api("load", "stream")
    took = watched.until(lambda: watched.metric("canary_verdict", "stream", verdict="passing") == 1)
    assert took < POLL + 1.5, took


def test_a_server_that_stops_is_not_serving_and_one_that_starts_again_is(tmp_path: Path) -> None:
    repository = copied(tmp_path / "models", "good", "good_no_batch")
    with EmbeddedTriton(repository, workdir=tmp_path) as triton, watching(tmp_path / "w", triton, repository) as one:
        one.until(lambda: one.serving() == 200)
        triton.stop()
        assert one.until(lambda: one.serving() == 503) < TWO_INTERVALS
        one.until(lambda: (one.metric("canary_runs_total", "good", reason="unreachable") or 0) >= 2)
        one.until(lambda: (one.metric("canary_skipped_total", "good", reason="backing_off") or 0) >= 1, within=60)
        triton.start()
        took = one.until(lambda: one.serving() == 200)
        assert took < TWO_INTERVALS, took
        assert one.agent.get("/-/healthy").status_code == 200
