"""What a store holds, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triton_watch.records import LedgerState, Objective

FILE_NAME = "slo.sqlite"
"""The store's name in the state directory."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredState:
    """The objectives and ledgers of a store; `written` is the Unix time of the last flush, None = none yet.

    `alerts` are bytes of whoever evaluates alerts; empty = none were written.
    """

    objectives: tuple[Objective, ...] = ()
    ledgers: tuple[LedgerState, ...] = ()
    written: float | None = None
    alerts: bytes = b""
