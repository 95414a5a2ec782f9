"""Collecting what is wrong with a document, and what is wrong with any value of YAML, whatever it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.config.errors import ConfigError, Location, Problem

if TYPE_CHECKING:
    from triton_watch.config.document import Document
    from triton_watch.config.expand import Report


class Findings:
    """Collects the problems of a document, each once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._problems: list[Problem] = []

    def add(self, at: Location, message: str) -> None:
        """Note what is wrong at a location."""
        problem = self._document.problem(at, message)
        if problem not in self._problems:
            self._problems.append(problem)

    def error(self) -> ConfigError:
        """Make the error of all of them."""
        return ConfigError(self._document.source, self._problems)

    def stop_here(self) -> None:
        """Raise `ConfigError` where there is any."""
        if self._problems:
            raise self.error()


def refuse_unusable(value: object, at: Location, report: Report) -> None:
    """Report settings without a value, and texts that hold half a character."""
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_half_characters(key, at, report)
            refuse_unusable(item, (*at, key), report)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            refuse_unusable(item, (*at, index), report)
    elif value is None:
        report(at, "has no value: give one or delete the line.")
    else:
        _refuse_half_characters(value, at, report)


def _refuse_half_characters(value: object, at: Location, report: Report) -> None:
    """YAML reads each escape of a surrogate by itself, so that a pair of them, as JSON writes it, is no text."""
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        report(at, "has an escape for half a character (\\ud800 to \\udfff): write the character itself.")
