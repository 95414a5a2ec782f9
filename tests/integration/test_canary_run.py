"""`triton-watch canary run` and `record` on the real server: each liar by its reason, nobody else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.canary_models import REPOSITORY, Switch, copied
from triton_watch.demo import EmbeddedTriton

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIARS = {
    "nan": "not_finite",
    "inf": "not_finite",
    "wrong_shape": "wrong_shape",
    "wrong_dtype": "wrong_dtype",
    "missing_output": "missing_output",
    "silent_error": "server_error",
    "empty_stream": "too_few_responses",
}
"""Triton counts a success for each of their answers."""
HONEST = {"raises": "server_error"}
HEALTHY = (
    *("bf16", "cached", "dynamic_dims", "every_type", "good", "good_no_batch", "optional_in", "pipeline", "prompt"),
    *("reshaped", "sequence", "sequence_no_id", "slow", "stream", "two_versions", "switch"),
)
OTHERS = ("half_wrong", "noisy", "random", "swaps", "chatty_stream", "endless_stream", "overloaded")


class Server:
    def __init__(self, triton: EmbeddedTriton, repository: Path) -> None:
        self.triton = triton
        self.repository = repository
        self.switch = Switch(repository)

    def canary(self, command: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, JSON and standard error of a canary command."""
        urls = ("--target", self.triton.http_url, "--metrics-url", self.triton.metrics_url)
        flags = (*urls, "--grpc", self.triton.grpc_address, "--json")
        done = subprocess.run(
            [sys.executable, "-m", "triton_watch", "canary", command, *arguments, *flags],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr

    def verdicts(self, *arguments: str) -> dict[str, dict[str, Any]]:
        _, found, _ = self.canary("run", *arguments)
        return {f"{one['name']}:{one['version']}": one for one in found["targets"][0]["models"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("canary")
    repository = copied(folder / "models", *LIARS, *HONEST, *HEALTHY, *OTHERS)
    with EmbeddedTriton(repository, workdir=folder) as triton:
        yield Server(triton, repository)


def test_each_liar_is_named_by_its_reason_beside_what_triton_counted_and_nobody_else_is(server: Server) -> None:
    code, found, _ = server.canary("run", *LIARS, *HONEST, *HEALTHY)
    models = {one["name"]: one for one in found["targets"][0]["models"]}
    assert code == 1
    assert {name: one["reason"] for name, one in models.items() if one["verdict"] == "failed"} == {**LIARS, **HONEST}
    assert {name for name, one in models.items() if one["verdict"] == "passed"} == set(HEALTHY)
    assert all(models[name]["server_counted"] == {"success": 2, "failure": 0} for name in LIARS)
    assert models["raises"]["server_counted"] == {"success": 0, "failure": 2}
    assert found["targets"][0]["ready"] is True


def test_every_failure_tells_the_servers_own_words_or_what_was_promised(server: Server) -> None:
    models = server.verdicts(*LIARS, *HONEST)
    assert "the weights are gone" in models["silent_error:1"]["detail"]
    assert "RuntimeError: the model fell over" in models["raises:1"]["detail"]
    assert "shape [1, 3]" in models["wrong_shape:1"]["detail"]
    assert "[1, 4]" in models["wrong_shape:1"]["detail"]
    assert "FP64" in models["wrong_dtype:1"]["detail"]


def test_versions_are_asked_one_by_one(server: Server) -> None:
    models = server.verdicts("two_versions")
    assert models.keys() == {"two_versions:1", "two_versions:2"}
    assert all(one["verdict"] == "passed" for one in models.values())


@pytest.mark.parametrize("model", ["switch", "endless_stream"])
def test_a_model_that_never_ends_runs_into_the_deadline_and_its_request_is_canceled(
    server: Server, model: str, tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    target = {"url": server.triton.http_url, "grpc": server.triton.grpc_address}
    target["metrics_url"] = server.triton.metrics_url
    config.write_text(json.dumps({"targets": [target], "canary": {"timeout": "300ms"}}))
    server.switch.to("hang")
    done = subprocess.run(
        [sys.executable, "-m", "triton_watch", "canary", "run", model, "--config", str(config), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    server.switch.to("")
    (one,) = json.loads(done.stdout)["targets"][0]["models"]
    assert done.returncode == 1
    assert one["reason"] == "deadline"


MOODS = {
    "": "ok",
    "zeros": "constant",
    "nan": "not_finite",
    "shape": "wrong_shape",
    "swap": "swapped",
    "error": "server_error",
    "raise": "server_error",
}


def test_recorded_answers_tell_zeros_and_swapped_answers_from_good_ones(server: Server, tmp_path: Path) -> None:
    server.switch.to("")
    goldens = str(tmp_path / "goldens")
    code, found, _ = server.canary("record", "switch", "good", "--goldens", goldens)
    assert code == 0
    assert [one["compare"] for one in found["models"]] == [{"Y": "close"}] * 2
    found_reasons = {}
    for mood in MOODS:
        server.switch.to(mood)
        found_reasons[mood] = server.verdicts("switch", "--goldens", goldens)["switch:1"]["reason"]
    server.switch.to("")
    assert found_reasons == MOODS


def test_answers_that_are_swapped_between_concurrent_callers_are_seen(server: Server, tmp_path: Path) -> None:
    goldens = tmp_path / "goldens"
    assert server.canary("record", "good", "--goldens", str(goldens))[0] == 0
    (goldens / "swaps").mkdir()
    shutil.copy(goldens / "good" / "1.npz", goldens / "swaps" / "1.npz")
    document = (goldens / "good" / "1.json").read_text()
    (goldens / "swaps" / "1.json").write_text(document.replace('"model": "good"', '"model": "swaps"'))
    stop = threading.Event()

    def call(number: int) -> None:
        tensor = {"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [number, 2, 3, 4]}
        while not stop.is_set():
            url = f"{server.triton.http_url}/v2/models/swaps/infer"
            assert requests.post(url, json={"inputs": [tensor]}, timeout=10).status_code == 200

    callers = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(4)]
    for caller in callers:
        caller.start()
    found = server.verdicts("swaps", "--goldens", str(goldens))["swaps:1"]
    stop.set()
    for caller in callers:
        caller.join()
    assert found["reason"] in ("golden_mismatch", "swapped")
    assert found["server_counted"]["failure"] == 0


def test_without_a_golden_zeros_pass_for_they_are_what_was_promised(server: Server) -> None:
    server.switch.to("zeros")
    verdict = server.verdicts("switch")["switch:1"]["verdict"]
    server.switch.to("")
    assert verdict == "passed"


def test_recording_loosens_for_noise_refuses_chance_and_refuses_what_fails(server: Server, tmp_path: Path) -> None:
    goldens = str(tmp_path / "goldens")
    code, found, _ = server.canary("record", "noisy", "random", "nan", "--goldens", goldens, "--repeats", "12")
    models = {one["name"]: one for one in found["models"]}
    assert code == 1
    assert models["noisy"]["recorded"]
    assert models["noisy"]["notes"]
    assert not models["random"]["recorded"]
    assert "varies" in models["random"]["refusal"]
    assert "not_finite" in models["nan"]["refusal"]
    for _ in range(3):
        assert server.verdicts("noisy", "--goldens", goldens)["noisy:1"]["reason"] == "ok"


def test_a_model_of_which_one_instance_is_wrong_is_not_recorded_as_if_it_knew_two_inputs(
    server: Server, tmp_path: Path
) -> None:
    """An idle server lets its instances take turns: inputs sent in turn would meet one each."""
    code, found, _ = server.canary("record", "half_wrong", "--goldens", str(tmp_path / "goldens"), "--repeats", "8")
    (one,) = found["models"]
    assert (code, one["recorded"]) == (1, False)
    assert "varies between repeats" in one["refusal"]


def test_every_healthy_model_can_be_recorded_and_passes_by_its_golden(server: Server, tmp_path: Path) -> None:
    server.switch.to("")
    goldens = str(tmp_path / "goldens")
    code, found, errors = server.canary("record", *HEALTHY, "--goldens", goldens, "--repeats", "2")
    assert code == 0, (found, errors)
    verdicts = server.verdicts(*HEALTHY, "--goldens", goldens)
    assert {name: one["reason"] for name, one in verdicts.items() if one["reason"] != "ok"} == {}
    assert all(one["golden"] for one in verdicts.values())


def test_a_model_that_is_not_there_and_a_server_that_is_not_there_have_exit_codes_of_their_own(server: Server) -> None:
    code, _, errors = server.canary("run", "nobody")
    assert (code, "nobody" in errors) == (4, True)
    command = [sys.executable, "-m", "triton_watch", "canary", "run", "--target", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_the_list_says_how_each_model_is_asked_and_sends_nothing(server: Server) -> None:
    before = server.verdicts("good")["good:1"]["server_counted"]
    code, found, _ = server.canary("list", "good", "sequence", "stream")
    kinds = {one["name"]: (one["kind"], one["input"]) for one in found["canaries"]}
    assert code == 0
    assert kinds == {
        "good": ("unary", "made up"),
        "sequence": ("sequence", "made up"),
        "stream": ("stream", "made up"),
    }
    assert before == {"success": 2, "failure": 0}


def test_every_model_of_the_fixtures_is_used() -> None:
    names = {path.name for path in REPOSITORY.iterdir() if path.is_dir()}
    elsewhere = {"sequence_text", "zeros"}
    assert names == {*LIARS, *HONEST, *HEALTHY, *OTHERS} | elsewhere


def test_a_golden_that_cannot_be_used_is_no_pass(server: Server, tmp_path: Path) -> None:
    goldens = tmp_path / "goldens"
    assert server.canary("record", "good", "--goldens", str(goldens))[0] == 0
    document = goldens / "good" / "1.json"
    document.write_text(document.read_text().replace('"close"', '"exakt"'))
    code, found, _ = server.canary("run", "good", "--goldens", str(goldens))
    (one,) = found["targets"][0]["models"]
    assert (code, one["verdict"], one["reason"]) == (1, "failed", "unusable_golden")
    assert "exakt" in one["note"]
    code, _, errors = server.canary("run", "good", "--goldens", str(tmp_path / "nowhere"))
    assert (code, "no folder of goldens" in errors) == (2, True)


def test_a_model_that_fails_weighs_more_than_one_that_is_missing(server: Server) -> None:
    code, _, errors = server.canary("run", "nobody", "nan")
    assert (code, "nobody" in errors) == (1, True)
