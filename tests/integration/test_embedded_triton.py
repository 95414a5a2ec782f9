"""The embedded Triton is the real server, its example models do what they say, and nothing of it stays."""

from __future__ import annotations

import math
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from triton_watch.demo import EmbeddedTriton, EmbeddedTritonError, Load, example_repository
from triton_watch.demo.keeper import SHARED_MEMORY
from triton_watch.demo.load import main as load_main
from triton_watch.demo.traffic import HTTP_FLOWS

if TYPE_CHECKING:
    from collections.abc import Callable

FEATURES = [{"name": "FEATURES", "shape": [1, 4], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 4.0]}]
TEXT = [{"name": "TEXT", "shape": [1, 1], "datatype": "BYTES", "data": ["one two three four five six seven"]}]
MODELS = {flow.model for flow in HTTP_FLOWS} | {"chat"}
LINE = re.compile(r"^(nv_\w+)\{(.*?)\} (\S+)$", re.MULTILINE)


def infer(triton: EmbeddedTriton, model: str, inputs: list[dict[str, Any]]) -> requests.Response:
    return requests.post(f"{triton.http_url}/v2/models/{model}/infer", json={"inputs": inputs}, timeout=20)


def output(response: requests.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    tensor: dict[str, Any] = response.json()["outputs"][0]
    return tensor


def counter(triton: EmbeddedTriton, metric: str, model: str) -> float:
    """The sum of a counter's series of a model: failures have one for each reason."""
    page = requests.get(triton.metrics_url, timeout=5).text
    label = f'model="{model}"'
    values = [float(value) for name, labels, value in LINE.findall(page) if name == metric and label in labels]
    assert values, f"{metric} of {model} is not on the metrics page"
    return sum(values)


def settled(read: Callable[[], float], expected: float) -> float:
    """What is read once it has reached a number: the server answers first and counts a moment later."""
    deadline = time.monotonic() + 10
    while (value := read()) < expected and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def verdicts(triton: EmbeddedTriton, model: str, requests_sent: int) -> tuple[list[requests.Response], float, float]:
    """Answers to some requests, and by how much the server's successes and failures grew meanwhile."""
    names = ("nv_inference_request_success", "nv_inference_request_failure")
    before = [counter(triton, name, model) for name in names]
    answers = [infer(triton, model, FEATURES) for _ in range(requests_sent)]
    settled(lambda: sum(counter(triton, name, model) for name in names), sum(before) + requests_sent)
    success, failure = (counter(triton, name, model) - old for name, old in zip(names, before, strict=True))
    return answers, success, failure


def test_every_example_model_is_ready(triton: EmbeddedTriton) -> None:
    index = requests.post(f"{triton.http_url}/v2/repository/index", timeout=5).json()
    assert {entry["name"]: entry.get("state") for entry in index} == dict.fromkeys(MODELS, "READY")
    assert requests.get(f"{triton.http_url}/v2/health/ready", timeout=5).status_code == 200


def test_healthy_models_answer_in_the_shape_that_their_configuration_promises(triton: EmbeddedTriton) -> None:
    tokens = output(infer(triton, "tokenizer", TEXT))
    assert tokens["shape"] == [1, 16]
    assert all(number > 0 for number in tokens["data"][:7])
    assert output(infer(triton, "summarizer", TEXT))["data"] == ["one two three four five"]
    pixels = [{"name": "PIXELS", "shape": [1, 3, 8, 8], "datatype": "FP32", "data": [0.5] * 192}]
    assert sum(output(infer(triton, "image_classifier", pixels))["data"]) == pytest.approx(1.0, abs=1e-5)
    features = [{"name": "FEATURES", "shape": [1, 12], "datatype": "FP32", "data": [2.0] * 12}]
    assert output(infer(triton, "ranker", features))["data"] == [2.0]


def test_the_ensemble_gives_what_its_members_give_one_after_the_other(triton: EmbeddedTriton) -> None:
    tokens = output(infer(triton, "tokenizer", TEXT))
    second = [{"name": "TOKENS", "shape": [1, 16], "datatype": "INT64", "data": tokens["data"]}]
    assert output(infer(triton, "search_pipeline", TEXT))["data"] == pytest.approx(
        output(infer(triton, "text_encoder", second))["data"]
    )


def test_the_cached_model_is_executed_once_for_the_same_user(triton: EmbeddedTriton) -> None:
    user = [{"name": "USER_ID", "shape": [1, 1], "datatype": "INT64", "data": [2_000_000_007]}]
    before = counter(triton, "nv_inference_exec_count", "recommender")
    hits = counter(triton, "nv_cache_num_hits_per_model", "recommender")
    answers = [output(infer(triton, "recommender", user))["data"] for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert settled(lambda: counter(triton, "nv_cache_num_hits_per_model", "recommender"), hits + 2) == hits + 2
    assert counter(triton, "nv_inference_exec_count", "recommender") == before + 1


def test_the_server_counts_errors_of_lies_error_as_successes(triton: EmbeddedTriton) -> None:
    answers, success, failure = verdicts(triton, "lies_error", 5)
    assert {answer.status_code for answer in answers} == {500}
    assert "feature store" in answers[0].json()["error"]
    assert (success, failure) == (5, 0)


def test_the_server_delivers_and_counts_a_wrong_shape_as_success(triton: EmbeddedTriton) -> None:
    answers, success, failure = verdicts(triton, "lies_wrong_shape", 3)
    assert [output(answer)["shape"] for answer in answers] == [[1, 3]] * 3
    metadata = requests.get(f"{triton.http_url}/v2/models/lies_wrong_shape", timeout=5).json()
    assert metadata["outputs"][0]["shape"] == [-1, 4]
    assert (success, failure) == (3, 0)


def test_the_server_delivers_and_counts_nan_as_success(triton: EmbeddedTriton) -> None:
    answers, success, failure = verdicts(triton, "lies_nan", 3)
    assert all(math.isnan(value) for answer in answers for value in output(answer)["data"])
    assert (success, failure) == (3, 0)


def test_an_exception_in_a_model_is_counted_as_a_failure(triton: EmbeddedTriton) -> None:
    answers, success, failure = verdicts(triton, "fails_honestly", 3)
    assert {answer.status_code for answer in answers} == {500}
    assert (success, failure) == (0, 3)


def test_the_load_tells_what_clients_saw_where_the_server_counts_success(triton: EmbeddedTriton) -> None:
    with Load(triton) as load:
        deadline = time.monotonic() + 30
        seen = {view.model: view for view in load.clients()}
        while set(seen) != MODELS and time.monotonic() < deadline:
            time.sleep(0.2)
            seen = {view.model: view for view in load.clients()}
    seen = {view.model: view for view in load.clients()}
    assert set(seen) == MODELS
    for liar, kind in {
        "lies_error": "http_error",
        "lies_wrong_shape": "wrong_shape",
        "lies_nan": "nan",
    }.items():
        assert seen[liar].ok == 0
        assert seen[liar].by_kind == {kind: seen[liar].sent}
        assert seen[liar].example
    for healthy in MODELS - {"lies_error", "lies_wrong_shape", "lies_nan", "fails_honestly"}:
        assert seen[healthy].failed == 0, seen[healthy]


def test_the_load_refuses_a_server_that_is_not_on_this_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--http",
        "http://192.0.2.1:8000",
        "--grpc",
        "127.0.0.1:8001",
        "--out",
        str(tmp_path / "out.json"),
    ]
    assert load_main(arguments) == 2
    assert "192.0.2.1 is not this machine" in capsys.readouterr().err


def test_a_taken_port_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = EmbeddedTriton(example_repository(), grpc_port=port, workdir=tmp_path)
        with pytest.raises(EmbeddedTritonError, match=f"^port {port}, wanted for Triton's grpc port, is taken"):
            server.start()
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_ends_early_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "models" / "broken"
    broken.mkdir(parents=True)
    (broken / "config.pbtxt").write_text('backend: "no_such_backend"\n')
    work = tmp_path / "work"
    work.mkdir()
    server = EmbeddedTriton(broken.parent, extra_args=["--exit-on-error=true"], workdir=work)
    with pytest.raises(EmbeddedTritonError, match=r"(?s)tritonserver ended with status 1; .*failed to load all models"):
        server.start()
    assert list(work.iterdir()) == []


def test_a_start_that_hangs_ends_at_its_deadline_and_leaves_nothing(tmp_path: Path) -> None:
    repository = tmp_path / "models"
    model = repository / "sleeper" / "1" / "model.py"
    model.parent.mkdir(parents=True)
    model.write_text("import time\ntime.sleep(600)\n")
    (repository / "sleeper" / "config.pbtxt").write_text('backend: "python"\n')
    work = tmp_path / "work"
    work.mkdir()
    server = EmbeddedTriton(repository, workdir=work)
    with pytest.raises(EmbeddedTritonError, match="not live after 2 seconds"):
        server.start(timeout=2.0)
    assert list(work.iterdir()) == []


def test_a_stopped_server_leaves_no_process_no_shared_memory_and_no_file(
    triton_factory: Callable[..., EmbeddedTriton], small_repository: Path, tmp_path: Path
) -> None:
    server = triton_factory(small_repository)
    group, regions = server.pid, set(regions_of(server))
    assert members(group) != []
    assert regions
    server.stop()
    assert members(group) == []
    assert not any((SHARED_MEMORY / region).exists() for region in regions)
    assert not list(tmp_path.glob("triton-watch-*"))
    assert "Found 0 live models" in server.log_tail()


def test_a_stopped_server_starts_again_on_the_same_ports(
    triton_factory: Callable[..., EmbeddedTriton], small_repository: Path
) -> None:
    server = triton_factory(small_repository)
    url = server.http_url
    server.stop()
    server.start()
    assert server.http_url == url
    assert requests.get(f"{url}/v2/health/ready", timeout=5).status_code == 200


def test_a_server_that_was_killed_leaves_nothing(
    triton_factory: Callable[..., EmbeddedTriton], small_repository: Path, tmp_path: Path
) -> None:
    server = triton_factory(small_repository)
    group, regions = server.pid, set(regions_of(server))
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not server.running)
    assert members(group) == []
    assert not any((SHARED_MEMORY / region).exists() for region in regions)
    assert not list(tmp_path.glob("triton-watch-*"))


