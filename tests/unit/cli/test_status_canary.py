"""`triton-watch status --canary` asks each model and shows what came of it; `status` sees a wedged model by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from support.misbehaving import Server
from triton_watch.cli.status import command
from triton_watch.slo.wedge import POLLS
from unit.cli.canary_server import CanaryTriton, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

PLAIN_ERROR = "the weights are gone"


@pytest.fixture
def triton() -> CanaryTriton:
    return CanaryTriton("good", "liar")


@pytest.fixture
def server(triton: CanaryTriton) -> Iterator[Server]:
    with Server(triton) as server:
        yield server


@pytest.fixture
def status(server: Server, tmp_path: Path) -> Any:
    """Calls the command on the server, whose gRPC port nobody listens on, so that HTTP is spoken."""

    def call(*arguments: str) -> Result:
        words = ["--target", server.url, "--metrics-url", f"{server.url}/metrics", "--grpc", "localhost:1"]
        environ = {"XDG_STATE_HOME": str(tmp_path), "STATE_DIRECTORY": "", "COLUMNS": "200"}
        return CliRunner().invoke(command, [*words, "--wait", "1s", *arguments], env=environ)

    return call


def models(done: Result) -> dict[str, Any]:
    return {model["name"]: model for model in json.loads(done.stdout)["models"]}


def test_without_the_flag_no_inference_is_sent_and_canaries_are_null(triton: CanaryTriton, status: Any) -> None:
    done = status("--json")
    assert done.exit_code == 0
    assert triton.asked == []
    found = models(done)["good"]
    assert [found[name] for name in ("canary", "silent_failure", "wedged")] == [None, None, None]


def test_each_model_is_asked_with_two_inputs_and_those_that_pass_are_well(triton: CanaryTriton, status: Any) -> None:
    done = status("--canary")
    assert done.exit_code == 0, done.stdout
    assert sorted(triton.asked) == ["good", "good", "liar", "liar"]
    header, row = (
        next(line for line in done.stdout.splitlines() if line.startswith(start)) for start in ("MODEL", "good")
    )
    assert header.split()[:3] == ["MODEL", "STATE", "CANARY"]
    assert row.split()[:3] == ["good:1", "READY", "ok"]
    assert "Nothing wrong that its metrics and canaries could show." in done.stdout


def test_a_model_whose_errors_count_as_success_is_a_silent_failure(triton: CanaryTriton, status: Any) -> None:
    triton.errors["liar"] = PLAIN_ERROR
    done = status("--canary", "--json")
    assert done.exit_code == 1
    liar, good = (models(done)[name] for name in ("liar", "good"))
    assert good["canary"]["verdict"] == "passing"
    assert (liar["canary"]["verdict"], liar["canary"]["reason"]) == ("failing", "server_error")
    assert liar["canary"]["detail"].startswith(PLAIN_ERROR)
    assert liar["silent_failure"]["reason"] == "server_error"
    assert liar["silent_failure"]["counted_success"] > 0
    (trouble,) = json.loads(done.stdout)["troubles"]
    assert (trouble["level"], trouble["model"]) == ("problem", "liar")
    assert "Triton counts success" in trouble["sentence"]


def test_canaries_do_not_show_as_traffic_of_clients(triton: CanaryTriton, status: Any) -> None:
    """Not those that passed, and not the errors that the server took for successes."""
    triton.errors["liar"] = PLAIN_ERROR
    rates = {name: model["slis"]["request_rate"] for name, model in models(status("--canary", "--json")).items()}
    assert rates == {"good": 0.0, "liar": 0.0}


def test_a_failing_model_is_shown_by_the_reason_in_the_table(triton: CanaryTriton, status: Any) -> None:
    triton.values["liar"] = [0.5, 0.5, 0.5]
    done = status("--canary")
    assert done.exit_code == 1
    row = next(line for line in done.stdout.splitlines() if line.startswith("liar"))
    assert row.split()[2] == "wrong_shape"
    assert "Silent failure: its canary fails (wrong_shape)" in " ".join(done.stdout.split())


def test_a_model_that_cannot_be_asked_is_advice_and_no_failure(triton: CanaryTriton, status: Any) -> None:
    triton.tensors = {}
    done = status("--canary", "--json")
    assert done.exit_code == 0
    assert triton.asked == []
    found = models(done)["good"]["canary"]
    assert (found["verdict"], found["reason"], found["availability"]) == ("unknown", None, None)
    assert found["note"] == "its configuration names no inputs: give one under canary.overrides"
    assert {trouble["level"] for trouble in json.loads(done.stdout)["troubles"]} == {"advice"}


def test_a_server_that_is_not_there_is_exit_code_3_and_asked_nothing() -> None:
    done = CliRunner().invoke(command, ["--target", "http://localhost:1", "--canary"])
    assert done.exit_code == 3


def test_requests_that_wait_unanswered_are_polled_until_the_model_counts_as_wedged(
    triton: CanaryTriton, status: Any
) -> None:
    triton.pending["liar"] = 3
    done = status("--json")
    assert done.exit_code == 1
    found = models(done)
    assert found["liar"]["wedged"]["polls"] == POLLS
    assert found["liar"]["wedged"]["pending"] == 3.0
    assert found["good"]["wedged"] is None
    (trouble,) = json.loads(done.stdout)["troubles"]
    assert trouble["sentence"].startswith("Wedged: 3 requests wait, and none was answered over 4 polls (")


def test_counters_that_are_switched_off_are_polled_twice_as_ever(triton: CanaryTriton, status: Any) -> None:
    counts = {"nv_inference_request_success": {"good": 0}, "nv_inference_pending_request_count": {"good": 3}}
    triton.page = page_of(counts)
    done = status("--json")
    assert models(done)["good"]["wedged"] is None
    assert "counter_latencies=false" in json.loads(done.stdout)["troubles"][0]["sentence"]
