"""The types of settings that `discovery` alone has."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import PurePath
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Strict, WithJsonSchema

from triton_watch.config import addresses
from triton_watch.config.errors import ParseError
from triton_watch.config.fields import REFERENCE, choice, filled, form, one_or_more, whole_between, whole_number

DNS_PORT: Final = 53
ENDINGS: Final = (".yaml", ".yml", ".json")
_DNS_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*\.?"
_GLOB = re.compile(r"[*?\[]")


def _dns_name(text: str) -> str:
    if _is_address(text):
        raise ParseError(f'"{text}" is an address, which needs no look-up: write it under targets, as host.')
    if re.fullmatch(r"[^:/]+:\d+", text):
        raise ParseError(f'"{text}" has a port: write it under port.')
    if not re.fullmatch(_DNS_NAME, text, re.ASCII) or len(text.rstrip(".")) > 253:
        raise ParseError(f'"{text}" is not a DNS name: write it like triton-pods.triton.svc.cluster.local.')
    return text


def _is_address(text: str) -> bool:
    try:
        ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def dns_server(text: str) -> tuple[str, int]:
    """Read the IP address of a DNS server, and its port where that is not 53. Raises `ParseError`."""
    if _is_address(text):
        return text.removeprefix("[").removesuffix("]"), DNS_PORT
    host, port = addresses.host_port(text, example="10.96.0.10:53")
    if not _is_address(host):
        raise ParseError(f'"{text}" has no IP address: the DNS server is not looked up by name.')
    return host, port


def _server(text: str) -> str:
    dns_server(text)
    return text


def _pattern(text: str) -> str:
    path = PurePath(filled(text))
    if _GLOB.search(str(path.parent)):
        raise ParseError(f'"{text}" has * or ? in a folder: they can only be in the last part.')
    if not path.name.endswith(ENDINGS):
        raise ParseError(f'"{text}" does not end in .yaml, .yml or .json: the end says how a file is read.')
    return text


_RECORD, _RECORD_SCHEMA = choice("A", "AAAA", "SRV")
_SCHEME, _SCHEME_SCHEMA = choice("http", "https")
_PORT, _PORT_SCHEMA = whole_between(1, 65535, problem="not a port")

DnsName: TypeAlias = Annotated[str, AfterValidator(_dns_name), form("DNS name", _DNS_NAME)]
DnsServer: TypeAlias = Annotated[
    str, AfterValidator(_server), form("IP address or address:port", r"[0-9A-Fa-f.:\[\]]+")
]
RecordName: TypeAlias = Annotated[str, _RECORD, _RECORD_SCHEMA]
Scheme: TypeAlias = Annotated[str, _SCHEME, _SCHEME_SCHEMA]
_PATTERN_SCHEMA = {"type": "string", "pattern": rf"\.(?:yaml|yml|json)$|{REFERENCE}"}
Pattern: TypeAlias = Annotated[str, AfterValidator(_pattern), WithJsonSchema(_PATTERN_SCHEMA)]
Patterns: TypeAlias = Annotated[
    list[Pattern],
    BeforeValidator(one_or_more),
    WithJsonSchema({"anyOf": [_PATTERN_SCHEMA, {"type": "array", "items": _PATTERN_SCHEMA, "minItems": 1}]}),
]
Port: TypeAlias = Annotated[int, Strict(), BeforeValidator(whole_number), _PORT, _PORT_SCHEMA]
