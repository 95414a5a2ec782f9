"""The answers of a healthy Triton as recorded bytes, for tests of what a real one can't be made to do."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from support.misbehaving import Behaviour, Connection, http_answer

PAGE = (Path(__file__).parents[1] / "fixtures" / "pages" / "metrics_h200_load_9s.txt").read_bytes()
LATER_PAGE = (Path(__file__).parents[1] / "fixtures" / "pages" / "metrics_h200_load_18s.txt").read_bytes()
SERVER = json.dumps({"name": "triton", "version": "2.51.0", "extensions": []}).encode()
INDEX = json.dumps([{"name": "matmul", "version": "1", "state": "READY"}]).encode()
CONFIG = json.dumps(
    {
        "name": "matmul",
        "backend": "python",
        "max_batch_size": 16,
        "dynamic_batching": {},
        "instance_group": [{"count": 1, "kind": "KIND_GPU", "gpus": [0]}],
    }
).encode()

ANSWERS = {
    "/v2/health/live": http_answer(b""),
    "/v2/health/ready": http_answer(b""),
    "/v2": http_answer(SERVER),
    "/v2/repository/index": http_answer(INDEX),
    "/v2/models/matmul/config": http_answer(CONFIG),
    "/metrics": http_answer(PAGE),
}


class FakeTriton:
    """A behaviour for `misbehaving.Server`: answers by path, counts requests, can be told to answer otherwise.

    An answer is bytes, or a behaviour that takes over the connection.
    """

    def __init__(self, **changed: bytes | Behaviour) -> None:
        """Keywords are the last word of a path: `ready=…`, `metrics=…`, `index=…`, `v2=…`."""
        self.answers: dict[str, bytes | Behaviour] = dict(ANSWERS)
        self.asked: Counter[str] = Counter()
        for word, answer in changed.items():
            self.change(word, answer)

    def change(self, word: str, answer: bytes | Behaviour) -> None:
        """Answer otherwise from now on."""
        path = next(path for path in self.answers if path.endswith("/" + word))
        self.answers[path] = answer

    def restore(self) -> None:
        """Answer again as at first."""
        self.answers = dict(ANSWERS)

    def __call__(self, connection: Connection) -> None:
        while connection.read_request():
            path = connection.requests[-1].split()[1].decode()
            self.asked[path] += 1
            answer = self.answers.get(path, http_answer(b"", status="404 Not Found"))
            if not isinstance(answer, bytes):
                connection.unread()
                answer(connection)
                return
            connection.send(answer)
