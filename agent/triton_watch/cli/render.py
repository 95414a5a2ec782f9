"""A snapshot as a table for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from triton_watch.daemon.describe import model_rows
from triton_watch.records import (
    CanaryVerdict,
    Gpu,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    NoData,
    Sli,
    SliTable,
    TargetSnapshot,
)
from triton_watch.slo.sli import ROW, quantile_of, value_of
from triton_watch.slo.troubles import Level, find
from triton_watch.wording.words import NO_DATA, seconds

Writer: TypeAlias = Callable[[float], str]

COLUMNS = (
    "MODEL", "STATE", "CANARY", "REQ/S", "ERR/S", "QUEUE", "COMPUTE", "REQUEST",
    "P99", "BATCH", "EFFIC.", "CACHE", "IN-FL.", "GPU",
)  # fmt: skip
"""Of the models' table. A column in which no model has a value is not shown."""
LEFT_OUT_FIRST = ("IN-FL.", "P99", "CACHE", "EFFIC.", "COMPUTE", "GPU", "BATCH", "QUEUE")
"""What goes first where the terminal is narrow."""
_STATE_STYLE = {ModelStatus.READY: "green", ModelStatus.LOADING: "yellow", ModelStatus.UNLOADING: "yellow"}


def status(snapshot: TargetSnapshot, width: int) -> RenderableType:
    """Return the whole status for `width` columns: the server, its models, its GPUs, and what is wrong."""
    parts: list[RenderableType] = [_headline(snapshot), Text("")]
    if model_rows(snapshot):
        parts += [_models(snapshot, width), Text("")]
    if snapshot.slis is not None and snapshot.slis.frame.gpus:
        parts += [_gpus(snapshot.slis), Text("")]
    parts.append(_troubles(snapshot))
    return Group(*parts)


def bare_table() -> Table:
    """A table without lines, its columns two apart."""
    return Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))


def model_name(name: str, version: str) -> Text:
    """A model version as tables write it: `name:version`."""
    text = Text(name)
    text.append(f":{version}" if version else "", style="dim")
    return text


def _headline(snapshot: TargetSnapshot) -> Text:
    server = snapshot.server
    what = f"{server.name} {server.version}" if server else "server unknown"
    line = Text.assemble((snapshot.target.name, "bold"), f"  {what}  ")
    line.append("live " + _word(snapshot.live), style=_truth(snapshot.live))
    line.append("  ")
    line.append("ready " + _word(snapshot.ready), style=_truth(snapshot.ready))
    if snapshot.slis is not None and snapshot.slis.interval > 0:
        line.append(f"  over {snapshot.slis.interval:.1f} s", style="dim")
    return line


