"""The types of settings of the `alerts` section, in addition to those of `fields`, `slo_fields` and `canary_fields`.

Units after validation: durations are seconds (float); a threshold is a number, a percentage a ratio.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from triton_watch.config import addresses, units
from triton_watch.config import canary_fields as c
from triton_watch.config import fields as f
from triton_watch.config import slo_fields as s
from triton_watch.config.errors import ParseError
from triton_watch.config.expand import Expanded
from triton_watch.conventions.alerts import RESERVED_LABELS
from triton_watch.records import AlertMode, AlertSeverity

OFF: Final = "off"
LABEL_NAME: Final = r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*"
"""Names with two underscores in front are Prometheus's own."""
_URL: Final = r"[Hh][Tt][Tt][Pp][Ss]?://[^@?#\s]+"
_TEMPLATE: Final = r"[Hh][Tt][Tt][Pp][Ss]?://\S+"
_SHORTEST_RESEND, _LONGEST_RESEND = 1.0, 3600.0
_SHORTEST_CHECK, _DAY = 10.0, 86_400.0
_OVER_ALL: Final = r"[1-9]\d{2,14}(?:\.\d{1,9})?%"
_VARIABLE: Final = {"type": "string", "pattern": f.REFERENCE}
_YAMLS_OFF: Final = {"const": False}
"""What YAML makes of `off` without quotes."""


def _off(value: object) -> object:
    """Read `off` as people write it: YAML takes it for false, as it takes `on` for true."""
    if value is True:
        raise ParseError(f"is not one of {', '.join(mode.value for mode in AlertMode)}.")
    return OFF if value is False else value


def _config_check(value: object) -> float | str:
    if value is False or value == OFF:
        return OFF
    try:
        seconds = f.positive_duration(value)
    except ParseError as error:
        raise ParseError(f"{str(error).removesuffix('.')}, or off.") from None
    if not _SHORTEST_CHECK <= seconds <= _DAY:
        raise ParseError(f"{units.format_duration(seconds)} is out of range: choose from 10s to 1d, or off.")
    return seconds


def _threshold(value: object) -> float:
    if isinstance(value, str) and re.fullmatch(units.PERCENTAGE_PATTERN, value, re.ASCII):
        return units.parse_percentage(value)
    if isinstance(value, str) and re.fullmatch(_OVER_ALL, value, re.ASCII):
        times = float(value[:-1]) / 100
        raise ParseError(f'"{value}" is above 100%: for a threshold in multiples write {times:.12g}.')
    if isinstance(value, Expanded) and re.fullmatch(r"\d{1,15}(?:\.\d{1,12})?", value, re.ASCII):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParseError("is not a threshold: write a number, such as 4, or a percentage, such as 90%.")
    if not math.isfinite(value) or value < 0:
        raise ParseError(f"{value} is no threshold: choose a number from 0 on.")
    return float(c.checked_number(value))


def _template(*placeholders: str) -> AfterValidator:
    return AfterValidator(lambda text: addresses.url_template(text, *placeholders))


_MODE, _ = f.choice(*(mode.value for mode in AlertMode))
_SEVERITY, _SEVERITY_SCHEMA = f.choice(*(severity.value for severity in AlertSeverity))
_POLLS, _POLLS_SCHEMA = c.whole(1, 100)
_DURATION: Final = f.form("duration", units.DURATION_PATTERN)

Mode: TypeAlias = Annotated[
    str,
    BeforeValidator(_off),
    _MODE,
    WithJsonSchema({"anyOf": [{"enum": [mode.value for mode in AlertMode]}, _YAMLS_OFF, _VARIABLE]}),
]
Severity: TypeAlias = Annotated[str, _SEVERITY, _SEVERITY_SCHEMA]
Resend: TypeAlias = Annotated[float, s.between(_SHORTEST_RESEND, _LONGEST_RESEND), _DURATION]
ConfigCheck: TypeAlias = Annotated[
    float | Literal["off"],
    BeforeValidator(_config_check),
    WithJsonSchema(
        {
            "anyOf": [
                {"title": "duration", "type": "string", "pattern": f"^(?:{units.DURATION_PATTERN})$|{f.REFERENCE}"},
                {"enum": [OFF]},
                _YAMLS_OFF,
            ]
        }
    ),
]
Polls: TypeAlias = Annotated[int, _POLLS, _POLLS_SCHEMA]
Threshold: TypeAlias = Annotated[
    float,
    BeforeValidator(_threshold),
    WithJsonSchema(
        {
            "anyOf": [
                {"title": "number", "type": "number", "minimum": 0},
                {"title": "percentage", "type": "string", "pattern": f"^(?:{units.PERCENTAGE_PATTERN})$|{f.REFERENCE}"},
            ]
        }
    ),
]
PublicUrl: TypeAlias = Annotated[str, AfterValidator(addresses.public_url), f.form("http or https URL", _URL)]
RunbookUrl: TypeAlias = Annotated[str, _template("alert"), f.form("http or https URL", _TEMPLATE)]
DashboardUrl: TypeAlias = Annotated[
    str, _template("dashboard", "target", "model"), f.form("http or https URL", _TEMPLATE)
]
AlertmanagerUrl: TypeAlias = Annotated[
    str, AfterValidator(addresses.alertmanager_url), f.form("http or https URL", _URL)
]
Labels: TypeAlias = dict[str, f.Text]
LABELS_SCHEMA: Final[dict[str, Any]] = {
    "propertyNames": {"pattern": f"^{LABEL_NAME}$", "not": {"enum": list(RESERVED_LABELS)}}
}
