"""The types of settings: what a value must be, what it becomes, and how the JSON Schema says so.

Units after validation: durations are seconds (float), sizes bytes (int), percentages ratios (float).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Strict, WithJsonSchema

from triton_watch.config import addresses, units
from triton_watch.config.errors import ParseError
from triton_watch.config.expand import Expanded

REFERENCE: Final = r"\$\{"
"""An editor's schema must accept `${NAME}` wherever the loader would."""
HEADER_NAME: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
"""A token of RFC 9110, section 5.6.2."""
_MIN_INTERVAL, _MAX_INTERVAL = 0.1, 86_400.0


def form(kind: str, pattern: str) -> WithJsonSchema:
    """Describe text of one form; in the documentation `kind` stands for the pattern."""
    return WithJsonSchema({"title": kind, "type": "string", "pattern": f"^(?:{pattern})$|{REFERENCE}"})


def positive_duration(value: object) -> float:
    """Read a duration above 0; seconds. Raises `ParseError`."""
    seconds = units.parse_duration(value)
    if seconds <= 0:
        raise ParseError("is zero: give a time longer than 0s.")
    return seconds


def _interval(value: object) -> float:
    seconds = positive_duration(value)
    if not _MIN_INTERVAL <= seconds <= _MAX_INTERVAL:
        raise ParseError(f"{units.format_duration(seconds)} is out of range: choose from 100ms to 1d.")
    return seconds


def _positive_size(value: object) -> int:
    size = units.parse_size(value)
    if size <= 0:
        raise ParseError("is zero: give at least 1B.")
    return size


def filled(text: str) -> str:
    """Check text that must not be empty, on one line. Raises `ParseError`."""
    if not text.strip():
        raise ParseError("is empty: give a value or delete the line.")
    if not text.isprintable():
        raise ParseError("has a control character: write visible characters on one line.")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"\S(?:.{0,198}\S)?", text) or not text.isprintable():
        raise ParseError("is not a name: use 1 to 200 visible characters, without spaces at the ends.")
    return text


def _gpu(text: str) -> str:
    if not re.fullmatch(r"(?:GPU|MIG)-[0-9A-Za-z/-]{4,100}", text, re.ASCII):
        raise ParseError(f'"{text}" is not the UUID of a GPU: copy it from the output of nvidia-smi -L (GPU-...).')
    return text


def _listen(text: str) -> str:
    addresses.listen(text)
    return text


def _user(text: str) -> str:
    if ":" in text or not text.isprintable() or not text:
        raise ParseError("cannot be a user name: it must be visible characters without a colon.")
    return text


def header_value(text: str) -> str:
    """Check the value of an HTTP header; its text is never in the message. Raises `ParseError`."""
    if not text or text != text.strip() or not text.isascii() or not text.isprintable():
        raise ParseError("is not a header value: it must be visible ASCII characters on one line.")
    return text


def password(text: str) -> str:
    """Check a password; its text is never in the message. Raises `ParseError`."""
    if not text or not text.isprintable():
        raise ParseError("is not a password: it is empty or has a control character.")
    return text


def bearer_token(text: str) -> str:
    """Check a bearer token; its text is never in the message. Raises `ParseError`."""
    if not re.fullmatch(r"[!-~]+", text):
        raise ParseError("is not a bearer token: it must be visible ASCII characters without a space.")
    return text


def whole_number(value: object) -> object:
    """Turn digits from the environment into a number; leave anything else to the next check."""
    return int(value) if isinstance(value, Expanded) and re.fullmatch(r"\d{1,9}", value, re.ASCII) else value


def _truth(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, Expanded) else value


def _release(text: str) -> str:
    if not re.fullmatch(r"\d{2}\.(?:0[1-9]|1[0-2])", text, re.ASCII):
        raise ParseError(f'"{text}" is no release of Triton: write year and month in quotes, such as "24.10".')
    return text


def one_or_more(value: object) -> object:
    """Make a list of a single text."""
    return [value] if isinstance(value, str) else value


def choice(*choices: str) -> tuple[AfterValidator, WithJsonSchema]:
    """Make the check and the schema of one word out of several."""

    def check(text: str) -> str:
        if text not in choices:
            raise ParseError(f'"{text}" is not one of {", ".join(choices)}.')
        return text

    schema: dict[str, Any] = {"anyOf": [{"enum": list(choices)}, {"type": "string", "pattern": REFERENCE}]}
    return AfterValidator(check), WithJsonSchema(schema)


