"""A Dockerfile read: its instructions in order, and its stages with what they set."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_FLAG = re.compile(r"--([a-z-]+)=(\S+)\s+")


@dataclass(frozen=True)
class Instruction:
    """`RUN --mount=… words`: the flags apart from the rest."""

    word: str
    rest: str
    flags: tuple[tuple[str, str], ...] = ()

    def flag(self, name: str) -> str | None:
        """The value of a flag, None where it has none of that name."""
        return dict(self.flags).get(name)

    def listed(self) -> list[str]:
        """The words of the exec form. Raises ValueError where it is a shell's line."""
        words: Any = json.loads(self.rest)
        return [str(word) for word in words]

    def pairs(self) -> dict[str, str]:
        """What `ENV A=1 B="two words"`, `LABEL` and `ARG` say."""
        return {word.partition("=")[0]: word.partition("=")[2] for word in shlex.split(self.rest)}


@dataclass
class Stage:
    """From one FROM to the next."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        return [one for one in self.instructions if one.word == word]

    def last(self, word: str) -> Instruction:
        """The one that counts where a later one replaces an earlier."""
        return self.all(word)[-1]

    def environment(self) -> dict[str, str]:
        return {name: value for one in self.all("ENV") for name, value in one.pairs().items()}


@dataclass(frozen=True)
class Dockerfile:
    """`arguments` are the ARGs before the first FROM."""

    arguments: dict[str, str]
    stages: tuple[Stage, ...]

    @property
    def final(self) -> Stage:
        return self.stages[-1]


def instructions(text: str) -> list[Instruction]:
    """The instructions of the text: comments left out, continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = []
    for line in joined.splitlines():
        word, _, rest = line.partition(" ")
        flags = []
        rest = rest.strip()
        while word in ("RUN", "COPY") and (flag := _FLAG.match(rest)):
            flags.append((flag[1], flag[2]))
            rest = rest[flag.end() :]
        found.append(Instruction(word.upper(), rest, tuple(flags)))
    return found


def read(path: Path) -> Dockerfile:
    """Read it, with the bases' ARGs put in."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for one in instructions(path.read_text()):
        if one.word == "FROM":
            base, _, name = Template(one.rest).substitute(arguments).partition(" AS ")
            stages.append(Stage(base, name))
        elif stages:
            stages[-1].instructions.append(one)
        else:
            arguments.update(one.pairs())
    return Dockerfile(arguments, tuple(stages))
