"""Bytes of a terminal as names of keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEQUENCE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~])")
"""ECMA-48's control sequences, and what keypads send in application mode."""
_BEGUN: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O)?")
_NAMED: Final[Mapping[bytes, str]] = {
    **{
        bytes((0x1B, kind, ord(end))): key
        for kind in b"[O"
        for end, key in zip("ABHF", ("up", "down", "home", "end"), strict=True)
    },
    b"\x1b[1~": "home",
    b"\x1b[7~": "home",
    b"\x1b[4~": "end",
    b"\x1b[8~": "end",
    b"\x1b[5~": "pgup",
    b"\x1b[6~": "pgdn",
    b"\x1bOM": "enter",
}
_SINGLE: Final[Mapping[int, str]] = {
    0x0A: "enter",
    0x0D: "enter",
    0x08: "backspace",
    0x7F: "backspace",
    0x02: "pgup",
    0x06: "pgdn",
}
"""Control characters: ^B and ^F turn pages as in less."""
_LONGEST: Final = 4
"""Bytes of a character in UTF-8."""


def decode(data: bytes, *, is_all: bool) -> tuple[list[str], bytes]:
    """Return the keys in `data`, and the begin of one that is not whole yet.

    A key is one printable character, or the name of another key: up, enter, esc. `is_all`: nothing follows in time,
    so an escape is the key of that name. Sequences that mean nothing here are passed over.
    """
    keys: list[str] = []
    while data:
        key, rest = _first(data)
        if rest is None:
            if not is_all:
                break
            key, rest = ("esc" if data == b"\x1b" else ""), b""
        if key:
            keys.append(key)
        data = rest
    return keys, data


def _first(data: bytes) -> tuple[str, bytes | None]:
    """Return the first key, "" = none that means something, and what follows; None = it is not whole."""
    if data[0] == 0x1B:
        return _escaped(data)
    if data[0] < 0x20 or data[0] == 0x7F:
        return _SINGLE.get(data[0], ""), data[1:]
    for size in range(1, min(_LONGEST, len(data)) + 1):
        try:
            character = data[:size].decode()
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                return "", data[1:]
            continue
        return (character if character.isprintable() else ""), data[size:]
    return "", None


def _escaped(data: bytes) -> tuple[str, bytes | None]:
    found = _SEQUENCE.match(data)
    if found is not None:
        return _NAMED.get(found[0], ""), data[found.end() :]
    if _BEGUN.fullmatch(data):
        return "", None
    return "esc", data[1:]
