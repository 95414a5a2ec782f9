"""The past of each target in memory: the last hour in slots, the last poll cycles, and what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.records import CycleMark, History
from triton_watch.slo.recent import Recent

if TYPE_CHECKING:
    from triton_watch.daemon.chronicle import Chronicle
    from triton_watch.records import TargetSnapshot

CYCLES: Final = 60


class TargetPast:
    """One target's hour and cycles. One thread at a time feeds it; any reads `recent.table` and `cycles`."""

    def __init__(self) -> None:
        self.recent = Recent()
        self.cycles: tuple[CycleMark, ...] = ()
        """The oldest first."""

    def observe(self, snapshot: TargetSnapshot) -> None:
        """Take a poll in."""
        self.recent.observe(snapshot.slis, snapshot.at)
        failed = sum(not result.ok for result in snapshot.probes.values())
        mark = CycleMark(snapshot.at, snapshot.duration, failed)
        self.cycles = (*self.cycles[1 - CYCLES :], mark)


def history_of(pasts: dict[str, TargetPast], chronicle: Chronicle) -> History:
    """Everything that is known of the past now; it does not change afterwards."""
    return History(
        recent={name: past.recent.table for name, past in pasts.items()},
        cycles={name: past.cycles for name, past in pasts.items()},
        events=chronicle.events(),
    )
