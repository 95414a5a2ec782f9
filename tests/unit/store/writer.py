"""A process that writes a store, told what to do on its standard input: `python -m unit.store.writer FOLDER`.

    run      flush without end; a line with the number of each flush when it is done
    flush    one flush
    late     wait until the back-off is over
    limit    let this process write no file beyond 4 KiB; `free` takes that back
    fill     leave no room on the file system; `free` takes that back
    check    say whether all events are in the directory
Every command but `run` is answered with a line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.store.errors import StoreBusyError
from triton_watch.store.keeper import RETRY
from unit.store.daemons import Daemon
from unit.store.ledgers import Ledger, key

if TYPE_CHECKING:
    from triton_watch.records import LedgerState

_BALLAST = "ballast"


def advance(ledger: Ledger, number: int) -> None:
    """Bring a ledger from flush `number` - 1 to `number`: always the same for a number."""
    rng = np.random.default_rng(number)
    if number % 50 == 1:
        ledger.add(*(key(f"model_{number}_{one}") for one in range(20)))
    if number % 50 == 25 and len(ledger.keys) > 60:
        for _ in range(15):
            ledger.evict(int(rng.integers(len(ledger.keys))))
    size = len(ledger.keys)
    ledger.pass_by(15.0, rng.random(size), rng.random(size))


def restored(state: LedgerState) -> Ledger:
    """The ledger that a state is of."""
    totals = np.stack([state.good, state.bad, state.since, state.reported])
    rows = {(row.resolution, row.slot): row for row in state.rows}
    return Ledger(time=state.time, keys=list(state.keys), totals=totals, rows=rows)


def number_of(state: LedgerState) -> int:
    """Which flush a state is."""
    return round(state.time / 15.0)


def _run(daemon: Daemon, number: int) -> None:
    while True:
        number += 1
        advance(daemon.ledger, number)
        daemon.keeper.flush([daemon.ledger.change()])
        print(number, flush=True)  # noqa: T201 - the test reads it


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _fill(folder: Path) -> None:
    with (folder / _BALLAST).open("wb", buffering=0) as file:
        for size in (4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)


def _answer(daemon: Daemon, command: str) -> dict[str, object]:
    if command == "flush":
        daemon.flush(np.random.default_rng(len(daemon.ledger.rows)).random(len(daemon.ledger.keys)))
    elif command == "late":
        daemon.seconds += RETRY
    elif command == "limit":
        _limit(4096)
    elif command == "fill":
        _fill(daemon.folder)
    elif command == "free":
        _limit(resource.RLIM_INFINITY)
        (daemon.folder / _BALLAST).unlink(missing_ok=True)
    elif command == "check":
        return {"stored": daemon.is_stored()}
    status = daemon.keeper.status()
    return {"persistent": status.persistent, "reason": status.reason, "failures": daemon.failures()}


def main() -> int:
    daemon = Daemon(Path(sys.argv[1]))
    try:
        stored = daemon.keeper.open()
    except StoreBusyError as error:
        print(error, flush=True)  # noqa: T201 - the same
        return 2
    for line in sys.stdin:
        if line.strip() == "run":
            daemon.ledger = restored(stored.ledgers[0]) if stored.ledgers else Ledger()
            _run(daemon, number_of(stored.ledgers[0]) if stored.ledgers else 0)
        print(json.dumps(_answer(daemon, line.strip())), flush=True)  # noqa: T201 - the same
    daemon.keeper.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
