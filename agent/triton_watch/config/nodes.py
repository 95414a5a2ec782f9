"""YAML nodes to plain values: strings, numbers, booleans, lists and mappings with unique text keys."""

from __future__ import annotations

from typing import Any, Final

import yaml

from triton_watch.config.errors import Location, Problem, dotted

MAX_VALUES: Final = 200_000
"""Aliases of aliases can make a small file grow without end."""

_TAG: Final = "tag:yaml.org,2002:"
_PLAIN: Final = frozenset({"null", "bool", "int", "float"})
_TEXT: Final = frozenset({"str", "timestamp", "value"})
"""A date or `=` has no use here as anything but text."""
_NOTHING: Final = object()


class NodeReader:
    """Builds values from nodes; collects problems and the line of each location on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[Location, int] = {}
        self._open: set[int] = set()
        self._checked: set[int] = set()
        """Merging (`<<`) changes a node, so one that an alias leads to again must not be checked again."""
        self._count = 0

    def read(self, loader: yaml.SafeLoader, node: yaml.Node, at: Location = ()) -> Any:  # noqa: ANN401 - YAML's data
        """Build the value of a node at a location."""
        self.lines.setdefault(at, node.start_mark.line + 1)
        self._count += 1
        if id(node) in self._open:
            return self._bad(node, at, "contains itself through a YAML alias: write it out.")
        if self._count > MAX_VALUES:
            if self._count == MAX_VALUES + 1:
                self._bad(node, at, f"is one of more than {MAX_VALUES} values: use fewer YAML aliases.")
            return None
        self._open.add(id(node))
        try:
            return self._value(loader, node, at)
        finally:
            self._open.discard(id(node))

    def _value(self, loader: yaml.SafeLoader, node: yaml.Node, at: Location) -> object:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(loader, node, at)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.read(loader, item, (*at, index)) for index, item in enumerate(node.value)]
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.ScalarNode) and kind in _TEXT:
            return node.value
        if isinstance(node, yaml.ScalarNode) and kind in _PLAIN:
            try:
                return loader.construct_object(node)
            except (ValueError, KeyError):
                return self._bad(node, at, "is not the number or truth value that it looks like: put it in quotes.")
        return self._bad(node, at, "starts with !, which makes it a YAML tag: put the value in quotes.")

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        if id(node) not in self._checked:
            self._checked.add(id(node))
            self._refuse_duplicates(node, at)
        loader.flatten_mapping(node)
        result: dict[str, Any] = {}
        for key, value in node.value:
            name = self._key(key, at)
            if isinstance(name, str):
                place = (*at, name)
                self.lines[place] = key.start_mark.line + 1
                result[name] = self.read(loader, value, place)
        return result

    def _key(self, key: yaml.Node, at: Location) -> object:
        kind = key.tag.removeprefix(_TAG)
        if isinstance(key, yaml.ScalarNode) and kind in _TEXT:
            return key.value
        if isinstance(key, yaml.ScalarNode) and kind in _PLAIN:
            self._bad(
                key,
                at,
                f"has the key {key.value or 'null'}, which YAML does not read as text: put it in quotes.",
            )
        else:
            self._bad(key, at, "has a key that is not text: write a plain name.")
        return _NOTHING

    def _refuse_duplicates(self, node: yaml.MappingNode, at: Location) -> None:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in seen:
                self._bad(key, (*at, key.value), f"is there twice, first on line {seen[key.value]}: keep one.")
            seen.setdefault(key.value, line)

    def _bad(self, node: yaml.Node, at: Location, message: str) -> object:
        self.problems.append(Problem(message, dotted(at), node.start_mark.line + 1))
        return _NOTHING
