"""One scalar value of a field, as TextFormat's parser reads it, or a report of what is wrong with it."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.check.pbtxt import advice
from triton_watch.check.pbtxt.hints import enum_value
from triton_watch.check.pbtxt.mismatch import wrong_type
from triton_watch.check.pbtxt.records import Path, ProblemKind
from triton_watch.check.pbtxt.report import Report, shown
from triton_watch.check.pbtxt.scanner import Scanner, Token
from triton_watch.check.pbtxt.schema import Field, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value: TypeAlias = "int | float | str"

_BOOLS: Mapping[str, bool] = MappingProxyType(
    {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
)
_WORDS: Mapping[str, str] = MappingProxyType({"inf": "inf", "infinity": "inf", "nan": "nan"})
_NOT_DECIMAL = re.compile(r"0[xX0-7]")
_LONGEST_DECIMAL = 20
"""Digits of the highest uint64. Python takes long for the value of very long numbers, or refuses it."""
_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")


def read_value(scan: Scanner, report: Report, field: Field, path: Path) -> Value | None:
    """Read one value and go behind it; None when it is of no use, which has been reported.

    Raises `Stop` where there is no value.
    """
    return _READERS[field.kind](scan, report, field, path)


def _string(scan: Scanner, report: Report, field: Field, path: Path) -> Value | None:
    start, pieces = scan.start, list[str]()
    while scan.kind is Token.STRING:
        pieces.append(scan.string())
        scan.advance()
    if not pieces:
        wrong_type(scan, report, field, path)
        return None
    value = "".join(pieces)
    if value.isascii() or not _NOT_UTF8.search(value):
        return value
    message = f"{field.name} has bytes that are not UTF-8, and Triton drops them: save the file as UTF-8"
    report.add(
        ProblemKind.ENCODING, message, (start, scan.before), path, refused=False, advice="save the file as UTF-8"
    )
    return _NOT_UTF8.sub("", value)


def _integer(scan: Scanner, report: Report, field: Field, path: Path) -> Value | None:
    start, negative = scan.start, scan.text == "-"
    if negative:
        scan.advance()
    if scan.kind is not Token.INTEGER:
        wrong_type(scan, report, field, path)
        return None
    value = -_number(scan.text) if negative else _number(scan.text)
    scan.advance()
    if field.low <= value <= field.high and not (negative and field.low == 0):  # not even -0
        return value
    message = f"{field.name} is out of range: Triton takes {field.low} to {field.high}"
    fix = f"write {field.low} or more" if value < max(field.low, 1) else f"write {field.high} or less"
    report.add(ProblemKind.OUT_OF_RANGE, message, (start, scan.before), path, advice=fix)
    return None


def _double(scan: Scanner, report: Report, field: Field, path: Path) -> Value | None:
    sign = -1.0 if scan.text == "-" else 1.0
    if sign < 0:
        scan.advance()
    text = scan.text
    if scan.kind is Token.IDENTIFIER:
        text = _WORDS.get(text.lower(), "")
    elif (scan.kind is Token.INTEGER and _NOT_DECIMAL.match(text)) or scan.kind not in (Token.INTEGER, Token.FLOAT):
        text = ""
    else:
        text = text.rstrip("fF")
    if not text:
        wrong_type(scan, report, field, path)
        return None
    scan.advance()
    try:
        return sign * float(text)
    except ValueError:  # the scanner has reported it
        return None


def _bool(scan: Scanner, report: Report, field: Field, path: Path) -> Value | None:
    if scan.kind is Token.INTEGER and _number(scan.text) <= 1:
        value = _number(scan.text) == 1
    elif scan.kind is Token.IDENTIFIER and scan.text in _BOOLS:
        value = _BOOLS[scan.text]
    else:
        wrong_type(scan, report, field, path)
        return None
    scan.advance()
    return value


def _enum(scan: Scanner, report: Report, field: Field, path: Path) -> Value | None:
    if scan.kind is not Token.IDENTIFIER:
        return _integer(scan, report, field, path)
    value = field.values.get(scan.text)
    if value is None:
        hint = enum_value(scan.text, field.values)
        message = f"{field.name} has no value named {shown(scan.text)} (Triton: `Unknown enumeration value`)"
        fix = None if hint else advice.names(field)
        report.add(ProblemKind.UNKNOWN_ENUM, message, (scan.start, scan.end), path, hint, advice=fix)
    scan.advance()
    return value


def _number(text: str) -> int:
    """A decimal, hexadecimal or octal number; one with a fault that the scanner reported counts as 0."""
    if len(text) > _LONGEST_DECIMAL and text[0] != "0":
        return 1 << 64
    try:
        return int(text, 16 if text[1:2] in ("x", "X") else 8 if text[0] == "0" else 10)
    except ValueError:
        return 0


_READERS: Mapping[Kind, Callable[[Scanner, Report, Field, Path], Value | None]] = MappingProxyType(
    {
        Kind.STRING: _string,
        Kind.INTEGER: _integer,
        Kind.NUMBER: _double,
        Kind.BOOL: _bool,
        Kind.ENUM: _enum,
    }
)
