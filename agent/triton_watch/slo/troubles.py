"""What is wrong with a server, in sentences that say what to do: read off one snapshot, no history."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import (
    CanaryVerdict,
    Counter,
    ModelKey,
    ModelState,
    ModelStatus,
    NoData,
    Outcome,
    ProbeResult,
    Sli,
    SliTable,
    TargetSnapshot,
)
from triton_watch.slo.batching import poor_batches
from triton_watch.slo.queue import queues_longer
from triton_watch.slo.serving import why_unasked
from triton_watch.slo.sli import ROW, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


FEW_FAILURES: Final = 0.01
"""Share of failed requests below which a model works all the same; whether it is too much is for its budget to say."""


class Level(str, Enum):
    """PROBLEM: something does not work. ADVICE: it works, and could work better."""

    PROBLEM = "problem"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to know. `model` is None when it concerns the whole server."""

    level: Level
    model: ModelKey | None
    sentence: str


def find(snapshot: TargetSnapshot) -> tuple[Trouble, ...]:
    """Return the troubles of a snapshot: the server's first, then the models', problems before advice."""
    found = [*_of_probes(snapshot), *_of_states(snapshot), *_of_canaries(snapshot), *_of_wedged(snapshot)]
    if snapshot.slis is not None:
        found += _of_slis(snapshot.slis, snapshot)
    return tuple(sorted(found, key=lambda t: (t.level is not Level.PROBLEM, t.model or ModelKey("", ""))))


def group_failures(results: Iterable[ProbeResult]) -> tuple[tuple[ProbeResult, ...], ...]:
    """Return the failed probes, those together that fail in one way on one port: they have one cause.

    What was not tried for lack of another probe's answer is left out where something else failed.
    """
    groups: dict[tuple[Outcome, bool], list[ProbeResult]] = {}
    for result in results:
        if not result.ok:
            groups.setdefault((result.outcome, result.probe == "metrics"), []).append(result)
    causes = {key: group for key, group in groups.items() if key[0] is not Outcome.NOT_TRIED}
    return tuple(tuple(group) for group in (causes or groups).values())


def _of_probes(snapshot: TargetSnapshot) -> Iterator[Trouble]:
    for group in group_failures(snapshot.probes.values()):
        result = group[0]
        if result.outcome is Outcome.NOT_READY and result.probe == "ready":
            yield Trouble(
                Level.PROBLEM,
                None,
                "The server says it is not ready: a model failed to load or is still loading.",
            )
        else:
            names = ", ".join(one.probe for one in group)
            yield Trouble(Level.PROBLEM, None, f"Probe {names}: {result.detail}")


def _of_states(snapshot: TargetSnapshot) -> Iterator[Trouble]:
    for state in snapshot.models or ():
        sentence = _state_sentence(state)
        if sentence:
            yield Trouble(Level.PROBLEM, state.key, sentence)


def _state_sentence(state: ModelState) -> str:
    if state.status is ModelStatus.MISSING:
        return "Expected, and not in the server's repository: check the model's folder and --model-repository."
    if state.status is ModelStatus.UNAVAILABLE:
        reason = " ".join(state.reason.split())
        return f"Failed to load: {reason or 'the server gives no reason; its log does'}"
    if state.expected and state.status is not ModelStatus.READY:
        return f"Expected, and {state.status.value}: clients get errors until it is loaded."
    return ""


def _of_canaries(snapshot: TargetSnapshot) -> Iterator[Trouble]:
    """Failing canaries; those first of which the server says nothing."""
    for key, state in sorted((snapshot.canaries or {}).items()):
        silent = snapshot.silent.get(key)
        if silent is not None:
            yield Trouble(
                Level.PROBLEM,
                key,
                f"Silent failure: its canary fails ({silent.reason.value}), and Triton counts success: {silent.detail}",
            )
        elif state.verdict is CanaryVerdict.FAILING and state.last_failure is not None:
            failure = state.last_failure
            yield Trouble(Level.PROBLEM, key, f"Its canary fails ({failure.reason.value}): {failure.detail}")
        elif unasked := why_unasked(state):
            yield Trouble(Level.ADVICE, key, unasked)


def _of_wedged(snapshot: TargetSnapshot) -> Iterator[Trouble]:
    for key, wedged in sorted(snapshot.wedged.items()):
        if not wedged.is_sure:
            continue
        yield Trouble(
            Level.PROBLEM,
            key,
            f"Wedged: {wedged.pending:.0f} requests wait, and none was answered over {wedged.polls} polls "
            f"({wedged.seconds:.0f} s): its backend hangs; end its process, then unload and load the model, "
            "or restart the server.",
        )


def _of_slis(table: SliTable, snapshot: TargetSnapshot) -> Iterator[Trouble]:
    if table.counters_off:
        yield Trouble(
            Level.PROBLEM,
            None,
            "The server runs with --metrics-config counter_latencies=false: its request counters stand still, "
            "so there are no SLIs. Remove the flag.",
        )
        return
    yield from _unmapped_gpus(table)
    poor = {one.key: one.sentence for one in poor_batches(table, snapshot.configs or {})}
    longer = queues_longer(table)
    for row in np.flatnonzero(np.nan_to_num(table.values[ROW[Sli.REQUEST_RATE]]) > 0):
        key = table.models.keys[row]
        yield from _failures(table, key, row)
        if key in poor:
            yield Trouble(Level.ADVICE, key, poor[key])
        if longer[row]:
            yield _queue(table, key, row)


def _unmapped_gpus(table: SliTable) -> Iterator[Trouble]:
    busy = np.nan_to_num(table.deltas[Counter.COMPUTE_INFER_US]) > 0
    if table.configs.known[busy].any() and np.isnan(table.configs.on_gpu[:, busy & table.configs.known]).any():
        yield Trouble(
            Level.ADVICE,
            None,
            "A model is pinned to some of the GPUs, and the server does not tell which GPU has which index: to see "
            "each model's share, list the GPUs' UUIDs in the order of `nvidia-smi -L` under gpus: of the target.",
        )


def _failures(table: SliTable, key: ModelKey, row: int) -> Iterator[Trouble]:
    counts = {
        "backend": table.deltas[Counter.FAIL_BACKEND, row],
        "rejected": table.deltas[Counter.FAIL_REJECTED, row],
        "other": np.nansum(table.deltas[[Counter.FAIL_OTHER, Counter.FAIL_UNLABELLED], row]),
    }
    failed = {reason: int(count) for reason, count in counts.items() if count > 0}
    availability = value_of(table, key, Sli.AVAILABILITY)
    if not failed or isinstance(availability, NoData):
        return
    reasons = ", ".join(f"reason {reason}: {count}" for reason, count in failed.items())
    share = 1 - availability.value
    few = share < FEW_FAILURES
    much = f"Under {FEW_FAILURES:.0%}" if few else f"{share:.0%}"
    yield Trouble(
        Level.ADVICE if few else Level.PROBLEM,
        key,
        f"{much} of its requests failed in {table.interval:.0f} s ({reasons}): the server's log says why.",
    )


def _queue(table: SliTable, key: ModelKey, row: int) -> Trouble:
    queue, compute = table.values[[ROW[Sli.QUEUE_TIME], ROW[Sli.COMPUTE_INFER_TIME]], row] * 1e3
    return Trouble(
        Level.ADVICE,
        key,
        f"Requests wait {queue:.0f} ms for {compute:.0f} ms of compute: add instances "
        "(instance_group) or batch, or limit the queue (default_queue_policy).",
    )