def whole_between(least: int, most: int, *, problem: str = "out of range") -> tuple[AfterValidator, WithJsonSchema]:
    """Make the check and the schema of a number without fraction; `problem` is what one outside is."""

    def check(value: int) -> int:
        if not least <= value <= most:
            raise ParseError(f"{value} is {problem}: choose from {least} to {most}.")
        return value

    number = {"type": "integer", "minimum": least, "maximum": most}
    return AfterValidator(check), WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": REFERENCE}]})


TEXT: Final = {"type": "string", "minLength": 1}
_LEVEL, _LEVEL_SCHEMA = choice("debug", "info", "warning", "error")
_FORMAT, _FORMAT_SCHEMA = choice("text", "json")
_THREADS, _THREADS_SCHEMA = whole_between(1, 1024)
_GPU_COUNT, _GPU_COUNT_SCHEMA = whole_between(0, 1024)
_FAIL_ON, _FAIL_ON_SCHEMA = choice("error", "warning", "info", "never")
_PROFILE, _PROFILE_SCHEMA = choice("production", "dev")

Text: TypeAlias = Annotated[str, AfterValidator(filled), WithJsonSchema(TEXT)]
Name: TypeAlias = Annotated[str, AfterValidator(_name), WithJsonSchema({**TEXT, "maxLength": 200})]
Duration: TypeAlias = Annotated[float, BeforeValidator(positive_duration), form("duration", units.DURATION_PATTERN)]
Interval: TypeAlias = Annotated[float, BeforeValidator(_interval), form("duration", units.DURATION_PATTERN)]
Percentage: TypeAlias = Annotated[
    float, BeforeValidator(units.parse_percentage), form("percentage", units.PERCENTAGE_PATTERN)
]
Size: TypeAlias = Annotated[int, BeforeValidator(_positive_size), form("size", units.SIZE_PATTERN)]
HttpUrl: TypeAlias = Annotated[
    str, AfterValidator(addresses.http_url), form("http or https URL", r"[Hh][Tt][Tt][Pp][Ss]?://[^@?#\s]+")
]
MetricsUrl: TypeAlias = Annotated[
    str,
    AfterValidator(addresses.metrics_url),
    form("http or https URL", r"[Hh][Tt][Tt][Pp][Ss]?://[^@?#\s]+"),
]
Host: TypeAlias = Annotated[
    str, AfterValidator(addresses.host), form("host name or IP address", r"[A-Za-z0-9_.:%\[\]-]+")
]
GrpcAddress: TypeAlias = Annotated[
    str,
    AfterValidator(addresses.grpc_address),
    form("host:port or grpcs://host:port", r"(?:[Gg][Rr][Pp][Cc][Ss]?://)?[^/@\s]+:\d{1,5}"),
]
Gpu: TypeAlias = Annotated[str, AfterValidator(_gpu), form("UUID of a GPU", r"(?:GPU|MIG)-[0-9A-Za-z/-]+")]
UserName: TypeAlias = Annotated[str, AfterValidator(_user), WithJsonSchema(TEXT)]
Password: TypeAlias = Annotated[str, AfterValidator(password), WithJsonSchema(TEXT)]
BearerToken: TypeAlias = Annotated[str, AfterValidator(bearer_token), WithJsonSchema(TEXT)]
HeaderText: TypeAlias = Annotated[str, AfterValidator(header_value), WithJsonSchema(TEXT)]
Listen: TypeAlias = Annotated[str, AfterValidator(_listen), form("host:port", r"[^/@\s]+:\d{1,5}")]
LogLevel: TypeAlias = Annotated[str, _LEVEL, _LEVEL_SCHEMA]
LogFormat: TypeAlias = Annotated[str, _FORMAT, _FORMAT_SCHEMA]
Threads: TypeAlias = Annotated[int, Strict(), BeforeValidator(whole_number), _THREADS, _THREADS_SCHEMA]
GpuCount: TypeAlias = Annotated[int, Strict(), BeforeValidator(whole_number), _GPU_COUNT, _GPU_COUNT_SCHEMA]
Release: TypeAlias = Annotated[str, AfterValidator(_release), form("release, as in 24.10", r"\d{2}\.(0[1-9]|1[0-2])")]
FailOn: TypeAlias = Annotated[str, _FAIL_ON, _FAIL_ON_SCHEMA]
Profile: TypeAlias = Annotated[str, _PROFILE, _PROFILE_SCHEMA]
Truth: TypeAlias = Annotated[
    bool,
    BeforeValidator(_truth),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": REFERENCE}]}),
]
Paths: TypeAlias = Annotated[
    list[Text],
    BeforeValidator(one_or_more),
    WithJsonSchema({"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}),
]
