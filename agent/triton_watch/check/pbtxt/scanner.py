"""Cuts a text into tokens exactly as protobuf's C++ `io::Tokenizer` does when TextFormat uses it.

That is: comments start with `#`, text in quotes ends in its line, `1.5f` is a number, and a number must not
touch the word behind it. A fault inside a token is noted and the token is taken all the same, as there. Seen in
src/google/protobuf/io/tokenizer.cc and on tritonserver 2.51.0, whose protobuf is of 2021: newer ones differ.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

from triton_watch.check.pbtxt import advice
from triton_watch.check.pbtxt.literals import read_number, read_string

if TYPE_CHECKING:
    from collections.abc import Callable


class Token(IntEnum):
    """Kinds of tokens; the numbers are those of the groups in `_TOKEN`."""

    IDENTIFIER = 1
    SYMBOL = 2
    STRING = 3
    INTEGER = 4
    COMMENT = 5
    END = 6
    ODD_STRING = 7
    ODD_NUMBER = 8
    OTHER = 9
    FLOAT = 10


_TOKEN = re.compile(
    r"""[ \t\r\n\v\f]*(?:
    ([A-Za-z_][A-Za-z0-9_]*)
    | ([{}\[\]<>:,;-])
    | ("[^"\\\0\n]*"|'[^'\\\0\n]*')
    | ((?:0|[1-9][0-9]*)(?![0-9.A-Za-z_]))
    | (\#[^\n\0]*)
    | (\Z)
    | (["'])
    | (\.?[0-9])
    | ([\0-\x08\x0e-\x1f]+|.)
    )""",
    re.VERBOSE,
)
_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")
_KINDS = (Token.END, *Token)


class Scanner:
    """Walks over a text. The current token is `kind`, `text`, `start`, `end`; the one before ended at `before`.

    At the end of the text the token is empty. `source` may have lone surrogates for bytes that are not UTF-8.
    `fault(start, end, message, advice)` is told of what is wrong inside a token; `comment(start, end)` of each comment.
    """

    def __init__(
        self, text: str, fault: Callable[[int, int, str, str], None], comment: Callable[[int, int], None], start: int
    ) -> None:
        self.source = text
        self._fault = fault
        self._comment = comment
        self._value: str | None = None
        self.kind = Token.END
        self.text = ""
        self.start = self.end = self.before = start
        self.advance()

    def advance(self) -> None:
        """Go to the next token; at the end, stay there."""
        self.before, self._value = self.end, None
        position = self.end
        while True:
            match = _TOKEN.match(self.source, position)
            if match is None or match.lastindex is None:  # the last group takes any character, \Z the end
                raise AssertionError(position)
            group = match.lastindex
            self.start, position = match.span(group)
            if group <= Token.INTEGER or group == Token.END:
                self.kind, self.end = _KINDS[group], position
                self.text = self.source[self.start : position]
                return
            if group == Token.COMMENT:
                self._comment(self.start, position)
            elif (end := self._odd(group, position)) is not None:
                self.end = end
                self.text = self.source[self.start : end]
                return

    def skip_line(self) -> None:
        """Go to the first token after this line."""
        line_end = self.source.find("\n", self.start)
        self.end = line_end if line_end >= 0 else len(self.source)
        self.advance()

    def go_back(self, start: int) -> None:
        """Go to the token at `start` once more."""
        self.end = start
        self.advance()

    def string(self) -> str:
        """The value of the current STRING, with lone surrogates for bytes that are not UTF-8."""
        return self.source[self.start + 1 : self.end - 1] if self._value is None else self._value

    def _odd(self, group: int, position: int) -> int | None:
        """Take a token that needs a closer look and return its end; None for what is no token at all."""
        if group == Token.OTHER:
            return self._other(position)
        if group == Token.ODD_STRING:
            literal = read_string(self.source, self.start)
            self._value = literal.value
        else:
            literal = read_number(self.source, self.start)
        for fault in literal.faults:
            self._fault(*fault)
        self._check_gap(group)
        self.kind = Token.STRING if group == Token.ODD_STRING else Token.FLOAT if literal.is_float else Token.INTEGER
        return literal.end

    def _other(self, position: int) -> int | None:
        char = self.source[self.start]
        if char < " ":
            self._fault(self.start, position, f"a control character (code {ord(char)}) stands here", "remove it")
            return None
        if not char.isascii():
            name = "a byte that is not UTF-8" if _NOT_UTF8.match(char) else f"{char!r} (U+{ord(char):04X})"
            message = f"{name} stands outside of quotes and comments: only ASCII can"
            self._fault(self.start, position, message, advice.character(char))
        self.kind = Token.SYMBOL
        return position

    def _check_gap(self, group: int) -> None:
        if group == Token.ODD_NUMBER and self.kind is Token.IDENTIFIER and self.before == self.start:
            message = "there must be a space between a word and a decimal point"
            self._fault(self.start, self.start + 1, message, "put a space between them, or remove the point")
