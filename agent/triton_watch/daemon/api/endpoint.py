"""What an endpoint is, and what a request asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.daemon.api.parameters import Asked, Parameter
    from triton_watch.daemon.state import StateSource


@dataclass(frozen=True, slots=True)
class Question:
    """What one request asks: of whom, when (Unix seconds), the names in its path, and its parameters."""

    source: StateSource
    now: float
    names: tuple[str, ...]
    asked: Asked


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint. `path` is below /api/v1 and may have {names}, `operation` is its id in the OpenAPI document.

    `tell` makes the record, or raises RefusedError.
    """

    path: str
    operation: str
    summary: str
    record: type
    tell: Callable[[Question], object]
    parameters: tuple[Parameter[Any], ...] = ()
