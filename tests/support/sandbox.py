"""Pods without containers: programs in network namespaces, each in a root file system of its own.

    with Sandbox(tmp_path) as sandbox:
        sandbox.pod("triton"), sandbox.pod("triton-watch")
        program = sandbox.start("triton", container)
        url = sandbox.url("triton", 8000)              # for the test, which is outside
        sandbox.cut("triton-watch", "triton", 8002)    # packets vanish, as a NetworkPolicy makes them
        sandbox.heal()

It works as root, and as a normal user where the machine lets users have namespaces. `require` says so, or why not.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.debian import tool
from support.sandbox_root import Container, bubblewrap

if TYPE_CHECKING:
    from typing_extensions import Self

TESTS = Path(__file__).parents[1]
MESSAGE = 1 << 18
GRACE = 30.0


class SandboxError(Exception):
    """No namespace here, or a program that does not start. One sentence."""


class Program:
    """One container that runs. `pid` is its first process, seen from outside; `log` what it says."""

    def __init__(self, sandbox: Sandbox, number: int, pid: int, log: Path) -> None:
        self._sandbox = sandbox
        self.number = number
        self.pid = pid
        self.log = log

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        found = self._sandbox.order("status", self.number)
        return None if found is None else int(found)

    def wait(self, within: float = GRACE) -> None:
        """Wait until it has ended well by itself. Raises `SandboxError` with its last words."""
        end = time.monotonic() + within
        while self.status is None and time.monotonic() < end:
            time.sleep(0.02)
        if self.status != 0:
            words = self.log.read_text(errors="replace")[-300:].strip()
            raise SandboxError(f"{self.log.stem} ended with status {self.status}: {words}")

    def stop(self, grace: float = GRACE) -> int:
        """SIGTERM, and after `grace` seconds SIGKILL: how it ended."""
        return int(self._sandbox.order("stop", [self.number], grace)[0])


class Sandbox:
    """Pods and programs until the end of `with`, which ends all of them with SIGTERM."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.hosts = folder / "hosts"
        self._names: dict[str, str] = {"localhost": "127.0.0.1"}
        self._addresses: dict[str, str] = {}
        self._urls: dict[tuple[str, int], str] = {}
        self._programs: list[Program] = []
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "support.sandbox_host", str(theirs.fileno())]
        self._host = subprocess.Popen(command, cwd=TESTS, pass_fds=(theirs.fileno(),), start_new_session=True)
        theirs.close()
        try:
            self._answer()
        except SandboxError as error:
            self._leave()
            raise SandboxError(
                f"this machine gives no network namespace: {error}; run as root, or allow user namespaces "
                "(sysctl kernel.apparmor_restrict_unprivileged_userns=0, docker run --privileged)"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all programs in good order; namespaces go with the process that holds them."""
        if self._host.poll() is None:
            self.order("stop", [program.number for program in self._programs], GRACE)
        self._leave()

    def pod(self, name: str, *others: str) -> str:
        """A new network namespace that all pods know by these names; its address."""
        self._addresses[name] = str(self.order("pod", name))
        for one in (name, *others):
            self.point(one, name)
        return self._addresses[name]

    def point(self, name: str, pod: str) -> None:
        """Let a name stand for a pod from now on."""
        self._names[name] = self._addresses[pod]
        self.hosts.write_text("".join(f"{address} {name}\n" for name, address in self._names.items()))

    def start(self, pod: str, container: Container, name: str = "") -> Program:
        """Start a container in a pod."""
        log = self._folder / f"{name or pod}.log"
        number, pid = self.order("start", pod, bubblewrap(_bwrap(), container, self.hosts), str(log))
        self._programs.append(Program(self, number, pid, log))
        return self._programs[-1]

    def url(self, pod: str, port: int) -> str:
        """Where the test reaches a port of a pod. A cut does not touch this way."""
        if (pod, port) not in self._urls:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                self.order("publish", pod, port, listener=listener)
                self._urls[pod, port] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return self._urls[pod, port]

    def ask(self, pod: str, *command: str) -> tuple[int, str]:
        """Run a short command in the pod's network: exit status and what it says."""
        status, text = self.order("ask", pod, command)
        return int(status), str(text)

    def cut(self, pod: str, other: str, port: int | None = None) -> None:
        """Drop all packets between two pods, or those from and to a port of the second one. Nobody is told."""
        self.order("cut", pod, other, port)

    def heal(self) -> None:
        """Undo all cuts."""
        self.order("heal")

    def order(self, name: str, *arguments: object, listener: socket.socket | None = None) -> Any:
        """Have the holder of the namespaces do something. Raises `SandboxError`."""
        message = json.dumps([name, arguments]).encode()
        socket.send_fds(self._channel, [message], [] if listener is None else [listener.fileno()])
        return self._answer()

    def _answer(self) -> Any:
        answer = json.loads(self._channel.recv(MESSAGE) or b'{"error": "the holder of the namespaces has ended"}')
        if "error" in answer:
            raise SandboxError(answer["error"])
        return answer["result"]

    def _leave(self) -> None:
        self._channel.close()
        self._host.wait()


def require(folder: Path) -> None:
    """Skip the test where there are no namespaces; fail in CI, which has to have them."""
    try:
        with Sandbox(folder) as sandbox:
            sandbox.pod("probe")
            program = sandbox.start("probe", Container(("true",), {"PATH": os.defpath}))
            program.wait()
    except SandboxError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))


def _bwrap() -> Path:
    found = tool("bwrap")
    if found is None:
        raise SandboxError("bubblewrap is missing: python tests/support/debian.py bubblewrap (or `make test`) gets it")
    return found
