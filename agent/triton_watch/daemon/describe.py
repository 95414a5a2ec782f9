"""A snapshot as plain JSON data: what `status --json` prints. Field names are a contract."""

from __future__ import annotations

from typing import Any

import numpy as np

from triton_watch.records import (
    Counter,
    Gpu,
    ModelKey,
    ModelState,
    NoData,
    Sli,
    SliTable,
    SliValue,
    TargetSnapshot,
)
from triton_watch.slo.ensemble import breakdown
from triton_watch.slo.sli import quantile_of, value_of
from triton_watch.slo.troubles import find

VERSION = 1

_FAILURES = {
    "REJECTED": Counter.FAIL_REJECTED,
    "CANCELED": Counter.FAIL_CANCELED,
    "BACKEND": Counter.FAIL_BACKEND,
    "OTHER": Counter.FAIL_OTHER,
    "unlabelled": Counter.FAIL_UNLABELLED,
}


def describe(snapshot: TargetSnapshot) -> dict[str, Any]:
    """Return the snapshot as JSON data. Times are seconds, ratios 0..1; no data is null with its reason beside it."""
    slis = snapshot.slis
    return {
        "version": VERSION,
        "target": {"name": snapshot.target.name, "url": snapshot.target.http_url},
        "at": snapshot.at,
        "server": None
        if snapshot.server is None
        else {"name": snapshot.server.name, "version": snapshot.server.version},
        "live": snapshot.live,
        "ready": snapshot.ready,
        "interval": slis.interval if slis is not None and slis.interval > 0 else None,
        "probes": {
            name: {"outcome": r.outcome.value, "seconds": r.duration, "detail": r.detail}
            for name, r in snapshot.probes.items()
        },
        "models": [_model(key, state, snapshot) for key, state in model_rows(snapshot)],
        "gpus": [] if slis is None else [_gpu(slis, i) for i in range(len(slis.frame.gpus))],
        "troubles": [
            {
                "level": t.level.value,
                "model": t.model.name if t.model else None,
                "model_version": t.model.version if t.model else None,
                "sentence": t.sentence,
            }
            for t in find(snapshot)
        ],
    }


def model_rows(snapshot: TargetSnapshot) -> list[tuple[ModelKey, ModelState | None]]:
    """Return every model version that the index or the metrics page knows, sorted, with its state if any."""
    states = {state.key: state for state in snapshot.models or ()}
    served = () if snapshot.slis is None else snapshot.slis.models.keys
    rows: dict[ModelKey, ModelState | None] = {key: states.get(ModelKey(key.name, key.version)) for key in served}
    on_page = {(key.name, key.version) for key in served}
    rows.update({key: state for key, state in states.items() if (key.name, key.version) not in on_page})
    return sorted(rows.items(), key=lambda item: item[0])


def _model(key: ModelKey, state: ModelState | None, snapshot: TargetSnapshot) -> dict[str, Any]:
    config = (snapshot.configs or {}).get(key.name)
    described: dict[str, Any] = {
        "name": key.name,
        "version": key.version,
        "namespace": key.namespace or None,
        "state": state.status.value if state else None,
        "reason": state.reason if state else "",
        "expected": state.expected if state else False,
        "config": None
        if config is None
        else {
            "backend": config.backend or config.platform,
            "max_batch_size": config.max_batch_size,
            "instances": config.instances,
            "dynamic_batching": config.dynamic_batching,
            "ensemble": config.is_ensemble,
        },
    }
    described |= _canary(ModelKey(key.name, key.version), snapshot)
    wedged = snapshot.wedged.get(key)
    described["wedged"] = (
        None
        if wedged is None or not wedged.is_sure
        else {"polls": wedged.polls, "seconds": wedged.seconds, "pending": wedged.pending}
    )
    if snapshot.slis is not None and key in snapshot.slis.models.row:
        described.update(_slis(snapshot.slis, key, snapshot))
    return described


def _canary(key: ModelKey, snapshot: TargetSnapshot) -> dict[str, Any]:
    """What canaries say of a model, and whether the server says otherwise; null where there are none."""
    state, silent = (snapshot.canaries or {}).get(key), snapshot.silent.get(key)
    last = None if state is None else state.last
    return {
        "canary": None
        if state is None
        else {
            "verdict": state.verdict.value,
            "reason": None if last is None else last.reason.value,
            "detail": "" if last is None else last.detail,
            "at": None if last is None else last.at,
            "latency": None if last is None else last.latency,
            "first_response": None if last is None else last.first_response,
            "first_call": state.first_call,
            "availability": state.availability,
            "golden": state.has_golden,
            "note": state.note,
        },
        "silent_failure": None
        if silent is None
        else {
            "at": silent.at,
            "reason": silent.reason.value,
            "detail": silent.detail,
            "counted_success": silent.counted_success,
        },
    }


def _slis(table: SliTable, key: ModelKey, snapshot: TargetSnapshot) -> dict[str, Any]:
    values = {sli.value: value_of(table, key, sli) for sli in Sli}
    row = table.models.row[key]
    parts = breakdown(table, key, snapshot.configs or {})
    return {
        "slis": {name: _number(value) for name, value in values.items()},
        "no_data": {name: value.reason.value for name, value in values.items() if isinstance(value, NoData)},
        "failures": {name: _finite(table.deltas[counter, row]) for name, counter in _FAILURES.items()},
        "percentiles": {
            kind: {
                quantile: _number(quantile_of(table, key, kind, quantile))
                for of_kind, quantile in table.frame.quantiles
                if of_kind == kind
            }
            for kind in ("request", "queue")
        },
        "first_response": _first_response(table, row),
        "members": None
        if parts is None
        else [
            {
                "name": member.key.name,
                "version": member.key.version,
                "request_rate": _number(member.request_rate),
                "queue_time": _number(member.queue_time),
                "compute_infer_time": _number(member.compute_infer_time),
                "request_time": _number(member.request_time),
            }
            for member in parts.members
        ],
    }


def _first_response(table: SliTable, row: int) -> dict[str, float | None] | None:
    """Cumulative counts by upper bound in milliseconds, as served."""
    histogram = table.frame.first_response
    if histogram is None:
        return None
    return {f"{bound:g}": _finite(histogram.counts[i, row]) for i, bound in enumerate(histogram.bounds)}


def _gpu(table: SliTable, i: int) -> dict[str, Any]:
    values = {gpu.name.lower(): _finite(table.frame.gpu_values[gpu, i]) for gpu in Gpu if gpu is not Gpu.ENERGY}
    share = table.gpu_share[i]
    return {
        "uuid": table.frame.gpus[i],
        **values,
        "energy": _finite(table.gpu_energy[i]),
        "model_share": [
            {"model": key.name, "version": key.version, "share": float(share[row])}
            for row, key in enumerate(table.models.keys)
            if share[row] > 0
        ],
    }


def _number(value: SliValue | NoData) -> float | None:
    return value.value if isinstance(value, SliValue) else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
