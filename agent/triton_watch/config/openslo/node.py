"""Somebody's document, walked with care: every wrong type is refused with the place that has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class RefusalError(Exception):
    """A document cannot be used. `path` is the field, and `str()` says why, without it."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document and the path to it, such as `spec.indicator`."""

    value: Any
    path: str = ""

    def at(self, *keys: str | int) -> Node:
        """Go down; what is not there is a node with None. Raises `RefusalError` where there is no mapping or list."""
        node = self
        for key in keys:
            node = node.step(key)
        return node

    def step(self, key: str | int) -> Node:
        """Go down by one key or index."""
        path = f"{self.path}[{key}]" if isinstance(key, int) else f"{self.path}.{key}".lstrip(".")
        if self.value is None:
            return Node(None, path)
        if isinstance(key, int):
            return Node(self.items()[key].value, path)
        if not isinstance(self.value, dict):
            raise self.refused("is no mapping")
        return Node(self.value.get(key), path)

    def items(self) -> list[Node]:
        """Return the entries of a list; none where there is nothing."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.refused("is no list")
        return [Node(item, f"{self.path}[{index}]") for index, item in enumerate(self.value)]

    def text(self) -> str:
        """Return text that has to be there."""
        if not isinstance(self.value, str) or not self.value:
            raise self.refused("is missing" if self.value is None else "is no text")
        return self.value

    def number(self) -> float:
        """Return a number that has to be there."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self.refused("is missing" if self.value is None else "is no number")
        return float(self.value)

    def refused(self, why: str) -> RefusalError:
        """Make the error that refuses this place."""
        return RefusalError(self.path, f"{why}.")
