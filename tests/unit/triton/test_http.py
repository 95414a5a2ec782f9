"""The fetcher: connections kept and renewed, deadlines, credentials, limits."""

from __future__ import annotations

import base64
import socket
import threading
import time
from typing import Any

import pytest

from support.misbehaving import (
    ENDLESS_CHUNKS,
    Behaviour,
    Connection,
    Server,
    answers,
    answers_and_closes,
    http_answer,
    keeps_alive_for,
    silent,
    target_at,
)
from triton_watch.records import Credentials, Timeouts
from triton_watch.triton.errors import (
    BadUrlError,
    DeadlineError,
    DnsError,
    NetworkError,
    ReadTimeoutError,
    TooLargeError,
    TritonError,
)
from triton_watch.triton.http import HttpFetcher, Response

LIMIT = 1_000_000


def get(fetcher: HttpFetcher, url: str, **options: Any) -> Response:
    return fetcher.fetch("GET", url, **{"limit": LIMIT, **options})


def test_a_connection_is_kept_for_many_requests() -> None:
    with Server(answers(http_answer(b"hello"))) as server, HttpFetcher(target_at(server.url)) as fetcher:
        for path in ("a", "b", "a"):
            assert get(fetcher, f"{server.url}/{path}") == Response(200, b"hello", "text/plain")
        assert server.connections == 1


def test_a_connection_is_kept_after_an_error_with_a_body() -> None:
    refused = http_answer(b'{"error":"no"}', status="400 Bad Request")
    with Server(answers(refused)) as server, HttpFetcher(target_at(server.url)) as fetcher:
        for _ in range(3):
            assert get(fetcher, server.url).status == 400
        assert server.connections == 1


def test_a_connection_whose_answer_was_not_read_to_its_end_is_not_used_again() -> None:
    with Server(answers(http_answer(b"x" * 100))) as server, HttpFetcher(target_at(server.url)) as fetcher:
        with pytest.raises(TooLargeError):
            get(fetcher, server.url, limit=99)
        assert get(fetcher, server.url, limit=100).body == b"x" * 100
        assert server.connections == 2


def test_close_closes_and_a_later_request_opens_anew() -> None:
    with Server(answers(http_answer())) as server:
        fetcher = HttpFetcher(target_at(server.url))
        get(fetcher, server.url)
        fetcher.close()
        get(fetcher, server.url)
        fetcher.close()
        assert server.connections == 2


@pytest.mark.parametrize("end", [None, Connection.reset], ids=["closed", "reset"])
def test_a_kept_connection_that_closes_under_a_request_is_renewed_once(end: Behaviour | None) -> None:
    """The server closed it between two polls: nobody should hear of that."""
    with Server(keeps_alive_for(1, http_answer(b"yes"), end=end)) as server:
        with HttpFetcher(target_at(server.url)) as fetcher:
            assert get(fetcher, server.url).body == b"yes"
            assert get(fetcher, server.url).body == b"yes"
        assert server.connections == 2
        assert len(server.requests) == 3


def test_a_request_that_must_not_be_made_twice_is_not() -> None:
    with Server(keeps_alive_for(1, http_answer())) as server, HttpFetcher(target_at(server.url)) as fetcher:
        get(fetcher, server.url)
        with pytest.raises(NetworkError):
            fetcher.fetch("POST", server.url, limit=LIMIT, body=b"{}")
        assert len(server.requests) == 2


def test_a_fresh_connection_that_closes_is_an_error_at_once() -> None:
    with Server(keeps_alive_for(0, http_answer())) as server, HttpFetcher(target_at(server.url)) as fetcher:
        with pytest.raises(NetworkError):
            get(fetcher, server.url)
        assert server.connections == 1


