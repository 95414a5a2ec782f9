"""Passes over a value that cannot be used, so that what follows it is read all the same."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.records import Path, ProblemKind
from triton_watch.check.pbtxt.report import Report, Stop, shown
from triton_watch.check.pbtxt.scanner import Scanner, Token

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOSERS: Mapping[str, str] = MappingProxyType({"{": "}", "<": ">", "[": "]"})
_DEEPEST = 100
"""Triton's own configurations go down eight levels."""


def skip_value(scan: Scanner, report: Report, path: Path) -> None:
    """Pass over one value of any type. Raises `Stop` when there is none, or its brackets do not match."""
    if scan.text in CLOSERS:
        _skip_nested(scan, report, path)
    elif not skip_scalar(scan):
        report.stop(f"a value is expected here, not {shown(scan.text)}", (scan.start, scan.end), path, "write a value")


def skip_scalar(scan: Scanner) -> bool:
    """Pass over a number, a word, or pieces of quoted text; False when none of them is here."""
    if scan.text == "-":
        scan.advance()
    if scan.kind is Token.STRING:
        while scan.kind is Token.STRING:
            scan.advance()
    elif scan.kind in (Token.IDENTIFIER, Token.INTEGER, Token.FLOAT):
        scan.advance()
    else:
        return False
    return True


def _skip_nested(scan: Scanner, report: Report, path: Path) -> None:
    opened: list[tuple[str, int]] = []
    while True:
        text = scan.text
        if text in CLOSERS:
            opened.append((CLOSERS[text], scan.start))
            if len(opened) > _DEEPEST:
                message = f"more than {_DEEPEST} levels of brackets are open here: no configuration is nested so deep"
                report.add(ProblemKind.TOO_DEEP, message, (scan.start, scan.end), path)
                raise Stop
        elif text in ("}", ">", "]") or scan.kind is Token.END:
            closer, start = opened.pop()
            if text != closer:
                not_closed(scan, report, closer, start, path)
        scan.advance()
        if not opened:
            return


def not_closed(scan: Scanner, report: Report, closer: str, start: int, path: Path) -> None:
    """Raise `Stop`, saying which bracket is open."""
    opener = next(key for key, value in CLOSERS.items() if value == closer)
    before = f"this {shown(scan.text)}" if scan.text else shown(scan.text)
    message = f"a `{closer}` is missing before {before}: the `{opener}` of line {report.line(start)} is still open"
    report.stop(message, (scan.start, scan.end), path, f"write `{closer}` before {before}")
