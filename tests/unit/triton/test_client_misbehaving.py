"""Each way for a server to misbehave has an outcome and a sentence of its own, within the deadline."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest

from support.misbehaving import (
    ENDLESS_BODY,
    ENDLESS_CHUNKS,
    GRPC_SETTINGS,
    TLS_ALERT,
    Behaviour,
    Deaf,
    Server,
    answers,
    answers_and_closes,
    closes_at_once,
    drips,
    floods,
    http_answer,
    resets,
    silent,
    speaks_first,
    target_at,
)
from triton_watch.records import Outcome, Timeouts
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import TritonError

ENOUGH = 5.0
"""Seconds: many times the total deadline of 0.7 s, for machines that are busy with other things."""

HTML = b"<!DOCTYPE html><html><body>Welcome to nginx!</body></html>"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

Call = Callable[[TritonClient], object]


def ready(client: TritonClient) -> object:
    return client.ready()


def metrics(client: TritonClient) -> object:
    return client.metrics()


def index(client: TritonClient) -> object:
    return client.repository_index()


def config(client: TritonClient) -> object:
    return client.model_config("m")


def metadata(client: TritonClient) -> object:
    return client.server_metadata()


class Case(NamedTuple):
    behaviour: Behaviour
    call: Call
    outcome: Outcome
    says: str


CASES = {
    "an HTML page for ready": Case(
        answers(http_answer(HTML, content_type="text/html")), ready, Outcome.NOT_TRITON, "an HTML page"
    ),
    "an HTML page for JSON": Case(
        answers(http_answer(HTML, content_type="text/html")), metadata, Outcome.NOT_TRITON, "an HTML page"
    ),
    "an HTML page that claims to be text, for metrics": Case(
        answers(http_answer(HTML)),
        metrics,
        Outcome.NOT_TRITON,
        "an HTML page where Triton answers with a metrics",
    ),
    "a 404 for metrics": Case(
        answers(http_answer(HTML, "404 Not Found")), metrics, Outcome.NOT_FOUND, "usually on port 8002 at /metrics?"
    ),
    "another server's JSON": Case(
        answers(http_answer(b'{"status": "green"}')), metadata, Outcome.NOT_TRITON, "its name and version"
    ),
    "another server's JSON for ready": Case(
        answers(http_answer(b'{"ready": true}')), ready, Outcome.NOT_TRITON, "an empty body"
    ),
    "an object for the index": Case(answers(http_answer(b"{}")), index, Outcome.NOT_TRITON, "a JSON list"),
    "Triton's metrics port for JSON": Case(
        answers(http_answer()), metadata, Outcome.NOT_TRITON, "is it the metrics port (8002)?"
    ),
    "Triton's metrics port for the index": Case(
        answers(http_answer(b'{"error":"Method Not Allowed"}', status="405 Method Not Allowed")),
        index,
        Outcome.CLIENT_ERROR,
        "is it the metrics port (8002)?",
    ),
    "the gRPC port": Case(speaks_first(GRPC_SETTINGS), ready, Outcome.NOT_HTTP, "is this the gRPC port (8001)?"),
    "a TLS port": Case(answers_and_closes(TLS_ALERT), ready, Outcome.NOT_HTTP, "write https://"),
    "a TLS port that explains itself": Case(
        answers(
            http_answer(
                b"Client sent an HTTP request to an HTTPS server.\n",
                status="400 Bad Request",
            )
        ),
        ready,
        Outcome.NOT_HTTP,
        "write https://",
    ),
    "an SSH server": Case(speaks_first(b"SSH-2.0-OpenSSH\r\n"), ready, Outcome.NOT_HTTP, "b'SSH-2.0"),
    "bytes of no protocol": Case(
        answers_and_closes(bytes(range(1, 200))), ready, Outcome.NOT_HTTP, "bytes that are not HTTP"
    ),
    "a broken status line": Case(answers(b"HTTP/1.1 fine\r\n\r\n"), ready, Outcome.NOT_HTTP, "a broken HTTP header"),
    "too many headers": Case(
        answers(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"),
        ready,
        Outcome.NOT_HTTP,
        "more than 100 headers",
    ),
    "no answer": Case(silent, ready, Outcome.READ_TIMEOUT, "sent nothing for 0.4 s"),
    "headers at one byte a while": Case(
        drips(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 9999, every=0.02),
        ready,
        Outcome.DEADLINE,
        "incomplete after 0.7 s",
    ),
    "a body at one byte a while": Case(
        drips(b"x", every=0.02, at_once=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
        metrics,
        Outcome.DEADLINE,
        "incomplete after 0.7 s",
    ),
    "an unframed body at one byte a while": Case(
        drips(b"x", every=0.02, at_once=b"HTTP/1.1 200 OK\r\n\r\n"),
        metrics,
        Outcome.DEADLINE,
        "incomplete after",
    ),
    "a body in slow chunks": Case(
        drips(b"1\r\nx\r\n", every=0.02, at_once=CHUNKED), metrics, Outcome.DEADLINE, "incomplete after"
    ),
    "the body of a 500 at one byte a while": Case(
        drips(b"x", every=0.02, at_once=b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n"),
        metrics,
        Outcome.SERVER_ERROR,
        "HTTP 500",
    ),
    "a body that stops": Case(
        drips(b"x", every=60, at_once=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nabc"),
        metrics,
        Outcome.READ_TIMEOUT,
        "sent nothing for 0.4 s",
    ),
    "an endless chunked body": Case(ENDLESS_CHUNKS, metrics, Outcome.TOO_LARGE, "over the limit of 1000000 bytes"),
    "an endless body": Case(ENDLESS_BODY, metrics, Outcome.TOO_LARGE, "over the limit of 1000000 bytes"),
    "a body announced as too large": Case(
        answers(b"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n"),
        metrics,
        Outcome.TOO_LARGE,
        "1000001 announced",
    ),
    "closed without an answer": Case(closes_at_once, ready, Outcome.NETWORK_ERROR, "without an answer"),
    "reset": Case(resets, ready, Outcome.NETWORK_ERROR, "reset by peer"),
    "closed in the status line": Case(
        answers_and_closes(b"HTTP/1.1 200"), ready, Outcome.TRUNCATED, "in the middle of the answer's headers"
    ),
    "closed in the headers": Case(
        answers_and_closes(b"HTTP/1.1 200 OK\r\nContent-"),
        ready,
        Outcome.TRUNCATED,
        "in the middle of the answer's",
    ),
    "closed in the body": Case(
        answers_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
        metrics,
        Outcome.TRUNCATED,
        "3 of 100 bytes came",
    ),
    "closed before the body": Case(
        answers_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        metrics,
        Outcome.TRUNCATED,
        "in the middle of the body",
    ),
    "closed in a chunk": Case(
        answers_and_closes(CHUNKED + b"5\r\nab"), metrics, Outcome.TRUNCATED, "in the middle of the body"
    ),
    "closed between chunks": Case(
        answers_and_closes(CHUNKED + b"2\r\nab\r\n"), metrics, Outcome.TRUNCATED, "in the middle of the body"
    ),
    "broken chunks": Case(
        answers_and_closes(CHUNKED + b"two\r\nab\r\n"), metrics, Outcome.GARBAGE, "a broken HTTP body"
    ),
    "gzip that nobody asked for": Case(
        answers(http_answer(b"\x1f\x8b", headers=["Content-Encoding: gzip"])),
        metrics,
        Outcome.GARBAGE,
        "'gzip'",
    ),
    "broken JSON": Case(answers(http_answer(b"[{")), index, Outcome.GARBAGE, "broken JSON"),
    "JSON that is not UTF-8": Case(answers(http_answer(b'["\xff"]')), index, Outcome.GARBAGE, "broken JSON"),
    "JSON nested without end": Case(answers(http_answer(b"[" * 100_000)), index, Outcome.GARBAGE, "broken JSON"),
    "a field of a wrong type": Case(
        answers(http_answer(b'{"name": "m", "max_batch_size": "many"}')),
        config,
        Outcome.GARBAGE,
        "max_batch_size is a str and not an integer",
    ),
    "an empty metrics page": Case(answers(http_answer()), metrics, Outcome.EMPTY, "an empty page"),
    "a redirect": Case(
        answers(http_answer(status="302 Found", headers=["Location: https://sso.example/login?t=1"])),
        metrics,
        Outcome.REDIRECT,
        "redirects to https://sso.example/login?… (HTTP 302)",
    ),
    "a redirect with an endless body": Case(
        floods(b"HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n", b"x" * 8192), ready, Outcome.REDIRECT, "to /x"
    ),
    "401": Case(
        answers(http_answer(status="401 Unauthorized")),
        ready,
        Outcome.UNAUTHORIZED,
        "basic_auth or bearer_token",
    ),
    "403": Case(answers(http_answer(status="403 Forbidden")), ready, Outcome.UNAUTHORIZED, "credentials"),
    "a restricted API": Case(
        answers(http_answer(b'{"error":"This API is restricted, expecting header \'k\'"}', status="403 Forbidden")),
        index,
        Outcome.RESTRICTED,
        "set the target's restricted_api to the header 'k'",
    ),
    "404": Case(answers(http_answer(status="404 Not Found")), metrics, Outcome.NOT_FOUND, "this path"),
    "an unknown model": Case(
        answers(http_answer(b'{"error":"Request for unknown model: \'m\' is not found"}', status="404 Not Found")),
        config,
        Outcome.NOT_FOUND,
        "see the model's state",
    ),
    "429": Case(answers(http_answer(status="429 Too Many Requests")), ready, Outcome.CLIENT_ERROR, "HTTP 429"),
    "400 with a page of another server": Case(
        answers(http_answer(HTML, status="400 Bad Request")), ready, Outcome.CLIENT_ERROR, "HTTP 400"
    ),
    "503": Case(answers(http_answer(status="503 Service Unavailable")), ready, Outcome.UNAVAILABLE, "overloaded"),
    "500 with Triton's error": Case(
        answers(http_answer(b'{"error":"failed to load all models"}', status="500 Internal Server Error")),
        index,
        Outcome.SERVER_ERROR,
        "HTTP 500 'failed to load all models'",
    ),
    "500 without": Case(
        answers(http_answer(HTML, status="502 Bad Gateway")), index, Outcome.SERVER_ERROR, "HTTP 502: see"
    ),
    "204": Case(answers(b"HTTP/1.1 204 No Content\r\n\r\n"), ready, Outcome.NOT_TRITON, "HTTP 204"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_misbehaviour_has_its_outcome_and_sentence_in_time(case: Case) -> None:
    with Server(case.behaviour) as server, TritonClient(target_at(server.url)) as client:
        error = failure_of(case.call, client)
    assert error.outcome is case.outcome
    assert case.says in str(error)
    assert str(error).startswith(f"{server.url}/")
    assert "\n" not in str(error)


def failure_of(call: Call, client: TritonClient) -> TritonError:
    """The error that a call ends in; it must do so in time."""
    begun = time.monotonic()
    with pytest.raises(TritonError) as caught:
        call(client)
    assert time.monotonic() - begun < ENOUGH
    return caught.value


def test_a_refused_port_is_told_from_one_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with TritonClient(target_at(f"http://127.0.0.1:{port}")) as client:
        error = failure_of(ready, client)
    assert error.outcome is Outcome.REFUSED
    assert "is Triton running" in str(error)
    with Deaf() as server, TritonClient(target_at(server.url)) as client:
        error = failure_of(ready, client)
    assert error.outcome is Outcome.CONNECT_TIMEOUT
    assert "could not be connected to within 0.4 s" in str(error)


def test_a_name_without_an_address_is_a_dns_error() -> None:
    # A resolver that is out of reach may take its time: both texts name the host and DNS.
    target = target_at("http://triton.invalid:8000", timeouts=Timeouts(3, 3, 4))
    with TritonClient(target) as client:
        error = failure_of(ready, client)
    assert error.outcome is Outcome.DNS_ERROR
    assert "'triton.invalid'" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://localhost",
        "http://",
        "http://local host:8000",
        "http://localhost:80800",
        f"http://{'a' * 70}.example",
        "http://[::1",
    ],
)
def test_a_url_that_cannot_be_asked_is_a_bad_url(url: str) -> None:
    with TritonClient(target_at(url)) as client:
        assert failure_of(ready, client).outcome is Outcome.BAD_URL


@pytest.mark.parametrize("call", [ready, index, metadata, config], ids=lambda call: call.__name__)
def test_a_stopped_server_is_seen_and_one_that_is_back_is_asked_again(call: Call) -> None:
    """A client survives its server: the same object works before, during and after."""
    starting = answers(http_answer(status="503 Starting"))
    with Server(starting) as server, TritonClient(target_at(server.url)) as client:
        assert failure_of(call, client).outcome is Outcome.UNAVAILABLE
        server.close()
        assert failure_of(call, client).outcome is Outcome.REFUSED
        with Server(answers(http_answer(status="500 No")), port=server.port):
            assert failure_of(call, client).outcome is Outcome.SERVER_ERROR
