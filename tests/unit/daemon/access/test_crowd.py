"""Clients that are slow, silent, idle or many: they are cut in time, and never starve /metrics and /-/healthy."""

import base64
import contextlib
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import requests

from support.web_access import PASSWORD, PATIENCE, TLS, USERS, Served, ask, client_context, is_closed, served, web_file
from synthetic_state import SyntheticState
from triton_watch.daemon.app import PLAIN, Request, Response, Route, plain
from triton_watch.daemon.exporter import Exporter, Page
from triton_watch.daemon.pages import core_routes

LARGE = b"x" * 12_000_000
ROUTES = (
    Route("/", lambda _: plain(HTTPStatus.OK, "page")),
    Route("/metrics", lambda _: plain(HTTPStatus.OK, "metrics")),
    Route("/-/healthy", lambda _: plain(HTTPStatus.OK, "healthy")),
    Route("/large", lambda _: Response(HTTPStatus.OK, PLAIN, LARGE)),
)
WITHIN = 1.0
"""Seconds in which a scrape and a probe are answered whatever others do."""
LOOK = 1.0
"""Seconds in which the server closes who has had their time, once it looks."""


class Clock:
    """Runs with the real one, and can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead

    def forward(self, agent: Served, seconds: float) -> None:
        """Let time pass, more than a second, and have the server look: whoever connects wakes it."""
        for step in (0, seconds):  # what clients did before is taken in before it passes
            self.ahead += step
            agent.connect().close()
            time.sleep(0.05)


def test_a_scrape_is_answered_in_time_however_many_ask_for_the_same_page_and_go_away() -> None:
    """Pages of 0.1 s each, asked for by 100 clients that reset the connection at once: made one by one, it is 10 s."""
    made: list[float] = []

    class Slow(Exporter):
        def page_in(self, openmetrics: bool, gzip: bool) -> Page:
            made.append(time.monotonic())
            time.sleep(0.1)
            return super().page_in(openmetrics, gzip)

    state = SyntheticState({})
    with served(None, core_routes(state, Slow(state))) as agent:
        for _ in range(100):
            with agent.connect() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.001)
        start = time.monotonic()
        answer = requests.get(agent.url + "/metrics", timeout=PATIENCE)
        assert time.monotonic() - start < WITHIN
    assert answer.status_code == 200
    assert max(made) > start


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def agent(clock: Clock) -> Iterator[Served]:
    with served(None, ROUTES, clock) as running:
        yield running


# Each has so much time


def test_a_request_must_be_complete_in_time_and_a_byte_now_and_then_does_not_help(agent: Served, clock: Clock) -> None:
    with agent.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        for _ in range(3):
            clock.forward(agent, 3)
            client.sendall(b"a")
            assert not is_closed(client, 0.1)
        clock.forward(agent, 3)
        with contextlib.suppress(OSError):
            client.sendall(b"a")
        assert is_closed(client, LOOK)


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", b"GET / HT"])
def test_a_connection_that_asks_nothing_is_cut(agent: Served, clock: Clock, sent: bytes) -> None:
    with agent.connect() as client:
        client.sendall(sent)
        clock.forward(agent, 5)
        assert not is_closed(client, 0.1)
        clock.forward(agent, 6)
        assert is_closed(client, LOOK)


def test_a_connection_is_kept_from_one_scrape_to_the_next(agent: Served, clock: Clock) -> None:
    """Prometheus's usual interval is a minute."""
    with agent.connect() as client:
        for wait, is_kept in ((0, True), (61, True), (80, False)):
            clock.forward(agent, wait)
            if is_kept:
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                assert read_page(client).endswith(b"metrics\n")
        assert is_closed(client, LOOK)


def test_an_answer_that_nobody_reads_is_thrown_away(agent: Served, clock: Clock) -> None:
    """After 20 s without a byte, or 60 s in all; a small receive buffer keeps the rest with the server."""
    with slow_reader(agent) as client:
        clock.forward(agent, 15)
        clock.forward(agent, 6)
        assert leftovers(client) < len(LARGE)


def test_an_answer_that_is_read_too_slowly_is_cut(agent: Served, clock: Clock) -> None:
    with slow_reader(agent) as client:
        received = 0
        for _ in range(5):
            clock.forward(agent, 12)
            received += len(client.recv(1_000_000))
        clock.forward(agent, 5)
        assert received + leftovers(client) < len(LARGE)


def read_page(client: socket.socket) -> bytes:
    """A small page on a connection that stays open."""
    received = b""
    while not received.endswith(b"\n") or received.endswith(b"\r\n"):
        received += client.recv(4096)
    return received


