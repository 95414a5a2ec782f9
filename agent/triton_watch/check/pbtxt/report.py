"""Collects the problems of one file, up to a limit, and ends the reading where there is no going on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from triton_watch.check.pbtxt.records import Path, Problem, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.check.pbtxt.places import Lines

MOST_PROBLEMS = 100
"""More are not of use to anybody, and each costs a look at all fields' names."""
_SHOWN = 40


class Stop(Exception):  # noqa: N818 - no error: control flow inside the parser
    """What follows in the file cannot be read."""


class Report:
    """The problems so far. `told` keeps names of which one problem is enough."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.problems: list[Problem] = []
        self.told: set[str] = set()

    def add(
        self,
        kind: ProblemKind,
        message: str,
        place: tuple[int, int],
        path: Path = (),
        suggestion: str | None = None,
        *,
        refused: bool = True,
        advice: str | None = None,
    ) -> None:
        """Add a problem at `place` (start, end). Raises `Stop` when there are too many."""
        span = self._lines.span(*place)
        self.problems.append(Problem(kind, message, span, suggestion, refused, path, advice))
        if len(self.problems) == MOST_PROBLEMS:
            message = f"this is problem {MOST_PROBLEMS} of this file: the rest of it was not read"
            self.problems.append(
                Problem(ProblemKind.TOO_MANY, message, span, None, False, path, "mend those above first")
            )
            raise Stop

    def fault(self, start: int, end: int, message: str, advice: str) -> None:
        """Add what the scanner found inside a token, once: it can come by there again."""
        if all((problem.place.start, problem.message) != (start, message) for problem in self.problems):
            self.add(ProblemKind.SYNTAX, message, (start, end), advice=advice)

    def stop(self, message: str, place: tuple[int, int], path: Path, advice: str | None = None) -> NoReturn:
        """Raise `Stop`, with a problem of the syntax if there is none at this place yet."""
        if all(problem.place.start != place[0] for problem in self.problems):
            self.add(ProblemKind.SYNTAX, message, place, path, advice=advice)
        raise Stop

    def advise(self, number: int, advice: str) -> None:
        """Say of problem `number` what to do, once that is known."""
        if number < len(self.problems):
            self.problems[number] = replace(self.problems[number], advice=advice)

    def line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return self._lines.span(offset, offset).line

    def move(self, first: int, moved: Callable[[Path], Path]) -> None:
        """Give the problems from number `first` on the paths that `moved` makes of theirs."""
        self.problems[first:] = [replace(problem, path=moved(problem.path)) for problem in self.problems[first:]]


def shown(text: str) -> str:
    """A token in a message, cut to a readable length; the end of the file in words."""
    if not text:
        return "the end of the file"
    line = text.split("\n", 1)[0]
    readable = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line[:_SHOWN])
    return f"`{readable}{'…' if len(line) > _SHOWN or line != text else ''}`"
