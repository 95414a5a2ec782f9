"""YAML text to values that know where they stand: safe, bounded, one document after the other.

Values are built from libyaml's events, not from `yaml.load`: nothing is constructed, an alias is the same
node again (a bomb of aliases costs nothing), and depth and number are counted while reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from triton_watch.check.pbtxt import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_NODES = 200_000
DEEPEST = 60
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_TRUE, _FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
_MERGE = "merge"


class TreeError(ValueError):
    """The text is no YAML, or more of it than any manifest has (`limit`). `line` and `column` count from 1."""

    def __init__(self, message: str, start: int = 0, line: int = 1, column: int = 1, *, limit: bool = False) -> None:
        super().__init__(message)
        self.limit = limit
        self.span = Span(start, start, line, column)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A scalar (`text` as written, `tag` what YAML takes it for), a mapping or a sequence."""

    span: Span
    tag: str = "null"
    text: str | None = None
    mapping: Mapping[str, tuple[Span, Node]] = field(default_factory=dict)
    sequence: tuple[Node, ...] = ()

    def get(self, *path: str) -> Node | None:
        """Return the value at the end of a path of keys, None when it is not there or null."""
        node: Node | None = self
        for key in path:
            found = None if node is None else node.mapping.get(key)
            node = None if found is None else found[1]
        return None if node is None or node.tag == "null" else node

    def key(self, name: str) -> Span:
        """Return where a key stands, the mapping itself when it has no such key."""
        found = self.mapping.get(name)
        return self.span if found is None else found[0]

    def items(self, *path: str) -> tuple[Node, ...]:
        """Return the elements of the sequence at the end of a path of keys."""
        node = self.get(*path)
        return () if node is None else node.sequence

    def entries(self, *path: str) -> Iterator[tuple[str, Span, Node]]:
        """Yield key, its place and value of the mapping at the end of a path of keys."""
        node = self.get(*path) if path else self
        if node is not None:
            for name, (span, value) in node.mapping.items():
                yield name, span, value

    def string(self, *path: str) -> str | None:
        """Return the text of a scalar."""
        node = self.get(*path) if path else self
        return None if node is None else node.text

    def number(self, *path: str) -> float | None:
        """Return a number, also one in quotes."""
        text = self.string(*path)
        try:
            return None if text is None or len(text) > 40 else float(text.replace("_", ""))
        except ValueError:
            return None

    def truth(self, *path: str) -> bool | None:
        """Return a truth value as YAML 1.1 writes it."""
        text = (self.string(*path) or "").lower()
        return True if text in _TRUE else False if text in _FALSE else None


class Reader:
    """Reads documents until the text ends or breaks; `templated` says that a key was no text, as of `{{ x }}`."""

    def __init__(self, text: str) -> None:
        self.templated = False
        self._text = text
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def documents(self) -> Iterator[Node]:
        """Yield the root of each document. Raises `TreeError`."""
        try:
            # libyaml refuses some control characters when it gets the text, before the first event.
            loader = _LOADER(self._text)
            try:
                yield from self._documents(loader)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            words = error.problem or error.context or "unreadable"
            where = (mark.index, mark.line + 1, mark.column + 1) if mark else (0, 1, 1)
            raise TreeError(words, *where) from error
        except yaml.YAMLError as error:
            raise TreeError("it has a character that YAML does not allow") from error

    def _documents(self, loader: Any) -> Iterator[Node]:  # noqa: ANN401 - PyYAML's loaders share no type
        loader.get_event()
        while not loader.check_event(yaml.StreamEndEvent):
            loader.get_event()
            self._anchors.clear()
            root = self._node(loader, 0)
            loader.get_event()
            yield root

    def _node(self, loader: Any, depth: int) -> Node:  # noqa: ANN401 - see above
        event = loader.get_event()
        span = _span(event)
        self._count += 1
        if self._count > MOST_NODES:
            raise TreeError(f"it has more than {MOST_NODES:,} values", span.start, span.line, span.column, limit=True)
        if depth > DEEPEST:
            raise TreeError(f"it is nested more than {DEEPEST} deep", span.start, span.line, span.column, limit=True)
        if isinstance(event, yaml.AliasEvent):
            return self._anchors.get(str(event.anchor), Node(span))
        node = self._value(loader, event, span, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _value(self, loader: Any, event: Any, span: Span, depth: int) -> Node:  # noqa: ANN401 - see above
        if isinstance(event, yaml.ScalarEvent):
            tag = event.tag or loader.resolve(yaml.ScalarNode, event.value, event.implicit)
            return Node(span, str(tag).removeprefix(_TAG), event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            elements = []
            while not loader.check_event(yaml.SequenceEndEvent):
                elements.append(self._node(loader, depth + 1))
            loader.get_event()
            return Node(span, "seq", sequence=tuple(elements))
        return self._mapping(loader, span, depth)

    def _mapping(self, loader: Any, span: Span, depth: int) -> Node:  # noqa: ANN401 - see above
        found: dict[str, tuple[Span, Node]] = {}
        merged: list[Node] = []
        while not loader.check_event(yaml.MappingEndEvent):
            key, value = self._node(loader, depth + 1), self._node(loader, depth + 1)
            if key.tag == _MERGE:
                merged += value.sequence or (value,)
            elif key.text is None:
                self.templated = True
            else:
                found[key.text] = (key.span, value)
        loader.get_event()
        for other in merged:
            for name, entry in other.mapping.items():
                found.setdefault(name, entry)
        return Node(span, "map", mapping=found)


def _span(event: Any) -> Span:  # noqa: ANN401 - PyYAML's events share no type
    start, end = event.start_mark, event.end_mark
    return Span(start.index, max(start.index, end.index), start.line + 1, start.column + 1)
