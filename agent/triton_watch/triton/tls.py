"""TLS to a target: the context built from its settings, and what TLS errors mean to a person."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from triton_watch.triton.errors import TlsError

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import TlsSettings

_EXPIRED = 10
_NOT_YET_VALID = 9
_UNKNOWN_CA = frozenset({2, 18, 19, 20, 21})
_WRONG_HOST = frozenset({62, 64})
"""OpenSSL's X509_V_ERR codes: see `man x509_verify`, section DIAGNOSTICS."""

_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH", "RECORD_LAYER")


def tls_context(settings: TlsSettings, socket_class: type[ssl.SSLSocket], url: str) -> ssl.SSLContext:
    """A client context for these settings that makes sockets of `socket_class`.

    Without a CA file the system's CAs are trusted. Raises TlsError when a file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise _bad_file("tls.ca_file", settings.ca_file, error, url) from error
    context.sslsocket_class = socket_class
    context.set_alpn_protocols(["http/1.1"])
    if settings.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file is not None:
        _load_client_certificate(context, settings, url)
    return context


def tls_error(error: OSError, url: str) -> TlsError:
    """What a TLS error means and what to do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"has a certificate that is refused: {_refusal(error)}", url=url)
    reason = getattr(error, "reason", None) or ""
    if reason.startswith(_NOT_TLS):
        hint = "what answers does not speak TLS; if it is plain HTTP, write http:// in the target's URL"
    elif "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        hint = "the server wants a client certificate (or another cipher): set tls.cert_file and tls.key_file"
    elif "ALERT" in reason:
        hint = f"the server refused ({_words(reason)}): check tls.cert_file and the server's TLS settings"
    elif isinstance(error, ssl.SSLEOFError) or not isinstance(error, ssl.SSLError):
        hint = "it closed the connection; if it speaks plain HTTP, write http:// in the target's URL"
    else:
        hint = _words(reason) or str(error)
    return TlsError(f"could not be spoken to in TLS: {hint}", url=url)


def _refusal(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "it has expired; renew the server's certificate"
    if error.verify_code == _NOT_YET_VALID:
        return "it is not valid yet; check both clocks"
    if error.verify_code in _WRONG_HOST:
        return "it is for another host name; use a name that is in it, or issue it anew"
    if error.verify_code in _UNKNOWN_CA:
        return "its CA is not trusted here; give the CA's certificate in tls.ca_file"
    return str(error.verify_message)


def _words(reason: str) -> str:
    return reason.lower().replace("_", " ")


def _load_client_certificate(context: ssl.SSLContext, settings: TlsSettings, url: str) -> None:
    assert settings.cert_file is not None  # noqa: S101 - the caller looked
    try:
        # A password callback, for without one OpenSSL would ask on the terminal, and wait.
        context.load_cert_chain(settings.cert_file, settings.key_file, password=lambda: "")
    except OSError as error:
        raise _bad_file("tls.cert_file or tls.key_file", settings.cert_file, error, url) from error


def _bad_file(setting: str, path: object, error: OSError, url: str) -> TlsError:
    reason = error.strerror or getattr(error, "reason", None) or str(error)
    if isinstance(error, ssl.SSLError):
        reason = "not a PEM file that can be used (a key with a password cannot)"
    message = f"cannot be asked over TLS: {setting} ({path}) could not be read: {reason}"
    return TlsError(message, url=url)


def fingerprint(settings: TlsSettings) -> tuple[object, ...]:
    """What tells one state of the certificate files from another: None for a file that is not there."""
    return tuple(_stat(path) for path in (settings.ca_file, settings.cert_file, settings.key_file) if path)


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)
