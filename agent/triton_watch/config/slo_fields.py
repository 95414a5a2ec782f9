"""The types of settings of the `slo` section, in addition to those of `fields`.

Units after validation: durations are seconds (float), percentages and ratios ratios (float), quantiles text.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema

from triton_watch.config import addresses, units
from triton_watch.config import fields as f
from triton_watch.config.errors import ParseError
from triton_watch.records import Page, SloSli

NAME_PATTERN: Final = r"[a-z][a-z0-9_-]{0,62}"
LABEL_PATTERN: Final = r"[a-zA-Z_][a-zA-Z0-9_]*"
_NUMBER: Final = r"(?:0|1|0?\.\d{1,12}|1\.0+)"
RATIO_PATTERN: Final = rf"{_NUMBER}|{units.PERCENTAGE_PATTERN}"
_QUANTILE_PATTERN: Final = r"0?\.\d{1,12}"
_HOUR, _DAY = 3600.0, 86_400.0
_MOST_EVENTS: Final = 1_000_000_000


def parse_ratio(value: object) -> float:
    """Read `0.5` or `50%` as the ratio 0.5; from 0 to 1. Raises `ParseError`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value <= 1:
            raise ParseError(f"{value} is not a ratio: write a number from 0 to 1, such as 0.5, or a percentage.")
        return float(value)
    if isinstance(value, str) and re.fullmatch(_NUMBER, value, re.ASCII):
        return float(value)
    if isinstance(value, str) and re.fullmatch(units.PERCENTAGE_PATTERN, value, re.ASCII):
        return units.parse_percentage(value)
    shown = f'"{value}" ' if isinstance(value, str) else ""
    raise ParseError(f"{shown}is not a ratio: write a number from 0 to 1, such as 0.5, or a percentage, such as 50%.")


def _objective(value: object) -> float:
    ratio = units.parse_percentage(value)
    if ratio == 1:
        raise ParseError("100% leaves no error budget, so that nothing may ever fail: choose less, such as 99.9%.")
    if ratio == 0:
        raise ParseError("0% is met by anything: choose more, such as 99.9%.")
    return ratio


def _quantile(value: object) -> str:
    """Bring a quantile to the text that Triton serves: the shortest, with a zero in front."""
    text = repr(value) if isinstance(value, float) else value
    if not isinstance(text, str) or not re.fullmatch(_QUANTILE_PATTERN, text, re.ASCII) or not float(text):
        raise ParseError("is not a quantile: write a number between 0 and 1, such as 0.99.")
    return format(float(text), ".12f").rstrip("0")


def between(shortest: float, longest: float) -> BeforeValidator:
    """Make the check of a duration within bounds, in seconds."""

    def check(value: object) -> float:
        seconds = f.positive_duration(value)
        if not shortest <= seconds <= longest:
            low, high = units.format_duration(shortest), units.format_duration(longest)
            raise ParseError(f"{units.format_duration(seconds)} is out of range: choose from {low} to {high}.")
        return seconds

    return BeforeValidator(check)


def _slo_name(text: str) -> str:
    if not re.fullmatch(NAME_PATTERN, text, re.ASCII):
        raise ParseError(
            f'"{text}" is not a name for an objective: use a-z, 0-9, - and _, a letter first, at most 63 in all.'
        )
    return text


def _events(value: int) -> int:
    if not 1 <= value <= _MOST_EVENTS:
        raise ParseError(f"{value} is out of range: choose from 1 to {_MOST_EVENTS}.")
    return value


_SLI, _SLI_SCHEMA = f.choice(*(sli.value for sli in SloSli))
_PAGE, _PAGE_SCHEMA = f.choice(*(page.value for page in Page))
_DURATION = f.form("duration", units.DURATION_PATTERN)

SloName: TypeAlias = Annotated[str, AfterValidator(_slo_name), f.form("name", NAME_PATTERN)]
Sli: TypeAlias = Annotated[str, _SLI, _SLI_SCHEMA]
Severity: TypeAlias = Annotated[str, _PAGE, _PAGE_SCHEMA]
Objective: TypeAlias = Annotated[
    float, BeforeValidator(_objective), f.form("percentage", r"(?!100|0+(?:\.0+)?%)" + units.PERCENTAGE_PATTERN)
]
Period: TypeAlias = Annotated[float, between(_HOUR, 366 * _DAY), _DURATION]
Flush: TypeAlias = Annotated[float, between(1.0, 600.0), _DURATION]
Patience: TypeAlias = Annotated[float, between(1.0, 366 * _DAY), _DURATION]
Ratio: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_ratio),
    WithJsonSchema(
        {
            "anyOf": [
                {"title": "ratio", "type": "number", "minimum": 0, "maximum": 1},
                {"title": "percentage", "type": "string", "pattern": f"^(?:{RATIO_PATTERN})$|{f.REFERENCE}"},
            ]
        }
    ),
]
Quantile: TypeAlias = Annotated[
    str,
    BeforeValidator(_quantile),
    WithJsonSchema(
        {
            "anyOf": [
                {"title": "quantile", "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                {"title": "quantile", "type": "string", "pattern": f"^(?:{_QUANTILE_PATTERN})$|{f.REFERENCE}"},
            ]
        }
    ),
]
Globs: TypeAlias = Annotated[
    list[f.Text],
    Field(min_length=1),
    BeforeValidator(f.one_or_more),
    WithJsonSchema({"anyOf": [f.TEXT, {"type": "array", "items": f.TEXT, "minItems": 1}]}),
]
Events: TypeAlias = Annotated[
    int,
    Strict(),
    BeforeValidator(f.whole_number),
    AfterValidator(_events),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": _MOST_EVENTS},
                {"type": "string", "pattern": f.REFERENCE},
            ]
        }
    ),
]
PrometheusUrl: TypeAlias = Annotated[
    str,
    AfterValidator(addresses.prometheus_url),
    f.form("http or https URL", r"[Hh][Tt][Tt][Pp][Ss]?://[^@?#\s]+"),
]
