"""JSON: the contract that programs read. One line a row, ASCII only, the same bytes for the same report.

Times are seconds, `at` and `times` Unix seconds, ratios 0..1; null is no data. `good` and `bad` are events, which are
seconds for batch_efficiency and gpu_utilization.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from triton_watch.records import Verdict
from triton_watch.wording.stories import count
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.records import Course, Goal, Objective, Report, ReportRow

VERSION = 1


def render(report: Report, most: int | None) -> str:
    """Return the whole report, whatever `most` is."""
    del most
    counts = count(report)
    head = {
        "version": VERSION,
        "at": report.at,
        "source": report.source,
        "summary": {"rows": len(report.rows), **{one.value: counts[one] for one in Verdict}},
        "warnings": list(report.warnings),
    }
    lines = [f'  "{key}": {_dump(value)}' for key, value in head.items()]
    lines += [f'  "objectives": {_list(_objective(one) for one in report.objectives)}']
    lines += [f'  "rows": {_list(_row(one) for one in report.rows)}']
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _list(objects: Iterable[dict[str, Any]]) -> str:
    lines = [f"    {_dump(one)}" for one in objects]
    return "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"


def _dump(value: object) -> str:
    return json.dumps(_plain(value), allow_nan=False)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON without what is none: NaN and infinity are null, half characters are replaced."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _objective(one: Objective) -> dict[str, Any]:
    return {
        "slo": one.name,
        "sli": one.sli.value,
        **_goal(one.goal),
        "period": one.period,
        "models": one.models,
        "exclude_models": one.exclude_models,
        "targets": one.targets,
        "overrides": [{"models": over.models, **_goal(over.goal)} for over in one.overrides],
        "windows": [asdict(window) for window in one.windows],
        "description": one.description,
    }


def _goal(goal: Goal) -> dict[str, Any]:
    return asdict(goal)


def row_of(row: ReportRow) -> dict[str, Any]:
    """Return a row without its course as JSON data."""
    return {key: _plain(value) for key, value in _row(row).items() if key != "course"}


def _row(row: ReportRow) -> dict[str, Any]:
    return {
        "slo": row.objective.name,
        "sli": row.objective.sli.value,
        "model": row.model,
        "model_version": row.version,
        "namespace": row.namespace,
        "targets": row.targets,
        **_goal(row.goal),
        "period": row.objective.period,
        "verdict": row.verdict.value,
        "fires": None if row.fires is None else asdict(row.fires),
        "good": row.good,
        "bad": row.bad,
        "covered": row.covered,
        "remaining": row.remaining,
        "exhaustion": row.exhaustion,
        "silence": row.silence,
        "windows": [asdict(window) for window in row.windows],
        "course": None if row.course is None else _course(row.course),
    }


def _course(course: Course) -> dict[str, Any]:
    return {"times": course.times.tolist(), "good": course.good.tolist(), "bad": course.bad.tolist()}
