"""Reads the fields of messages, one after the other, into protobuf's own messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from triton_watch.check.pbtxt import complaints
from triton_watch.check.pbtxt.entries import adopt_entry
from triton_watch.check.pbtxt.mismatch import wrong_type
from triton_watch.check.pbtxt.scanner import Scanner, Token
from triton_watch.check.pbtxt.schema import Field, Kind, Schema
from triton_watch.check.pbtxt.skip import CLOSERS, not_closed
from triton_watch.check.pbtxt.values import read_value

if TYPE_CHECKING:
    from triton_watch.check.pbtxt.messages import Message
    from triton_watch.check.pbtxt.places import Offsets
    from triton_watch.check.pbtxt.records import Path
    from triton_watch.check.pbtxt.report import Report

Name: TypeAlias = "tuple[int, int]"
"""Start and end of the token that names a value."""


class FieldReader:
    """Reads fields from the scanner's current token on. `places` is filled, problems go to `report`.

    A field has its place before its value is read, so that it is there when the reading ends inside the value.
    """

    def __init__(self, scan: Scanner, report: Report, places: dict[Path, Offsets]) -> None:
        self._scan = scan
        self._report = report
        self._places = places
        self._lists = 0

    def read(self, schema: Schema, message: Message) -> None:
        """Read to the end of the text. Raises `Stop` where the rest cannot be read."""
        while self._scan.kind is not Token.END:
            self._field(schema, message, ())

    def _field(self, schema: Schema, message: Message, path: Path) -> None:
        scan = self._scan
        if scan.kind is not Token.IDENTIFIER:
            complaints.no_name(scan, self._report, schema, path)
            return
        text, name = scan.text, (scan.start, scan.end)
        scan.advance()
        field = schema.fields.get(text)
        if field is None and scan.source[name[0] - 1 : name[0]].isdecimal():
            return  # the unit of a number, `100us`, which the scanner has reported
        if field is None:
            complaints.unknown_field(scan, self._report, schema, (*path, text), name)
            self._separator()
        else:
            self._known(field, message, (*path, text), name)

    def _known(self, field: Field, message: Message, path: Path, name: Name) -> None:
        scan, places = self._scan, self._places
        if field.since is not None:
            complaints.newer(self._report, path, name, field.since)
        owner, keep_place = message, path in places
        if not field.repeated:
            owner, keep_place = complaints.check_first(self._report, field, message, path, name, places)
        if not keep_place:
            places[path] = _only(name)
        complaints.colon(scan, self._report, field, path)
        start = scan.start
        element = self._value(field, owner, path, name)
        offsets = (*name, start, scan.before, self._separator())
        if not keep_place:
            places[path] = offsets
        if element is not None:
            places[element] = offsets

    def _value(self, field: Field, message: Message, path: Path, name: Name) -> Path | None:
        """Read what follows the colon. Return the path of the element, where it is one of a repeated field."""
        if field.repeated:
            if self._scan.text != "[":
                return self._element(field, message, path, name)
            self._list(field, message, path)
        elif field.kind is not Kind.MESSAGE:
            value = read_value(self._scan, self._report, field, path)
            if value is not None:
                setattr(message, field.name, value)
        elif field.schema is not None:
            child: Message = getattr(message, field.name)
            child.SetInParent()
            self._message(field, field.schema, child, path)
        return None

    def _list(self, field: Field, message: Message, path: Path) -> None:
        scan, opening = self._scan, self._scan.start
        self._lists += 1
        scan.advance()
        more = scan.text != "]"
        while more:
            start = scan.start
            element = self._element(field, message, path, (start, start))
            end = scan.before
            more = complaints.comma(scan, self._report, field, path, opening)
            if element is not None:
                self._places[element] = (start, end, start, end, scan.before if more else end)
        self._lists -= 1
        scan.advance()

    def _element(self, field: Field, message: Message, path: Path, name: Name) -> Path | None:
        """Read one element and return its path, which counts only those that could be read."""
        if field.schema is None:
            container = getattr(message, field.name)
            path = (*path, len(container))
            value = read_value(self._scan, self._report, field, path)
            if value is None:
                return None
            container.append(value)
        elif self._scan.text not in ("{", "<"):
            wrong_type(self._scan, self._report, field, path)
            return None
        elif field.is_map:
            return self._entry(field, field.schema, message, path, name)
        else:
            container = getattr(message, field.name)
            path = (*path, len(container))
            self._places[path] = _only(name)
            self._message(field, field.schema, container.add(), path)
        return path

    def _entry(self, field: Field, schema: Schema, message: Message, path: Path, name: Name) -> Path:
        """Read one entry of a map. Where it belongs is known only behind it, from its key."""
        container = getattr(message, field.name)
        entry = container.GetEntryClass()()
        outer, self._places = self._places, {}
        first_problem = len(self._report.problems)
        try:
            self._message(field, schema, entry, path)
        finally:
            inner, self._places = self._places, outer
            target = (*path, entry.key)
            adopt_entry(self._report, first_problem, inner, outer, target, _only(name))
            if schema.fields["value"].kind is Kind.MESSAGE:
                container[entry.key].CopyFrom(entry.value)
            else:
                container[entry.key] = entry.value
        return target

    def _message(self, field: Field, schema: Schema, message: Message, path: Path) -> None:
        """Read a message in its braces."""
        scan = self._scan
        if scan.text not in ("{", "<"):
            wrong_type(scan, self._report, field, path)
            return
        closer, opening = CLOSERS[scan.text], scan.start
        scan.advance()
        ends = ("}", ">", "]") if self._lists else ("}", ">")
        while scan.text not in ends and scan.kind is not Token.END:
            self._field(schema, message, path)
        if scan.text != closer:
            not_closed(scan, self._report, closer, opening, path)
        scan.advance()

    def _separator(self) -> int:
        """Go behind the one `,` or `;` that may follow a field. Return where the field ends with it."""
        if self._scan.text in (",", ";"):
            self._scan.advance()
        return self._scan.before


def _only(name: Name) -> Offsets:
    return (*name, *name, name[1])
