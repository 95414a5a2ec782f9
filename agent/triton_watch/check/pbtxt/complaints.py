"""What can be wrong around a field's value, each told in a sentence; most of it does not end the reading."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from triton_watch.check.pbtxt import advice, hints
from triton_watch.check.pbtxt.records import Path, ProblemKind
from triton_watch.check.pbtxt.report import Report, Stop, shown
from triton_watch.check.pbtxt.scanner import Scanner, Token
from triton_watch.check.pbtxt.schema import Field, Kind, Schema
from triton_watch.check.pbtxt.skip import not_closed, skip_value
from triton_watch.check.pbtxt.versions import NEWER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.check.pbtxt.messages import Message
    from triton_watch.check.pbtxt.places import Offsets

_SCALARS = frozenset((Token.IDENTIFIER, Token.STRING, Token.INTEGER, Token.FLOAT))
_EXTENSION = re.compile(r"\[\s*[\w.]*(?:\s*\])?", re.ASCII)
_SHOWN_HOMES = 3


def no_name(scan: Scanner, report: Report, schema: Schema, path: Path) -> None:
    """Report what stands where a field's name belongs. Raises `Stop`, except at a comment of C++."""
    place, text = (scan.start, scan.end), scan.text
    if scan.source.startswith("//", scan.start):
        message = "`//` starts no comment in this format: write `#` (Triton: `Expected identifier, got: /`)"
        report.add(ProblemKind.SYNTAX, message, (scan.start, scan.start + 2), path, "#")
        scan.skip_line()
        return
    if text == "{" and not path:
        message = "this looks like JSON: a config.pbtxt has no braces around it, and no quotes around names"
        fix = 'remove the outer braces and the quotes around names: "max_batch_size": 8 is max_batch_size: 8'
    elif text in ("}", ">", "]"):
        message = f"this `{text}` closes nothing: remove it, or look for one too many above"
        fix = "remove it"
    elif text == "[":
        name = _EXTENSION.match(scan.source, scan.start)
        place = (scan.start, name.end() if name else scan.end)
        message = "Triton knows no extensions, so a name in `[ ]` cannot stand here"
        fix = "write a field's name without brackets"
    elif scan.kind is Token.STRING:
        message = f"the name of a field stands without quotes, and here is {shown(text)}"
        fix = advice.quoted_name(scan.source, scan.start, schema)
    else:
        message = f"the name of a field is expected here, not {shown(text)} (Triton: `Expected identifier`)"
        fix = f"remove {shown(text)}, or write a field's name before it"
    report.stop(message, place, path, fix)


def unknown_field(scan: Scanner, report: Report, schema: Schema, path: Path, place: tuple[int, int]) -> None:
    """Report a field that the message does not have, and pass over its value."""
    name = str(path[-1])
    since = NEWER_FIELDS.get(f"{schema.name}.{name}")
    if since is not None:
        newer(report, path, place, since)
    else:
        _report_unknown(report, schema, path, place)
    colon_there = scan.text == ":"
    if colon_there:
        scan.advance()
    elif scan.text not in ("{", "<", "["):
        raise Stop
    skip_value(scan, report, path)


def _report_unknown(report: Report, schema: Schema, path: Path, place: tuple[int, int]) -> None:
    name, where = str(path[-1]), _where(path)
    message = f'{where} has no field named "{shown(name)[1:-1]}"'
    fix = None
    suggestion, homes = hints.synonym(name, schema), hints.homes(name)
    if suggestion is None and homes:
        belongs = " or ".join(map(_home, homes[:_SHOWN_HOMES]))
        message += f": it belongs {belongs}"
        fix = f"move it {belongs.replace('inside', 'into').replace('at the', 'to the')}"
    elif suggestion is None:
        suggestion = hints.field_name(name, schema)
        fix = None if suggestion else "remove it: only fields of model_config.proto can stand here"
    if schema.fields.keys() == {"key", "value"}:
        message += "; an entry of a map has `key` and `value`"
    report.add(ProblemKind.UNKNOWN_FIELD, message, place, path, suggestion, advice=fix)


def _where(path: Path) -> str:
    names = [part for part in path[:-1] if isinstance(part, str)]
    short = ".".join(names[-2:] if names[-1:] == ["value"] else names[-1:])
    return short or "the top level of a configuration"


def _home(path: str) -> str:
    return f"inside {path}" if path else "at the top level"


