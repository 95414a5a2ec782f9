"""DNS servers of a test's own: Debian's dnsmasq, and one that says what no real one can be made to say.

with Dnsmasq(binary, tmp_path) as server:
    server.say(hosts={"pods.test": ["127.0.0.2"]}, srv={"_http._tcp.triton.test": [("gpu-1.test", 8000)]})
    ...server.address, server.stop(), server.start()...
"""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import dns.message
import dns.query

from support.debian import library_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

LOOPBACK = "127.0.0.1"
_PATIENCE = 20.0


def free_port() -> int:
    """A port of the loopback that is free for UDP and TCP."""
    for _ in range(100):
        with (
            socket.socket(type=socket.SOCK_DGRAM) as udp,
            socket.socket() as tcp,
        ):
            udp.bind((LOOPBACK, 0))
            port = int(udp.getsockname()[1])
            with suppress(OSError):
                tcp.bind((LOOPBACK, port))
                return port
    raise AssertionError("no port is free for UDP and TCP")


class Dnsmasq:
    """The real server, on a port that it keeps. Of names below `test` it knows all; of others it asks nobody."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.say()

    @property
    def address(self) -> str:
        """Where it listens, as the configuration writes it."""
        return f"{LOOPBACK}:{self.port}"

    def say(
        self,
        *,
        hosts: Mapping[str, Sequence[str]] | None = None,
        srv: Mapping[str, Sequence[tuple[str, int]]] | None = None,
        lines: Sequence[str] = (),
    ) -> None:
        """From now on these are the records; it begins anew for them."""
        self.stop()
        names = [f"{address} {name}" for name, addresses in (hosts or {}).items() for address in addresses]
        (self._folder / "dnsmasq.hosts").write_text("\n".join([*names, ""]))
        services = [f"srv-host={name},{host},{port}" for name, pairs in (srv or {}).items() for host, port in pairs]
        user = pwd.getpwuid(os.getuid()).pw_name
        options = [
            f"port={self.port}",
            f"listen-address={LOOPBACK}",
            "bind-interfaces",
            "no-resolv",
            "no-hosts",
            "local=/test/",
            f"user={user}",
            "pid-file=",
            "log-facility=-",
            f"addn-hosts={self._folder / 'dnsmasq.hosts'}",
            *services,
            *lines,
        ]
        (self._folder / "dnsmasq.conf").write_text("\n".join([*options, ""]))
        self.start()

    def start(self) -> None:
        """Start, on the same port as before."""
        log = self._folder / "dnsmasq.log"
        environment = {**os.environ, "LD_LIBRARY_PATH": library_path()}
        command = [str(self._binary), "--keep-in-foreground", f"--conf-file={self._folder / 'dnsmasq.conf'}"]
        with log.open("ab") as file:
            self._process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            is_late = self._process.poll() is not None or time.monotonic() > end
            assert not is_late, log.read_text(errors="replace")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it: nothing listens there any more."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=_PATIENCE)
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            dns.query.udp(dns.message.make_query("up.test.", "A"), LOOPBACK, timeout=0.5, port=self.port)
        except (OSError, dns.exception.Timeout):
            return False
        return True


class ScriptedDns:
    """Answers each question with the bytes that `udp` and `tcp` make of it; None = silence. Runs until `close()`."""

    def __init__(
        self,
        udp: Callable[[dns.message.Message], bytes | None],
        tcp: Callable[[dns.message.Message], bytes | None] = lambda _: None,
    ) -> None:
        self.port = free_port()
        self.asked: list[str] = []
        """Name and type of each question, in order."""
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind((LOOPBACK, self.port))
        self._tcp = socket.create_server((LOOPBACK, self.port))
        self._answers = udp, tcp
        self._threads = [threading.Thread(target=work) for work in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End; both threads are gone then."""
        with suppress(OSError):
            self._udp.shutdown(socket.SHUT_RDWR)
        with socket.socket(type=socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", (LOOPBACK, self.port))
        with suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE)
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            question, client = self._udp.recvfrom(65535)
            if not question:
                return
            answer = self._answer(question, self._answers[0])
            if answer is not None:
                self._udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                size = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
                answer = self._answer(connection.recv(size, socket.MSG_WAITALL), self._answers[1])
                if answer is not None:
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, question: bytes, make: Callable[[dns.message.Message], bytes | None]) -> bytes | None:
        message = dns.message.from_wire(question)
        asked = message.question[0]
        self.asked.append(f"{asked.name} {dns.rdatatype.to_text(asked.rdtype)}")
        return make(message)
