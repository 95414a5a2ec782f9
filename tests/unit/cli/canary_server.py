"""A Triton over HTTP that answers inferences, well or not, and counts them on its metrics page."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from support.fake_triton import ANSWERS
from support.misbehaving import http_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.misbehaving import Connection

JSON = "application/json"
TENSORS = {
    "input": [{"name": "X", "data_type": "TYPE_FP32", "dims": [2]}],
    "output": [{"name": "Y", "data_type": "TYPE_FP32", "dims": [2]}],
}
GOOD = [0.25, 0.75]


def json_answer(data: Any, status: str = "200 OK") -> bytes:
    return http_answer(json.dumps(data).encode(), status, JSON)


class CanaryTriton:
    """A behaviour for `misbehaving.Server`: models of one input X and one output Y, FP32 [2]."""

    def __init__(self, *models: str) -> None:
        self.models = models or ("good",)
        self.values: dict[str, list[float]] = {}
        """By model: the values that it answers in place of good ones; a wrong count of them is a wrong shape."""
        self.errors: dict[str, str] = {}
        """By model: the error that it answers, which is counted as a success."""
        self.pending: dict[str, int] = {}
        self.tensors: dict[str, Any] = TENSORS
        self.asked: list[str] = []
        self.page: bytes | None = None
        """A metrics page in place of one's own."""
        self._lock = threading.Lock()

    def __call__(self, connection: Connection) -> None:
        while connection.read_request():
            connection.send(self.answer(connection.requests[-1].split()[1].decode()))

    def answer(self, path: str) -> bytes:
        """The answer to a request of this path."""
        words = path.strip("/").split("/")
        if words[-1] == "index":
            return json_answer([{"name": name, "version": "1", "state": "READY"} for name in self.models])
        if words[-1] == "config":
            return json_answer({"name": words[2], "backend": "python", "max_batch_size": 8, **self.tensors})
        if words[-1] == "metrics":
            return http_answer(self.page or self._metrics())
        if words[-1] == "infer":
            return self._inferred(words[2])
        return ANSWERS.get(path, http_answer(status="404 Not Found"))

    def _inferred(self, name: str) -> bytes:
        with self._lock:
            self.asked.append(name)
        if name in self.errors:
            return json_answer({"error": self.errors[name]}, "500 Internal Server Error")
        values = self.values.get(name, GOOD)
        output = {"name": "Y", "datatype": "FP32", "shape": [1, len(values)], "data": values}
        return json_answer({"model_name": name, "model_version": "1", "outputs": [output]})

    def _metrics(self) -> bytes:
        with self._lock:
            served = {name: self.asked.count(name) for name in self.models}
        families = {
            "nv_inference_request_success": served,
            "nv_inference_request_failure": dict.fromkeys(served, 0),
            "nv_inference_count": served,
            "nv_inference_exec_count": served,
            "nv_inference_request_duration_us": {name: 1000 * count for name, count in served.items()},
            "nv_inference_pending_request_count": {name: self.pending.get(name, 0) for name in served},
        }
        return page_of(families)


def page_of(families: Mapping[str, Mapping[str, float]]) -> bytes:
    """A metrics page of these families, each by model."""
    lines = []
    for family, values in families.items():
        lines += [f"# HELP {family} What it is", f"# TYPE {family} {'gauge' if 'pending' in family else 'counter'}"]
        lines += [f'{family}{{model="{name}",version="1"}} {value}' for name, value in values.items()]
    return "\n".join([*lines, ""]).encode()