def newer(report: Report, path: Path, place: tuple[int, int], since: str) -> None:
    """Say that older servers refuse a field, the first time that it is there."""
    if str(path[-1]) in report.told:
        return
    report.told.add(str(path[-1]))
    message = (
        f'{path[-1]} came with Triton {since}: an older server refuses the file (`has no field named "{path[-1]}"`)'
    )
    report.add(ProblemKind.NEWER_FIELD, message, place, path, since, refused=False)


def check_first(
    report: Report, field: Field, message: Message, path: Path, place: tuple[int, int], places: Mapping[Path, Offsets]
) -> tuple[Message, bool]:
    """Look whether a field that can be given once is there already; `places` has what was written before.

    Return the message that its value goes into, and whether it keeps the place that it has. Where the server
    refuses the value, a scalar keeps its first one; a message takes in the fields of both. A scalar that was
    given its default value counts as not given.
    """
    given = path in places
    other = message.WhichOneof(field.oneof) if field.oneof else None
    if other not in (None, field.name):
        text = f"{field.name} and {other} exclude each other, and {other} is given already: remove one of them"
        fix = f"remove {field.name} here, or {other}{_in_line(report, places, (*path[:-1], str(other)))}"
        report.add(ProblemKind.ONEOF, text, place, path, advice=fix)
        return type(message)(), given
    if not given:
        return message, False
    fix = f"remove it here, or that{_in_line(report, places, path)}"
    if _counts(field, message):
        text = f"{field.name} is given twice (Triton: `specified multiple times`): remove one of them"
        report.add(ProblemKind.REPEATED_SCALAR, text, place, path, advice=fix)
        return (message if field.kind is Kind.MESSAGE else type(message)()), True
    text = f"{field.name} is given twice: Triton takes this value, as the first one was the default"
    report.add(ProblemKind.REPEATED_SCALAR, text, place, path, refused=False, advice=fix)
    return message, False


def _in_line(report: Report, places: Mapping[Path, Offsets], path: Path) -> str:
    return f" of line {report.line(places[path][0])}" if path in places else " given before"


def _counts(field: Field, message: Message) -> bool:
    """What `HasField` says in C++: proto3 keeps no default value, but -0.0 is none (seen on 2.51.0)."""
    if field.in_entry or field.presence:
        return field.in_entry or message.HasField(field.name)
    value = getattr(message, field.name)
    return bool(value) or (isinstance(value, float) and math.copysign(1, value) < 0)


def colon(scan: Scanner, report: Report, field: Field, path: Path) -> None:
    """Go behind the colon after a name, or report that it is missing. Raises `Stop` when a value is too."""
    if scan.text == ":":
        scan.advance()
        return
    if scan.text in ("{", "<") or field.kind is Kind.MESSAGE:
        return
    place = (scan.start, scan.end)
    if scan.text == "=" or scan.text in ("[", "-") or scan.kind in _SCALARS:
        message = f'a `:` is missing between {field.name} and its value (Triton: `Expected ":"`)'
        fix = "write `:` instead of `=`" if scan.text == "=" else f"write {field.name}: before it"
        report.add(ProblemKind.SYNTAX, message, place, path, ":", advice=fix)
        if scan.text == "=":
            scan.advance()
    else:
        report.stop(
            f"`:` and a value are missing after {field.name}: here is {shown(scan.text)}",
            place,
            path,
            f"write {field.name}: and {field.kind.value}, or remove it",
        )


def comma(scan: Scanner, report: Report, field: Field, path: Path, opening: int) -> bool:
    """Go behind the comma after a list's element; False at the list's end.

    A missing comma and one too many are reported, and passed over. Raises `Stop` where neither a comma nor
    an end nor another element follows.
    """
    if scan.text == "]":
        return False
    place = (scan.start, scan.end)
    if scan.text == ",":
        scan.advance()
        if scan.text != "]":
            return True
        message = f"the last element of the list {field.name} has a comma behind it, and Triton refuses that: remove it"
        report.add(ProblemKind.SYNTAX, message, place, path, advice="remove the comma")
        return False
    if scan.text in ("{", "<", "-") or (scan.kind in _SCALARS and field.kind is not Kind.MESSAGE):
        message = f'a comma is missing before this element of the list {field.name} (Triton: `Expected ","`)'
        report.add(ProblemKind.SYNTAX, message, place, path, ",", advice="write a comma before it")
        return True
    not_closed(scan, report, "]", opening, path)
    return False
