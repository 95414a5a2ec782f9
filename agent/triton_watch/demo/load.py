"""A bounded load on the example models: `python -m triton_watch.demo.load --http URL --grpc HOST:PORT`.

It writes what its clients saw of each model to a JSON file, every second and at its end, so that it can
be held against what the server counted. It sends to this machine only, and ends with the process that
started it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import ipaddress
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from triton_watch.demo.senders import send_http
from triton_watch.demo.tally import Tally
from triton_watch.demo.traffic import HTTP_FLOWS
from triton_watch.demo.wheel import DEMO, install

REPORT_SECONDS = 1.0
LAST_ANSWERS_SECONDS = 3.0
"""How long the end waits for answers that are still to come."""


def main(argv: list[str] | None = None) -> int:
    """Send until the duration is over, SIGTERM or SIGINT; 0, or 2 when the arguments make no sense."""
    arguments = _parse(argv)
    problem = _problem(arguments)
    if problem:
        sys.stderr.write(f"triton-watch load: {problem}\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(arguments.http.rstrip("/"), arguments.grpc, arguments.duration or float("inf"), arguments.out, stop)
    return 0


def run(http_url: str, grpc_address: str, duration: float, out: Path, stop: threading.Event) -> None:
    """Send for `duration` seconds or until `stop` is set; keep the file `out` up to date."""
    tally = Tally()
    threads = [
        threading.Thread(target=send_http, args=(http_url, flow, tally, stop, 100 * row + worker), daemon=True)
        for row, flow in enumerate(HTTP_FLOWS)
        for worker in range(flow.workers)
    ]
    threads.append(threading.Thread(target=_send_streams, args=(grpc_address, tally, stop), daemon=True))
    started = time.monotonic()
    parent = os.getppid()
    for thread in threads:
        thread.start()
    while not stop.wait(min(REPORT_SECONDS, max(0.0, started + duration - time.monotonic()))):
        tally.write(out, time.monotonic() - started, final=False)
        if time.monotonic() - started >= duration or os.getppid() != parent:
            stop.set()
    deadline = time.monotonic() + LAST_ANSWERS_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    tally.write(out, time.monotonic() - started, final=True)
    if os.getppid() != parent:
        out.unlink(missing_ok=True)  # nobody is left to read it
        with contextlib.suppress(OSError):
            out.parent.rmdir()


def is_loopback(host: str) -> bool:
    """Whether all addresses of a host name are loopback addresses."""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


def _send_streams(grpc_address: str, tally: Tally, stop: threading.Event) -> None:
    from triton_watch.demo.streams import send_streams  # noqa: PLC0415 - gRPC takes its time to import

    send_streams(grpc_address, tally, stop)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m triton_watch.demo.load", description=__doc__)
    parser.add_argument("--http", required=True, help="root of the HTTP API, such as http://127.0.0.1:8000")
    parser.add_argument("--grpc", required=True, help="host:port of the gRPC API, such as 127.0.0.1:8001")
    parser.add_argument("--out", required=True, type=Path, help="the JSON file with what clients saw")
    parser.add_argument("--duration", type=float, default=60.0, help="seconds; 0 sends until it is stopped")
    return parser.parse_args(argv)


def _problem(arguments: argparse.Namespace) -> str:
    """What is wrong with the arguments, in one sentence; empty when nothing is."""
    url = urlsplit(arguments.http)
    if url.scheme != "http" or not url.hostname:
        return f"--http {arguments.http} is not a URL like http://127.0.0.1:8000"
    for host in (url.hostname, arguments.grpc.rpartition(":")[0].strip("[]")):
        if not is_loopback(host):
            return f"{host or 'no host'} is not this machine: the demo's load is for a server on 127.0.0.1 only"
    if arguments.duration < 0:
        return f"--duration {arguments.duration:g} is negative"
    if importlib.util.find_spec("tritonclient") is None:
        return f"tritonclient is not installed: {install(DEMO)}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
