"""The types of settings of the `canary` section, in addition to those of `fields` and `slo_fields`.

Units after validation: durations are seconds (float), the jitter is a ratio.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from triton_watch.config import fields as f
from triton_watch.config import slo_fields as s
from triton_watch.config import units
from triton_watch.config.errors import ParseError
from triton_watch.records import Protocol

LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**64 - 1
"""No datatype and no parameter of Triton holds a whole number outside of these."""
OWN_PARAMETERS: Final = ("sequence_id", "sequence_start", "sequence_end")
"""A sequence with a number of somebody's choosing could be a client's."""
_DAY: Final = 86_400.0
_MOST_JITTER: Final = 0.5
_MOST: Final = 1_000_000


def checked_number(value: float, instead: str = "") -> float:
    """Refuse what neither JSON nor an integer of 64 bits can hold. Raises `ParseError`.

    `instead` is what else can be done about a number that is not finite.
    """
    if isinstance(value, int) and not LEAST_INTEGER <= value <= MOST_INTEGER:
        raise ParseError(f"{value:.3g} does not fit into 64 bits: choose a smaller number.".replace("+", ""))
    if not math.isfinite(value):
        raise ParseError(f"{value} is no finite number: choose one that is{instead}.")
    return value


def whole(least: int, most: int) -> tuple[BeforeValidator, WithJsonSchema]:
    """Make the check and the schema of a whole number within bounds."""

    def check(value: object) -> object:
        number = f.whole_number(value)
        if isinstance(number, int) and not isinstance(number, bool) and not least <= number <= most:
            raise ParseError(f"{number} is out of range: choose from {least} to {most}.")
        return number

    integer = {"type": "integer", "minimum": least, "maximum": most}
    schema: dict[str, Any] = {"anyOf": [integer, {"type": "string", "pattern": f.REFERENCE}]}
    return BeforeValidator(check), WithJsonSchema(schema)


def _delay(value: object) -> float:
    seconds = units.parse_duration(value)
    if seconds > _DAY:
        raise ParseError(f"{units.format_duration(seconds)} is out of range: choose from 0s to 1d.")
    return seconds


def _jitter(value: object) -> float:
    ratio = s.parse_ratio(value)
    if ratio > _MOST_JITTER:
        raise ParseError(f"{units.format_percentage(ratio)} is out of range: choose from 0% to 50%.")
    return ratio


def _parameter(value: object) -> object:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return checked_number(value)
    raise ParseError("is not a parameter: write text, a number, or true or false.")


def _not_our_own(parameters: dict[str, Any]) -> dict[str, Any]:
    for name in parameters:
        if name in OWN_PARAMETERS:
            raise ParseError(f"has {name}, which the canary chooses itself: delete it.")
        if not name:
            raise ParseError("has a parameter without a name: give it one.")
    return parameters


_PROTOCOL, _PROTOCOL_SCHEMA = f.choice(*(protocol.value for protocol in Protocol))
_SOME, _SOME_SCHEMA = whole(1, _MOST)
_ANY, _ANY_SCHEMA = whole(0, _MOST)
_PLACES, _PLACES_SCHEMA = whole(1, 64)
_RUNS, _RUNS_SCHEMA = whole(1, 20)
_DIMENSION, _DIMENSION_SCHEMA = whole(0, 2**31 - 1)

Interval: TypeAlias = Annotated[float, s.between(1.0, _DAY), f.form("duration", units.DURATION_PATTERN)]
Delay: TypeAlias = Annotated[float, BeforeValidator(_delay), f.form("duration", units.DURATION_PATTERN)]
Jitter: TypeAlias = Annotated[
    float,
    BeforeValidator(_jitter),
    WithJsonSchema(
        {
            "anyOf": [
                {"title": "percentage", "type": "string", "pattern": f"^(?:{s.RATIO_PATTERN})$|{f.REFERENCE}"},
                {"title": "ratio", "type": "number", "minimum": 0, "maximum": _MOST_JITTER},
            ]
        }
    ),
]
Some: TypeAlias = Annotated[int, _SOME, _SOME_SCHEMA]
AnyNumber: TypeAlias = Annotated[int, _ANY, _ANY_SCHEMA]
Places: TypeAlias = Annotated[int, _PLACES, _PLACES_SCHEMA]
Runs: TypeAlias = Annotated[int, _RUNS, _RUNS_SCHEMA]
Dimension: TypeAlias = Annotated[int, _DIMENSION, _DIMENSION_SCHEMA]
ProtocolName: TypeAlias = Annotated[str, _PROTOCOL, _PROTOCOL_SCHEMA]
Exclusions: TypeAlias = Annotated[
    list[f.Text],
    BeforeValidator(f.one_or_more),
    WithJsonSchema({"anyOf": [f.TEXT, {"type": "array", "items": f.TEXT}]}),
]
Parameter: TypeAlias = Annotated[
    Any,
    BeforeValidator(_parameter),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}),
]
Parameters: TypeAlias = Annotated[dict[str, Parameter], AfterValidator(_not_our_own)]
