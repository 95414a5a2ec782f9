"""Addresses: checked, and brought to one form."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from triton_watch.config.errors import ParseError

TRITON_HTTP_PORT = 8000
GRPC_TLS = "grpcs://"
"""What stands before the address of gRPC over TLS."""
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})", re.ASCII)
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~%+,=-]+)*/?", re.ASCII)
_OWN_PATHS = re.compile(r"/(?:v2|metrics)(?:/|$)")
_API_PATHS = re.compile(r"/api(?:/v[12])?(?:/|$)")
_EVERYBODY_SEES = "leave them out, for everybody sees this URL"
_EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not listened on
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}|[{}]")


def http_url(text: str) -> str:
    """Check the URL of the HTTP service, such as `http://triton:8000` or `https://proxy/triton`.

    `http://` without a port means 8000, Triton's own. A path is taken for the prefix of a reverse proxy.
    Raises `ParseError`.
    """
    url = _split(text, "http://localhost:8000")
    if _OWN_PATHS.search(url.path):
        raise ParseError(f'"{text}" goes past the server: leave out {url.path}, the paths of Triton are added to it.')
    port = TRITON_HTTP_PORT if url.scheme == "http" and url.port is None else url.port
    return f"{url.scheme}://{_netloc(url, port)}{url.path.rstrip('/')}"


def metrics_url(text: str) -> str:
    """Check the URL of the metrics page; without a path it is `/metrics`. Raises `ParseError`."""
    url = _split(text, "http://localhost:8002/metrics")
    path = url.path if url.path not in ("", "/") else "/metrics"
    return f"{url.scheme}://{_netloc(url, url.port)}{path}"


def prometheus_url(text: str) -> str:
    """Check the URL of a Prometheus, Thanos or Mimir; a path is the prefix before `/api/v1`. Raises `ParseError`."""
    return _of_api(text, "http://prometheus:9090")


def alertmanager_url(text: str) -> str:
    """Check the URL of an Alertmanager; a path is the prefix before `/api/v2`. Raises `ParseError`."""
    return _of_api(text, "http://alertmanager:9093")


def _of_api(text: str, example: str) -> str:
    url = _split(text, example)
    if _API_PATHS.search(url.path):
        raise ParseError(f'"{text}" goes past the server: leave out /api and what follows, it is added.')
    return f"{url.scheme}://{_netloc(url, url.port)}{url.path.rstrip('/')}"


def public_url(text: str) -> str:
    """Check the URL at which people reach the agent; a path is that of a reverse proxy. Raises `ParseError`."""
    _refuse_password(text, _EVERYBODY_SEES)
    url = _split(text, "https://triton-watch.example.net")
    return f"{url.scheme}://{_netloc(url, url.port)}{url.path.rstrip('/')}"


def url_of(host: str, port: int, *, tls: bool) -> str:
    """Write the URL of an agent that listens at a host, which may be an address of IPv6."""
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def local_url(host: str, port: int, *, tls: bool) -> str:
    """Write the URL at which a program on this machine reaches what listens at a host, which may be all interfaces."""
    return url_of(_EVERY_INTERFACE.get(host, host), port, tls=tls)


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach what listens at the host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url_template(text: str, *placeholders: str) -> str:
    """Check a URL that may hold `{placeholder}` after its host, in a query or fragment too. Raises `ParseError`."""
    example = f"https://wiki.example.net/{{{placeholders[0]}}}"
    _refuse_password(text.partition("://")[2].partition("/")[0] or text, _EVERYBODY_SEES)
    for match in _PLACEHOLDER.finditer(text):
        if match[1] not in placeholders:
            known = ", ".join(f"{{{one}}}" for one in placeholders)
            raise ParseError(f"has {match[0]}, which nothing is put in place of: write {known} alone.")
    before, _, after = text.partition("://")
    end = re.search(r"[/?#]", after)
    host_part, rest = (after, "") if end is None else (after[: end.start()], after[end.start() :])
    _split(f"{before}://{host_part}" if "://" in text else text, example)
    if not all("!" <= character <= "~" for character in rest):
        raise ParseError(f"has a space or a character outside ASCII: write it like {example}.")
    return text


def host(text: str) -> str:
    """Check the host name or IP address of a server that uses Triton's own ports. Raises `ParseError`."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    _refuse_password(text)
    if "/" in text:
        raise ParseError("is a URL where a host name belongs: write it under url.")
    if re.fullmatch(r"[^:]+:\d+", text):
        raise ParseError(f'"{text}" has a port: write url: http://{text}, or the host alone.')
    if not _is_host(bare):
        raise ParseError(f'"{text}" is not a host: write a host name or an IP address.')
    return bare


