"""What clients saw of each model beside what the server counted: where the two differ, the server is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import FAILURE_REASONS, Counter, TargetSnapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.demo.tally import ClientView

_WORDS = {
    "http_error": "HTTP errors",
    "wrong_shape": "answers of a wrong shape",
    "nan": "answers full of NaN",
    "unreachable": "no answer",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One model: requests as clients counted them, and as the server did since it started."""

    model: str
    sent: int
    failed: int
    counted_success: int
    counted_failure: int
    kinds: str
    example: str
    canary: str = ""
    """How the watcher's last canary of the model ended; empty = not known."""

    @property
    def silent(self) -> bool:
        """Whether clients failed and the server counted next to nothing of it."""
        return self.failed > 0 and self.counted_failure < self.failed / 2


def compare(
    clients: Iterable[ClientView], snapshot: TargetSnapshot, canaries: Mapping[str, str]
) -> tuple[Verdict, ...]:
    """Return a verdict for each model that clients asked and the server's metrics page knows.

    `canaries` says by model how the watcher's canaries end.
    """
    slis = snapshot.slis
    if slis is None:
        return ()
    counters = slis.frame.counters
    rows = {key.name: row for row, key in enumerate(slis.models.keys)}
    return tuple(
        Verdict(
            model=view.model,
            sent=view.sent,
            failed=view.failed,
            counted_success=int(np.nan_to_num(counters[Counter.SUCCESS, rows[view.model]])),
            counted_failure=int(np.nansum(counters[list(FAILURE_REASONS.values()), rows[view.model]])),
            kinds=", ".join(_WORDS.get(kind, kind) for kind in view.by_kind),
            example=view.example,
            canary=canaries.get(view.model, ""),
        )
        for view in clients
        if view.model in rows
    )