def slow_reader(agent: Served) -> socket.socket:
    """A client that asked for a large page and does not read on."""
    client = agent.connect()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 200 OK")
    return client


def leftovers(client: socket.socket) -> int:
    """Bytes that still come until the server's end, which must come."""
    total = 0
    with contextlib.suppress(ConnectionResetError):
        while block := client.recv(1_000_000):
            total += len(block)
    return total


def test_answers_that_wait_for_their_readers_are_bounded(agent: Served, clock: Clock) -> None:
    """Over 64 MiB no more pages are made, but scrapes; after a second those who read slowly have to go."""
    refused = 0
    with contextlib.ExitStack() as stack:
        readers: list[socket.socket] = []
        while len(readers) < 16:
            client = stack.enter_context(agent.connect())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            if client.recv(12) == b"HTTP/1.1 503":
                refused += 1
                assert refused < 20
                assert seconds_to_answer(agent, "/metrics", None) < WITHIN
                clock.forward(agent, 3)
            else:
                readers.append(client)
        assert refused
        assert not all(is_whole(reader) for reader in readers)


def is_whole(client: socket.socket) -> bool:
    total = 12
    with contextlib.suppress(OSError):
        while total < len(LARGE) and (block := client.recv(1_000_000)):
            total += len(block)
    return total >= len(LARGE)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Content-Length: 1", b"413"),
        ("Content-Length: 5000000000", b"413"),
        ("Transfer-Encoding: chunked", b"413"),
        ("Content-Length: 0", b"200"),
        (f"X-Long: {'a' * 17_000}", b"431"),
    ],
)
def test_no_request_has_a_body_or_a_long_head(agent: Served, line: str, status: bytes) -> None:
    with agent.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
        client.sendall(f"{line}\r\n\r\n".encode())
        if "chunked" in line:
            client.sendall(b"5\r\nhello\r\n")
        assert client.recv(4096).split(b" ")[1] == status


def test_who_sends_many_requests_in_one_breath_gets_one_answer_and_is_told_that_it_is_the_last(agent: Served) -> None:
    """So that answers do not pile up for a client that reads none. A line end after a request is no request."""
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    with agent.connect() as client:
        client.sendall(request + b"\r\n")
        assert b"Connection: close" not in read_page(client)
        client.sendall(b"\r\n\r\n" + request * 100)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert (answer.count(b"HTTP/1.1 200 OK"), answer.count(b"Connection: close")) == (1, 1)


def test_urgent_bytes_end_a_connection_and_leave_no_log(agent: Served, caplog: pytest.LogCaptureFixture) -> None:
    with agent.connect() as client:
        client.send(b"!", socket.MSG_OOB)
        assert is_closed(client, LOOK)
    assert caplog.records == []


# Many


def talk(stack: contextlib.ExitStack, agent: Served, number: int, wrap: Callable[[socket.socket], Any] | None) -> None:
    """One of five kinds of client that want to be in the way."""
    kind = number % 5
    client: Any = stack.enter_context(agent.connect())
    if wrap is not None and kind != 0:
        client = stack.enter_context(wrap(client))
    if kind == 1:
        client.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
    elif kind == 2:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    elif kind == 3:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    elif kind == 4:
        client.sendall(b"G")


def seconds_to_answer(agent: Served, path: str, ca: Path | None) -> float:
    start = time.monotonic()
    verify = str(ca) if ca is not None else True
    assert requests.get(agent.url + path, timeout=PATIENCE, verify=verify).status_code == 200
    return time.monotonic() - start


@pytest.mark.parametrize("tls", [False, True])
def test_hundreds_of_slow_clients_do_not_starve_scrapes_and_probes(tmp_path: Path, tls: bool) -> None:
    """More than may connect: silent ones, half requests, idle ones, readers that do not read, in turn."""
    path = web_file(tmp_path, TLS if tls else "{}")
    context = client_context(tmp_path) if tls else None
    wrap = None if context is None else lambda bare: context.wrap_socket(bare, server_hostname="localhost")
    with served(path, ROUTES) as agent, contextlib.ExitStack() as stack:
        for number in range(400):
            with contextlib.suppress(OSError):  # those that had to go already
                talk(stack, agent, number, wrap)
            if number % 40 == 39:
                for page in ("/metrics", "/-/healthy"):
                    assert seconds_to_answer(agent, page, tmp_path / "ca.pem" if tls else None) < WITHIN


