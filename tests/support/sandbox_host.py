"""Network namespaces and the programs in them, by order of `sandbox.py`: one process that holds all of it.

Each pod is a network namespace with one address, joined by a veth pair to the namespace of this process, which
routes between them. A cut is a routing rule here that drops packets without a word, as a NetworkPolicy does. Nothing
has a name outside: when this process ends, the kernel takes namespaces, links and rules back.

Run with the number of a Unix socket on which each message is one order in JSON, or one answer. The end of the socket is
the order to end all programs, with SIGTERM.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from support import sandbox_net as net

NETWORK = "10.99.{}.{}"
"""In each pod's own net, the router is 1 and the pod is 2."""
MESSAGE = 1 << 18
GRACE = 60.0
"""Seconds in which all programs must end by themselves when the test is gone."""


class HostError(Exception):
    """An order that cannot be carried out: one sentence."""


class Program:
    """A process in a pod, and the process that waits for it (bubblewrap, or itself)."""

    def __init__(self, process: subprocess.Popen[bytes], pid: int) -> None:
        self.process = process
        self.pid = pid

    def signal(self, number: int) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, until: float) -> int:
        """Wait until a time of the monotonic clock, and then kill it: how it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(max(0.0, until - time.monotonic()))
        self.signal(signal.SIGKILL)
        return self.process.wait()


class Host:
    """Carries out orders: each public method is one."""

    def __init__(self) -> None:
        net.become_root()
        self._router = net.new()
        net.forward()
        self._pods: dict[str, tuple[int, str]] = {}
        self._programs: list[Program] = []

    def pod(self, name: str) -> str:
        """Make a pod; its address."""
        number = len(self._pods) + 1
        router, address, link = NETWORK.format(number, 1), NETWORK.format(number, 2), f"pod{number}"
        try:
            namespace = net.new()
            net.link("eth0", self._router, link)
            net.set_up("eth0", address)
            net.enter(self._router)
            net.set_up(link, router)
            net.enter(namespace)
            net.route_all(router)
        finally:
            net.enter(self._router)
        self._pods[name] = namespace, address
        return address

    def publish(self, pod: str, port: int, listener: int) -> None:
        """Pass on what connects to the listening socket, which is of the test's own network, to a port of the pod."""
        address = self._pods[pod][1], port
        threading.Thread(target=_pass_on, args=(socket.socket(fileno=listener), address), daemon=True).start()

    def start(self, pod: str, command: list[str], log: str) -> tuple[int, int]:
        """Start bubblewrap in a pod: the number of the program, and its process id."""
        reader, writer = os.pipe()
        try:
            net.enter(self._pods[pod][0])
            with Path(log).open("ab") as file:
                process = subprocess.Popen(
                    [command[0], "--info-fd", str(writer), *command[1:]],
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    pass_fds=(writer,),
                    start_new_session=True,
                )
        finally:
            net.enter(self._router)
            os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as information:
            text = information.read()
        if not text:
            process.wait()
            raise HostError(f"bubblewrap could not start it: {Path(log).read_text(errors='replace')[-500:].strip()}")
        self._programs.append(Program(process, int(json.loads(text)["child-pid"])))
        return len(self._programs) - 1, self._programs[-1].pid

    def ask(self, pod: str, command: list[str]) -> tuple[int, str]:
        """Run a short command in the pod's network, outside its root: exit status and what it says."""
        try:
            net.enter(self._pods[pod][0])
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        finally:
            net.enter(self._router)
        return done.returncode, done.stdout + done.stderr

    def status(self, number: int) -> int | None:
        """How a program ended; None while it runs."""
        return self._programs[number].process.poll()

    def stop(self, numbers: list[int], grace: float) -> list[int]:
        """SIGTERM, and after `grace` seconds SIGKILL: how each ended."""
        programs = [self._programs[number] for number in numbers]
        for program in programs:
            program.signal(signal.SIGTERM)
        end = time.monotonic() + grace
        return [program.end(end) for program in programs]

    def cut(self, pod: str, other: str, port: int | None) -> None:
        """Drop all packets between two pods, or those from and to a port of the second one, both ways."""
        net.drop(self._pods[pod][1], self._pods[other][1], port)

    def heal(self) -> None:
        """Undo all cuts."""
        net.drop_no_more()

    def close(self) -> None:
        self.stop(list(range(len(self._programs))), GRACE)


def serve(channel: socket.socket, host: Host) -> None:
    """Carry out one order after the other until the other end is closed."""
    while True:
        message, listeners, _, _ = socket.recv_fds(channel, MESSAGE, 1)
        if not message:
            return
        order, arguments = json.loads(message)
        try:
            answer = {"result": getattr(host, order)(*arguments, *listeners)}
        except HostError as error:
            answer = {"error": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever it is, the test that asked has to hear of it
            answer = {"error": f"{order}: {type(error).__name__}: {error}"}
        channel.send(json.dumps(answer).encode())


def main(channel: socket.socket) -> None:
    """Say whether there can be namespaces here, and serve. Ctrl-C is for the test, which then ends this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        host = Host()
    except OSError as error:
        channel.send(json.dumps({"error": f"{error.strerror} (as user {os.getuid()})"}).encode())
        return
    channel.send(json.dumps({"result": None}).encode())
    try:
        serve(channel, host)
    finally:
        host.close()


def _pass_on(listener: socket.socket, address: tuple[str, int]) -> None:
    """Give each connection one to the address, or close it."""
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(address, 5)
        except OSError:
            client.close()
            continue
        server.settimeout(None)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
