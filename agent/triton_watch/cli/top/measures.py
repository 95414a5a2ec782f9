"""Sections of the screen about one model that are made of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.cli.top import cells
from triton_watch.cli.top.model_cells import batch, rate
from triton_watch.cli.top.styles import QUIET, TITLE_WIDTH, flow, line, paragraph
from triton_watch.wording import words
from triton_watch.wording.measures import duration, with_unit
from triton_watch.wording.text import printable
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from triton_watch.daemon.facts.model import Indicator, ModelDetail

_VALUE: Final = 12
"""Columns of a value with its unit."""


def indicators(detail: ModelDetail, width: int) -> Iterator[Text]:
    """Values beside what objectives ask of them, or why there are none."""
    for one in detail.indicators:
        name = _named(one.sli.value.replace("_", " "), width)
        if one.value is None:
            yield from paragraph(one.no_data, width, QUIET, f"{name}{NO_DATA}  ")
        else:
            yield line(name, cells.fill(with_unit(one.value, one.unit), _VALUE), (printable(one.goal), _within(one)))
    for kind, quantiles in detail.percentiles.items():
        known = {words.served_quantile(name): value for name, value in quantiles.items() if value is not None}
        served = [[f"{name} {duration(value)}"] for name, value in known.items()]
        for place, text in enumerate(flow(served, width - TITLE_WIDTH - 1, "  ")):
            yield line(_named("" if place else f"{printable(kind)} percentiles", width), text.plain)


def courses(detail: ModelDetail, width: int) -> Iterator[Text]:
    """The last hour in block characters, with its highest value."""
    if detail.recent is None:
        return
    recent, room = detail.recent, max(8, min(60, width - TITLE_WIDTH - 20))
    for name, values, write in (
        ("requests a second", recent.request_rate, rate),
        ("failures a second", recent.failure_rate, rate),
        ("queue time", recent.queue_time, duration),
        ("request time", recent.request_time, duration),
        ("batch", recent.average_batch, batch),
    ):
        known = [value for value in values if value is not None]
        if known:
            steps = cells.squeezed(values, room)
            yield line(_named(name, width), (cells.spark(steps, len(steps)), "blue"), f"  up to {write(max(known))}")


def members(detail: ModelDetail, width: int) -> Iterator[Text]:
    """The steps of an ensemble. Their times are over all who call them."""
    for one in detail.members:
        times = [("queue", one.queue_time), ("compute", one.compute_infer_time), ("request", one.request_time)]
        said = [[f"{name} {duration(value)}"] for name, value in times if value is not None]
        name = cells.model(one.name, one.version, max(TITLE_WIDTH, width // 3))
        yield from flow(
            [[(name, "bold")], [f"{cells.or_dash(one.request_rate, rate)} req/s"], *said], width, "  ", "  "
        )


def batches(detail: ModelDetail, width: int) -> Iterator[Text]:
    """Executions by batch size."""
    if detail.batches is None:
        return
    if detail.batches.problem:
        yield from paragraph(detail.batches.problem, width, QUIET)
        return
    most = max(detail.batches.executions, default=0)
    for size, count in zip(detail.batches.sizes, detail.batches.executions, strict=False):
        drawn = cells.bar(count / most if most else 0.0, max(8, min(30, width - 24))).rstrip("·")
        yield line(f"{size:>6} ", (drawn, "blue"), f" {words.number(count)}")


def _named(name: str, width: int) -> str:
    return cells.fill(name, min(TITLE_WIDTH, width // 2)) + " "


def _within(indicator: Indicator) -> str:
    return QUIET if indicator.within is None else "green" if indicator.within else "red"
