"""An outbox as plain JSON values, so that it survives a restart, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triton_watch.alerting.kept import LATEST
from triton_watch.alerting.manager.entry import Entry
from triton_watch.alerting.manager.outbox import LIMIT
from triton_watch.alerting.manager.payload import Payload

if TYPE_CHECKING:
    from triton_watch.alerting.manager.outbox import Outbox
    from triton_watch.records import Labels


def dump(outbox: Outbox) -> list[dict[str, object]]:
    """What the peer is to be told; the same as long as nothing happens."""
    return [
        {
            "labels": dict(entry.payload.labels),
            "annotations": dict(entry.payload.annotations),
            "starts_at": entry.payload.starts_at,
            "resolved_at": entry.payload.resolved_at,
            "generator_url": entry.payload.generator_url,
            "ended_at": entry.ended_at,
        }
        for entry in outbox.entries.values()
    ]


def load(outbox: Outbox, kept: object, clock: float, now: float) -> None:
    """Put back what was dumped; what is not to be understood is left out.

    Everything that is not over is told at once: how long nothing was told is not known.
    """
    for one in kept[:LIMIT] if isinstance(kept, list) else ():
        entry = _entry(one, clock, now)
        if entry is not None:
            outbox.entries[entry.payload.labels] = entry


def _entry(kept: object, clock: float, now: float) -> Entry | None:
    if not isinstance(kept, dict):
        return None
    labels, annotations = _pairs(kept.get("labels")), _pairs(kept.get("annotations"))
    starts_at, resolved_at, url = (
        _time(kept.get("starts_at")),
        _time(kept.get("resolved_at")),
        kept.get("generator_url"),
    )
    if not labels or starts_at is None or not isinstance(url, str):
        return None
    entry = Entry(Payload(labels, annotations, starts_at, resolved_at, url))
    ended_at = _time(kept.get("ended_at"))
    if ended_at is not None and resolved_at is not None:
        # A wall clock that was set back must not keep it for longer than a new one.
        entry.ended, entry.ended_at = clock - max(0.0, now - ended_at), ended_at
        entry.told = entry.ended
    return entry


def _pairs(value: Any) -> Labels:  # noqa: ANN401 - JSON of unknown origin
    if not isinstance(value, dict):
        return ()
    return tuple(sorted((str(name), text) for name, text in value.items() if isinstance(text, str) and text))


def _time(value: object) -> float | None:
    """A moment between 1970 and 2286, as `rfc3339` can write it."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < LATEST else None  # type: ignore[operator, arg-type]  # a number