def host_port(text: str, *, example: str = "localhost:8001", lowest: int = 1) -> tuple[str, int]:
    """Read `host:port` or `[IPv6]:port`; the host comes without brackets. Raises `ParseError`."""
    _refuse_password(text)
    if "://" in text:
        raise ParseError(f"has a scheme: write host and port alone, such as {example}.")
    match = re.fullmatch(r"(?:\[(?P<six>[^\]]+)\]|(?P<name>[^:]*)):(?P<port>\d{1,5})", text, re.ASCII)
    if match is None:
        raise ParseError(f'"{text}" is not host:port: write it like {example}.')
    name, port = match["six"] or match["name"], int(match["port"])
    if not _is_host(name):
        raise ParseError(f'"{text}" has no valid host before the port: write it like {example}.')
    if not lowest <= port <= 65535:
        raise ParseError(f"port {port} does not exist: choose one from {lowest} to 65535.")
    return name, port


def listen(text: str) -> tuple[str, int]:
    """Read the address to listen on, `host:port`; port 0 is any free one. Raises `ParseError`."""
    if text.startswith(":"):
        raise ParseError(f'"{text}" has no host: write 127.0.0.1{text} for this machine, 0.0.0.0{text} for all.')
    return host_port(text, example="127.0.0.1:8003", lowest=0)


def grpc_address(text: str) -> str:
    """Check a gRPC address: `host:port`, after `grpcs://` for TLS; `grpc://` is dropped. Raises `ParseError`."""
    _refuse_password(text)
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme.lower() not in ("grpc", "grpcs"):
        raise ParseError(f'"{text}" is not a gRPC address: write host:port, and grpcs:// before it for TLS.')
    name, port = host_port(rest)
    return grpc_text(f"{bracketed(name)}:{port}", tls=scheme.lower() == "grpcs")


def grpc_text(address: str, *, tls: bool) -> str:
    """Write a gRPC address so that `grpc_address` takes it for the same."""
    return f"{GRPC_TLS}{address}" if tls else address


def bracketed(name: str) -> str:
    """Put an IPv6 address in brackets, as it stands before a port; any other host is left as it is."""
    return f"[{name}]" if ":" in name else name


def _refuse_password(text: str, instead: str = "move them to basic_auth and password_file") -> None:
    if "@" in text:
        raise ParseError(f"has a user name or password in it: {instead}.")


def _is_host(name: str) -> bool:
    if ":" not in name:
        return _HOST.fullmatch(name) is not None
    try:
        IPv6Address(name)
    except ValueError:
        return False
    return True


def _split(text: str, example: str) -> SplitResult:
    """Split and check a URL. A URL that holds a password is never repeated in a message."""
    _refuse_password(text)
    if any(character <= " " or character > "~" for character in text):
        raise ParseError(f"has a space or a character outside ASCII: write it like {example}.")
    if "?" in text or "#" in text:
        raise ParseError("has a query or a fragment (what follows ? or #): leave it out.")
    scheme, separator, _ = text.partition("://")
    if not separator:
        raise ParseError(f'"{text}" has no scheme: write it like {example}.')
    if scheme.lower() not in ("http", "https"):
        raise ParseError(f'"{text}" is not an HTTP address: start it with http:// or https://.')
    return _checked(text, example)


def _checked(text: str, example: str) -> SplitResult:
    try:
        url = urlsplit(text)
        port, name = url.port, url.hostname or ""
    except ValueError:
        raise ParseError(f'"{text}" has no valid host and port: write it like {example}.') from None
    if port == 0 or url.netloc.endswith(":") or not _is_host(name):
        raise ParseError(f'"{text}" has no valid host and port: write it like {example}.')
    if not _PATH.fullmatch(url.path):
        raise ParseError(f'the path "{url.path}" of the URL cannot be used: write plain segments such as /triton.')
    return url


def _netloc(url: SplitResult, port: int | None) -> str:
    name = bracketed(url.hostname or "")
    return name if port is None else f"{name}:{port}"
