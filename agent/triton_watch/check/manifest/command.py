"""From a container's command to the command line of tritonserver, through shells, with places."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from triton_watch.check.manifest.flags import FLAGS, TRUTHS, FlagKind, full_name
from triton_watch.check.pbtxt import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from triton_watch.check.manifest.tree import Node

SERVER = "tritonserver"
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
MOST_WORDS = 2_000
_PUNCTUATION = frozenset("();<>|&")
NOT_SERVING = frozenset(
    {"sleep", "perf_analyzer", "perf_client", "genai-perf", "model-analyzer", "trtexec", "trtllm-build"}
    | {"cp", "true", "echo", "tail", "pytest", "jupyter"}
)
"""Programs of Triton's images that serve nothing."""
_TRANSPARENT = frozenset(
    {"exec", "nvidia_entrypoint.sh", "env", "nohup", "tini", "dumb-init", "--", "do", "then", "else"}
)
_WRAPPERS = frozenset(
    {
        "mpirun",
        "mpiexec",
        "orterun",
        "srun",
        "numactl",
        "taskset",
        "nice",
        "nsys",
        "stdbuf",
        "time",
        "sudo",
        "gosu",
        "su",
    }
    | {"timeout", "catchsegv", "valgrind", "gdb"}
)
"""Programs that start the one behind them, and have words of their own."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command line."""

    text: str
    span: Span

    @property
    def unknown(self) -> bool:
        """Whether a variable stands in it."""
        return "$" in self.text or "{{" in self.text


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as given. `name` is its full name, or as written when tritonserver has none like it."""

    name: str
    written: str
    value: str | None
    span: Span

    @property
    def known(self) -> bool:
        """Whether 24.10 has such a flag."""
        return self.name in FLAGS

    @property
    def unknown_value(self) -> bool:
        """Whether a variable stands in the value."""
        return self.value is not None and ("$" in self.value or "{{" in self.value)

    @property
    def truth(self) -> bool | None:
        """The value of a flag that takes true or false; None for what tritonserver refuses, and for variables."""
        return None if self.value is None else TRUTHS.get(self.value.lower())

    @property
    def number(self) -> int | None:
        """The value of a flag that takes an integer."""
        value = self.value or ""
        return int(value) if value.lstrip("-").isdecimal() and len(value) < 20 else None


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What tritonserver is started with. `strays` are words that are no flags; it refuses them.

    `whole` is False when words are not known: a variable in the place of flags, a wrapper such as mpirun.
    """

    span: Span
    flags: tuple[Flag, ...]
    strays: tuple[Word, ...]
    whole: bool
    one_word: bool = False
    """The program and its flags are a single word of the list, which only a shell would split."""

    def all(self, name: str) -> tuple[Flag, ...]:
        """Return the flags of a name, in their order."""
        return tuple(flag for flag in self.flags if flag.name == name)

    def last(self, name: str) -> Flag | None:
        """Return the flag of a name that counts: the last one."""
        return next((flag for flag in reversed(self.flags) if flag.name == name), None)

    def off(self, name: str) -> Flag | None:
        """Return the flag when it switches something off."""
        flag = self.last(name)
        return flag if flag is not None and flag.truth is False else None

    def port(self, name: str, default: int) -> int | None:
        """Return a port, None when a variable says it."""
        flag = self.last(name)
        return default if flag is None else flag.number


def words_of(nodes: Iterable[Node | None]) -> list[Word]:
    """Return the words of commands given as lists, or as single texts that are one word."""
    found = []
    for node in nodes:
        if node is not None:
            found += [Word(item.text, item.span) for item in (node.sequence or (node,)) if item.text is not None]
    return found[:MOST_WORDS]


def split_words(node: Node, text: str) -> list[Word]:
    """Return the words of a command given as one text, as Compose splits it."""
    return list(_placed(node.span, text, node.text or "", punctuation=False))


