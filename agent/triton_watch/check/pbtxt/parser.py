"""Follows TextFormat's C++ parser through a file: what it refuses is a problem, what it reads is in the message.

Seen in src/google/protobuf/text_format.cc and on tritonserver 2.51.0, case by case in
tests/unit/check/pbtxt/syntax_cases.yaml. It ends at the first thing that it refuses. Here, problems behind which
the file can be read without guessing do not end the reading.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.pbtxt import advice
from triton_watch.check.pbtxt.fields import FieldReader
from triton_watch.check.pbtxt.messages import ModelConfig
from triton_watch.check.pbtxt.places import Lines, Offsets, Places
from triton_watch.check.pbtxt.records import Comment, ParsedConfig, Path, ProblemKind
from triton_watch.check.pbtxt.report import Report, Stop, shown
from triton_watch.check.pbtxt.scanner import Scanner
from triton_watch.check.pbtxt.schema import model_config
from triton_watch.check.pbtxt.template import placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 1024 * 1024
"""A larger file is not read: the largest that people wrote have some 100 kB, and the worst of 1 MiB take seconds."""

_SAVE = "save it as UTF-8 without byte order mark"
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")

_WHOLE_LINE_COMMENT = re.compile(r"^[ \t\r\v\f]*(#[^\n\0]*)", re.MULTILINE)


def parse_config(data: bytes) -> ParsedConfig:
    """Read a config.pbtxt. Never raises: whatever is wrong is in `problems`."""
    if len(data) > MOST_BYTES:
        return _unread(
            ProblemKind.TOO_LARGE,
            f"this file has over {MOST_BYTES >> 20} MiB: so large a configuration is not read here",
            refused=False,
            advice=f"bring it below {MOST_BYTES >> 20} MiB: what is so large belongs into a file beside the model",
        )
    if data.startswith(_UTF16):
        return _unread(
            ProblemKind.ENCODING, "this file is UTF-16: save it as UTF-8 without byte order mark", advice=_SAVE
        )
    text = data.decode("utf-8", "surrogateescape")
    return _Reading(text).result()


def _unread(kind: ProblemKind, message: str, *, refused: bool = True, advice: str) -> ParsedConfig:
    lines = Lines("")
    report = Report(lines)
    report.add(kind, message, (0, 0), refused=refused, advice=advice)
    return ParsedConfig(
        "", ModelConfig(), complete=False, places=Places(lines, {}), problems=tuple(report.problems), comments=()
    )


class _Reading:
    """One file being read. `source` has lone surrogates where the text that is given out has U+FFFD."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = Lines(source)
        self._report = Report(self._lines)
        self._comments: list[tuple[int, int]] = []
        self._message = ModelConfig()
        self._places: dict[Path, Offsets] = {}

    def result(self) -> ParsedConfig:
        """Read the file."""
        complete = self._read()
        text = self._source if self._source.isascii() else _NOT_UTF8.sub("\N{REPLACEMENT CHARACTER}", self._source)
        if any(problem.refused for problem in self._report.problems):
            complete = self._find_placeholders() and complete
        problems = sorted(self._report.problems, key=lambda problem: problem.place.start)
        return ParsedConfig(
            text,
            self._message,
            complete,
            Places(self._lines, self._places),
            tuple(problems),
            tuple(self._remarks(text)),
        )

    def _read(self) -> bool:
        start = 0
        if self._source.startswith(_BOM):
            start = 1
            message = "a byte order mark stands before the first line, and Triton refuses it: save without it"
            self._report.add(ProblemKind.BOM, message, (0, 1), advice=_SAVE)
        try:
            scan = Scanner(self._source, self._report.fault, self._note, start)
            FieldReader(scan, self._report, self._places).read(model_config(), self._message)
        except Stop:
            self._read_comments()
            return False
        return True

    def _find_placeholders(self) -> bool:
        """Tell of a template in one problem, instead of what is wrong from its first placeholder on."""
        found = placeholders(self._source)
        if found is None:
            return True
        text = self._source[found.start : found.end]
        more = f" (and {found.number - 1} more)" if found.number > 1 else ""
        message = (
            f"this is a template, not a configuration yet: {shown(text)}{more} stands where a value belongs, "
            "and Triton refuses that"
        )
        problems = self._report.problems
        problems[:] = [problem for problem in problems if problem.place.start < found.start]
        self._report.add(ProblemKind.TEMPLATE, message, (found.start, found.end), advice=advice.template(text))
        return False

    def _note(self, start: int, end: int) -> None:
        if not self._comments or start > self._comments[-1][0]:  # the scanner can go back
            self._comments.append((start, end))

    def _read_comments(self) -> None:
        """Collect the comments behind what could not be read, as far as their `#` begins a line."""
        behind = self._comments[-1][1] if self._comments else 0
        for match in _WHOLE_LINE_COMMENT.finditer(self._source, behind):
            self._comments.append(match.span(1))

    def _remarks(self, text: str) -> Iterator[Comment]:
        for start, end in self._comments:
            span = self._lines.span(start, end)
            before = text[start - span.column + 1 : start]
            yield Comment(span.line, span.column, text[start + 1 : end].strip(), not before.strip(), start, end)