def test_a_page_that_takes_long_keeps_no_scrape_and_no_probe_waiting() -> None:
    """More of them than threads; and when too many wait, the next is told so at once."""
    gate, entered = threading.Event(), threading.Semaphore(0)

    def slow(_request: Request) -> Response:
        entered.release()
        gate.wait(PATIENCE)
        return plain(HTTPStatus.OK, "done")

    with served(None, (*ROUTES, Route("/slow", slow))) as agent, contextlib.ExitStack() as stack:
        waiting = []
        for _ in range(130):
            client = stack.enter_context(agent.connect())
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            waiting.append(client)
            if len(waiting) <= 2:
                assert entered.acquire(timeout=PATIENCE)
        for page in ("/metrics", "/-/healthy"):
            assert seconds_to_answer(agent, page, None) < WITHIN
        until = time.monotonic() + PATIENCE
        while (answer := probe(agent)).split(b" ")[1] != b"503":
            assert time.monotonic() < until
        assert b"Retry-After: 1" in answer
        assert b"ask again in a second" in answer
        gate.set()
        assert all(client.recv(4096).startswith(b"HTTP/1.1 200 OK") for client in waiting)


def probe(agent: Served) -> bytes:
    with agent.connect() as client:
        client.settimeout(0.2)
        try:
            return ask(client, "/slow")
        except TimeoutError:
            return b"HTTP/1.1 000 none"


def test_who_guesses_passwords_keeps_nobody_waiting_who_was_let_in(tmp_path: Path) -> None:
    """Dozens of wrong passwords at once: most are put off with 429, and a scrape costs no computation."""
    hashed = bcrypt.hashpw(b"right", bcrypt.gensalt(10)).decode()
    path = web_file(tmp_path, f"basic_auth_users: {{reader: {hashed}}}\n")
    with served(path, ROUTES) as agent:
        url = agent.url + "/metrics"
        assert requests.get(url, auth=("reader", "right"), timeout=PATIENCE).status_code == 200
        found: list[int] = []
        stop = threading.Event()

        def guess(number: int) -> None:
            while not stop.is_set():
                found.append(requests.get(url, auth=("reader", f"wrong{number}"), timeout=PATIENCE).status_code)

        threads = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                start = time.monotonic()
                assert requests.get(url, auth=("reader", "right"), timeout=PATIENCE).status_code == 200
                assert time.monotonic() - start < WITHIN
                assert seconds_to_answer(agent, "/-/healthy", None) < WITHIN
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert {401, 429} == set(found)


@pytest.mark.parametrize("path", ["/metrics", "/"])
def test_who_shows_no_password_does_not_stand_in_line_with_those_who_have_one(tmp_path: Path, path: str) -> None:
    """A few readers take all threads for a path; a stranger is turned away at once, and so takes no place there."""
    go_on = threading.Event()

    def slow(_request: Request) -> Response:
        go_on.wait(PATIENCE)
        return plain(HTTPStatus.OK, "done")

    with served(web_file(tmp_path, USERS), (Route(path, slow), ROUTES[2])) as agent:
        login = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\n\r\n".encode()
        with contextlib.ExitStack() as stack:
            stack.callback(go_on.set)
            requests.get(f"{agent.url}/nothing", auth=("reader", PASSWORD), timeout=PATIENCE)  # known from now on
            for _ in range(4):
                stack.enter_context(agent.connect()).sendall(head)
            start = time.monotonic()
            assert requests.get(agent.url + path, timeout=PATIENCE).status_code == 401
            assert time.monotonic() - start < WITHIN


def test_a_machine_without_files_to_spare_is_waited_for(agent: Served) -> None:
    """No place for one more connection in this process: the loop does not spin, and goes on when there is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        used = client.fileno() + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
        try:
            fill = []
            with contextlib.suppress(OSError):
                while True:
                    fill.append(socket.socket())
            before = time.process_time()
            client.connect(("127.0.0.1", int(agent.url.rsplit(":", 1)[1])))
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            time.sleep(0.4)
            assert time.process_time() - before < 0.2
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for each in fill:
                each.close()
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_a_client_over_tls_that_drips_its_handshake_is_cut(tmp_path: Path, clock: Clock) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    path = web_file(tmp_path, TLS)
    hello = client_context(tmp_path).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    with served(path, ROUTES, clock) as agent, agent.connect() as client:
        for byte in outgoing.read()[:4]:
            client.sendall(bytes([byte]))
            clock.forward(agent, 2)
            assert not is_closed(client, 0.1)
        clock.forward(agent, 3)
        assert is_closed(client, LOOK)