def find_server(words: Sequence[Word], text: str, depth: int = 0) -> CommandLine | None:
    """Find the command line of tritonserver in a container's words. `text` is the file's."""
    for number, word in enumerate(words):
        base = _base(word.text)
        if base == SERVER:
            before = [one.text for one in words[:number] if not _passes_on(one.text)]
            if before and (_base(before[0]) in NOT_SERVING or (depth and _base(before[0]) not in _WRAPPERS)):
                return None
            return parse_flags(word.span, words[number + 1 :], whole=not before)
        if not depth and _is_command(word) and all(_passes_on(one.text) for one in words[:number]):
            inside = list(_placed(word.span, text, word.text, punctuation=False))
            return replace(parse_flags(word.span, [*inside[1:], *words[number + 1 :]]), one_word=True)
        if base in SHELLS and depth < 3:
            script = _script(words[number + 1 :])
            if script is not None:
                return _in_script(script, text, depth + 1)
    return None


def _is_command(word: Word) -> bool:
    """Whether one word of a list is a whole command line of tritonserver."""
    program, _, rest = word.text.strip().replace("\n", " ").partition(" ")
    return _base(program) == SERVER and bool(rest)


def parse_flags(span: Span, words: Sequence[Word], *, whole: bool = True) -> CommandLine:
    """Read words as tritonserver does."""
    flags: list[Flag] = []
    strays: list[Word] = []
    rest = iter(words)
    for word in rest:
        if word.text == "--":
            strays += rest
        elif not word.text.startswith("-") or word.text == "-":
            if word.unknown:
                whole = False
            elif word.text.strip():
                strays.append(word)
        else:
            flags.append(_flag(word, rest))
    return CommandLine(span, tuple(flags), tuple(strays), whole)


def _flag(word: Word, rest: Iterator[Word]) -> Flag:
    written, equals, value = word.text.partition("=")
    name = full_name(written) or written
    if equals:
        return Flag(name, written, value, word.span)
    if FLAGS.get(name, FlagKind.NONE) is FlagKind.NONE:
        return Flag(name, written, None, word.span)
    following = next(rest, None)
    return Flag(name, written, None if following is None else following.text, word.span)


def _script(words: Sequence[Word]) -> Word | None:
    """Return the script of `sh -c script`."""
    for number, word in enumerate(words):
        if not word.text.startswith(("-", "+")):
            return None
        if not word.text.startswith("--") and "c" in word.text:
            return words[number + 1] if number + 1 < len(words) else None
    return None


def _in_script(script: Word, text: str, depth: int) -> CommandLine | None:
    for command in _commands(script, text):
        found = find_server(command, text, depth)
        if found is not None:
            return found
    return None


def _commands(script: Word, text: str) -> Iterator[list[Word]]:
    """Yield the simple commands of a shell script, as far as words and separators tell."""
    joined = script.text.replace("\\\n", " ")
    lines = (line for line in joined.split("\n") if not line.lstrip().startswith("#"))
    command: list[Word] = []
    skip = False
    for word in _placed(script.span, text, "\n;\n".join(lines), punctuation=True):
        if skip:
            skip = False
        elif set(word.text) <= _PUNCTUATION and word.text:
            if set(word.text) & frozenset("<>"):
                skip = True
                if command and command[-1].text in {"1", "2"} and command[-1].span.end == word.span.start:
                    command.pop()
            elif command:
                yield command
                command = []
        else:
            command.append(word)
    if command:
        yield command


def _placed(span: Span, text: str, script: str, *, punctuation: bool) -> Iterator[Word]:
    """Split like a shell; find each word again in the file's text, for its place."""
    at = span.start
    lexer = shlex.shlex(script, posix=True, punctuation_chars=punctuation)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        for _, token in zip(range(MOST_WORDS), lexer, strict=False):
            found = text.find(token, at, span.end)
            if found >= 0 and token:
                yield Word(token, _span_at(text, span, found, found + len(token)))
                at = found + len(token)
            else:
                yield Word(token, span)
    except ValueError:
        return  # a quote that is never closed: the words before it count


def _span_at(text: str, around: Span, start: int, end: int) -> Span:
    lines = text.count("\n", around.start, start)
    if not lines:
        return Span(start, end, around.line, around.column + start - around.start)
    return Span(start, end, around.line + lines, start - text.rfind("\n", 0, start))


def _passes_on(word: str) -> bool:
    return _base(word) in _TRANSPARENT or (not word.startswith("-") and "=" in word)


def _base(word: str) -> str:
    return word.rpartition("/")[2]
