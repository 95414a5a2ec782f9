"""Generated text: as YAML, into a file, and how a file differs from it."""

from __future__ import annotations

import difflib
import errno
import io
import os
import secrets
import shutil
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from pathlib import Path

_WIDTH = 110
_FIXED: Final = (errno.EACCES, errno.EPERM, errno.EBUSY)
"""A file may be written where its folder may not, and one that is mounted cannot be replaced."""


def as_yaml(value: object, *head: str) -> str:
    """Return `value` as YAML below comments, a line each: keys in their order, long texts as blocks."""
    body = yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return "".join(f"# {line}".rstrip() + "\n" for line in head) + body


def difference(path: Path, text: str) -> str:
    """Return a unified diff from the file to `text`, "" when they are equal; a missing file is an empty one.

    Raises `OSError` and `UnicodeDecodeError` when the file cannot be read.
    """
    old = path.read_bytes().decode() if path.exists() else ""
    lines = difflib.unified_diff(_lines(old), _lines(text), f"{path}", f"{path} (generated)")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def write(path: Path, text: str) -> bool:
    """Write `text` where the file is another; return whether it was. Raises `OSError`."""
    data, path = text.encode(), path.resolve()  # of a link: the file behind it
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():  # such as a pipe: nothing may be put in its place
        path.write_bytes(data)
        return True
    _replace(path, data)
    return True


def _replace(path: Path, data: bytes) -> None:
    """Write beside the file and rename: whoever reads it gets the old text or the new one, never half of it."""
    partial = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}")
    try:
        partial.write_bytes(data)
        if path.exists():
            shutil.copymode(path, partial)
        os.replace(partial, path)  # noqa: PTH105 - Path.replace says the same, less plainly
    except OSError as error:
        partial.unlink(missing_ok=True)
        if error.errno not in _FIXED or not path.exists():
            raise
        path.write_bytes(data)


def _lines(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, so that any difference shows."""
    return list(io.StringIO(text, newline="\n"))


class _Plain(yaml.SafeDumper):
    """No anchors: every list is written out where it stands."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        """Texts of several lines as a block; PyYAML reads back what is not printable only between double quotes."""
        is_plain = all(char.isprintable() or char == "\n" for char in data)
        style = ("|" if "\n" in data else None) if is_plain else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Plain.add_representer(str, _Plain.text)
