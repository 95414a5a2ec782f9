"""What became of one probe of a target: each way to fail has a name of its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(str, Enum):
    """How a request to a target ended. The value is the `outcome` label on exported metrics."""

    OK = "ok"
    NOT_READY = "not_ready"
    """The endpoint answered, as designed, that the server or model is not ready (HTTP 400)."""
    EMPTY = "empty"
    """HTTP 200 with an empty body where a metrics page was expected: metrics are missing, not zero."""
    BAD_URL = "bad_url"
    DNS_ERROR = "dns_error"
    REFUSED = "refused"
    NETWORK_ERROR = "network_error"
    """Reset, unreachable network or host, broken pipe."""
    CONNECT_TIMEOUT = "connect_timeout"
    READ_TIMEOUT = "read_timeout"
    """Connected, then nothing was received for the read deadline."""
    DEADLINE = "deadline"
    """Bytes kept coming, but the answer was not complete within the total deadline."""
    TLS_ERROR = "tls_error"
    NOT_HTTP = "not_http"
    """What answered does not speak HTTP/1.1: a gRPC port, a TLS port spoken to in the clear, garbage."""
    NOT_TRITON = "not_triton"
    """HTTP, but not Triton's answer: an HTML page, another JSON, a metrics page that is none."""
    REDIRECT = "redirect"
    UNAUTHORIZED = "unauthorized"
    """HTTP 401, or 403 that is not Triton's restricted API."""
    RESTRICTED = "restricted"
    """HTTP 403 of Triton's restricted APIs: a header is expected."""
    NOT_FOUND = "not_found"
    CLIENT_ERROR = "client_error"
    """Any other HTTP 4xx; Triton's own text is in the detail."""
    UNAVAILABLE = "unavailable"
    """HTTP 503."""
    SERVER_ERROR = "server_error"
    """Any other HTTP 5xx; Triton's own text is in the detail."""
    GARBAGE = "garbage"
    """The body is not what its content claims to be: broken JSON, a broken metrics line, not UTF-8."""
    TRUNCATED = "truncated"
    """The body ended before its end: shorter than announced, or cut inside a line."""
    TOO_LARGE = "too_large"
    """The body is over the cap; nothing of it was used."""
    NOT_TRIED = "not_tried"
    """The cycle had no time left for this probe."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe's result in one cycle. `duration` is in seconds; `detail` is one sentence for a person."""

    probe: str
    outcome: Outcome
    duration: float
    detail: str = ""
    http_status: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the probe got the good answer that it asked for."""
        return self.outcome is Outcome.OK
