"""Files that a configuration names: secrets, read at each load, files that must exist, folders that may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.config.errors import ParseError

if TYPE_CHECKING:
    from pathlib import Path

MAX_SECRET_BYTES = 65_536
MAX_PEM_BYTES = 1_000_000


def read_secret(path: Path) -> str:
    """Read a secret from a file, without the newline at its end; the text is never in a message.

    Raises:
        ParseError: the file cannot be read, is empty, too large or not UTF-8.

    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise ParseError(f"{path} {_why(error)}") from error
    if len(content) > MAX_SECRET_BYTES:
        raise ParseError(f"{path} is over 64 KiB: this is not a secret.")
    try:
        text = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ParseError(f"{path} is not UTF-8 text: save it as such.") from error
    if not text:
        raise ParseError(f"{path} is empty: write the secret into it.")
    return text


def read_pem(path: Path) -> str:
    """Read certificates or a key; what cannot be text is replaced. Raises `ParseError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PEM_BYTES + 1)
    except OSError as error:
        raise ParseError(f"{path} {_why(error)}") from error
    if len(content) > MAX_PEM_BYTES:
        raise ParseError(f"{path} is over 1 MB: this is no certificate or key.")
    return content.decode("utf-8", "replace")


def existing(path: Path) -> Path:
    """Check that a file can be read. Raises `ParseError`."""
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ParseError(f"{path} {_why(error)}") from error


def folder(path: Path) -> Path:
    """Check that a path is not that of something else than a folder; it need not be there. Raises `ParseError`."""
    try:
        if path.is_dir() or not path.exists():
            return path
    except OSError as error:
        raise ParseError(f"{path} {_why(error)}") from error
    raise ParseError(f"{path} is a file: give the path of a folder.")


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist: check the path."
    if isinstance(error, IsADirectoryError):
        return "is a directory: give the path of a file in it."
    if isinstance(error, PermissionError):
        return "may not be read by this user: change its owner or mode."
    return f"cannot be read ({error.strerror}): check the path."
