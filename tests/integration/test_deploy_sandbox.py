"""Pods without containers: apart from each other, and gone without a trace whatever becomes of the test."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from support import sandbox
from support.sandbox import Program, Sandbox, SandboxError
from support.sandbox_root import Container, Mount, python_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 20.0
SERVER = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("told to end", flush=True), sys.exit(7)))
http.server.ThreadingHTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
FETCH = "import urllib.request; print(urllib.request.urlopen('http://b:8000', timeout=2).status)"
LOOK = """
import os
print(os.path.exists("{secret}"))
open("/dev/shm/{region}", "w")
try:
    open("/x", "w")
except OSError as error:
    print(error.strerror)
"""
KILLED = """
import os, sys
from pathlib import Path
from integration.test_deploy_sandbox import serving
from support.sandbox import Sandbox
with Sandbox(Path(sys.argv[1])) as sandbox:
    print(os.readlink(f"/proc/{serving(sandbox).pid}/ns/net"), flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox.require(tmp_path / "probe")
    with Sandbox(tmp_path / "sandbox") as one:
        yield one


def python(code: str, user: tuple[int, int] = (0, 0)) -> Container:
    command = (sys.executable, "-c", code)
    return Container(command, {"PATH": os.defpath}, python_pieces(), tmpfs=("/run/app",), workdir="/run/app", user=user)


def serving(pods: Sandbox) -> Program:
    """A server in pod b, once it answers there."""
    pods.pod("a")
    pods.pod("b")
    program = pods.start("b", python(SERVER, user=(1234, 1234)))
    end = time.monotonic() + PATIENCE
    while not answers(pods):
        assert time.monotonic() < end, program.log.read_text()
        time.sleep(0.05)
    return program


def answers(pods: Sandbox) -> bool:
    try:
        return requests.get(pods.url("b", 8000), timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def fetched(pods: Sandbox, tmp_path: Path, number: int) -> str:
    """What a program in pod a gets from pod b, by its name."""
    program = pods.start("a", python(FETCH), f"fetch-{number}")
    with contextlib.suppress(SandboxError):  # the log says it
        program.wait()
    return (tmp_path / "sandbox" / f"fetch-{number}.log").read_text()


def users_of(network: str) -> list[str]:
    """Processes in a network namespace."""
    return [folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit() and _network(folder) == network]


def _network(process: Path) -> str:
    try:
        return str((process / "ns/net").readlink())
    except OSError:
        return ""  # it ended meanwhile


def test_pods_reach_each_other_by_name_until_they_are_cut_apart_without_a_word(pods: Sandbox, tmp_path: Path) -> None:
    serving(pods)
    assert fetched(pods, tmp_path, 0) == "200\n"
    pods.cut("a", "b", 8000)
    assert "timed out" in fetched(pods, tmp_path, 1)
    pods.heal()
    pods.cut("a", "b")
    assert "timed out" in fetched(pods, tmp_path, 2)
    assert answers(pods)
    pods.heal()
    assert fetched(pods, tmp_path, 3) == "200\n"


def test_a_program_is_the_first_process_of_a_container_with_its_user_and_ends_by_sigterm(pods: Sandbox) -> None:
    program = serving(pods)
    status = Path(f"/proc/{program.pid}/status").read_text()
    assert "\nNSpid:" in status
    assert status.partition("\nNSpid:")[2].split("\n")[0].split()[-1] == "1"
    assert Path(f"/proc/{program.pid}/uid_map").read_text().split() == ["1234", str(os.geteuid()), "1"]
    assert program.stop() == 7
    assert "told to end" in program.log.read_text()


def test_a_container_sees_no_file_of_the_machine_but_what_it_is_given(pods: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    pods.pod("a")
    program = pods.start("a", python(LOOK.format(secret=tmp_path / "secret", region=tmp_path.name)))
    program.wait()
    assert program.log.read_text() == "False\nRead-only file system\n"
    assert not Path("/dev/shm", tmp_path.name).exists()  # noqa: S108 - the container has one of its own


def test_nothing_is_left_of_a_sandbox_after_its_end(tmp_path: Path) -> None:
    sandbox.require(tmp_path / "probe")
    links = socket.if_nameindex()
    with Sandbox(tmp_path / "sandbox") as pods:
        network = str(Path(f"/proc/{serving(pods).pid}/ns/net").readlink())
        assert users_of(network)
        assert socket.if_nameindex() == links
    assert users_of(network) == []
    assert network not in Path("/proc/self/mountinfo").read_text()


def test_programs_end_when_the_test_itself_is_killed(tmp_path: Path) -> None:
    sandbox.require(tmp_path / "probe")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "sandbox")],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    end = time.monotonic() + PATIENCE
    while users_of(done.stdout.strip()):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "told to end" in (tmp_path / "sandbox/b.log").read_text()


def test_a_container_that_cannot_be_made_says_why(pods: Sandbox) -> None:
    pods.pod("a")
    program = pods.start("a", Container(("true",), mounts=(Mount(Path("/no-such-folder"), "/x"),)))
    with pytest.raises(SandboxError, match=r"a ended with status 1: bwrap: .*no-such-folder"):
        program.wait()


def test_an_order_that_cannot_be_carried_out_is_an_error_and_the_next_one_is_heard(pods: Sandbox) -> None:
    with pytest.raises(SandboxError, match="cut: KeyError: 'a'"):
        pods.cut("a", "b")
    assert pods.pod("a")
