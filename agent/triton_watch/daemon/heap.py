"""Keep the resident memory of a process with many polling threads small."""

from __future__ import annotations

import ctypes
import os

_M_ARENA_MAX = -8
"""glibc's mallopt parameter: each thread would otherwise get heaps of its own, which are never given back."""


def bound() -> None:
    """Limit glibc to two heaps, and OpenBLAS, which we do not need, to one thread. Elsewhere does nothing.

    To be called before numpy is imported and before threads are started.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
    except (OSError, AttributeError):
        return  # not glibc
