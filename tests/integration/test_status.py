"""`triton-watch status` and the SLIs on a real Triton, held against the server's own statistics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.misbehaving import Server, answers, http_answer, target_at
from triton_watch.probes.cycle import TargetPoller
from triton_watch.records import (
    Counter,
    ModelKey,
    ModelStatus,
    NoData,
    NoDataReason,
    Sli,
    SliValue,
    TargetSnapshot,
    Timeouts,
)
from triton_watch.slo.ensemble import breakdown
from triton_watch.slo.sli import quantile_of, value_of
from triton_watch.triton.client import TritonClient
from triton_watch.triton.statistics import Duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton
    from triton_watch.records import Target

FEATURES = {"ranker": 12, "lies_error": 4, "lies_wrong_shape": 4, "lies_nan": 4, "fails_honestly": 4}
TEXT = {"inputs": [{"name": "TEXT", "shape": [1, 1], "datatype": "BYTES", "data": ["a query"]}]}


def target_of(server: EmbeddedTriton) -> Target:
    return target_at(server.http_url, metrics_url=server.metrics_url, timeouts=Timeouts(2, 5, 8))


def ask(server: EmbeddedTriton, model: str, times: int, at_once: int = 4) -> list[int]:
    """Send inferences; return the HTTP statuses that the client saw."""
    if model in FEATURES:
        size = FEATURES[model]
        body: dict[str, Any] = {
            "inputs": [{"name": "FEATURES", "shape": [1, size], "datatype": "FP32", "data": [0.5] * size}]
        }
    else:
        body = TEXT

    def one(_: int) -> int:
        return requests.post(f"{server.http_url}/v2/models/{model}/infer", json=body, timeout=30).status_code

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, range(times)))


@pytest.fixture
def poller(triton: EmbeddedTriton) -> Any:
    made = TargetPoller(target_of(triton))
    yield made
    made.close()


def number(snapshot: TargetSnapshot, model: str, sli: Sli) -> float:
    assert snapshot.slis is not None
    value = value_of(snapshot.slis, ModelKey(model, "1"), sli)
    assert isinstance(value, SliValue), (model, sli, value)
    return value.value


def test_the_slis_of_an_interval_are_what_the_servers_statistics_say(
    triton: EmbeddedTriton, poller: TargetPoller
) -> None:
    with TritonClient(target_of(triton)) as client:
        poller.cycle()
        before = client.statistics("ranker")[0]
        ask(triton, "ranker", 40)
        time.sleep(0.3)
        after = client.statistics("ranker")[0]
        snapshot = poller.cycle()

    def increase(name: str) -> Duration:
        old, new = before.durations[name], after.durations[name]
        return Duration(new.count - old.count, new.nanoseconds - old.nanoseconds)

    count = increase("success").count
    queue, compute = (increase(name).nanoseconds / 1e9 / count for name in ("queue", "compute_infer"))
    assert count == 40
    assert snapshot.slis is not None
    row = snapshot.slis.models.row[ModelKey("ranker", "1")]
    assert snapshot.slis.deltas[Counter.SUCCESS, row] == 40
    # The metrics page truncates each request to whole microseconds.
    assert number(snapshot, "ranker", Sli.QUEUE_TIME) == pytest.approx(queue, abs=2e-6)
    assert number(snapshot, "ranker", Sli.COMPUTE_INFER_TIME) == pytest.approx(compute, abs=2e-6)
    assert number(snapshot, "ranker", Sli.AVERAGE_BATCH) == 1.0
    assert number(snapshot, "ranker", Sli.AVAILABILITY) == 1.0
    assert number(snapshot, "ranker", Sli.BATCH_EFFICIENCY) <= 1.0
    p99 = quantile_of(snapshot.slis, ModelKey("ranker", "1"), "request", "0.99")
    assert isinstance(p99, SliValue)
    assert p99.value >= number(snapshot, "ranker", Sli.REQUEST_TIME)


@pytest.mark.parametrize(("model", "status"), [("lies_error", 500), ("lies_wrong_shape", 200), ("lies_nan", 200)])
def test_the_server_counts_success_while_its_clients_get_errors_or_nonsense(
    triton: EmbeddedTriton, poller: TargetPoller, model: str, status: int
) -> None:
    poller.cycle()
    assert set(ask(triton, model, 10)) == {status}
    snapshot = poller.cycle()
    assert snapshot.ready is True
    assert number(snapshot, model, Sli.AVAILABILITY) == 1.0


def test_failures_that_the_server_does_count_are_unavailability(triton: EmbeddedTriton, poller: TargetPoller) -> None:
    poller.cycle()
    ask(triton, "fails_honestly", 10)
    snapshot = poller.cycle()
    assert number(snapshot, "fails_honestly", Sli.AVAILABILITY) == 0.0
    assert snapshot.slis is not None
    queue = value_of(snapshot.slis, ModelKey("fails_honestly", "1"), Sli.QUEUE_TIME)
    assert isinstance(queue, NoData)


def test_an_ensemble_is_broken_down_by_its_members(triton: EmbeddedTriton, poller: TargetPoller) -> None:
    poller.cycle()
    ask(triton, "search_pipeline", 12)
    snapshot = poller.cycle()
    assert snapshot.slis is not None
    assert snapshot.configs is not None
    parts = breakdown(snapshot.slis, ModelKey("search_pipeline", "1"), snapshot.configs)
    assert parts is not None
    assert [member.key for member in parts.members] == [ModelKey("tokenizer", "1"), ModelKey("text_encoder", "1")]
    assert all(isinstance(member.compute_infer_time, SliValue) for member in parts.members)
    assert value_of(snapshot.slis, parts.key, Sli.QUEUE_TIME) == NoData(NoDataReason.ENSEMBLE)


def test_with_counter_latencies_off_there_are_no_slis_and_the_reason_is_said(
    triton_factory: Callable[..., EmbeddedTriton], tmp_path: Path
) -> None:
    server = triton_factory(_repository(tmp_path, "ranker"), extra_args=("--metrics-config=counter_latencies=false",))
    watching = TargetPoller(target_of(server))
    watching.cycle()
    ask(server, "ranker", 5)
    snapshot = watching.cycle()
    watching.close()
    assert snapshot.slis is not None
    rate = value_of(snapshot.slis, ModelKey("ranker", "1"), Sli.REQUEST_RATE)
    assert rate == NoData(NoDataReason.COUNTERS_OFF)


def test_models_that_are_loaded_unloaded_and_broken_have_their_states(
    triton_factory: Callable[..., EmbeddedTriton], tmp_path: Path
) -> None:
    repository = _repository(tmp_path, "ranker", "lies_nan")
    broken = repository / "broken" / "1"
    broken.mkdir(parents=True)
    (broken / "model.py").write_text("raise RuntimeError('no such weights')\n")
    (broken.parent / "config.pbtxt").write_text(
        'backend: "python"\ninput [ { name: "X" data_type: TYPE_FP32 dims: [ 1 ] } ]\n'
        'output [ { name: "Y" data_type: TYPE_FP32 dims: [ 1 ] } ]\n'
    )
    server = triton_factory(
        repository,
        extra_args=("--model-control-mode=explicit", "--load-model=ranker", "--load-model=broken"),
        strict_readiness=False,
    )
    watching = TargetPoller(target_of(server))

    def states() -> dict[str, ModelStatus]:
        return {state.key.name: state.status for state in watching.cycle().models or ()}

    assert states() == {
        "ranker": ModelStatus.READY, "lies_nan": ModelStatus.NOT_LOADED, "broken": ModelStatus.UNAVAILABLE,
    }  # fmt: skip
    ask(server, "ranker", 4)
    watching.cycle()
    for verb, wanted in (("unload", ModelStatus.UNLOADED), ("load", ModelStatus.READY)):
        requests.post(f"{server.http_url}/v2/repository/models/ranker/{verb}", timeout=30).raise_for_status()
        _until(lambda: states()["ranker"], wanted)
    ask(server, "ranker", 3)
    snapshot = watching.cycle()
    watching.close()
    assert number(snapshot, "ranker", Sli.AVAILABILITY) == 1.0
    assert snapshot.slis is not None
    assert snapshot.slis.deltas[Counter.SUCCESS, snapshot.slis.models.row[ModelKey("ranker", "1")]] == 3


def _until(state: Callable[[], ModelStatus], wanted: ModelStatus) -> None:
    end = time.monotonic() + 20
    while state() is not wanted:
        assert time.monotonic() < end
        time.sleep(0.1)


def _repository(folder: Path, *models: str) -> Path:
    import shutil  # noqa: PLC0415 - used here alone

    from triton_watch.demo import example_repository  # noqa: PLC0415 - the same

    for model in models:
        shutil.copytree(
            example_repository() / model, folder / "models" / model, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder / "models"


# The command


def status(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triton_watch", "status", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_status_prints_a_table_of_the_models_and_what_is_wrong(triton: EmbeddedTriton) -> None:
    done_asking = threading.Event()

    def keep_asking(model: str) -> None:
        while not done_asking.wait(0.05):
            ask(triton, model, 1, 1)

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(keep_asking, model) for model in ("ranker", "fails_honestly")]
        done = status("--target", triton.http_url, "--metrics-url", triton.metrics_url, "--wait", "1s")
        done_asking.set()
        for future in asking:
            future.result()
    assert done.stderr == ""
    assert "triton 2.51.0  live yes  ready yes" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("ranker:1"))
    assert "READY" in row
    assert "ms" in row
    assert "100% of its requests failed" in done.stdout
    assert done.returncode == 1
    assert "\x1b" not in done.stdout, "no colours when piped"


def test_status_json_has_every_model_with_its_slis_or_the_reason_for_none(triton: EmbeddedTriton) -> None:
    done = status("--target", triton.http_url, "--metrics-url", triton.metrics_url, "--wait", "1s", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["version"] == 1
    assert document["server"] == {"name": "triton", "version": "2.51.0"}
    assert {probe["outcome"] for probe in document["probes"].values()} == {"ok"}
    ranker = next(model for model in document["models"] if model["name"] == "ranker")
    assert ranker["state"] == "READY"
    assert ranker["slis"]["request_rate"] == 0
    assert ranker["slis"]["queue_time"] is None
    assert ranker["no_data"]["queue_time"] == "no traffic"
    assert ranker["config"]["max_batch_size"] == 8


def test_status_of_nobody_is_exit_code_3_with_the_reason() -> None:
    done = status("--target", "http://127.0.0.1:1", "--wait", "1s")
    assert done.returncode == 3
    assert "refused" in done.stdout
    assert "Traceback" not in done.stderr


def test_status_of_something_else_says_what_it_is_not() -> None:
    page = http_answer(b"<!DOCTYPE html><html></html>", content_type="text/html")
    with Server(answers(page)) as server:
        done = status("--target", server.url, "--metrics-url", server.url + "/metrics", "--wait", "1s")
    assert done.returncode == 3
    assert "Triton" in done.stdout


def test_the_demo_ends_by_itself_and_names_the_liars() -> None:
    command = [sys.executable, "-m", "triton_watch", "demo", "--once", "--seconds", "4"]
    narrow = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, env=narrow)
    assert done.returncode == 0, done.stderr
    liars = [line.split()[0] for line in done.stdout.splitlines() if line.rstrip().endswith("it lies")]
    assert liars == ["lies_error", "lies_nan", "lies_wrong_shape"]
    canaries = {line.split()[0]: line for line in done.stdout.splitlines() if " ok, " in line}
    found = {"lies_error": "server_error", "lies_nan": "not_finite", "lies_wrong_shape": "wrong_shape"}
    assert all(reason in canaries[name] for name, reason in found.items()), "the canaries name them, too"
    assert "server_error" in canaries["dies_quietly"]
    assert "fail without the server noticing" in " ".join(done.stdout.split()), "wrapped where the terminal ends"
    assert "/metrics" in done.stdout
