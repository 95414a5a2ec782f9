"""A value that is not what its field takes: what Triton says to it, and what was probably meant."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.pbtxt import advice
from triton_watch.check.pbtxt.records import Path, ProblemKind
from triton_watch.check.pbtxt.report import Report, shown
from triton_watch.check.pbtxt.scanner import Scanner, Token
from triton_watch.check.pbtxt.schema import Field, Kind
from triton_watch.check.pbtxt.skip import CLOSERS, skip_scalar, skip_value

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEHIND_A_NAME = frozenset((":", "=", *CLOSERS))
_EXPECTED: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.INTEGER: "Expected integer",
        Kind.NUMBER: "Expected double",
        Kind.BOOL: "Expected identifier",
        Kind.STRING: "Expected string",
        Kind.ENUM: "Expected integer or identifier",
        Kind.MESSAGE: 'Expected "{"',
    }
)
_SAID_BOOLS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("true", "t", "yes", "on", "1", "1.0"), "true")
    | dict.fromkeys(("false", "f", "no", "off", "0", "0.0"), "false")
)
_PLAIN = re.compile(r"[-\w.]+", re.ASCII)
_WHOLE = re.compile(r"([0-9]+)(?:\.0*)?[fF]?")


def wrong_type(scan: Scanner, report: Report, field: Field, path: Path) -> None:
    """Report a value that cannot be what the field takes, and pass over it. Raises `Stop` where there is none."""
    start, text, is_word = scan.start, scan.text, scan.kind is Token.IDENTIFIER
    if text in CLOSERS:
        got = "a list" if text == "[" else "fields in braces"
        end, before = scan.end, len(report.problems)
        report.add(ProblemKind.WRONG_TYPE, _sentence(field, got), (start, end), path)
        try:
            skip_value(scan, report, path)
        finally:
            report.advise(before, _instead_of_nested(scan.source[start : scan.before], field))
    elif not skip_scalar(scan):
        report.stop(_missing(scan, field), (start, start + len(text)), path, _add(field))
    elif is_word and scan.text in _BEHIND_A_NAME:
        scan.go_back(start)
        report.add(ProblemKind.SYNTAX, _missing(scan, field), (scan.start, scan.end), path, advice=_add(field))
    else:
        written = scan.source[start : scan.before]
        message = _sentence(field, shown(written))
        instead = _instead(written, field)
        fix = None if instead else _advice(written, field)
        report.add(ProblemKind.WRONG_TYPE, message, (start, scan.before), path, instead, advice=fix)


def _advice(written: str, field: Field) -> str:
    if field.schema is None:
        return advice.scalar(written, field)
    if field.schema.name == "ModelParameter":
        return advice.parameter(written)
    return advice.block(written, field)


def _instead_of_nested(written: str, field: Field) -> str:
    if field.schema is None:
        return advice.no_scalar(field, listed=written.startswith("["))
    return advice.block(" ".join(written.split()), field)


def _add(field: Field) -> str:
    return f"write {field.kind.value} behind {field.name}{'' if field.schema else ':'}, or remove {field.name}"


def _sentence(field: Field, got: str) -> str:
    return f"{field.name} takes {field.kind.value}, not {got} (Triton: `{_EXPECTED[field.kind]}`)"


def _missing(scan: Scanner, field: Field) -> str:
    return f"the value of {field.name} is missing before {shown(scan.text)}: it takes {field.kind.value}"


def _instead(written: str, field: Field) -> str | None:
    """The value in the notation that the field takes, where that is plain."""
    bare = written.strip("\"'")
    if field.kind is Kind.STRING:
        return f'"{written}"' if _PLAIN.fullmatch(written) else None
    if field.kind is Kind.INTEGER:
        whole = _WHOLE.fullmatch(bare)
        return whole.group(1) if whole else advice.whole_number(bare)
    if field.kind is Kind.BOOL:
        return _SAID_BOOLS.get(bare.lower())
    return bare if bare in field.values else None
