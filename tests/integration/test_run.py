"""`triton-watch run` as a process, on the real server: metrics, signals, reload, and every way to end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support.agent import PATIENCE, Agent
from support.fake_triton import LATER_PAGE, FakeTriton
from support.misbehaving import Server, http_answer, silent

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

Start = Callable[..., Agent]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    agents: list[Agent] = []

    def starter(*arguments: str, code: str | None = None) -> Agent:
        agents.append(Agent(tmp_path, *arguments, code=code))
        return agents[-1]

    yield starter
    for agent in agents:
        if agent.process.poll() is None:
            agent.process.kill()
            agent.process.wait()


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def flags(triton: EmbeddedTriton) -> tuple[str, ...]:
    urls = ("--target", triton.http_url, "--metrics-url", triton.metrics_url, "--grpc", triton.grpc_address)
    return (*urls, "--interval", "1s", "--listen", "LISTEN")


def name_of(triton: EmbeddedTriton) -> str:
    return triton.http_url.removeprefix("http://")


def test_the_agent_on_a_real_triton_serves_its_metrics_and_promtool_accepts_them(
    start: Start, triton: EmbeddedTriton, promtool: Path
) -> None:
    agent = start(*flags(triton))
    agent.wait_ready()
    target = name_of(triton)
    agent.wait(lambda: (agent.metric(f'triton_watch_cycles_total{{target="{target}"}}') or 0) >= 3)
    assert agent.metric(f'triton_watch_target_ready{{target="{target}"}}') == 1
    assert agent.metric(f'triton_watch_model_ready{{model="ranker",target="{target}",version="1"}}') == 1
    assert agent.metric(f'triton_watch_model_requests_per_second{{model="ranker",target="{target}",version="1"}}') == 0
    assert agent.get("/-/healthy").status_code == 200
    page = agent.get("/metrics").content
    checked = subprocess.run([str(promtool), "check", "metrics"], input=page, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert agent.end() == 0


def test_a_stopped_and_started_triton_is_seen_going_and_coming_back(
    start: Start, triton_factory: Callable[..., EmbeddedTriton], tmp_path: Path
) -> None:
    repository = tmp_path / "models"
    _copy_model("ranker", repository)
    server = triton_factory(repository)
    agent = start(*flags(server))
    agent.wait_ready()
    up = f'triton_watch_target_up{{target="{name_of(server)}"}}'
    assert agent.metric(up) == 1
    begin = time.monotonic()
    server.stop()
    assert time.monotonic() - begin < 20, "the agent's connections kept the server from ending"
    agent.wait(lambda: agent.metric(up) == 0)
    server.start()
    agent.wait(lambda: agent.metric(up) == 1)
    assert agent.log.count("refused the connection") <= 4, "one line for each port, whatever fails behind it"
    assert "probe works again" in agent.log
    assert agent.end() == 0


def _copy_model(name: str, repository: Path) -> None:
    import shutil  # noqa: PLC0415 - used here alone

    from triton_watch.demo import example_repository  # noqa: PLC0415 - the same

    shutil.copytree(example_repository() / name, repository / name, ignore=shutil.ignore_patterns("__pycache__"))


def test_sigterm_ends_it_within_five_seconds_while_a_target_hangs(start: Start, servers: ExitStack) -> None:
    hanging = servers.enter_context(Server(silent))
    agent = start("--target", hanging.url, "--interval", "60s", "--timeout", "50s", "--listen", "LISTEN")
    agent.wait(lambda: agent.get("/-/healthy").status_code == 200)
    time.sleep(1.5)
    assert agent.get("/-/ready").status_code == 503
    begin = time.monotonic()
    assert agent.end() == 0
    assert time.monotonic() - begin < 5.0


def test_a_changed_file_and_sighup_swap_the_targets_and_a_bad_file_keeps_them(
    start: Start, servers: ExitStack, tmp_path: Path
) -> None:
    fake = servers.enter_context(Server(FakeTriton()))

    def write(*names: str, more: str = "") -> None:
        targets = "".join(
            f"  - {{name: {name}, url: {fake.url}, metrics_url: {fake.url}/metrics, interval: 1s}}\n" for name in names
        )
        file.write_text(f"web: {{listen: '{agent_listen}'}}\ntargets:\n{targets}{more}")

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        agent_listen = f"127.0.0.1:{probe.getsockname()[1]}"
    file = tmp_path / "triton-watch.yaml"
    write("one")
    agent = start("--config", str(file))
    agent.url = f"http://{agent_listen}"
    agent.wait_ready()
    assert agent.metric("triton_watch_config_last_reload_success") == 1

    write("one", "two")
    agent.process.send_signal(signal.SIGHUP)
    agent.wait(lambda: agent.metric('triton_watch_target_up{target="two"}') == 1)
    cycles = agent.metric('triton_watch_cycles_total{target="one"}')
    assert cycles is not None
    assert cycles >= 1

    write("one", "two", more="    intervall: 5s\n")
    agent.wait(lambda: agent.metric("triton_watch_config_last_reload_success") == 0)
    assert agent.metric('triton_watch_target_up{target="two"}') == 1
    time.sleep(5)
    assert agent.log.count("the configuration is not good") == 1

    write("two")
    agent.wait(lambda: agent.metric("triton_watch_config_last_reload_success") == 1)
    agent.wait(lambda: agent.metric('triton_watch_target_up{target="one"}') is None)
    assert agent.end() == 0


def test_a_job_that_dies_ends_the_process_with_a_sentence_and_exit_code_3(start: Start, servers: ExitStack) -> None:
    fake = servers.enter_context(Server(FakeTriton()))
    code = f"""
