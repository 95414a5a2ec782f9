"""Mends of what the parser refuses, where it knows itself what is meant. Each mends all of a file at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.fix.edits import Edit
from triton_watch.check.pbtxt import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.records import Finding


def _problems(model: Model, kind: ProblemKind) -> Iterator[tuple[str, int, int, str | None]]:
    """Yield text, start, end and suggestion of the problems of a kind that Triton refuses."""
    config = model.config
    for problem in config.problems if config is not None else ():
        if problem.kind is kind and problem.refused and config is not None:
            start, end = problem.place.start, problem.place.end
            yield config.text[start:end], start, end, problem.suggestion


def syntax(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write `#` for `//`, take the comma from behind a last element, put one between two elements."""
    whole = model.config.text if model.config is not None else ""
    edits = []
    for text, start, end, right in _problems(model, ProblemKind.SYNTAX):
        if (text, right) in {("//", "#"), (",", None)}:
            edits.append(Edit(start, end, right or ""))
        elif right == ",":
            edits.append(_comma(whole, start))
    return edits


def _comma(text: str, start: int) -> Edit:
    """Put the comma that is missing before an element behind the element before it, not behind a comment."""
    end = len(text[:start].rstrip())
    if "#" in text[text.rfind("\n", 0, end) + 1 : end]:
        return Edit(start, start, ", ")
    return Edit(end, end, ",")


def enumerators(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write the whole name of a type or kind that lacks its beginning: FP32 is TYPE_FP32, GPU is KIND_GPU."""
    return [
        Edit(start, end, right)
        for text, start, end, right in _problems(model, ProblemKind.UNKNOWN_ENUM)
        if right and right.partition("_")[2] == text.strip("\"'").upper() != ""
    ]


def values(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write a value as its field wants it: numbers and names without quotes, texts with them, 8.0 as 8."""
    return [
        Edit(start, end, right)
        for text, start, end, right in _problems(model, ProblemKind.WRONG_TYPE)
        if right and text != right and _same_value(text, right)
    ]


def _same_value(one: str, other: str) -> bool:
    return one.strip("\"'").removesuffix(".0") == other.strip("\"'")


def byte_order_mark(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Take the byte order mark from before the first line."""
    return [Edit(0, 1, "")] if model.config is not None and model.config.text.startswith("\ufeff") else []
