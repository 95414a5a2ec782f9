"""Numbers and quoted text as protobuf's C++ `io::Tokenizer` reads them, its faults in our words.

A fault does not end the reading, there as here: the token is taken as far as it goes. Text without a closing
quote goes to the end of its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.check.pbtxt import advice

if TYPE_CHECKING:
    from collections.abc import Mapping

Fault: TypeAlias = "tuple[int, int, str, str]"
"""Start and end of what is wrong inside a token, what, and what to do."""

_PLAIN: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {'"': re.compile(r'[^"\\\0\n]*'), "'": re.compile(r"[^'\\\0\n]*")}
)
_SIMPLE: Mapping[str, bytes] = MappingProxyType(
    {"a": b"\a", "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v"}
    | {char: char.encode() for char in "\\?'\""}
)
_OCTAL = re.compile(r"[0-7]{1,3}")
_HEX = re.compile(r"x([0-9a-fA-F]{1,2})")
_SHORT_CODE = re.compile(r"u([0-9a-fA-F]{4})")
_LONG_CODE = re.compile(r"U(00[01][0-9a-fA-F]{5})")
_BROKEN = re.compile(r"[xuU][0-9a-fA-F]*")
_HEX_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*")
_OCTAL_NUMBER = re.compile(r"0[0-7]*(?=[0-9])[0-9]*|0[0-7]+")
_DECIMAL = re.compile(r"(?P<whole>[0-9]*)(?P<rest>(?:\.[0-9]*)?(?P<exponent>[eE][+-]?[0-9]*)?[fF]?)")

_NOT_CLOSED = "a quote is missing: this text in quotes must end in its line (Triton: `cannot cross line boundaries`)"
_NO_ESCAPE = "this is no escape sequence; a backslash is written \\\\"
_OCTAL_FAULT = "a number that starts with 0 is octal, so 8 and 9 cannot be in it"
_TOUCHED = "a space is missing between this number and the word behind it"
_LETTER = re.compile(r"[A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Literal:
    """One number or one piece of quoted text: where it ends, the text's value, what is wrong inside."""

    end: int
    value: str = ""
    is_float: bool = False
    faults: tuple[Fault, ...] = ()


def read_string(text: str, start: int) -> Literal:
    """Read quoted text; bytes that are not UTF-8 are lone surrogates in the value."""
    quote, position = text[start], start + 1
    pieces: list[bytes] = []
    faults: list[Fault] = []
    while True:
        plain = _PLAIN[quote].match(text, position)
        if plain is not None and plain.end() > position:
            pieces.append(plain.group().encode("utf-8", "surrogateescape"))
            position = plain.end()
        if not text.startswith((quote, "\\"), position):
            faults.append((start, position, _NOT_CLOSED, advice.quote(text, start, position)))
            break
        if text[position] == quote:
            position += 1
            break
        end, value = _escape(text, position + 1)
        if value is None:
            faults.append((position, min(end + 1, len(text)), _NO_ESCAPE, "write \\\\ for a backslash"))
        pieces.append(value or b"")
        position = end
    return Literal(position, b"".join(pieces).decode("utf-8", "surrogateescape"), faults=tuple(faults))


def _escape(text: str, start: int) -> tuple[int, bytes | None]:
    """The end and the bytes of the escape sequence whose letter is at `start`; None when it is none."""
    simple = _SIMPLE.get(text[start : start + 1])
    if simple is not None:
        return start + 1, simple
    if match := _OCTAL.match(text, start):
        return match.end(), bytes([int(match.group(), 8) & 255])
    if match := _HEX.match(text, start):
        return match.end(), bytes([int(match.group(1), 16)])
    if match := _SHORT_CODE.match(text, start) or _LONG_CODE.match(text, start):
        return _code_point(text, match.end(), int(match.group(1), 16))
    match = _BROKEN.match(text, start)
    return match.end() if match else start, None


def _code_point(text: str, end: int, code: int) -> tuple[int, bytes]:
    r"""Encode a code point, with the other half of a surrogate pair if it follows as another `\u`."""
    low = _SHORT_CODE.match(text, end + 1) if text.startswith("\\u", end) else None
    if 0xD800 <= code < 0xDC00 and low and 0xDC00 <= int(low.group(1), 16) < 0xE000:
        code = 0x10000 + ((code - 0xD800) << 10) + int(low.group(1), 16) - 0xDC00
        end = low.end()
    if code > 0x10FFFF:  # tritonserver 2.51.0 takes the escape sequence itself as text
        return end, f"\\U{code:08x}".encode()
    return end, chr(code).encode("utf-8", "surrogatepass")


def read_number(text: str, start: int) -> Literal:
    """Read a number that starts with a digit, or with a point before one."""
    is_float, fault, fix = False, "", "write a number"
    if match := _HEX_NUMBER.match(text, start):
        fault = "0x must be followed by hexadecimal digits" if len(match.group()) == len("0x") else ""
    elif match := _OCTAL_NUMBER.match(text, start):
        fault, fix = _OCTAL_FAULT if set("89") & set(match[0]) else "", f"write {match[0].lstrip('0')[:20]}"
    elif match := _DECIMAL.match(text, start):
        is_float = bool(match["rest"])
        fault = "the exponent has no digits" if (match["exponent"] or "0")[-1] in "eE+-" else ""
    end = match.end() if match else start + 1
    if not fault and _LETTER.match(text, end):
        fault, fix = _TOUCHED, advice.number(text, start, end)
    elif not fault and text.startswith(".", end):
        fault = "there is one point too many in this number" if is_float else "only decimal numbers can have a point"
    return Literal(end, is_float=is_float, faults=((start, end, fault, fix),) if fault else ())
