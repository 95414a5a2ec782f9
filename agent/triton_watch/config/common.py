"""What `defaults` and a target share, resolved: secrets read, headers checked, files found, then merged."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from triton_watch.config import fields, files
from triton_watch.config.errors import Location, ParseError
from triton_watch.records import Credentials, TlsSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.config.expand import Report
    from triton_watch.config.sections import (
        BasicAuthSection,
        HeaderSection,
        HttpSection,
        RestrictedSection,
        TlsSection,
    )
    from triton_watch.config.server_sections import CommonSection

_RESERVED = frozenset({"connection", "content-length", "transfer-encoding"})
"""Headers that belong to the connection: a wrong one breaks every request."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Common:
    """Resolved settings of one section; None where it has none. Seconds, bytes; headers as name and value."""

    interval: float | None = None
    connect: float | None = None
    read: float | None = None
    total: float | None = None
    body_limit: int | None = None
    headers: tuple[tuple[str, str], ...] | None = None
    login: Credentials | None = None
    """User name and password, or the bearer token; nothing else of it is used."""
    restricted: tuple[str, str] | None = None
    tls: TlsSettings | None = None

    def over(self, base: Common) -> Common:
        """Fill in what is None here from `base`; each timeout by itself, everything else whole."""
        return replace(base, **{name: value for name in self.__slots__ if (value := getattr(self, name)) is not None})

    def credentials(self) -> Credentials:
        """Put together what is sent with each request."""
        return replace(self.login or Credentials(), headers=self.headers or (), restricted_header=self.restricted)


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves sections. Relative paths start at `base`; problems go to `report` with their location."""

    base: Path
    report: Report

    def common(self, section: CommonSection, at: Location) -> Common:
        """Resolve a section; what has a problem is None."""
        timeouts = section.timeouts
        return Common(
            interval=section.interval,
            connect=timeouts.connect if timeouts else None,
            read=timeouts.read if timeouts else None,
            total=timeouts.total if timeouts else None,
            body_limit=section.body_limit,
            restricted=self._restricted(section.restricted_api, (*at, "restricted_api")),
        ).over(self.access(section, at))

    def access(self, section: HttpSection, at: Location) -> Common:
        """Resolve what any server is asked with: headers, login and TLS; what has a problem is None."""
        return Common(
            headers=self._headers(section.headers, (*at, "headers")),
            login=self._login(section, at),
            tls=self._tls(section.tls, (*at, "tls")),
        )

    def refuse_clashes(self, common: Common, at: Location) -> None:
        """Report headers that say what another setting says."""
        names = {name.lower() for name, _ in common.headers or ()}
        if common.login is not None and "authorization" in names:
            text = "has Authorization beside basic_auth or a bearer token: keep one of them."
            self.report((*at, "headers"), text)
        if common.restricted is not None and common.restricted[0].lower() in names:
            self.report((*at, "restricted_api", "header"), "is among headers too: keep one of them.")

    def attempt(self, at: Location, action: Callable[[], T]) -> T | None:
        """Return what an action makes; None where it raises `ParseError`, which is reported."""
        try:
            return action()
        except ParseError as error:
            self.report(at, str(error))
            return None

    def _secret(self, text: str | None, file: str | None, check: Callable[[str], str], at: Location) -> str | None:
        """Return the text, or the checked content of the file; `at` is the setting of the file."""
        if file is None:
            return text
        path = self.base / file

        def action() -> str:
            content = files.read_secret(path)
            try:
                return check(content)
            except ParseError as error:
                raise ParseError(f"the content of {path} {error}") from error

        return self.attempt(at, action)

    def _login(self, section: HttpSection, at: Location) -> Credentials | None:
        if section.basic_auth is not None:
            return self._basic(section.basic_auth, (*at, "basic_auth"))
        file = (*at, "bearer_token_file")
        token = self._secret(section.bearer_token, section.bearer_token_file, fields.bearer_token, file)
        return None if token is None else Credentials(bearer_token=token)

    def _basic(self, section: BasicAuthSection, at: Location) -> Credentials:
        password = self._secret(section.password, section.password_file, fields.password, (*at, "password_file"))
        return Credentials(username=section.username, password=password)

    def _headers(self, section: dict[str, HeaderSection] | None, at: Location) -> tuple[tuple[str, str], ...] | None:
        if section is None:
            return None
        pairs = [(name, self._header(name, value, (*at, name))) for name, value in section.items()]
        seen: dict[str, str] = {}
        for name in section:
            if name.lower() in seen:
                self.report((*at, name), f"is the same header as {seen[name.lower()]}: keep one.")
            seen[name.lower()] = name
        return tuple((name, value) for name, value in pairs if value is not None)

    def _header(self, name: str, value: HeaderSection, at: Location) -> str | None:
        self.attempt(at, lambda: _header_name(name))
        return self._secret(value.value, value.value_file, fields.header_value, (*at, "value_file"))

    def _restricted(self, section: RestrictedSection | None, at: Location) -> tuple[str, str] | None:
        if section is None:
            return None
        name = self.attempt((*at, "header"), lambda: _header_name(section.header))
        value = self._secret(section.value, section.value_file, fields.header_value, (*at, "value_file"))
        return None if name is None or value is None else (name, value)

    def _tls(self, section: TlsSection | None, at: Location) -> TlsSettings | None:
        if section is None:
            return None
        return TlsSettings(
            ca_file=self._file(section.ca_file, (*at, "ca_file")),
            cert_file=self._file(section.cert_file, (*at, "cert_file")),
            key_file=self._file(section.key_file, (*at, "key_file")),
            insecure_skip_verify=bool(section.insecure_skip_verify),
        )

    def _file(self, name: str | None, at: Location) -> Path | None:
        return None if name is None else self.attempt(at, lambda: files.existing(self.base / name))


def _header_name(name: str) -> str:
    if not re.fullmatch(fields.HEADER_NAME, name):
        raise ParseError("is not the name of a header: use letters, digits and dashes.")
    if name.lower() in _RESERVED:
        raise ParseError("is a header that the HTTP connection sets itself: delete it.")
    return name
