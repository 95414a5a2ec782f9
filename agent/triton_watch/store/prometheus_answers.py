"""The JSON of a query's result, read into records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triton_watch.records import FloatArray


@dataclass(frozen=True, slots=True)
class Sample:
    """One series at one moment."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One series over a time: `times`, Unix seconds ascending, and `values` are (k,)."""

    labels: Mapping[str, str]
    times: FloatArray
    values: FloatArray


AnySeries = TypeVar("AnySeries", Sample, Track)


def result_of(answer: Any, kind: str, read: Callable[[Any], AnySeries]) -> list[AnySeries]:  # noqa: ANN401 - JSON
    """The series of an answer whose resultType is `kind`.

    Raises ValueError, TypeError, LookupError or AttributeError where it is not what the API promises.
    """
    if answer["status"] != "success" or answer["data"]["resultType"] != kind:
        raise ValueError("not a result of this kind")
    return [read(row) for row in answer["data"]["result"]]


def sample(row: Any) -> Sample:  # noqa: ANN401 - JSON
    """A row of a vector. Raises as `result_of` does."""
    return Sample(_labels(row), float(row["value"][1]))


def track(row: Any) -> Track:  # noqa: ANN401 - JSON
    """A row of a matrix; (k,) points. Raises as `result_of` does."""
    points = np.array([(float(time), float(text)) for time, text in row["values"]], dtype=np.float64).reshape(-1, 2)
    return Track(_labels(row), points[:, 0], points[:, 1])


def _labels(row: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    labels: dict[str, str] = row["metric"]
    if not all(type(text) is str for text in labels.values()):
        raise TypeError("labels are texts")
    return labels
