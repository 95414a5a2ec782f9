"""Files with the data of a tensor, which Triton reads when it loads a model: warm-up and initial states."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from triton_watch.check.files import read_bytes, read_entry
from triton_watch.check.pbtxt.messages import DataType
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.check.files import Entry
    from triton_watch.check.model import Model

_BYTES = {8: ("FP64", "INT64", "UINT64"), 4: ("FP32", "INT32", "UINT32"), 2: ("FP16", "BF16", "INT16", "UINT16")} | {
    1: ("INT8", "UINT8", "BOOL")
}
WIDTHS = {DataType.Value(f"TYPE_{name}"): width for width, names in _BYTES.items() for name in names}
"""Bytes of one element by data type; Triton takes 4 for strings and for no type."""
_BEYOND = 2**63
_MOST_STRINGS = 16 * 1024 * 1024
"""Bytes of a file of strings that are read."""


def type_name(number: int) -> str:
    """Return a data type as FP32; a number that is none as itself."""
    try:
        return DataType.Name(number).removeprefix("TYPE_") if number else "not given"
    except ValueError:
        return str(number)


def element_count(dims: Sequence[int]) -> int | None:
    """Return how many elements Triton counts: none without dims (GetElementCount of its common library).

    None with more than 64 bits of them, where Triton's count overflows.
    """
    count = 1 if len(dims) and 0 not in dims else 0
    for dim in dims if count else ():
        count *= dim
        if abs(count) >= _BEYOND:
            return None
    return count


def byte_size(data_type: int, dims: Sequence[int]) -> int | None:
    """Return how many bytes Triton reserves for a tensor; None with more than 64 bits of them, where it overflows."""
    count = element_count(dims)
    size = None if count is None else count * WIDTHS.get(data_type, 4)
    return None if size is None or abs(size) >= _BEYOND else size


class DataFile:
    """A file named in a configuration, in a folder of the model's directory. Nothing is read before it is asked for."""

    def __init__(self, model: Model, folder: str, name: str) -> None:
        self.model = model
        self.folder = folder
        self.name = name
        self.shown = f"{clip(model.name)}/{folder}/{clip(name)}"
        # Triton joins with a slash, also before an absolute path.
        self.path = model.path / folder / name.lstrip("/")

    @cached_property
    def entry(self) -> Entry | None:
        """What lies there, None when nothing does."""
        if "\0" in self.name:
            return None
        entry = read_entry(self.path)
        return None if entry.problem else entry

    @property
    def problem(self) -> str | None:
        """Why Triton cannot read the file, None when it can."""
        if self.entry is None:
            reason = f"failed to open text file for read {self.shown}: No such file or directory"
            return f'there is no file {self.shown}; Triton: "{reason}"'
        if self.entry.is_dir:
            return f"{self.shown} is a directory; reading it ends the whole server (seen on 2.51.0)"
        return None

    def too_short(self, needed: int, setting: str) -> str | None:
        """Return what is wrong when the file is shorter than `needed` bytes."""
        if self.entry is None or not self.entry.is_file or self.entry.size >= needed:
            return None
        quoted = f"{setting} setting expects {needed} bytes, but the data provided from {clip(self.name)}only has "
        return f'{self.shown} is too short; Triton: "{quoted}{self.entry.size} bytes"'

    def strings(self) -> int | str | None:
        """Return how many strings Triton counts in the file, or what is wrong with it; None when it is not known.

        A string is four bytes with its length, little-endian, and its text; of the last one the text may be short.
        """
        data = self._data()
        if data is None:
            return None
        position = count = 0
        while position < len(data):
            if len(data) - position < 4:
                return "incomplete string length indicator"
            position += 4 + int.from_bytes(data[position : position + 4], "little")
            count += 1
        return count

    def _data(self) -> bytes | None:
        if self.entry is None or not self.entry.is_file or self.entry.size > _MOST_STRINGS:
            return None
        try:
            return read_bytes(self.path, _MOST_STRINGS)
        except OSError:
            return None

    @property
    def leaves_folder(self) -> bool:
        """Whether the name leads out of its folder."""
        return PurePosixPath(os.path.normpath(self.name.lstrip("/"))).parts[:1] == ("..",)

    def advice(self, needed: int) -> str:
        """Return what to do about it."""
        return (
            f"put a file of {needed} bytes (raw elements, little-endian) at {self.shown}"
            if needed > 0
            else (f"put the file at {self.shown}")
        )
