"""`triton-watch run` and its canaries, as a process of its own: flags over the file, metrics, and /-/serving."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from support.agent import Agent
from support.misbehaving import Server
from triton_watch.probes.canary.golden.files import save
from triton_watch.probes.canary.golden.rules import Method, Rule
from unit.cli.canary_server import GOOD, CanaryTriton
from unit.probes.canary.golden.tensors import golden, tensor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXACT = Rule(Method.EXACT)


@contextmanager
def running(folder: Path, triton: CanaryTriton, *flags: str, canary: str = "enabled: true") -> Iterator[Agent]:
    """An agent on the server by a file whose canaries come every second, with these flags over it."""
    file = folder / "triton-watch.yaml"
    agent = Agent(folder, "--config", str(file), *flags, start=False)
    with Server(triton) as server:
        file.write_text(
            f"targets: [{{name: t, url: '{server.url}', metrics_url: '{server.url}/metrics', interval: 1s,\n"
            "  timeouts: {total: 900ms}}]\n"
            f"canary: {{interval: 1s, timeout: 500ms, protocol: http, {canary}}}\n"
            f"web: {{listen: '{agent.listen}'}}\n"
        )
        agent.start()
        try:
            agent.wait_ready()
            yield agent
        finally:
            agent.end()


def serving(agent: Agent, query: str = "") -> tuple[int, str]:
    answer = agent.get(f"/-/serving{query}")
    return answer.status_code, answer.text.splitlines()[0]


def series(name: str, model: str = "good", more: str = "") -> str:
    return f'triton_watch_{name}{{model="{model}",{more}target="t",version="1"}}'


def test_serving_turns_with_the_canaries_and_the_metrics_say_so(tmp_path: Path) -> None:
    triton = CanaryTriton("good", "switch")
    with running(tmp_path, triton) as agent:
        agent.wait(lambda: serving(agent) == (200, "serving"))
        assert agent.metric(series("canary_success")) == 1.0
        triton.values["switch"] = [0.5]
        agent.wait(lambda: serving(agent) == (503, "not_serving"))
        assert "t: the canary of switch:1 fails: wrong_shape: Y has shape" in agent.get("/-/serving").text
        assert serving(agent, "?model=good") == (200, "serving")
        assert serving(agent, "?model=switch&target=t") == (503, "not_serving")
        assert serving(agent, "?target=nobody")[0] == 404
        agent.wait(lambda: agent.metric(series("model_silent_failure", "switch")) == 1.0)
        assert agent.metric(series("model_silent_failure")) == 0.0
        assert agent.metric('triton_watch_target_serving{target="t"}') == 0.0
        triton.values.clear()
        agent.wait(lambda: serving(agent) == (200, "serving"))
        assert agent.metric(series("model_silent_failure", "switch")) == 0.0
    assert "canary fails: Y has shape" in agent.log
    assert "canary passes again" in agent.log


def test_no_canary_goes_over_the_file_and_sends_nothing(tmp_path: Path) -> None:
    triton = CanaryTriton("good")
    with running(tmp_path, triton, "--no-canary") as agent:
        agent.wait(lambda: (agent.metric('triton_watch_cycles_total{target="t"}') or 0) >= 3)
        assert triton.asked == []
        assert serving(agent) == (200, "serving")
        assert "triton_watch_canary_" not in agent.get("/metrics").text


def recorded(folder: Path, *values: float) -> Path:
    """A folder with a golden by which the model answers these values to each input."""
    answer = tensor([values])
    named: dict[str, Any] = {
        "inputs": tuple({"X": tensor([[number, 1.0]])} for number in (0.0, 1.0)),
        "compare": {"Y": EXACT},
    }
    save(folder, golden(model="good", outputs=(({"Y": answer},),) * 2, **named))
    return folder


def test_goldens_go_over_the_file(tmp_path: Path) -> None:
    """Answers are held against those in the folder of the flag, not of the file."""
    right, wrong = recorded(tmp_path / "right", *GOOD), recorded(tmp_path / "wrong", 9.0, 9.5)
    for flag, file, reason in ((right, wrong, "ok"), (wrong, right, "golden_mismatch")):
        with running(tmp_path, CanaryTriton("good"), "--goldens", str(flag), canary=f"goldens: {file}") as agent:
            agent.wait(lambda: agent.metric(series("canary_success")) is not None)
            assert agent.metric(series("canary_has_golden")) == 1.0
            assert agent.metric(series("canary_reason", more=f'reason="{reason}",')) == 1.0


@pytest.mark.parametrize("where", [("--target", "http://localhost:1"), ("--config", "FILE")])
def test_goldens_that_are_no_folder_are_exit_code_2_in_one_sentence(where: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("targets: [{url: 'http://localhost:1'}]\n")
    (tmp_path / "file").write_text("")
    words = [where[0], where[1].replace("FILE", str(file)), "--goldens"]
    for wrong in (" ", str(tmp_path / "file")):
        command = [sys.executable, "-m", "triton_watch", "run", *words, wrong]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert done.stderr.startswith("triton-watch: command line: --goldens: ")
        assert len(done.stderr.splitlines()) == 1
