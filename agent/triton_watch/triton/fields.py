"""Fields of a server's JSON, read strictly: a wrong type is an error that names the field."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

from triton_watch.triton.errors import GarbageError

Object: TypeAlias = dict[str, Any]
T = TypeVar("T")


class Fields:
    """One JSON object of a server's answer. `path` is where it is in the document, for messages."""

    def __init__(self, value: object, path: str, url: str) -> None:
        self._path = path
        self._url = url
        if not isinstance(value, dict):
            raise self._wrong(path or "the document", "an object", value)
        self._object: Object = value

    def __contains__(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._object.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A string. Without a default it must be there. Raises GarbageError."""
        return self._read(name, str, "a string", default)

    def number(self, name: str, default: int | None = None) -> int:
        """An integer. Triton writes some 64-bit ones as strings, as protobuf does. Raises GarbageError."""
        value = self._object.get(name)
        if isinstance(value, str) and value.lstrip("-").isdecimal() and value.isascii() and len(value) <= 20:
            return int(value)
        return self._read(name, int, "an integer", default)

    def flag(self, name: str) -> bool:
        """A boolean; absent is False. Raises GarbageError."""
        return self._read(name, bool, "true or false", default=False)

    def child(self, name: str) -> Fields:
        """An object; absent is empty. Raises GarbageError."""
        return Fields(self._read(name, dict, "an object", {}), self._at(name), self._url)

    def children(self, name: str) -> list[Fields]:
        """A list of objects; absent is empty. Raises GarbageError."""
        items = self._read(name, list, "a list", [])
        return [Fields(item, f"{self._at(name)}[{index}]", self._url) for index, item in enumerate(items)]

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; absent is empty. Raises GarbageError."""
        return self._items(name, str, "a list of strings")

    def numbers(self, name: str) -> tuple[int, ...]:
        """A list of integers; absent is empty. Raises GarbageError."""
        return self._items(name, int, "a list of integers")

    def _items(self, name: str, kind: type[T], wanted: str) -> tuple[T, ...]:
        items = self._read(name, list, wanted, [])
        if not all(_is(item, kind) for item in items):
            raise self._wrong(self._at(name), wanted, items)
        return tuple(items)

    def _read(self, name: str, kind: type[T], wanted: str, default: T | None) -> T:
        value = self._object.get(name)
        if value is None and default is not None:
            return default
        if not _is(value, kind):
            raise self._wrong(self._at(name), wanted, value)
        result: T = value  # type: ignore[assignment] # _is looked
        return result

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _wrong(self, where: str, wanted: str, value: object) -> GarbageError:
        kind = "nothing" if value is None else f"a {type(value).__name__}"
        message = f"sent JSON in which {where} is {kind} and not {wanted}: is it a Triton server?"
        return GarbageError(message, url=self._url)


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
