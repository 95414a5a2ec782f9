"""Models of decision trees that the FIL backend serves. They name no inputs; FIL calls them input__0 and output__0.

Details, where the format shows them: model_type (the FIL backend's), features (how many), classes (0 or absent for
regression and binary classification), objective, version (of the library or checkpoint that wrote it).
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import Format, FormatError, Reading
from triton_watch.check.formats.tables import MODEL_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_TAIL: Final = 1 << 16
"""Bytes at the end of an XGBoost model in which its parameters stand: keys are sorted, and trees come before."""
_LIGHTGBM_END: Final = 1 << 20
"""Bytes at the end of a LightGBM model: parameters and importances stand behind its trees."""
_UBJ_SIZES: Final = {b"L": 8, b"l": 4, b"I": 2, b"i": 1, b"U": 1}
"""Bytes of a length, by the letter before it: https://ubjson.org/type-reference/value-types/#numeric."""


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return the facts of a model of trees. Raises FormatError, OSError."""
    facts = _READERS[known](source)
    kind = next((name for name, (_, format_) in MODEL_TYPES.items() if format_ is known), "")
    detail = {"model_type": kind, **facts}
    return Reading(detail={key: value for key, value in detail.items() if value})


def _json(source: Source) -> Mapping[str, str]:
    tail = source.tail(_TAIL)
    if not tail.rstrip().endswith(b"}"):
        raise FormatError("is truncated: it does not end as a JSON object does")
    start = tail.rfind(b'"learner_model_param"')
    _require(start)
    facts = _matches(tail[start:], {name: rb'"%s"\s*:\s*"(\d{1,10})"' % key for name, key in _PARAMETERS.items()})
    objective = re.search(rb'"objective"\s*:\s*\{[^{}]*?"name"\s*:\s*"([\w:]{1,64})"', tail[start:])
    version = re.search(rb'"version"\s*:\s*\[([\d,\s]{1,30})\]', tail[start:])
    return facts | _named(objective, version)


def _ubj(source: Source) -> Mapping[str, str]:
    tail = source.tail(_TAIL)
    if not tail.endswith(b"}"):
        raise FormatError("is truncated: it does not end as a UBJSON object does")
    start = tail.rfind(b"learner_model_param{")
    _require(start)
    facts = {name: _ubj_text(tail, key, start) for name, key in _PARAMETERS.items()}
    objective = tail.find(b"objective{", start)
    return facts | {"objective": _ubj_text(tail, b"name", objective) if objective >= 0 else ""}


def _ubj_text(data: bytes, key: bytes, start: int) -> str:
    """Return the text (S, length, bytes) behind a key, the first from `start`; empty when there is none."""
    at = data.find(key + b"S", start)
    if at < 0:
        return ""
    at += len(key) + 1
    size = _UBJ_SIZES.get(data[at : at + 1], 0)
    length = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    return data[at + 1 + size :][: min(length, 64)].decode("ascii", "replace")


_PARAMETERS: Final = {"features": b"num_feature", "classes": b"num_class"}


def _require(start: int) -> None:
    if start < 0:
        raise FormatError("is corrupt: its end does not hold a learner's parameters")


def _matches(text: bytes, patterns: Mapping[str, bytes]) -> dict[str, str]:
    found = {name: re.search(pattern, text, re.DOTALL) for name, pattern in patterns.items()}
    return {name: match[1].decode("ascii", "replace") for name, match in found.items() if match}


def _named(objective: re.Match[bytes] | None, version: re.Match[bytes] | None) -> dict[str, str]:
    facts = {"objective": objective[1].decode("ascii", "replace")} if objective else {}
    return facts | ({"version": ".".join(re.findall(r"\d+", version[1].decode("ascii", "replace")))} if version else {})


def _binary(source: Source) -> Mapping[str, str]:
    """LearnerModelParam: base_score, num_feature, num_class, …, then the objective after its length."""
    head = source.read(0, 256)
    head = head.removeprefix(b"binf")
    if len(head) < 160:
        raise FormatError("is truncated: its header is not complete")
    _, features, classes = struct.unpack_from("<fIi", head)
    length = struct.unpack_from("<Q", head, 136)[0]
    objective = head[144 : 144 + min(length, 64)].decode("ascii", "replace")
    return {"features": str(features), "classes": str(classes), "objective": objective}


def _lightgbm(source: Source) -> Mapping[str, str]:
    head = source.read(0, _TAIL)
    if b"end of trees" not in source.tail(_LIGHTGBM_END):
        raise FormatError("is truncated: its `end of trees` is missing")
    patterns = {
        "classes": rb"^num_class=(\d{1,10})",
        "last": rb"^max_feature_idx=(\d{1,10})",
        "version": rb"^version=(\w{1,20})",
    }
    facts = _matches(head, {name: rb"(?m)" + pattern for name, pattern in patterns.items()})
    objective = re.search(rb"^objective=([^\r\n]{1,64})", head, re.MULTILINE)
    features = {"features": str(int(facts.pop("last")) + 1)} if "last" in facts else {}
    return features | facts | _named(objective, None)


def _treelite(source: Source) -> Mapping[str, str]:
    """The number of features follows the number of trees (seen with Treelite 4.8)."""
    major, minor, patch = struct.unpack_from("<3i", source.read(0, 12))
    features = struct.unpack_from("<i", source.read(22, 4))[0] if major == 4 else -1
    return {"version": f"{major}.{minor}.{patch}"} | ({"features": str(features)} if features > 0 else {})


_READERS: Final[Mapping[Format, Callable[[Source], Mapping[str, str]]]] = {
    Format.XGBOOST_JSON: _json,
    Format.XGBOOST_UBJ: _ubj,
    Format.XGBOOST_BINARY: _binary,
    Format.LIGHTGBM_TEXT: _lightgbm,
    Format.TREELITE_CHECKPOINT: _treelite,
}
