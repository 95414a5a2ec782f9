"""Is an answer what the client was promised? The server does not ask that; clients have to."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from triton_watch.demo.tally import Seen

if TYPE_CHECKING:
    from collections.abc import Sequence

DETAIL_LENGTH = 200


def judge(status: int, body: bytes, output: tuple[str, tuple[int, ...]]) -> tuple[Seen, str]:
    """What the client saw in one answer, and what is wrong with it in words (empty when nothing is).

    `output` is the name and the shape that the model's configuration promises.
    """
    if status != 200:
        return Seen.HTTP_ERROR, f"HTTP {status}: {error_text(body)}"
    name, shape = output
    tensors = {tensor["name"]: tensor for tensor in json.loads(body)["outputs"]}
    if name not in tensors:
        return Seen.WRONG_SHAPE, f"there is no output {name} in the answer"
    got = tuple(tensors[name]["shape"])
    if got != shape:
        return Seen.WRONG_SHAPE, f"{name} has shape {list(got)}, not {list(shape)}"
    return judge_values(name, tensors[name]["data"])


def judge_values(name: str, values: Sequence[Any]) -> tuple[Seen, str]:
    """Whether all numbers of an output are numbers."""
    bad = sum(1 for value in values if isinstance(value, float) and not math.isfinite(value))
    if bad:
        return Seen.NAN, f"{bad} of {len(values)} values of {name} are NaN or infinite"
    return Seen.OK, ""


def error_text(body: bytes) -> str:
    """Triton's own words from the body of an error, shortened to one line."""
    try:
        text = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        text = body.decode("utf-8", "replace")
    return " ".join(text.split())[:DETAIL_LENGTH]
