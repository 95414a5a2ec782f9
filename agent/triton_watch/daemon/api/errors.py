"""What the API says where it has no answer: one sentence, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from triton_watch.daemon.app import Response
from triton_watch.daemon.facts.coding import as_json

JSON: Final = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Error:
    """Why there is no answer: one sentence that says what is wrong, and what may stand there."""

    error: str


class RefusedError(Exception):
    """A question that cannot be answered. The text is one sentence for whoever asked."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def impossible(sentence: str) -> RefusedError:
    """The question itself is wrong: 400."""
    return RefusedError(HTTPStatus.BAD_REQUEST, sentence)


def unknown(sentence: str) -> RefusedError:
    """The question is about something that there is not: 404."""
    return RefusedError(HTTPStatus.NOT_FOUND, sentence)


def refusal(status: HTTPStatus, sentence: str, **headers: str) -> Response:
    """The sentence as an answer; underscores in the names of `headers` stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, JSON, as_json(Error(sentence)) + b"\n", named)
