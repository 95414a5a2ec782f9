"""A stand-in Triton that serves synthetic pages as fast as it can be asked, in a process of its own.

It answers what the watcher asks in a cycle (health, metadata, index, configurations) and counts the
scrapes of each client, so that CPU per scrape can be worked out for any of them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

sys.path.insert(0, str(Path(__file__).parent))
import pages


class Handler(BaseHTTPRequestHandler):
    """Serves page after page to each client (`/metrics/<client>`), forwards and then again from the first."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    bodies: ClassVar[list[bytes]] = []
    index: ClassVar[bytes] = b"[]"
    scrapes: ClassVar[Counter[str]] = Counter()
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_GET(self) -> None:
        if self.path.startswith("/metrics/"):
            client = self.path.split("/")[2]
            with self.lock:
                turn = self.scrapes[client]
                self.scrapes[client] += 1
            self._send(self.bodies[turn % len(self.bodies)], "text/plain; charset=utf-8")
        elif self.path == "/counts":
            self._send(json.dumps(self.scrapes).encode())
        elif self.path.startswith("/v2/health/"):
            self._send(b"")
        elif self.path == "/v2":
            self._send(b'{"name":"triton","version":"2.51.0","extensions":[]}')
        elif match := re.fullmatch("/v2/models/([^/]+)(?:/versions/1)?/config", self.path):
            config: dict[str, object] = {
                "name": match[1],
                "backend": "python",
                "max_batch_size": 8,
                "instance_group": [{"count": 2, "kind": "KIND_CPU"}],
                "dynamic_batching": {},
            }
            self._send(json.dumps(config).encode())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(self.index)

    def _send(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, required=True)
    parser.add_argument("--summaries", action="store_true")
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--address", default="127.0.0.1")
    arguments = parser.parse_args()
    Handler.bodies = [
        pages.render(arguments.models, summaries=arguments.summaries, tick=tick) for tick in range(arguments.pages)
    ]
    names = sorted(set(re.findall(r'model="([^"]+)"', Handler.bodies[0].decode())))
    Handler.index = json.dumps([{"name": n, "version": "1", "state": "READY"} for n in names]).encode()
    server = ThreadingHTTPServer((arguments.address, 0), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_address[1]} {len(Handler.bodies[0])}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
