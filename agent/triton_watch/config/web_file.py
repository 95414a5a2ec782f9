"""Loading a web configuration file, which is in Prometheus's format: TLS, headers, and who may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from triton_watch.config import web_names as names
from triton_watch.config.document import read
from triton_watch.config.errors import ConfigError
from triton_watch.config.findings import Findings, refuse_unusable
from triton_watch.config.problems import sentences, suggestion
from triton_watch.config.web_sections import WebFile, WebHttpSection, WebTlsSection
from triton_watch.config.web_tls import TlsProblemError, server_context
from triton_watch.records import ClientAuth, Pem, ServerTls, WebAccess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from triton_watch.config.errors import Location
    from triton_watch.config.expand import Report

_EMPTY: Final = "is empty: write tls_server_config or basic_auth_users, or {} for neither."
_TLS: Final = "tls_server_config"
_CLIENT_CA: Final = ("client_ca", "client_ca_file")


def load_web(path: Path) -> WebAccess:
    """Load a web configuration file; certificates and keys that it names are tried. Relative paths start at its folder.

    Variables are not replaced, as Prometheus replaces none: a bcrypt hash is full of dollars.

    Raises:
        ConfigUnreadableError: the file cannot be read.
        ConfigError: it is not valid; every problem that could be found at once is listed.

    """
    document = read(path, empty=_EMPTY)
    findings = Findings(document)
    value = {
        name: item for name, item in document.value.items() if item is not None or name not in WebFile.model_fields
    }
    refuse_unusable(value, (), findings.add)
    findings.stop_here()
    try:
        section = WebFile.model_validate(value)
    except ValidationError as error:
        for at, message in sentences(error, WebFile):
            findings.add(at, message)
        raise findings.error() from None
    access = _Builder(path, findings.add).access(section)
    findings.stop_here()
    return access


def report_web(path: Path, at: Location, report: Report) -> WebAccess | None:
    """Load the file that another one names at a location, and report there what is wrong with it."""
    try:
        return load_web(path)
    except ConfigError as error:
        for problem in error.problems:
            report(at, problem.text(error.source))
        return None


@dataclass(frozen=True, slots=True)
class _Builder:
    source: Path
    report: Report

    def access(self, section: WebFile) -> WebAccess:
        http = section.http_server_config or WebHttpSection()
        users = section.basic_auth_users or {}
        self._check_users(users)
        self._check_headers(http.headers)
        return WebAccess(
            source=self.source,
            tls=None if section.tls_server_config is None else self._tls(section.tls_server_config),
            headers=tuple(http.headers.items()),
            users=tuple(users.items()),
            warnings=tuple(_warnings(http, users)),
        )

    def _check_users(self, users: Mapping[str, str]) -> None:
        for name in users:
            if not name or ":" in name or not name.isprintable():
                text = "cannot be a user name: it must be visible characters without a colon."
                self.report(("basic_auth_users", name), text)

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            at = ("http_server_config", "headers", name)
            if name not in names.HEADERS:
                self.report(at, f"is not a header that may be set here: {suggestion(name, list(names.HEADERS))}")
            elif (known := names.HEADERS[name]) and value.lower() not in known:
                self.report(at, f"has a value that browsers do not know: write {' or '.join(known)}.")

    def _tls(self, section: WebTlsSection) -> ServerTls | None:
        tls = ServerTls(
            certificate=self._pem(section.cert, section.cert_file),
            key=self._pem(section.key, section.key_file),
            client_auth=ClientAuth(section.client_auth_type),
            client_ca=self._pem(section.client_ca, section.client_ca_file) if _has_ca(section) else None,
            allowed_sans=tuple(section.client_allowed_sans),
            ciphers=":".join(names.CIPHERS[name] for name in section.cipher_suites if name in names.CIPHERS),
            server_preference=section.prefer_server_cipher_suites,
            min_version=section.min_version,
            max_version=section.max_version or "",
            curve=names.CURVES[section.curve_preferences[0]] if section.curve_preferences else "",
        )
        wrong = list(_contradictions(section))
        for key, sentence in wrong:
            self.report((_TLS, key), sentence)
        try:
            if not wrong:
                server_context(tls)
        except TlsProblemError as error:
            self.report((_TLS, error.key), str(error))
        return tls

    def _pem(self, text: str | None, file: str | None) -> Pem:
        return Pem(text=text or "") if file is None else Pem(file=self.source.parent / file)


def _has_ca(section: WebTlsSection) -> bool:
    return section.client_ca is not None or section.client_ca_file is not None


def _contradictions(section: WebTlsSection) -> list[tuple[str, str]]:
    """What is wrong between settings: the key at fault, and the sentence."""
    wrong = []
    verified = section.client_auth_type != ClientAuth.NONE.value
    if verified and not _has_ca(section):
        text = "needs the authority that signed the certificates of clients: give client_ca_file."
        wrong.append(("client_auth_type", text))
    text = "is not used without client_auth_type: write RequireAndVerifyClientCert there, or delete this."
    given = (*_CLIENT_CA, "client_allowed_sans")
    wrong += [(key, text) for key in given if getattr(section, key) and not verified]
    if section.max_version is not None and section.max_version < section.min_version:
        wrong.append(("max_version", f"is below min_version, which is {section.min_version}: raise it or lower that."))
    only_13 = section.cipher_suites and not set(section.cipher_suites) & names.CIPHERS.keys()
    if only_13 and section.min_version != "TLS13":
        text = "has suites of TLS 1.3 alone, which are always offered: write min_version: TLS13, or name more."
        wrong.append(("cipher_suites", text))
    return wrong


def _warnings(http: WebHttpSection, users: Mapping[str, str]) -> list[str]:
    warnings = []
    if http.http2:
        warnings.append("http_server_config.http2: the agent speaks HTTP/1.1 alone, so that true changes nothing.")
    slow = [(name, int(hashed[4:6])) for name, hashed in users.items() if int(hashed[4:6]) > names.SLOW_COST]
    warnings += [
        f"basic_auth_users.{name}: the hash has cost {cost}, which takes seconds to check: 10 to 12 is usual."
        for name, cost in slow
    ]
    return warnings
