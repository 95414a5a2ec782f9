"""Values in words, None a dash; lengths of bars; and the names of the indicators."""

from __future__ import annotations

from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.records.sli import Sli
from triton_watch.wording import words
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAMES: Final[Mapping[Sli, str]] = MappingProxyType(
    {
        Sli.REQUEST_RATE: "Requests",
        Sli.FAILURE_RATE: "Failed requests",
        Sli.AVAILABILITY: "Availability",
        Sli.QUEUE_TIME: "Queue time",
        Sli.REQUEST_TIME: "Request time",
        Sli.COMPUTE_INPUT_TIME: "Compute: input",
        Sli.COMPUTE_INFER_TIME: "Compute: inference",
        Sli.COMPUTE_OUTPUT_TIME: "Compute: output",
        Sli.IN_FLIGHT: "In flight",
        Sli.PENDING: "Waiting",
        Sli.AVERAGE_BATCH: "Average batch",
        Sli.BATCH_FILL: "Batch fill",
        Sli.BATCH_EFFICIENCY: "Batch efficiency",
        Sli.CACHE_HIT_RATIO: "Cache hits",
        Sli.GPU_UTILIZATION: "GPU utilization (estimate)",
        Sli.ENERGY_PER_INFERENCE: "Energy an inference (estimate)",
    }
)

_NEARLY_AN_HOUR: Final = 3570.0


def known(write: Callable[[float], str]) -> Callable[[float | None], str]:
    """Return `write` with a dash for what is not known."""
    return lambda value: NO_DATA if value is None else write(value)


def share(part: float | None, whole: float | None = 1.0) -> int | None:
    """Return the length of a bar, 0 to 100; None = not known."""
    if part is None or not whole:
        return None
    return round(100 * min(max(part / whole, 0.0), 1.0))


def last_time(seconds: float) -> str:
    """Say of how long a drawing is: `last hour`, or `last 4 min` where less is known."""
    return "last hour" if seconds >= _NEARLY_AN_HOUR else f"last {words.span(seconds)}"


def ago(seconds: float) -> str:
    """Write how long ago something was; page.js writes it in the same way as time goes on."""
    if seconds < -1:
        return f"in {words.span(round(-seconds))}"
    return "now" if seconds < 1 else f"{words.span(int(seconds))} ago"


def to_the_second(at: float) -> str:
    """Write Unix seconds as UTC, to the second."""
    try:
        return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return words.when(at)