import sys
from triton_watch.config import from_flags
from triton_watch.daemon.service import Service
def dies(watch, deadline): raise ZeroDivisionError("a fault of ours")
sys.exit(Service(from_flags([{fake.url!r}], listen="LISTEN"), probes={{"live": dies}}).run())
"""
    agent = start(code=code)
    assert agent.process.wait(PATIENCE) == 3
    assert "giving up: the job poll:" in agent.log
    assert "died of ZeroDivisionError: a fault of ours" in agent.log
    assert "Traceback" not in agent.log


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "nothing to watch"),
        (("--target", "ftp://x"), 2, "--target"),
        (("--config", "absent.yaml"), 3, "absent.yaml"),
        (("--config", "x.yaml", "--target", "http://localhost"), 2, "leave out --target"),
        (("--target", "http://localhost", "--listen", "203.0.113.1:80"), 3, "203.0.113.1"),
    ],
)
def test_what_cannot_start_says_so_in_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "triton_watch", "run", *arguments],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_one_sentence_and_exit_code_3(start: Start, servers: ExitStack) -> None:
    fake = servers.enter_context(Server(FakeTriton()))
    taken = fake.url.removeprefix("http://localhost")
    agent = start("--target", fake.url, "--listen", f"127.0.0.1{taken}")
    assert agent.process.wait(PATIENCE) == 3
    assert len(agent.log.splitlines()) == 1
    assert taken.removeprefix(":") in agent.log


def test_a_second_agent_on_the_same_state_directory_is_refused_with_a_sentence(
    start: Start, servers: ExitStack, tmp_path: Path
) -> None:
    fake = servers.enter_context(Server(FakeTriton()))
    arguments = ("--target", fake.url, "--interval", "1s", "--listen", "LISTEN")
    first = start(*arguments)
    first.wait_ready()
    (tmp_path / "second").mkdir()
    second = Agent(tmp_path / "second", *arguments, "--state", str(tmp_path / "state"))
    assert second.process.wait(PATIENCE) == 3
    assert f"in use by the triton-watch with process id {first.process.pid}" in second.log
    assert "--state DIR" in second.log
    assert len(second.log.splitlines()) == 1
    assert first.end() == 0
    second.start()
    second.wait_ready()
    assert second.end() == 0


def test_budgets_outlive_an_agent_and_its_exported_counters_begin_again(start: Start, servers: ExitStack) -> None:
    fake_triton = FakeTriton()
    fake = servers.enter_context(Server(fake_triton))
    agent = start(
        "--target", fake.url, "--metrics-url", f"{fake.url}/metrics", "--interval", "1s", "--listen", "LISTEN"
    )
    labels = f'model="matmul",slo="availability",target="{fake.url.removeprefix("http://")}",version="1"'
    left = f"triton_watch_slo_budget_remaining_ratio{{{labels}}}"
    good = f"triton_watch_slo_events_total{{{labels.replace(',slo', ',result=%good%,slo').replace('%', chr(34))}}}"
    agent.wait(lambda: agent.metric(good) == 0)
    assert agent.metric(left) is None, "nothing was counted yet"
    fake_triton.change("metrics", http_answer(LATER_PAGE))
    agent.wait(lambda: (agent.metric(good) or 0) > 0)
    assert agent.metric(left) == 1
    assert agent.end() == 0
    agent.start()
    agent.wait(lambda: agent.metric(left) == 1)
    assert agent.metric(good) == 0
    assert agent.end() == 0
