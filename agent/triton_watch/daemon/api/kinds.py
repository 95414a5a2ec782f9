"""What may stand for a parameter: how it is read, how a wrong one is told, and its JSON schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

from triton_watch.daemon.api.errors import impossible
from triton_watch.wording.text import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

E = TypeVar("E", bound=Enum)
T_co = TypeVar("T_co", covariant=True)

_SHOWN: Final = 100
"""Characters of what somebody sent that are repeated in a sentence."""
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,17}")


def shown(value: str) -> str:
    """What somebody sent, in quotes and short; nothing in it can be taken for a part of the sentence."""
    return repr(value[:_SHOWN])


class Kind(Protocol[T_co]):
    """One kind of value."""

    @property
    def expected(self) -> str:
        """What may stand there, in words."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The same as a JSON schema."""

    def read(self, name: str, given: Sequence[str]) -> T_co:
        """Return the value of the parameter `name`, which was sent once or more. Raises RefusedError (400)."""


@dataclass(frozen=True, slots=True)
class Text:
    """Any text but none at all; where it was sent more than once, the last counts."""

    expected: str
    schema: ClassVar[Mapping[str, Any]] = {"type": "string", "minLength": 1}

    def read(self, _name: str, given: Sequence[str]) -> str:
        """The text."""
        return given[-1]


@dataclass(frozen=True, slots=True)
class OneOf(Generic[E]):
    """One of the words of an enumeration; where it was sent more than once, the last counts."""

    words: type[E]

    @property
    def expected(self) -> str:
        """All words."""
        return _words(self.words)

    @property
    def schema(self) -> Mapping[str, Any]:
        """The words as an enum."""
        return {"type": "string", "enum": [one.value for one in self.words]}

    def read(self, name: str, given: Sequence[str]) -> E:
        """The member of the enumeration."""
        return _member(self.words, name, given[-1])


@dataclass(frozen=True, slots=True)
class AnyOf(Generic[E]):
    """Some of the words of an enumeration: sent more than once, or with commas in between, or both."""

    words: type[E]

    @property
    def expected(self) -> str:
        """All words."""
        return _words(self.words)

    @property
    def schema(self) -> Mapping[str, Any]:
        """A list of the words."""
        return {"type": "array", "minItems": 1, "items": OneOf(self.words).schema}

    def read(self, name: str, given: Sequence[str]) -> tuple[E, ...]:
        """The members of the enumeration, each once."""
        words = [word for one in given for word in one.split(",")]
        return tuple(dict.fromkeys(_member(self.words, name, word) for word in words))


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`, both included; where it was sent more than once, the last counts."""

    least: int
    most: int

    @property
    def expected(self) -> str:
        """The bounds."""
        return f"a whole number from {self.least} to {self.most}"

    @property
    def schema(self) -> Mapping[str, Any]:
        """An integer with its bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def read(self, name: str, given: Sequence[str]) -> int:
        """The number. Only plain digits: what Python takes for an integer, others do not."""
        number = int(given[-1]) if _WHOLE.fullmatch(given[-1]) else None
        if number is None or not self.least <= number <= self.most:
            raise impossible(f"{name} cannot be {shown(given[-1])}: it is {self.expected}.")
        return number


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false; where it was sent more than once, the last counts."""

    expected: str = "true or false"
    schema: ClassVar[Mapping[str, Any]] = {"type": "boolean"}

    def read(self, name: str, given: Sequence[str]) -> bool:
        """Whether it is true."""
        if given[-1] not in ("true", "false"):
            raise impossible(f"{name} cannot be {shown(given[-1])}: it is {self.expected}.")
        return given[-1] == "true"


def _words(words: type[Enum]) -> str:
    *most, last = (str(one.value) for one in words)
    return f"{', '.join(most)} or {last}"


def _member(words: type[E], name: str, word: str) -> E:
    known = [one for one in words if one.value == word]
    if known:
        return known[0]
    close = nearest(word[:_SHOWN], (one.value for one in words))
    meant = f" (did you mean {close}?)" if close else ""
    raise impossible(f"There is no {name} {shown(word)}{meant}; there are: {', '.join(one.value for one in words)}.")
