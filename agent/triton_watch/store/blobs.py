"""How vectors and names become bytes in the store, and come back.

Cumulative events of neighbouring series have much the same leading bytes, and whole numbers have zeros at the end.
So the bytes are transposed before they are compressed: all first bytes, then all second bytes, and so on. zlib
adds a checksum, which SQLite's pages do not have.
"""

from __future__ import annotations

import json
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from triton_watch.store.errors import DamageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from triton_watch.records import FloatArray

_LEVEL = 1
"""Higher levels of zlib took four times as long and saved 2 %."""


def pack(vectors: Sequence[FloatArray]) -> bytes:
    """Pack vectors of one length, bit by bit as they are."""
    octets = np.ascontiguousarray(np.stack(vectors), "<f8").view(np.uint8).reshape(-1, 8)
    return zlib.compress(octets.T.tobytes(), _LEVEL)


def unpack(blob: object, count: int) -> FloatArray:
    """The (count, k) matrix of `count` packed vectors. Raises `DamageError`."""
    with _damage():
        return _restored(blob, "<f8").reshape(count, -1).astype(np.float64)


def pack_ids(ids: NDArray[np.int64]) -> bytes:
    """Pack ids of series."""
    return zlib.compress(np.ascontiguousarray(ids, "<i8").view(np.uint8).reshape(-1, 8).T.tobytes(), _LEVEL)


def unpack_ids(blob: object) -> NDArray[np.int64]:
    """The ids again. Raises `DamageError`."""
    return _restored(blob, "<i8").reshape(-1).astype(np.int64)


def pack_text(value: object) -> bytes:
    """Strings, numbers, lists and objects as JSON, with every string that Python can hold, lone surrogates too."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def unpack_text(blob: object) -> Any:  # noqa: ANN401 - JSON; the callers check what they find in it
    """What `pack_text` was given; tuples are lists now. Raises `DamageError`."""
    with _damage():
        return json.loads(_bytes(blob).decode("utf-8", "surrogatepass"))


def _restored(blob: object, dtype: str) -> NDArray[Any]:
    with _damage():
        octets = np.frombuffer(zlib.decompress(_bytes(blob)), np.uint8)
        return np.ascontiguousarray(octets.reshape(8, -1).T).view(dtype)


def _bytes(blob: object) -> bytes:
    if not isinstance(blob, bytes):
        raise TypeError(f"bytes were expected in the place of a {type(blob).__name__}")
    return blob


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, RecursionError, zlib.error) as error:
        raise DamageError(str(error)) from error
