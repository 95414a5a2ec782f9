"""One model's directory as rules see it: its configuration with positions, its versions, its files."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from triton_watch.check.files import Folder
from triton_watch.check.pbtxt import ParsedConfig, Span, parse_config
from triton_watch.check.pbtxt.messages import ModelConfig
from triton_watch.check.resolve import first_directory, resolve_backend
from triton_watch.check.rule import Hit

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.files import Entry
    from triton_watch.check.repository import Repository

CONFIG = "config.pbtxt"
_LEADING_NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")


class Version:
    """One sub-directory of a model that Triton takes for a version. `number` is what Triton reads of its name."""

    def __init__(self, entry: Entry, number: int) -> None:
        self.entry = entry
        self.name = entry.name
        self.path = entry.path
        self.number = number

    @cached_property
    def folder(self) -> Folder:
        """What is in the version's directory."""
        return self.entry.folder()


class Model:
    """One model of a repository, read lazily; rules never write to it.

    `detached` is a configuration file that was given alone: there is no model's directory around it, so
    nothing but its text is judged.
    """

    def __init__(self, repository: Repository, entry: Entry, *, config_path: Path | None = None) -> None:
        self.repository = repository
        self.entry = entry
        self.name = entry.name
        self.path = entry.path
        self.detached = config_path is not None
        self.config_path = config_path or entry.path / CONFIG

    def with_config(self, data: bytes) -> Model:
        """Return the same model with another content of its configuration file."""
        other = Model(self.repository, self.entry, config_path=self.config_path if self.detached else None)
        other.__dict__["config_bytes"] = data
        return other

    @cached_property
    def folder(self) -> Folder:
        """What is in the model's directory."""
        return self.entry.folder()

    @cached_property
    def config_bytes(self) -> bytes | None:
        """The configuration file's content, or None when it is not there or cannot be read."""
        return self.repository.read(self.config_path)

    @cached_property
    def config(self) -> ParsedConfig | None:
        """The configuration with its places, or None when there is no file."""
        return None if self.config_bytes is None else parse_config(self.config_bytes)

    @cached_property
    def message(self) -> ModelConfig:
        """The configuration as Triton's message; what stands in the file where it is broken, empty without one."""
        config = self.config
        return ModelConfig() if config is None or config.message is None else config.message

    @property
    def readable(self) -> bool:
        """Whether the configuration parses whole, so that what is missing in it really is missing."""
        return self.config is not None and self.config.complete and not any(p.refused for p in self.config.problems)

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """Version directories in the order of their names, as Triton lists them."""
        if self.detached:
            return ()
        found = ((entry, version_number(entry.name)) for entry in self.folder.entries if entry.is_dir)
        return tuple(Version(entry, number) for entry, number in found if number is not None)

    @cached_property
    def first_folder(self) -> Folder:
        """What is in the directory whose files tell Triton the backend (see `resolve.first_directory`)."""
        first = first_directory(self)
        return Folder(self.path) if first is None else first.folder()

    @cached_property
    def backend(self) -> str:
        """The backend that Triton would take, `ensemble` for an ensemble, empty when it would find none."""
        return resolve_backend(self)

    @property
    def is_ensemble(self) -> bool:
        """Whether it is an ensemble, by platform or by scheduling."""
        return self.message.platform == "ensemble" or self.message.HasField("ensemble_scheduling")

    def has(self, *path: str | int) -> bool:
        """Whether a field is written in the configuration file."""
        return self.config is not None and self.config.has(*path)

    def hit(self, message: str, *path: str | int, fix: str | None = None, value: bool = False, **more: Any) -> Hit:  # noqa: ANN401  # fields of Hit
        """Make a hit at a field of the configuration, or at its nearest ancestor when it is not written.

        `value` points at the field's value rather than its name; `more` are other fields of `Hit`.
        """
        config = self.config
        if config is None:
            return Hit(message, fix, self.path if not self.detached else self.config_path, model=self.name, **more)
        span = config.places[path].value if value and path in config.places else config.where(*path)
        return Hit(message, fix, self.config_path, span, config.text, self.name, **more)

    def hit_file(self, message: str, path: Path, *, fix: str | None = None, **more: Any) -> Hit:  # noqa: ANN401  # fields of Hit
        """Make a hit about a file or directory as a whole, or at a `span` of its `text`."""
        return Hit(message, fix, path, model=self.name, **more)


def version_number(name: str) -> int | None:
    """Return the number that Triton reads of a directory's name, None when it takes it for no version.

    Triton accepts what C's atoll accepts a beginning of, `1abc` for 1, and skips names without a leading
    digit, with a leading zero before others and hidden ones (seen on 2.51.0: `01` and `v1` are no versions).
    """
    if name.startswith(".") or (len(name) > 1 and name.startswith("0")):
        return None
    match = _LEADING_NUMBER.match(name)
    return None if match is None else int(match.group())


__all__ = ["CONFIG", "Model", "Span", "Version", "version_number"]
