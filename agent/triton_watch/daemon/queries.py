"""What a page is asked for after the question mark: a misspelt name must not pass for a good answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from triton_watch.daemon.app import Request, Response, plain
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterable


def asked(request: Request, **known: str) -> dict[str, str] | Response:
    """The values of a query by name, the last of each; or the answer to a query with another name, or an empty value.

    `known` gives each name that there may be, and what stands for its value in that answer.
    """
    found = parse_qs(str(request.environ.get("QUERY_STRING", "")), keep_blank_values=True)
    given = {name: values[-1] for name, values in found.items()}
    wrong = next((name for name, value in given.items() if name not in known or not value), None)
    if wrong is None:
        return given
    names = ", ".join(f"{name}={value}" for name, value in known.items())
    return plain(HTTPStatus.BAD_REQUEST, f"The query {wrong[:100]!r} cannot be answered: give {names} or nothing.")


def no_target(target: str, targets: Iterable[str]) -> Response:
    """The answer to a question about a target that there is not."""
    return plain(HTTPStatus.NOT_FOUND, unknown_target(target, targets))


def unknown_target(target: str, targets: Iterable[str]) -> str:
    """The sentence about a target that there is not."""
    known = ", ".join(clip(name) for name in sorted(targets)) or "none"
    return f"There is no target {target[:100]!r}; there are: {known}."
