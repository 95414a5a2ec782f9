"""Who sends what to the example models, how often, and what a correct answer looks like.

Together some 150 requests a second: little enough for a laptop, with enough requests at the same time
where batching shall show.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Datum: TypeAlias = Callable[[random.Random], list[Any]]
"""Makes the flat data of one request's input."""

SENTENCES = (
    "the quick brown fox jumps over the lazy dog",
    "how do I reset the password of my account",
    "flights from Lisbon to Oslo in the first week of May",
    "a good recipe for lentil soup with lemon and cumin",
)
PROMPT = "we are looking into it"
HOT_USERS = 10
HOT_SHARE = 0.75


def _text(rng: random.Random) -> list[Any]:
    return [rng.choice(SENTENCES)]


def _user(rng: random.Random) -> list[Any]:
    """Mostly one of few users, whose answer is in the cache; else hardly anybody seen before."""
    return [rng.randrange(HOT_USERS) if rng.random() < HOT_SHARE else rng.randrange(HOT_USERS, 10**9)]


def _floats(count: int) -> Datum:
    return lambda rng: [round(rng.uniform(-1.0, 1.0), 4) for _ in range(count)]


def _tokens(rng: random.Random) -> list[Any]:
    return [rng.randrange(1, 30_000) for _ in range(16)]


@dataclass(frozen=True, slots=True)
class Flow:
    """Clients of one model. Each of the `workers` sends one request, waits for the answer, and sends again.

    `period` is in seconds from the start of a request to the start of the next one; 0 sends at once.
    Several workers with a period send in bursts, all at the same time.
    """

    model: str
    workers: int
    period: float
    input: tuple[str, str, tuple[int, ...]]
    """Name, datatype, shape."""
    data: Datum
    output: tuple[str, tuple[int, ...]]
    """Name and shape of a correct answer."""

    def body(self, rng: random.Random) -> bytes:
        """One inference request in JSON."""
        name, datatype, shape = self.input
        tensor = {"name": name, "datatype": datatype, "shape": shape, "data": self.data(rng)}
        return json.dumps({"inputs": [tensor]}).encode()


_FEATURES = ("FEATURES", "FP32", (1, 4))
_SCORES = ("SCORES", (1, 4))
_TEXT = ("TEXT", "BYTES", (1, 1))

HTTP_FLOWS: tuple[Flow, ...] = (
    Flow("tokenizer", 1, 1 / 15, _TEXT, _text, ("TOKENS", (1, 16))),
    Flow(
        "image_classifier",
        1,
        1 / 12,
        ("PIXELS", "FP32", (1, 3, 8, 8)),
        _floats(192),
        ("PROBABILITIES", (1, 4)),
    ),
    Flow("text_encoder", 8, 1 / 4, ("TOKENS", "INT64", (1, 16)), _tokens, ("EMBEDDING", (1, 32))),
    Flow("search_pipeline", 1, 1 / 4, _TEXT, _text, ("EMBEDDING", (1, 32))),
    Flow("ranker", 8, 0.0, ("FEATURES", "FP32", (1, 12)), _floats(12), ("SCORE", (1, 1))),
    Flow("recommender", 1, 1 / 12, ("USER_ID", "INT64", (1, 1)), _user, ("ITEMS", (1, 5))),
    Flow("summarizer", 2, 0.0, _TEXT, _text, ("SUMMARY", (1, 1))),
    Flow("lies_error", 1, 1 / 3, _FEATURES, _floats(4), _SCORES),
    Flow("lies_wrong_shape", 1, 1 / 3, _FEATURES, _floats(4), _SCORES),
    Flow("lies_nan", 1, 1 / 3, _FEATURES, _floats(4), _SCORES),
    Flow("dies_quietly", 1, 1 / 3, _FEATURES, _floats(4), _SCORES),
    Flow("fails_honestly", 1, 1 / 2, _FEATURES, _floats(4), _SCORES),
)

STREAM_MODEL = "chat"
STREAM_PERIOD = 0.5
"""Seconds from one prompt to the next."""
