"""One model repository: a directory whose sub-directories are models."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING

from triton_watch.check.files import MOST_CONFIG_BYTES, Folder, read_bytes, read_entry, read_folder
from triton_watch.check.model import Model

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.files import Entry

_MOST_KEPT = 512
"""Models that are kept parsed: members of ensembles are asked for again and again, a repository may have 10,000."""


class Repository:
    """A model repository. `only` names the models to judge when not all of them are asked for.

    The others are still there for an ensemble to find.
    """

    def __init__(
        self, path: Path, *, only: frozenset[str] | None = None, given: Path | None = None, loose: Path | None = None
    ) -> None:
        self.path = path
        self.only = only
        self.given = given
        """How the user named the one model of `only`: its findings name it the same way."""
        self.loose = loose
        """A configuration file given alone, outside any model's directory."""
        self._kept: OrderedDict[str, Model] = OrderedDict()

    @cached_property
    def folder(self) -> Folder:
        """What is in the repository."""
        return Folder(self.path) if self.loose else read_folder(self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the models to judge: every sub-directory is one to Triton, a hidden one too."""
        if self.loose:
            return (self.loose.stem if self.loose.name != "config.pbtxt" else self.loose.parent.name,)
        everything = (entry.name for entry in self.folder.entries if entry.is_dir)
        return tuple(name for name in everything if self.only is None or name in self.only)

    def model(self, name: str) -> Model | None:
        """Return a model by its directory's name, None when there is none."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        made = self._make(name)
        if made is not None:
            self._kept[name] = made
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return made

    def _make(self, name: str) -> Model | None:
        if self.loose:
            return Model(self, read_entry(self.loose.parent, name), config_path=self.loose)
        if self.given is not None and self.only == frozenset({name}):
            return Model(self, read_entry(self.given, name))
        entry: Entry | None = self.folder.get(name)
        return Model(self, entry) if entry is not None and entry.is_dir else None

    def read(self, path: Path) -> bytes | None:
        """Read a configuration file, None when it is not there or cannot be read. Never raises."""
        try:
            return read_bytes(path, MOST_CONFIG_BYTES)
        except OSError:
            return None
