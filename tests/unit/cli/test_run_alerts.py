"""`triton-watch run` and its alerts, as a process of its own: the flag over the file, and what it tells of itself."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.agent import Agent
from support.misbehaving import Server
from unit.cli.canary_server import CanaryTriton

if TYPE_CHECKING:
    from pathlib import Path

GONE = "http://127.0.0.1:1"
"""Nobody listens there."""


def triton_watch(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triton_watch", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_running_agent_tells_what_fires_and_the_flag_goes_over_its_file(tmp_path: Path) -> None:
    """Also after the file is loaded again."""
    file = tmp_path / "triton-watch.yaml"
    agent = Agent(tmp_path, "--config", str(file), "--alertmanager", f"{GONE}/flag/", "--no-canary", start=False)

    def write(url: str, watchdog: str) -> None:
        file.write_text(
            f"targets: [{{name: t, url: '{url}', metrics_url: '{url}/metrics', interval: 1s}}]\n"
            f"alerts: {{watchdog: {watchdog}, alertmanagers: [{{url: '{GONE}/file'}}]}}\n"
            f"web: {{listen: '{agent.listen}'}}\n"
        )

    def names() -> list[str]:
        return [one["name"] for one in agent.get("/api/v1/alerts?phase=firing").json()["alerts"]]

    with Server(CanaryTriton("good")) as server:
        write(server.url, "false")
        agent.start()
        try:
            agent.wait_ready()
            assert names() == []
            write(server.url, "true")
            agent.wait(lambda: names() == ["TritonWatchdog"])
            done = triton_watch("alerts", "--config", str(file), "--json")
            assert done.returncode == 0, "a watchdog is neither a page nor a ticket"
            (peer,) = json.loads(done.stdout)["alertmanagers"]
            assert peer["url"] == f"{GONE}/flag"
            assert agent.get("/runbooks/TritonWatchdog").text.startswith("# TritonWatchdog")
        finally:
            agent.end()
    assert triton_watch("alerts", "--agent", agent.url).returncode == 3


def test_an_agent_ends_within_five_seconds_although_an_alertmanager_never_answers(tmp_path: Path) -> None:
    """And what fires is in its log."""
    file = tmp_path / "triton-watch.yaml"
    agent = Agent(tmp_path, "--config", str(file), "--no-canary", start=False)
    with socket.socket() as hangs, Server(CanaryTriton("good")) as server:
        hangs.bind(("127.0.0.1", 0))
        hangs.listen()
        url = f"http://127.0.0.1:{hangs.getsockname()[1]}"
        file.write_text(
            f"targets: [{{name: t, url: '{server.url}', metrics_url: '{server.url}/metrics', interval: 1s}}]\n"
            f"alerts: {{watchdog: true, alertmanagers: [{{url: '{url}', timeout: 60s}}]}}\n"
            f"web: {{listen: '{agent.listen}'}}\n"
        )
        agent.start()
        agent.wait_ready()
        connection, _ = hangs.accept()
        with connection:
            assert agent.end(within=5.0) == 0
    assert "TritonWatchdog (info) fires: " in agent.log


@pytest.mark.parametrize("where", [("--target", "http://localhost:1"), ("--config", "FILE")])
@pytest.mark.parametrize(
    "flags", [("--alertmanager", "localhost:9093"), ("--alertmanager", GONE, "--alertmanager", f"{GONE}/")]
)
def test_a_flag_that_names_no_alertmanager_is_exit_code_2_in_one_sentence(
    where: tuple[str, str], flags: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("targets: [{url: 'http://localhost:1'}]\n")
    done = triton_watch("run", where[0], where[1].replace("FILE", str(file)), *flags)
    assert done.returncode == 2
    assert done.stderr.startswith("triton-watch: command line: --alertmanager: ")
    assert len(done.stderr.splitlines()) == 1