def _word(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _truth(value: bool | None) -> str:
    return "yellow" if value is None else "green" if value else "red"


def _models(snapshot: TargetSnapshot, width: int) -> RenderableType:
    """Return the table of models in `width` columns: what says least where it is narrow is left out, and said so."""
    rows = [_model(key, state, snapshot) for key, state in model_rows(snapshot)]
    shown = [title for title in COLUMNS if any(row[title].plain != NO_DATA for row in rows)]
    widths = {title: max(len(title), *(row[title].cell_len for row in rows)) + 2 for title in shown}
    left_out = []
    for title in LEFT_OUT_FIRST:
        if title in shown and sum(widths[one] for one in shown) > width:
            shown.remove(title)
            left_out.append(title)
    table = bare_table()
    for title in shown:
        left = title in ("MODEL", "STATE", "CANARY")
        table.add_column(title, justify="left" if left else "right", no_wrap=title != "MODEL", overflow="fold")
    for row in rows:
        table.add_row(*(row[title] for title in shown))
    if not left_out:
        return table
    return Group(table, Text(f"No room for {', '.join(left_out)}: widen the terminal, or use --json.", style="dim"))


def _model(key: ModelKey, state: ModelState | None, snapshot: TargetSnapshot) -> dict[str, Text]:
    name = model_name(key.name, key.version)
    status = state.status if state else None
    cells = {title: Text(NO_DATA, style="dim") for title in COLUMNS}
    cells["MODEL"] = name
    if status is not None:
        cells["STATE"] = Text(status.value, style=_STATE_STYLE.get(status, "red"))
    cells["CANARY"] = _canary(key, snapshot)
    slis = snapshot.slis
    if slis is None or key not in slis.models.row:
        return cells
    failing = slis.values[ROW[Sli.FAILURE_RATE], slis.models.row[key]] > 0
    return {
        **cells,
        "REQ/S": _cell(slis, key, Sli.REQUEST_RATE, rate),
        "ERR/S": _cell(slis, key, Sli.FAILURE_RATE, rate, style="red" if failing else ""),
        "QUEUE": _cell(slis, key, Sli.QUEUE_TIME, seconds),
        "COMPUTE": _cell(slis, key, Sli.COMPUTE_INFER_TIME, seconds),
        "REQUEST": _cell(slis, key, Sli.REQUEST_TIME, seconds),
        "P99": _p99(slis, key),
        "BATCH": _batch(slis, key, (snapshot.configs or {}).get(key.name)),
        "EFFIC.": _cell(slis, key, Sli.BATCH_EFFICIENCY, percent),
        "CACHE": _cell(slis, key, Sli.CACHE_HIT_RATIO, percent),
        "IN-FL.": _cell(slis, key, Sli.IN_FLIGHT, lambda value: f"{value:.1f}"),
        "GPU": _cell(slis, key, Sli.GPU_UTILIZATION, percent),
    }


def _canary(key: ModelKey, snapshot: TargetSnapshot) -> Text:
    """How the canaries end: one word where they pass, the reason where one failed."""
    state = (snapshot.canaries or {}).get(ModelKey(key.name, key.version))
    if state is None or state.last is None:
        return Text(NO_DATA, style="dim")
    failure = state.last_failure
    if failure is not None and not all(state.recent):
        return Text(failure.reason.value, style="red" if state.verdict is CanaryVerdict.FAILING else "yellow")
    return Text("ok", style="green")


def _cell(slis: SliTable, key: ModelKey, sli: Sli, write: Writer, style: str = "") -> Text:
    value = value_of(slis, key, sli)
    return Text(NO_DATA, style="dim") if isinstance(value, NoData) else Text(write(value.value), style=style)


def _p99(slis: SliTable, key: ModelKey) -> Text:
    value = quantile_of(slis, key, "request", "0.99")
    return Text(NO_DATA, style="dim") if isinstance(value, NoData) else Text(seconds(value.value))


def _batch(slis: SliTable, key: ModelKey, config: ModelConfig | None) -> Text:
    value = value_of(slis, key, Sli.AVERAGE_BATCH)
    if isinstance(value, NoData):
        return Text(NO_DATA, style="dim")
    limit = f"/{config.max_batch_size}" if config and config.max_batch_size > 1 else ""
    return Text(f"{value.value:.1f}{limit}")


def _gpus(slis: SliTable) -> Table:
    table = bare_table()
    table.add_column("GPU", no_wrap=True)
    for title in ("UTIL.", "MEMORY", "POWER"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("COMPUTE TIME BY MODEL (estimate)")
    frame = slis.frame
    for i, uuid in enumerate(frame.gpus):
        values = frame.gpu_values[:, i]
        share = slis.gpu_share[i]
        names = (f"{key.name} {share[row]:.0%}" for row, key in enumerate(slis.models.keys) if share[row] > 0)
        table.add_row(
            uuid,
            _or_dash(values[Gpu.UTILIZATION], percent),
            f"{_or_dash(values[Gpu.MEMORY_USED], gibibytes)} of {_or_dash(values[Gpu.MEMORY_TOTAL], gibibytes)}",
            f"{_or_dash(values[Gpu.POWER], watts)} of {_or_dash(values[Gpu.POWER_LIMIT], watts)}",
            ", ".join(names) or NO_DATA,
        )
    return table


def _troubles(snapshot: TargetSnapshot) -> RenderableType:
    troubles = find(snapshot)
    if not troubles:
        sees = "the server's own metrics could show" if not snapshot.canaries else "its metrics and canaries could show"
        return Text(f"Nothing wrong that {sees}.", style="green")
    table = Table.grid(padding=(0, 2, 0, 0))
    for trouble in troubles:
        style = "red" if trouble.level is Level.PROBLEM else "yellow"
        table.add_row(
            Text(trouble.level.value, style=style),
            Text(trouble.model.name if trouble.model else "server"),
            trouble.sentence,
        )
    return table


def rate(value: float) -> str:
    """Write a rate per second."""
    return "0" if value == 0 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def percent(value: float) -> str:
    """Write a ratio as a percentage."""
    return f"{value:.0%}"


def gibibytes(value: float) -> str:
    """Write bytes as GiB."""
    return f"{value / 2**30:.1f} GiB"


def watts(value: float) -> str:
    """Write watts."""
    return f"{value:.0f} W"


def _or_dash(value: float, write: Writer) -> str:
    return NO_DATA if value != value else write(value)  # noqa: PLR0124 - NaN is the one that differs
