"""Goldens on disk: `FOLDER/MODEL/VERSION.json` for people, and `VERSION.npz` beside it with the arrays."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from triton_watch.probes.canary.golden.arrays import MOST_BYTES, packed, unpacked
from triton_watch.probes.canary.golden.document import document, keyed
from triton_watch.probes.canary.golden.model import Golden, GoldenError
from triton_watch.probes.canary.golden.parse import NewerFormatError, content_of, digest_in, golden_of, names_in
from triton_watch.triton.errors import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_JSON_BYTES = 16 * 1024 * 1024
_LONGEST = 180
"""Characters of a file name that are kept of a longer one; file systems take 255 bytes."""

Fingerprint: TypeAlias = tuple[tuple[int, int, int], ...]

_AGAIN = "correct it, or record the golden again"


def save(folder: Path, golden: Golden) -> Path:
    """Write both files, the JSON last; each is whole or not there. Return the JSON's path. Raises `GoldenError`."""
    path = path_of(folder, golden.model, golden.version)
    try:
        arrays, text = _contents(golden)
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path.with_suffix(".npz"), arrays)
        _replace(path, text)
    except OSError as error:
        raise GoldenError(f"{path} cannot be written ({_why(error)}): make its folder writable") from error
    except ValueError as error:
        raise GoldenError(f"{path} cannot be written ({error}): exclude what is not worth recording") from error
    return path


def load(folder: Path, model: str, version: str) -> Golden | None:
    """The golden; None where there is none. Raises `GoldenError`."""
    path = path_of(folder, model, version)
    with _reading(path):
        if not path.parent.is_dir() or not path.exists():
            return None
        content = content_of(_read(path, MOST_JSON_BYTES))
        found = names_in(content)
        if found != (model, version):
            raise ValueError(f'it is of version {found[1]} of the model "{found[0]}", whose file has another name')
        return _whole(path, content)


def load_all(folder: Path) -> tuple[list[Golden], list[str]]:
    """All goldens in the folder, and a sentence for each that cannot be read. Never raises."""
    try:
        if not folder.is_dir():
            return [], [f"{folder} is no folder: record goldens into it, or name the folder that has some"]
        paths = sorted(folder.glob("*/*.json"))
    except OSError as error:
        return [], [f"{folder} cannot be read ({_why(error)}): make it readable"]
    found = [_load_file(folder, path) for path in paths]
    return [one for one in found if isinstance(one, Golden)], [one for one in found if isinstance(one, str)]


def fingerprint(folder: Path, model: str, version: str) -> Fingerprint | None:
    """Something that changes when either file does, without reading them; None where there is no golden."""
    path = path_of(folder, model, version)
    try:
        found = [path.stat()]
        with contextlib.suppress(FileNotFoundError):
            found.append(path.with_suffix(".npz").stat())
    except OSError:
        return None
    return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)


def path_of(folder: Path, model: str, version: str) -> Path:
    """The JSON of a golden; always two levels below the folder, whatever the names are."""
    return folder / _file_name(model) / f"{_file_name(version)}.json"


def _file_name(name: str) -> str:
    quoted = quote(name, safe="", errors="surrogatepass") or "%"
    if quoted.startswith("."):  # neither hidden nor the folder above
        quoted = f"%2E{quoted[1:]}"
    if len(quoted) <= _LONGEST:
        return quoted
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{quoted[:_LONGEST]}~{digest[:16]}"


def _load_file(folder: Path, path: Path) -> Golden | str:
    """The golden in a JSON of the folder, or what is wrong with it."""
    try:
        with _reading(path):
            content = content_of(_read(path, MOST_JSON_BYTES))
            model, version = names_in(content)
            if path_of(folder, model, version) != path:
                raise ValueError(f'it is of version {version} of the model "{model}", and not in its place')
            return _whole(path, content)
    except GoldenError as error:
        return str(error)


def _contents(golden: Golden) -> tuple[bytes, bytes]:
    """The bytes of both files. Raises ValueError where they could not be read again."""
    arrays = packed(dict(keyed(golden)))
    text = document(golden, hashlib.sha256(arrays).hexdigest())
    if len(arrays) > MOST_BYTES or len(text) > MOST_JSON_BYTES:
        raise ValueError(f"its {len(arrays)} bytes of arrays, or {len(text)} of text, are more than can be read")
    return arrays, text


def _whole(path: Path, content: dict[str, Any]) -> Golden:
    data = _read(path.with_suffix(".npz"), MOST_BYTES)
    if hashlib.sha256(data).hexdigest() != digest_in(content):
        raise ValueError(f"{path.with_suffix('.npz').name} beside it is not the one that was written with it")
    return golden_of(content, unpacked(data))


def _read(path: Path, most: int) -> bytes:
    """At most so many bytes of a plain file; a pipe or a device is never opened."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path.name} is no plain file")
    if found.st_size > most:
        raise ValueError(f"{path.name} has {found.st_size} bytes, and {most} are read at most")
    with path.open("rb") as file:
        return file.read(most)


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)  # noqa: PTH105 - Path.replace says the same, less plainly
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except NewerFormatError as error:
        raise GoldenError(f"{path} cannot be read ({clean(str(error))}): use a newer triton-watch") from error
    except ValueError as error:
        raise GoldenError(f"{path} cannot be used ({clean(str(error))}): {_AGAIN}") from error
    except OSError as error:
        raise GoldenError(f"{path} cannot be read ({_why(error)}): make both its files readable") from error


def _why(error: OSError) -> str:
    return f"{error.strerror or error}: {error.filename}" if error.filename else error.strerror or str(error)
