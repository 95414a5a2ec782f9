"""What clients saw of each model: counted by the load's threads, written as JSON, read back by the demo."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Seen(str, Enum):
    """How one request ended for the client that sent it."""

    OK = "ok"
    HTTP_ERROR = "http_error"
    """An answer that is not 200, or an error on a stream."""
    WRONG_SHAPE = "wrong_shape"
    NAN = "nan"
    UNREACHABLE = "unreachable"
    """No connection, or no answer in time."""


@dataclass(frozen=True, slots=True)
class ClientView:
    """What all clients together saw of one model. `example` is the latest failure in words, or empty."""

    model: str
    ok: int
    failed: int
    by_kind: Mapping[str, int] = field(default_factory=dict)
    """Failures by the values of `Seen`."""
    example: str = ""

    @property
    def sent(self) -> int:
        """All requests that have ended."""
        return self.ok + self.failed


class Tally:
    """Counts from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: defaultdict[str, Counter[Seen]] = defaultdict(Counter)
        self._examples: dict[str, str] = {}

    def add(self, model: str, seen: Seen, detail: str = "") -> None:
        """Count one request; `detail` says what was wrong with its answer."""
        with self._lock:
            self._counts[model][seen] += 1
            if seen is not Seen.OK:
                self._examples[model] = detail

    def views(self) -> tuple[ClientView, ...]:
        """What was counted so far, by model name."""
        with self._lock:
            return tuple(
                _view(model, counts, self._examples.get(model, "")) for model, counts in sorted(self._counts.items())
            )

    def write(self, path: Path, seconds: float, *, final: bool) -> None:
        """Replace the file by the counts so far; a reader never sees half of it."""
        models = {
            view.model: {
                "sent": view.sent,
                "ok": view.ok,
                "failed": view.failed,
                "by_kind": dict(view.by_kind),
                "example": view.example,
            }
            for view in self.views()
        }
        partial = path.with_name(path.name + ".partial")
        document = {"seconds": round(seconds, 3), "final": final, "models": models}
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)  # noqa: PTH105 - Path.replace says the same, less plainly


def read_views(path: Path) -> tuple[ClientView, ...]:
    """The counts in a file that `Tally.write` wrote; none when there is no file yet."""
    try:
        models = json.loads(path.read_text(encoding="utf-8"))["models"]
    except FileNotFoundError:
        return ()
    return tuple(
        ClientView(name, entry["ok"], entry["failed"], entry["by_kind"], entry["example"])
        for name, entry in models.items()
    )


def _view(model: str, counts: Counter[Seen], example: str) -> ClientView:
    by_kind = {seen.value: count for seen, count in sorted(counts.items()) if seen is not Seen.OK}
    return ClientView(model, counts[Seen.OK], sum(by_kind.values()), by_kind, example)
