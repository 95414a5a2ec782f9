"""`make faults`: break a real Triton in every way that has an alert, and see each alert arrive at two Alertmanagers.

    fast      `for: 0s`, intervals of 5 s: every fault
    default   every setting as it is: the faults whose alerts do not take a quarter of an hour
    down      an Alertmanager is away for five minutes, and misses nothing
    healthy   twenty minutes of load on healthy models: no alert

Writes docs/faults.md. The generated rules run in a real Prometheus beside it, which tells a third Alertmanager.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[:0] = [str(Path(__file__).parents[1])]
from rich.console import Console

from faults.ears import BURN, Ears, Watch
from faults.page import table, write_part
from faults.stage import Stage, staged, wait
from faults.table import ALONE, TOGETHER, Expected, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.agent import Agent

SAY = Console()
QUIET = 20.0
"""Seconds without an alert before the first fault."""
RESOLVE = 420.0
"""Longest time to resolve that is waited for: a burn rate falls as its windows pass."""
FAST: dict[str, Any] = {
    "defaults": {"interval": "5s"},
    "canary": {"interval": "5s", "timeout": "2s"},
    "alerts": {
        "config_check": "15s",
        "resend_interval": "15s",
        "overrides": [{"alerts": "*", "for": "0s"}],
    },
}
PROFILES: Mapping[str, dict[str, Any]] = {"fast": FAST, "default": {}}


@dataclass
class Row:
    """What came of one alert of one fault. Seconds; None = it did not come."""

    fault: str
    expected: Expected
    promised: float
    fired: float | None = None
    prometheus: float | None = None
    resolved: float | None = None
    times: list[str] = field(default_factory=list)
    """At each Alertmanager, how often it was told to be firing and resolved."""

    @property
    def problem(self) -> str:
        if self.fired is None:
            return "did not fire"
        if self.fired > self.promised:
            return f"fired late ({self.fired:.0f} s, promised {self.promised:.0f} s)"
        if self.resolved is None:
            return "did not resolve"
        return (
            "" if all(one == "1+1" for one in self.times) else f"told more or less than once: {', '.join(self.times)}"
        )


def measure(profile: str, folder: Path, stage: Stage) -> list[Row]:
    """All faults with the settings of a profile."""
    with ExitStack() as stack:
        folder.mkdir()
        ears = Ears(stack, folder)
        watch = Watch(stack, folder / "agent", stage, ears, PROFILES[profile])
        settle(watch)
        rows = faults(profile, stage, ears, TOGETHER)
        for fault in ALONE:
            settle(watch)
            rows += faults(profile, stage, ears, (fault,))
    return rows


def settle(watch: Watch) -> None:
    """Wait until nothing has fired for a while, but burn rates over windows that take hours to pass."""
    end = time.monotonic() + RESOLVE
    quiet = time.monotonic()
    while time.monotonic() - quiet < QUIET:
        if any(BURN not in one for one in watch.firing()):
            quiet = time.monotonic()
        assert time.monotonic() < end, watch.firing()
        time.sleep(1)


def faults(profile: str, stage: Stage, ears: Ears, made: Sequence[Fault]) -> list[Row]:
    """Make these faults at the same time, see their alerts come, mend them, and see the alerts go."""
    rows, began = [], {}
    for fault in made:
        wanted = [(one, getattr(one, profile)) for one in fault.alerts if getattr(one, profile) is not None]
        if wanted:
            began[fault.name] = time.time()
            fault.make(stage)
            rows += [Row(fault.name, one, promised) for one, promised in wanted]
    try:
        _await(rows, lambda row: ears.when(0, "firing", row.expected, began[row.fault]), "fired", began)
    finally:
        mended = {}
        for fault in made:
            if fault.name in began:
                mended[fault.name] = time.time()
                fault.mend(stage)
    for row in rows:
        at = ears.when(2, "firing", row.expected, began[row.fault])
        row.prometheus = None if at is None else at - began[row.fault]
    _await(rows, lambda row: ears.when(0, "resolved", row.expected, mended[row.fault]), "resolved", mended)
    time.sleep(5)
    for row in rows:
        row.times = ears.counts(row.expected, began[row.fault])
        show(profile, row)
    return rows


def _await(rows: Sequence[Row], ask: Any, name: str, since: Mapping[str, float]) -> None:
    """Ask until each row has its time, or that is too late."""
    begin = time.time()
    for _ in iter(int, 1):
        for row in rows:
            if getattr(row, name) is None and (at := ask(row)) is not None:
                setattr(row, name, at - since[row.fault])
        limit = max((1.2 * row.promised if name == "fired" else RESOLVE) for row in rows)
        late = time.time() - begin > limit + 5
        if late or all(getattr(row, name) is not None for row in rows):
            # Prometheus, which scrapes and evaluates later, gets a little time more.
            time.sleep(20 if name == "fired" else 0)
            return
        time.sleep(0.2)


def show(profile: str, row: Row) -> None:
    """Say what came of an alert."""
    numbers = (row.fired, row.prometheus, row.resolved)
    fired, prometheus, resolved = ("-" if one is None else f"{one:.0f} s" for one in numbers)
    model = f" of {row.expected.model}" if row.expected.model else ""
    SAY.print(
        f"{profile}: {row.fault}: {row.expected.alert}{model}: fired after {fired} (Prometheus {prometheus}), "
        f"resolved after {resolved} {row.problem and '[red]' + row.problem + '[/red]'}",
        highlight=False,
        soft_wrap=True,
    )


def down(folder: Path, stage: Stage, minutes: float) -> str:
    """An Alertmanager is away while one fault comes and goes and another comes and stays: what it got, in words."""
    gone, stays = (fault for fault in TOGETHER if fault.alerts[0].model in ("lies", "fails"))
    with ExitStack() as stack:
        folder.mkdir()
        ears = Ears(stack, folder)
        watch = Watch(stack, folder / "agent", stage, ears, FAST)
        settle(watch)
        begin = time.time()
        ears.peers[0].stop()
        gone.make(stage)
        wait(lambda: ears.when(1, "firing", gone.alerts[0], begin), 60, gone.name)
        gone.mend(stage)
        wait(lambda: ears.when(1, "resolved", gone.alerts[0], begin), RESOLVE, gone.name)
        stays.make(stage)
        wait(lambda: ears.when(1, "firing", stays.alerts[0], begin), 60, stays.name)
        watch.agent.end()
        watch.agent.start()  # the queue outlives the agent, too
        time.sleep(max(0.0, begin + 60 * minutes - time.time()))
        ears.peers[0].start()
        back = time.time()
        after = wait(lambda: ears.when(0, "firing", stays.alerts[0], back), 120, stays.name)
        wait(lambda: has_all(ears.peers[0].url, watch.agent), 120, gone.name)
        stays.mend(stage)
        wait(lambda: ears.when(0, "resolved", stays.alerts[0], back), RESOLVE, stays.name)
        time.sleep(5)
        counts = ears.counts(stays.alerts[0], begin)
        assert counts == ["1+1", "1+1"], counts
        return (
            f"- Away for {minutes:.0f} minutes, the agent restarted meanwhile: {after:.0f} s after its return the "
            f"Alertmanager knew of {stays.alerts[0].alert}, which fired meanwhile, and was told that "
            f"{gone.alerts[0].alert}, which it never heard of, is resolved. Each peer notified once of firing and once "
            "of resolved."
        )


def has_all(url: str, agent: Agent) -> bool:
    """Whether nothing is waiting for a peer any more."""
    peers = agent.get("/api/v1/alerts").json()["alertmanagers"]
    return any(one["url"] == url and one["up"] and one["waiting"] == 0 for one in peers)


def healthy(folder: Path, stage: Stage, minutes: float) -> str:
    """Nothing may be told, by the agent or by Prometheus."""
    with ExitStack() as stack:
        folder.mkdir()
        ears = Ears(stack, folder)
        watch = Watch(stack, folder / "agent", stage, ears, {})
        time.sleep(60 * minutes)
        alerts = [one.labels["alertname"] for hook in ears.hooks for one in hook.told()]
        assert not alerts, alerts
        pending = watch.agent.get("/api/v1/alerts").json()["alerts"]
        left = f"{len(pending)} pending at the end"
        return f"- {minutes:.0f} minutes of load on healthy models: no alert was told by either, {left}."


def main() -> int:
    """Measure what is wanted; 1 when an alert did not do as promised."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["fast", "default", "down", "healthy"])
    parser.add_argument("--minutes", type=float, default=20.0, help="of the healthy part")
    parser.add_argument("--away", type=float, default=5.0, help="minutes for which an Alertmanager is away")
    chosen = parser.parse_args()
    problems = []
    with tempfile.TemporaryDirectory(prefix="triton-watch-faults-") as name:
        folder = Path(name)
        with staged(folder) as stage:
            for part in chosen.parts:
                SAY.print(f"== {part}")
                if part in PROFILES:
                    rows = measure(part, folder / part, stage)
                    problems += [f"{row.fault}: {row.expected.alert} {row.problem}" for row in rows if row.problem]
                    text = table(part, rows)
                elif part == "down":
                    text = down(folder / part, stage, chosen.away)
                else:
                    text = healthy(folder / part, stage, chosen.minutes)
                write_part(part, text)
    for problem in problems:
        SAY.print(f"[red]{problem}[/red]")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