def test_a_kept_connection_that_breaks_in_the_answer_is_not_asked_again() -> None:
    def half_an_answer(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-")

    behaviour = keeps_alive_for(1, http_answer(), end=half_an_answer)
    with Server(behaviour) as server, HttpFetcher(target_at(server.url)) as fetcher:
        get(fetcher, server.url)
        with pytest.raises(TritonError, match="in the middle of the answer's headers"):
            get(fetcher, server.url)
        assert server.connections == 1


def test_a_server_that_closes_after_each_answer_is_asked_on_new_connections() -> None:
    behaviour = answers_and_closes(b"HTTP/1.0 200 OK\r\n\r\nall of it")
    with Server(behaviour) as server, HttpFetcher(target_at(server.url)) as fetcher:
        for _ in range(3):
            assert get(fetcher, server.url).body == b"all of it"
        assert server.connections == 3


def test_a_deadline_of_the_cycle_shortens_the_total_deadline() -> None:
    patient = Timeouts(connect=30, read=30, total=30)
    with Server(silent) as server, HttpFetcher(target_at(server.url, timeouts=patient)) as fetcher:
        begun = time.monotonic()
        with pytest.raises(ReadTimeoutError):
            get(fetcher, server.url, deadline=begun + 0.1)
        assert time.monotonic() - begun < 5


def test_a_deadline_that_has_passed_asks_nothing() -> None:
    now = 1000.0
    with Server(answers(http_answer())) as server:
        with HttpFetcher(target_at(server.url), clock=lambda: now) as fetcher:
            assert get(fetcher, server.url, deadline=now + 1).status == 200
            with pytest.raises(DeadlineError, match="no time left"):
                get(fetcher, server.url, deadline=now)
        assert len(server.requests) == 1


def test_the_clock_that_was_handed_in_decides_when_the_total_deadline_has_passed() -> None:
    """Bytes that come without a pause cannot outlive the deadline: here each look at the clock costs 1 s."""
    ticks = iter(range(10**9))
    target = target_at("http://unused", timeouts=Timeouts(connect=9, read=9, total=9))
    with (
        Server(ENDLESS_CHUNKS) as server,
        HttpFetcher(target, clock=lambda: float(next(ticks))) as fetcher,
        pytest.raises(DeadlineError, match="incomplete after 9 s"),
    ):
        get(fetcher, server.url, limit=10**9)


def test_a_name_look_up_that_hangs_is_bounded_and_not_started_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """getaddrinfo knows no deadline; a dead resolver holds it for half a minute."""
    queries: list[str] = []
    release = threading.Event()

    def hang(host: str, *_: object, flags: int = 0, **__: object) -> list[Any]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        queries.append(host)
        release.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with HttpFetcher(target_at("http://triton.example:8000")) as fetcher:
        begun = time.monotonic()
        for _ in range(2):
            with pytest.raises(DnsError, match=r"took over 0\.4 s; check the DNS server"):
                get(fetcher, "http://triton.example:8000/")
        assert time.monotonic() - begun < 5
        release.set()
        with pytest.raises(DnsError, match="temporary failure"):
            get(fetcher, "http://triton.example:8000/")
    assert queries == ["triton.example"]


def test_credentials_are_sent_as_they_are_configured() -> None:
    basic = Credentials(username="watch", password="pä:ss")
    bearer = Credentials(bearer_token="t0ken", headers=(("X-Tenant", "ünit"),))
    with Server(answers(http_answer())) as server:
        for credentials in (basic, bearer):
            with HttpFetcher(target_at(server.url, credentials=credentials)) as fetcher:
                get(fetcher, server.url)
        first, second = server.requests
    assert b"Authorization: Basic " + base64.b64encode("watch:pä:ss".encode()) in first
    assert b"Authorization: Bearer t0ken" in second
    assert b"X-Tenant: " + "ünit".encode() in second


def test_each_request_says_who_asks_and_wants_plain_bytes() -> None:
    with Server(answers(http_answer())) as server, HttpFetcher(target_at(server.url)) as fetcher:
        get(fetcher, server.url)
        (request,) = server.requests
    assert b"User-Agent: triton-watch/" in request
    assert b"Accept-Encoding: identity" in request
    assert b"Cookie" not in request


def test_cookies_of_a_server_are_not_kept() -> None:
    cookie = http_answer(headers=["Set-Cookie: a=b; Path=/"])
    with Server(answers(cookie)) as server, HttpFetcher(target_at(server.url)) as fetcher:
        get(fetcher, server.url)
        get(fetcher, server.url)
        assert b"Cookie" not in server.requests[-1]


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy or a .netrc of the user's shell must not decide what a watcher sees."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with Server(answers(http_answer())) as server, HttpFetcher(target_at(server.url)) as fetcher:
        assert get(fetcher, server.url).status == 200


def test_no_secret_gets_into_an_error() -> None:
    credentials = Credentials(
        username="watch",
        password="p4ssw0rd",
        headers=(("X-Key", "s3cret\nX-More: 1"),),
        restricted_header=("k", "r3stricted"),
    )
    target = target_at("http://user:hunter2@localhost:1", credentials=credentials)
    with HttpFetcher(target) as fetcher, pytest.raises(BadUrlError) as caught:
        get(fetcher, "http://user:hunter2@localhost:1/v2?token=hunter2#hunter2")
    error: BaseException | None = caught.value
    texts = []
    while error is not None:
        texts.append(repr(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    everything = " ".join([*texts, caught.value.url, repr(target), repr(fetcher)])
    for secret in ("hunter2", "p4ssw0rd", "s3cret", "r3stricted"):
        assert secret not in everything.replace(target.http_url, "")


def test_prepared_requests_do_not_pile_up() -> None:
    with Server(answers(http_answer())) as server, HttpFetcher(target_at(server.url)) as fetcher:
        for number in range(200):
            get(fetcher, f"{server.url}/{number}")
        assert server.requests[-1].startswith(b"GET /199 ")
        assert len(server.requests) == 200
        assert server.connections == 1


def test_two_threads_take_turns() -> None:
    with Server(answers(http_answer(b"x"))) as server, HttpFetcher(target_at(server.url)) as fetcher:
        bodies: list[bytes] = []

        def ask() -> None:
            bodies.extend(get(fetcher, server.url).body for _ in range(50))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert bodies == [b"x"] * 200
        assert server.connections == 1
