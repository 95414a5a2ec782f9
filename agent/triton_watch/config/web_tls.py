"""A TLS context for the agent's own server, from what the web configuration says. No pydantic here."""

from __future__ import annotations

import contextlib
import os
import ssl
from typing import TYPE_CHECKING, Final

from triton_watch.config import files
from triton_watch.config.errors import ParseError
from triton_watch.config.web_names import VERSIONS
from triton_watch.records import ClientAuth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.records import Pem, ServerTls

_VERIFY = {
    ClientAuth.NONE: ssl.CERT_NONE,
    ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}
_OTHER_KIND: Final = "NO_CERTIFICATE_ASSIGNED"
"""What OpenSSL says of a good key where the certificate has one of another kind: RSA beside EC."""


class TlsProblemError(ParseError):
    """TLS cannot be spoken like this. `key` is the setting below `tls_server_config` that is at fault."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


def server_context(tls: ServerTls) -> ssl.SSLContext:
    """A server's context; files are read now. Raises `TlsProblemError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[tls.min_version]
    if tls.max_version:
        context.maximum_version = VERSIONS[tls.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    if not tls.server_preference:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    if tls.ciphers:
        _choose_ciphers(context, tls.ciphers)
    if tls.curve:
        _choose_curve(context, tls.curve)
    _load_pair(context, tls)
    if tls.client_ca is not None:
        _load_client_ca(context, tls.client_ca)
    context.verify_mode = _VERIFY[tls.client_auth]
    return context


def _choose_ciphers(context: ssl.SSLContext, ciphers: str) -> None:
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError as error:
        text = "has no suite that this machine's OpenSSL offers: name others, or delete the setting."
        raise TlsProblemError("cipher_suites", text) from error


def _choose_curve(context: ssl.SSLContext, curve: str) -> None:
    try:
        context.set_ecdh_curve(curve)
    except (ssl.SSLError, ValueError) as error:  # X25519 with Python 3.10
        text = "is a curve that this Python's ssl cannot choose: name another, or delete the setting."
        raise TlsProblemError("curve_preferences", text) from error


def _load_pair(context: ssl.SSLContext, tls: ServerTls) -> None:
    cert_key, key_key = _named("cert", tls.certificate), _named("key", tls.key)
    certificate, key = _content(tls.certificate, cert_key), _content(tls.key, key_key)
    _refuse_no_certificate(certificate, cert_key)
    if "PRIVATE KEY-----" not in key:
        raise TlsProblemError(key_key, "holds no private key: give one in PEM, which begins with -----BEGIN.")
    if "ENCRYPTED" in key:
        raise TlsProblemError(key_key, "is a key with a password, which cannot be used: give it without one.")
    try:
        with _as_file(certificate) as one, _as_file(key) as other:
            # A password callback, for without one OpenSSL would ask on the terminal, and wait.
            context.load_cert_chain(one, other, password=lambda: "")
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or "") or error.reason == _OTHER_KIND:
            text = f"is not the key of the certificate in {cert_key}: give the two that belong together."
            raise TlsProblemError(key_key, text) from error
        if error.reason in ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):
            text = "is too weak for OpenSSL here: issue it anew with a key of 2048 bits or more and SHA-256."
            raise TlsProblemError(cert_key, text) from error
        raise TlsProblemError(
            key_key, "is not a private key that can be used: give an RSA or EC key in PEM."
        ) from error


def _load_client_ca(context: ssl.SSLContext, client_ca: Pem) -> None:
    key = _named("client_ca", client_ca)
    content = _content(client_ca, key)
    _refuse_no_certificate(content, key)
    context.load_verify_locations(cadata=_ascii(content))


def _refuse_no_certificate(content: str, key: str) -> None:
    """Load the certificates somewhere else first, which tells a bad one from a bad key."""
    text = "holds no certificate that can be used: give PEM, which begins with -----BEGIN CERTIFICATE-----."
    if "-----BEGIN CERTIFICATE-----" not in content:
        raise TlsProblemError(key, text)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=_ascii(content))
    except (ValueError, ssl.SSLError) as error:
        raise TlsProblemError(key, text) from error


def _ascii(content: str) -> str:
    """PEM as ssl takes it. What else a file says around its certificates, such as whose they are, may be any text."""
    return content.encode("ascii", "replace").decode()


def _named(name: str, pem: Pem) -> str:
    return name if pem.file is None else f"{name}_file"


def _content(pem: Pem, key: str) -> str:
    if pem.file is None:
        return pem.text
    try:
        return files.read_pem(pem.file)
    except ParseError as error:
        raise TlsProblemError(key, str(error)) from error


@contextlib.contextmanager
def _as_file(text: str) -> Iterator[str]:
    """A path under which OpenSSL reads the text, which never reaches a disk."""
    descriptor = os.memfd_create("pem")
    try:
        os.write(descriptor, text.encode(errors="replace"))
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