def test_a_parent_that_was_killed_takes_the_server_with_it(small_repository: Path, tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import pathlib, sys, time
        from triton_watch.demo import EmbeddedTriton
        server = EmbeddedTriton(pathlib.Path(sys.argv[1]), workdir=pathlib.Path(sys.argv[2])).start()
        print(server.pid, flush=True)
        time.sleep(600)
        """
    )
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, "-c", script, str(small_repository), str(work)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        group = int(parent.stdout.readline())
        parent.kill()
    wait_for(lambda: members(group) == [] and list(work.iterdir()) == [])


@pytest.fixture
def small_repository(tmp_path: Path) -> Path:
    """One model, so that a server of a test's own starts fast."""
    repository = tmp_path / "one model"
    repository.mkdir()
    (repository / "tokenizer").symlink_to(example_repository() / "tokenizer")
    return repository


def regions_of(server: EmbeddedTriton) -> list[str]:
    """Names of the shared memory regions that a server's processes have mapped."""
    found = set()
    for pid in members(server.pid):
        maps = Path(f"/proc/{pid}/maps").read_text()
        found |= set(re.findall(rf"{SHARED_MEMORY}/(triton_watch_\S+)", maps))
    return sorted(found)


def members(group: int) -> list[int]:
    """Process ids of a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group:
            found.append(int(path.parent.name))
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
