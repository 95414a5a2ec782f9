"""What a page is asked for after the question mark. Forms send their empty fields, too: those ask for nothing."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from enum import Enum

E = TypeVar("E", bound="Enum")
PAGE_LENGTH = 50
_LAST_PAGE = 1_000_000
_LONGEST = 100


class NoPageError(Exception):
    """A page that cannot be shown. The text is a sentence for the reader, `advice` one that says what to do."""

    def __init__(self, status: HTTPStatus, sentence: str, advice: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.advice = status, sentence, advice


def values_of(query: str, known: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of a query by name, without empty ones. Raises `NoPageError` for a name that is not `known`."""
    found = parse_qs(query, errors="replace")
    every = ("refresh", *known)
    wrong = next((name for name in found if name not in every), None)
    if wrong is not None:
        advice = f"This page takes {', '.join(every[1:])} and refresh=0." if every[1:] else "It takes refresh=0 alone."
        raise _bad(f"This page cannot be asked for {_short(wrong)}.", advice)
    if any(value != "0" for value in found.get("refresh", ())):
        raise _bad("The value of refresh is not one that there is.", "Say refresh=0, or leave it out.")
    return found


def one(values: Mapping[str, list[str]], name: str) -> str | None:
    """Return the last value of a name, None where it was not given."""
    return values[name][-1] if name in values else None


def kinds(values: Mapping[str, list[str]], name: str, kind: type[E]) -> tuple[E, ...]:
    """Return all values of a name as members of an enumeration. Raises `NoPageError` where there is no such member."""
    there_are = {member.value: member for member in kind}
    wrong = next((value for value in values.get(name, ()) if value not in there_are), None)
    if wrong is not None:
        raise _bad(f"There is no {name} {_short(wrong)}.", f"There are: {', '.join(there_are)}.")
    return tuple(dict.fromkeys(there_are[value] for value in values.get(name, ())))


def page_of(values: Mapping[str, list[str]]) -> int:
    """Return the number of the page, from 1 on. Raises `NoPageError` for what is no such number."""
    given = one(values, "page") or "1"
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= _LAST_PAGE and len(given) < 9):
        raise _bad(f"The page {_short(given)} is no number of a page.", "Pages are counted from 1.")
    return int(given)


def of_target(values: Mapping[str, list[str]], targets: Collection[str]) -> str | None:
    """Return the target that was asked for. Raises `NoPageError` where there is no such target."""
    given = one(values, "target")
    if given is not None:
        check_target(given, targets)
    return given


def check_target(name: str, targets: Collection[str]) -> None:
    """Raise `NoPageError` where there is no such target."""
    if name not in targets:
        raise no_target(name)


def no_target(name: str) -> NoPageError:
    """A target that there is not."""
    return NoPageError(
        HTTPStatus.NOT_FOUND,
        f"There is no target {_short(name)}.",
        "Look for it among all targets; the agent's configuration names them.",
    )


def _bad(sentence: str, advice: str) -> NoPageError:
    return NoPageError(HTTPStatus.BAD_REQUEST, sentence, advice)


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
