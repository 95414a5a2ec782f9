"""Questions to Prometheus, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

STEP = 5.0
"""Seconds between two points of a graph."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A series and its value, the last one in a graph."""

    labels: Mapping[str, str]
    value: float


class RefusedError(Exception):
    """Prometheus could not answer; says why."""


class Prometheus:
    """Its API, at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def at(self, expr: str, moment: float) -> list[Sample]:
        """The series that an instant query gives, but for those that are not a number. Raises `RefusedError`."""
        data = self._get("query", query=expr, time=f"{moment:.3f}")
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return _numbers([(one["metric"], [one["value"]]) for one in data["result"]])

    def over(self, expr: str, begin: float, end: float) -> list[Sample]:
        """The series of a graph. Raises `RefusedError`."""
        data = self._get("query_range", query=expr, start=f"{begin:.3f}", end=f"{end:.3f}", step=f"{STEP}")
        return _numbers([(one["metric"], one["values"]) for one in data["result"]])

    def rules(self) -> list[dict[str, Any]]:
        """Every rule that is loaded, with its health."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def version(self) -> str:
        """Such as 2.42.0."""
        return str(self._get("status/buildinfo")["version"])

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        body = self._session.get(f"{self._url}/api/v1/{path}", params=query, timeout=30).json()
        if body["status"] != "success":
            raise RefusedError(body["error"])
        found: dict[str, Any] = body["data"]
        return found


def _numbers(series: list[tuple[dict[str, str], list[list[Any]]]]) -> list[Sample]:
    """Each series at its last point that is a number."""
    found = []
    for labels, points in series:
        values = [value for value in (float(text) for _, text in points) if not math.isnan(value)]
        if values:
            found.append(Sample(labels, values[-1]))
    return found
