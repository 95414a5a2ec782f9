"""How a server is asked, as a configuration file would say it, every secret masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triton_watch.records import Credentials, TlsSettings

MASK = "<secret>"


def credentials_settings(credentials: Credentials) -> dict[str, Any]:
    """Give headers and login: passwords, tokens and the values of headers are masked, and what is empty is so."""
    result: dict[str, Any] = {"headers": {name: MASK for name, _ in credentials.headers}}
    if credentials.username is not None:
        result["basic_auth"] = {"username": credentials.username, "password": MASK}
    if credentials.bearer_token is not None:
        result["bearer_token"] = MASK
    if credentials.restricted_header is not None:
        result["restricted_api"] = {"header": credentials.restricted_header[0], "value": MASK}
    return result


def tls_settings(tls: TlsSettings) -> dict[str, Any]:
    """Give what is not as usual."""
    files = {"ca_file": tls.ca_file, "cert_file": tls.cert_file, "key_file": tls.key_file}
    result: dict[str, Any] = {key: str(path) for key, path in files.items() if path is not None}
    return {**result, "insecure_skip_verify": True} if tls.insecure_skip_verify else result
