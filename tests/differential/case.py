"""One case: models in a repository, and what the real server said about one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONFIG = "config.pbtxt"


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a model's directory."""

    target: str


File = str | bytes | Link | None
"""Content of a file; None is an empty directory."""
Models = dict[str, dict[str, File]]
"""Model directories by name: their files by path. A model without config.pbtxt has none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What tritonserver did with a model.

    `reason` is in its own words, on one line, without folders of this machine; `stage` is where it ended:
    `poll` (nothing of the model was tried), `versions`, `load`, `dependency` (an ensemble's graph), `hang`
    (no answer in time) or `crash` (the server died); empty for a model that got READY.
    """

    refused: bool
    stage: str = ""
    reason: str = ""
    log: str = field(default="", compare=False, repr=False)
    """What the server logged meanwhile."""


@dataclass(frozen=True, slots=True)
class Case:
    """Models, one of them under judgement. Every model's directory has a name that no other case has.

    `repositories` has more than one member only where the server shall be given several. With `alone` the
    server is started on the whole repository, else the judged model is loaded by its name (and with it
    an ensemble's members). `flags` are further ones of tritonserver. `recorded` is what the real server said
    when the case was recorded, None before.
    """

    name: str
    family: str
    repositories: tuple[Models, ...]
    judge: str
    alone: bool = False
    flags: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    note: str = ""
    recorded: Verdict | None = None

    @property
    def token(self) -> str:
        """What stands for CASE in the case's files."""
        return token(self.name)

    @property
    def refused(self) -> bool:
        """Whether the real server refused the model when the case was recorded."""
        return self._recorded.refused

    @property
    def reason(self) -> str:
        """Triton's words as recorded, with CASE for the case's own name; empty for an accepted model."""
        return self._recorded.reason

    @property
    def _recorded(self) -> Verdict:
        if self.recorded is None:
            raise LookupError(f"case {self.name} is not recorded: python tests/differential/record.py {self.name}")
        return self.recorded


def token(name: str) -> str:
    """The beginning of the names of a case's models."""
    return name.replace("-", "_")


def materialize(case: Case, folder: Path) -> Path:
    """Write the case's (first) repository into `folder`; returns the directory of the judged model."""
    write_models(case.repositories[0], folder)
    return folder / case.judge


def write_models(models: Mapping[str, Mapping[str, File]], folder: Path) -> None:
    """Write model directories below `folder`."""
    for name, files in models.items():
        (folder / name).mkdir(parents=True)
        for path, content in files.items():
            _write(folder / name / path, content)


def _write(path: Path, content: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.mkdir(exist_ok=True)
    elif isinstance(content, Link):
        path.symlink_to(content.target)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_bytes(content.encode())
