"""Many readers of an agent's pages at the same time, in a process of their own: it measures, and costs little.

Run as `python tests/support/readers.py HOST:PORT SECONDS PATH…`. Each of `READERS` keeps one connection and reads
the paths in turn, with a short pause after each. One more asks for /-/healthy on a new connection each time, as
Kubernetes does. Writes a `Report` in JSON to stdout.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from typing import Final, NamedTuple, TypeAlias

READERS: Final = 100
PAUSE: Final = 0.5
"""Seconds from an answer to the next question: a page refreshes itself ten times less often."""
HEALTHY: Final = "/-/healthy"
HEALTH_PAUSE: Final = 0.1
PATIENCE: Final = 20.0
Stream: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Report(NamedTuple):
    """`outcomes` counts answers by "PATH STATUS", or "PATH Error"; times are in seconds; `bytes` are of bodies."""

    outcomes: dict[str, int]
    seconds: float
    bytes: int
    times: dict[str, tuple[float, float, float]]
    """By path: the median, the 99th percentile and the longest."""

    @property
    def bad(self) -> dict[str, int]:
        """What did not end with 200."""
        return {outcome: count for outcome, count in self.outcomes.items() if not outcome.endswith(" 200")}


def read_for(seconds: float, listen: str, paths: tuple[str, ...]) -> Report:
    """Let the readers read, in a process of their own."""
    command = [sys.executable, __file__, listen, str(seconds), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 2 * PATIENCE)
    return Report(**json.loads(done.stdout))


class Readers:
    """All that read one agent, and what they saw."""

    def __init__(self, listen: str, paths: tuple[str, ...], seconds: float) -> None:
        self._host, _, self._port = listen.rpartition(":")
        self._paths = paths
        self._end = time.monotonic() + seconds
        self._outcomes: Counter[str] = Counter()
        self._times: dict[str, list[float]] = {path: [] for path in (*paths, HEALTHY)}
        self._bytes = 0

    async def run(self) -> Report:
        begin = time.monotonic()
        await asyncio.gather(self._ask_health(), *(self._read(number) for number in range(READERS)))
        times = {path: _summary(sorted(found)) for path, found in self._times.items() if found}
        return Report(dict(sorted(self._outcomes.items())), time.monotonic() - begin, self._bytes, times)

    async def _read(self, number: int) -> None:
        """Read path after path; who is cut off comes back."""
        await asyncio.sleep(PAUSE * number / READERS)
        stream: Stream | None = None
        while time.monotonic() < self._end:
            stream = await self._ask(self._paths[number % len(self._paths)], stream)
            number += 1
            await asyncio.sleep(PAUSE)
        _close(stream)

    async def _ask_health(self) -> None:
        while time.monotonic() < self._end:
            _close(await self._ask(HEALTHY, None))
            await asyncio.sleep(HEALTH_PAUSE)

    async def _ask(self, path: str, stream: Stream | None) -> Stream | None:
        """Ask for a path and note what comes; the connection, if it may be used again."""
        begin = time.monotonic()
        try:
            status, stream = await asyncio.wait_for(self._exchange(path, stream), PATIENCE)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
            self._outcomes[f"{path} {type(error).__name__}"] += 1
            return None
        self._times[path].append(time.monotonic() - begin)
        self._outcomes[f"{path} {status}"] += 1
        return stream

    async def _exchange(self, path: str, stream: Stream | None) -> tuple[str, Stream | None]:
        reader, writer = stream or await asyncio.open_connection(self._host, int(self._port))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        self._bytes += len(await reader.readexactly(int(length[1]) if length else 0))
        stays = b"connection: close" not in head.lower()
        return head.split(b" ", 2)[1].decode(), (reader, writer) if stays else None


def _close(stream: Stream | None) -> None:
    if stream:
        stream[1].close()


def _summary(times: list[float]) -> tuple[float, float, float]:
    return times[len(times) // 2], times[int(len(times) * 0.99)], times[-1]


if __name__ == "__main__":
    readers = Readers(sys.argv[1], tuple(sys.argv[3:]), float(sys.argv[2]))
    json.dump(asyncio.run(readers.run())._asdict(), sys.stdout)
