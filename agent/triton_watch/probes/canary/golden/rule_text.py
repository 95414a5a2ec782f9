"""Rules as they stand under `compare` in a golden's JSON, where people edit them."""

from __future__ import annotations

from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from triton_watch.probes.canary.golden.rules import Method, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

IGNORE = "ignore"

_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Method.EXACT.value: (),
        Method.CLOSE.value: ("rtol", "atol"),
        Method.TOP1.value: (),
        Method.COSINE.value: ("least",),
        IGNORE: (),
    }
)
"""Method -> the limits that it takes."""


def rule_as_json(rule: Rule) -> dict[str, str | float]:
    """The rule with the limits that its method takes."""
    limits = {name: getattr(rule, name) for name in _FIELDS[rule.method.value]}
    return {"method": rule.method.value, **limits}


def rule_of_json(value: Any) -> Rule | None:  # noqa: ANN401 - JSON, and this is what checks it
    """The rule, None = ignore the output. Raises ValueError, with what is wrong."""
    if not isinstance(value, dict) or not isinstance(value.get("method"), str):
        raise ValueError('is no object with a "method"')  # noqa: TRY004 - it is the file's error, as below
    method = value["method"]
    if method not in _FIELDS:
        raise ValueError(f'has the method "{method}": choose from {", ".join(_FIELDS)}')
    fields = _FIELDS[method]
    unknown = sorted(value.keys() - {"method", *fields})
    if unknown:
        takes = f"takes {' and '.join(fields)}" if fields else "takes no limits"
        raise ValueError(f'has "{unknown[0]}", and the method {method} {takes}')
    if method == IGNORE:
        return None
    if method == Method.COSINE.value and "least" not in value:
        raise ValueError('needs "least": the cosine similarity that is enough, such as 0.99')
    limits = {name: _limit(name, value[name]) for name in fields if name in value}
    return Rule(Method(method), **limits)


def _limit(name: str, value: object) -> float:
    most = 1.0 if name == "least" else float("inf")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"has a {name} that is no number")  # noqa: TRY004 - the file's error
    try:
        number = float(value)
    except OverflowError:  # an int of more than 308 digits
        number = float("inf")
    if not isfinite(number) or not 0 <= number <= most:
        raise ValueError(f"has the {name} {number:g}: give a number from 0{' to 1' if most == 1 else ''}")
    return number
