"""A web configuration file, in Prometheus's format, as pydantic models: strict, no unknown key.

docs/operations.md says what the settings mean; their names are Prometheus's.
"""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field

from triton_watch.config import fields as f
from triton_watch.config import web_names as names
from triton_watch.config.errors import ParseError
from triton_watch.config.problems import suggestion
from triton_watch.config.sections import Section
from triton_watch.records import ClientAuth

_HASH: Final = r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}"


def _one_of(*known: str) -> AfterValidator:
    def check(text: str) -> str:
        if text not in known:
            raise ParseError(f'"{text[:60]}" is not known: {suggestion(text, known)}')
        return text

    return AfterValidator(check)


def _client_auth(text: str) -> str:
    if text in names.UNVERIFIED:
        raise ParseError(
            f"{text} takes a certificate that nobody verified, which is not done here: "
            "write VerifyClientCertIfGiven or RequireAndVerifyClientCert."
        )
    return text


def _version(text: str) -> str:
    if text in names.OLD_VERSIONS:
        raise ParseError(f"{text} is no longer safe and is not spoken here: write TLS12 or TLS13.")
    return text


def _hash(text: str) -> str:
    """Check a bcrypt hash; its text is never in the message."""
    found = re.fullmatch(_HASH, text, re.ASCII)
    if found is None or not 4 <= int(found[1]) <= 31:
        raise ParseError('is not a bcrypt hash: make one with htpasswd -nBC 10 "" and write what follows the colon.')
    if int(found[1]) > names.MOST_COST:
        raise ParseError(f"has cost {int(found[1])}, so that a check takes longer than a scrape: make one of cost 10.")
    return text


def _one_curve(curves: list[str]) -> list[str]:
    if len(curves) > 1:
        raise ParseError("has several curves, and Python's ssl takes one or its own choice: keep one or none.")
    return curves


Hash: TypeAlias = Annotated[str, AfterValidator(_hash)]
ClientAuthType: TypeAlias = Annotated[str, AfterValidator(_client_auth), _one_of(*(each.value for each in ClientAuth))]
Version: TypeAlias = Annotated[str, AfterValidator(_version), _one_of(*names.VERSIONS)]
Cipher: TypeAlias = Annotated[str, _one_of(*names.CIPHERS, *sorted(names.TLS13_CIPHERS))]
Curve: TypeAlias = Annotated[str, _one_of(*names.CURVES)]


class WebTlsSection(Section):
    """How TLS is spoken, and which clients may."""

    needed = (("cert", "cert_file"), ("key", "key_file"))
    exclusive = (("client_ca", "client_ca_file"),)
    cert: str | None = None
    cert_file: f.Text | None = None
    key: str | None = None
    key_file: f.Text | None = None
    client_auth_type: ClientAuthType = ClientAuth.NONE.value
    client_ca: str | None = None
    client_ca_file: f.Text | None = None
    client_allowed_sans: list[f.Text] = Field(default=[])
    cipher_suites: list[Cipher] = Field(default=[])
    prefer_server_cipher_suites: bool = True
    min_version: Version = "TLS12"
    max_version: Version | None = None
    curve_preferences: Annotated[list[Curve], AfterValidator(_one_curve)] = Field(default=[])


class WebHttpSection(Section):
    """How HTTP is spoken."""

    http2: bool = False
    headers: dict[str, f.HeaderText] = Field(default={})


class WebFile(Section):
    """A web configuration file."""

    tls_server_config: WebTlsSection | None = None
    http_server_config: WebHttpSection | None = None
    basic_auth_users: dict[str, Hash] | None = None
