"""The agent's HTTP side over real sockets: its routes, its manners, and its patience with bad clients."""

import contextlib
import errno
import gzip
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families as parse_text

from synthetic_state import SyntheticState, names, parse_openmetrics, state_of
from triton_watch.daemon.app import PLAIN, SECURITY_HEADERS, App, Request, Response, Route, plain
from triton_watch.daemon.exporter import Exporter
from triton_watch.daemon.listen import refusal
from triton_watch.daemon.pages import core_routes
from triton_watch.daemon.web import WebError, WebServer
from triton_watch.records import WebSettings
from triton_watch.slo.serving import Serving, ServingVerdict

Serve = Callable[..., WebServer]
LOCAL = WebSettings(port=0)
PATIENCE = 5.0


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with the core routes over a state, and further routes; closes them at the end."""
    with contextlib.ExitStack() as stack:

        def start(state: SyntheticState | None = None, *more: Route, settings: WebSettings = LOCAL) -> WebServer:
            source = state or state_of(names(3))
            server = WebServer(settings, App([*core_routes(source, Exporter(source)), *more]))
            stack.callback(server.close)
            server.start()
            return server

        yield start


def get(url: str, **headers: str | None) -> requests.Response:
    return requests.get(url, headers=headers, timeout=PATIENCE)


def connect(server: WebServer) -> socket.socket:
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def ok(_request: Request) -> Response:
    return plain(HTTPStatus.OK, "ok")


# Metrics


def test_metrics_are_classic_text_by_default(serve: Serve) -> None:
    """Who asks for nothing special reads classic text."""
    answer = get(serve().url + "/metrics", **{"Accept-Encoding": None})
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "Content-Encoding" not in answer.headers
    assert "triton_watch_target_up" in {family.name for family in parse_text(answer.text)}


def test_metrics_are_openmetrics_on_request(serve: Serve) -> None:
    """Who prefers OpenMetrics, as Prometheus does, reads OpenMetrics."""
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    answer = get(serve().url + "/metrics", Accept=accept)
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert "triton_watch_model_ready" in {family.name for family in parse_openmetrics(answer.text)}


def test_metrics_are_compressed_on_request(serve: Serve) -> None:
    """Who accepts gzip gets gzip, a fraction of the size, and caches are told about it."""
    url = serve(state_of(names(100))).url + "/metrics"
    whole = get(url, **{"Accept-Encoding": "identity"})
    with requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=PATIENCE, stream=True) as answer:
        body = answer.raw.read(decode_content=False)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(body) < len(whole.content) / 3
    assert gzip.decompress(body).startswith(whole.content[:5000])


def test_a_large_page_arrives_whole(serve: Serve) -> None:
    """A page over every buffer's size, 10 MB here, arrives with the length that was announced."""
    answer = get(serve(state_of(names(5000))).url + "/metrics", **{"Accept-Encoding": None})
    assert len(answer.content) == int(answer.headers["Content-Length"]) > 10_000_000
    assert answer.text.count("\ntriton_watch_model_ready{") == 5000


# Health


def test_healthy_follows_the_main_loop_only(serve: Serve) -> None:
    """Healthy while the loop beats, 503 with a sentence once it stands still; down targets change nothing."""
    state = SyntheticState({}, age=1.0, first_done=False)
    url = serve(state).url + "/-/healthy"
    assert (get(url).status_code, get(url).text) == (200, "healthy\n")
    state.age = 31.0
    assert get(url).status_code == 503
    assert get(url).text == "The agent's main loop stands still since 31 s (limit 30 s): restart it.\n"


def test_ready_after_the_first_cycle(serve: Serve) -> None:
    """503 with a sentence until every target was polled, 200 then."""
    state = SyntheticState({}, first_done=False)
    url = serve(state).url + "/-/ready"
    assert get(url).status_code == 503
    assert get(url).text == "Not every target has had its first poll cycle yet, or targets are still looked for.\n"
    state.first_done = True
    assert (get(url).status_code, get(url).text) == (200, "ready\n")


# Whether Triton serves


SERVES = ServingVerdict(Serving.SERVING)
FAILS = ServingVerdict(Serving.NOT_SERVING, ("the server says that it is not ready", "m is not ready: LOADING"))
UNDECIDED = ServingVerdict(Serving.UNKNOWN, ("it has not been polled yet",))


@pytest.mark.parametrize(
    ("verdicts", "status", "body"),
    [
        ({"a": SERVES}, 200, "serving\n"),
        ({"a": SERVES, "b": SERVES}, 200, "serving\n"),
        ({}, 503, "unknown\nNo server is watched: no target is known.\n"),
        ({"a": UNDECIDED, "b": SERVES}, 503, "unknown\na: it has not been polled yet\n"),
        ({"b": FAILS, "a": UNDECIDED}, 503,
         "not_serving\na: it has not been polled yet\n"
         "b: the server says that it is not ready\nb: m is not ready: LOADING\n"),
    ],
)  # fmt: skip
def test_serving_is_200_only_while_every_target_serves_and_says_why_else(
    serve: Serve, verdicts: dict[str, ServingVerdict], status: int, body: str
) -> None:
    """The first line is the verdict, and each reason has a line with its target before it."""
    answer = get(serve(SyntheticState({}, verdicts=verdicts)).url + "/-/serving")
    assert (answer.status_code, answer.text) == (status, body)
    assert answer.headers["Content-Type"] == PLAIN


def test_serving_of_one_target_is_about_that_one(serve: Serve) -> None:
    url = serve(SyntheticState({}, verdicts={"a": SERVES, "b c": FAILS})).url + "/-/serving"
    assert get(url + "?target=a").text == "serving\n"
    one = get(url + "?target=b%20c")
    assert (one.status_code, one.text.splitlines()[0]) == (503, "not_serving")
    assert "a: " not in one.text


@pytest.mark.parametrize("target", ["c", "%00%0aX: y", "%ff", "x" * 300])
def test_serving_of_a_target_that_there_is_not_is_404_in_one_sentence(serve: Serve, target: str) -> None:
    answer = get(serve(SyntheticState({}, verdicts={"a": SERVES, "b": FAILS})).url + f"/-/serving?target={target}")
    assert answer.status_code == 404
    assert answer.text.startswith("There is no target '")
    assert answer.text.endswith("; there are: a, b.\n")
    assert answer.text.count("\n") == 1
    assert len(answer.text) < 300


def test_serving_asks_about_the_model_that_is_named_the_last_one_of_several(serve: Serve) -> None:
    state = SyntheticState({}, verdicts={"a": SERVES})
    url = serve(state).url + "/-/serving"
    for query in ("", "?model=m%2Fx", "?model=m&model=n&target=a"):
        assert get(url + query).status_code == 200
    assert state.asked_about == [None, "m/x", "n"]


@pytest.mark.parametrize("query", ["?modle=nan", "?model=", "?target=", "?model=m&x"])
def test_a_question_that_serving_does_not_know_is_no_good_verdict(serve: Serve, query: str) -> None:
    answer = get(serve(SyntheticState({}, verdicts={"a": SERVES})).url + "/-/serving" + query)
    assert answer.status_code == 400
    assert "model=NAME" in answer.text


def test_a_reason_with_letters_that_utf_8_cannot_say_is_still_told(serve: Serve) -> None:
    """A server's JSON may name a model with half of a surrogate pair."""
    verdict = ServingVerdict(Serving.NOT_SERVING, ("m\ud800 is not ready: größe",))
    answer = get(serve(SyntheticState({}, verdicts={"a": verdict})).url + "/-/serving")
    assert (answer.status_code, answer.content.decode()) == (503, "not_serving\na: m? is not ready: größe\n")


# Routing


def test_the_page_of_the_agent_links_to_what_there_is(serve: Serve) -> None:
    """It links each core route, and every link works, by way of a relative path."""
    url = serve().url
    page = get(url + "/agent")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for path in ("/metrics", "/-/healthy", "/-/ready", "/-/serving"):
        assert f'<a href=".{path}">' in page.text
        assert get(url + path).status_code == (503 if path == "/-/serving" else 200)


@pytest.mark.parametrize("path", ["/nothing", "/metrics/", "/-/", "/metricsx", "/%2e%2e/etc/passwd", "/%ff%0d%0aX: y"])
def test_unknown_path_is_404_in_one_sentence(serve: Serve, path: str) -> None:
    """What is not there is said so in one line, whatever bytes were asked for."""
    answer = get(serve().url + path)
    assert answer.status_code == 404
    assert answer.text.startswith("There is nothing at /")
    assert answer.text.count("\n") == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_405(serve: Serve, method: str) -> None:
    """Only GET and HEAD are answered; others hear which are allowed."""
    answer = requests.request(method, serve().url + "/metrics", timeout=PATIENCE)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/-/healthy", "/nothing"])
def test_head_has_the_headers_of_get_and_no_body(serve: Serve, path: str) -> None:
    """HEAD answers with status, type and length of GET."""
    server = serve()
    whole = get(server.url + path)
    with connect(server) as client:
        client.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: client.recv(4096), b"")).partition(b"\r\n\r\n")
    assert body == b""
    assert f"HTTP/1.1 {whole.status_code} ".encode() in head
    assert f"Content-Length: {len(whole.content)}\r\n".encode() in head


def test_longest_prefix_wins_behind_the_exact_path(serve: Serve) -> None:
    """Later routes can own a whole subtree, with exceptions; they get path and query decoded."""

    def say(word: str) -> Callable[[Request], Response]:
        return lambda request: plain(HTTPStatus.OK, f"{word} {request.path} {dict(request.query)}")

    routes = (
        Route("/below/", say("below"), prefix=True),
        Route("/below/v1/", say("v1"), prefix=True),
        Route("/below/v1/exact", say("exact")),
    )
    url = serve(None, *routes).url
    assert get(url + "/below/x").text == "below /below/x {}\n"
    assert get(url + "/below/v1/m%C3%BCller?a=1&a=2").text == "v1 /below/v1/müller {'a': ['1', '2']}\n"
    assert get(url + "/below/v1/exact").text == "exact /below/v1/exact {}\n"
    assert get(url + "/below").status_code == 404


def test_a_handler_that_raises_is_500_in_one_line(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A defect in a page is logged in one line and never shown to the client; the server goes on."""

    def broken(_request: Request) -> Response:
        message = "secret detail"
        raise KeyError(message)

    url = serve(None, Route("/broken", broken)).url
    with caplog.at_level(logging.INFO):
        answer = get(url + "/broken")
    assert answer.status_code == 500
    assert answer.text == "The agent failed to make this page; its log says why.\n"
    assert [record.getMessage() for record in caplog.records] == ["Answering /broken failed: KeyError: 'secret detail'"]
    assert caplog.records[0].exc_info is None
    assert get(url + "/-/healthy").status_code == 200


PAGES_OWN = {"Content-Security-Policy", "Cache-Control"}
"""What pages for people have otherwise: they have a style and a script, and may be asked for again."""


@pytest.mark.parametrize("path", ["/", "/runbooks/", "/metrics", "/-/healthy", "/nothing"])
def test_every_answer_has_the_security_headers(serve: Serve, path: str) -> None:
    """No sniffing, no framing, no foreign content, no name of the server software."""
    answer = get(serve().url + path)
    own = PAGES_OWN if answer.headers["Content-Type"].startswith("text/html") else set()
    same = {name: value for name, value in SECURITY_HEADERS.items() if name not in own}
    assert {name: answer.headers.get(name) for name in same} == same
    for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Server" not in answer.headers


# Bad clients


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET http://[x HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA: <script>\rb\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 16_400 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
    ],
)
def test_what_never_reaches_the_application_is_refused_with_the_security_headers(
    serve: Serve, request_bytes: bytes, status: bytes
) -> None:
    with connect(serve()) as client:
        client.sendall(request_bytes)
        head, _, _ = client.recv(65_536).partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    assert line.split(b" ")[1] == status
    for name, value in SECURITY_HEADERS.items():
        assert headers.count(f"{name}: {value}".encode()) == 1


def test_slow_readers_hold_no_thread(serve: Serve) -> None:
    """More clients than threads ask for a page over every buffer and never read it: others are answered."""
    large = Response(HTTPStatus.OK, PLAIN, b"x" * 12_000_000)
    server = serve(None, Route("/large", lambda _: large))
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            slow = stack.enter_context(connect(server))
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert get(server.url + "/-/healthy").status_code == 200
        assert get(server.url + "/metrics").status_code == 200


def test_half_requests_hold_no_thread(serve: Serve) -> None:
    """Clients that never finish their request keep nobody waiting."""
    server = serve()
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(connect(server)).sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
        start = time.monotonic()
        assert get(server.url + "/-/healthy").status_code == 200
        assert time.monotonic() - start < 2.0


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", b"413"),
        (b"\x16\x03\x01 this is not HTTP\r\n\r\n", b"400"),
    ],
)
def test_greedy_and_garbled_requests_are_refused(serve: Serve, request_bytes: bytes, status: bytes) -> None:
    """Oversized headers and bodies and what is not HTTP get an error; the server goes on."""
    server = serve()
    with connect(server) as client:
        client.sendall(request_bytes)
        assert client.recv(4096).split(b" ")[1] == status
    assert get(server.url + "/-/healthy").status_code == 200


def test_clients_that_go_away_leave_no_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A connection reset in the middle of an answer is everyday life, not an error."""
    server = serve(state_of(names(2000)))
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            with connect(server) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                client.recv(10)
        assert get(server.url + "/-/healthy").status_code == 200
    assert caplog.records == []


# Listening


def test_a_taken_port_is_one_clear_sentence() -> None:
    """Who cannot have the port is told which, and what to do."""
    with WebServerOnce() as first:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(WebError, match=rf"^Cannot listen on 127\.0\.0\.1:{port}: the port is taken; choose .*\.$"):
            WebServer(WebSettings(port=port), App([]))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (WebSettings("192.0.2.1", 0), "Cannot listen on 192.0.2.1:0: this machine has no such address; "),
        (
            WebSettings("no.such.host.invalid", 0),
            "Cannot listen on no.such.host.invalid: the name has no address; ",
        ),
        (WebSettings("a" * 300, 0), f"Cannot listen on {'a' * 300}: the name has no address; "),
        (WebSettings("", 70000), "Cannot listen on "),
    ],
)
def test_an_impossible_address_is_one_clear_sentence(settings: WebSettings, sentence: str) -> None:
    """An address that this machine lacks, a name without address and a port that is none are told apart."""
    with pytest.raises(WebError) as error:
        WebServer(settings, App([]))
    assert str(error.value).startswith(sentence)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "ports this low need a privilege; choose one from 1024 on."),
        (errno.EADDRINUSE, "the port is taken; choose another one, or stop what listens there."),
        (errno.ENOBUFS, "No buffer space available; choose another address."),
    ],
)
def test_every_refusal_of_the_system_is_one_clear_sentence(number: int, sentence: str) -> None:
    """What the system says to a low port, which root may have, and other refusals are put in words."""
    error = OSError(number, os.strerror(number))
    assert refusal(WebSettings(port=80), error) == f"Cannot listen on 127.0.0.1:80: {sentence}"


def test_close_frees_the_port_at_once() -> None:
    """After close the port can be taken again, although clients were connected; closing twice is fine."""
    server = WebServer(LOCAL, App([Route("/", ok)]))
    server.start()
    with connect(server) as idle, requests.Session() as session:
        assert session.get(server.url, timeout=PATIENCE).status_code == 200
        start = time.monotonic()
        server.close()
        assert time.monotonic() - start < 2.0
        assert idle.recv(10) == b""
    assert not server.is_alive
    server.close()
    port = int(server.url.rsplit(":", 1)[1])
    again = WebServer(WebSettings(port=port), App([Route("/", ok)]))
    again.start()
    assert get(again.url).status_code == 200
    again.close()


def test_close_lets_a_running_answer_end(serve: Serve) -> None:
    """An answer that is being made when the server closes still arrives."""
    entered = threading.Event()

    def slow(_request: Request) -> Response:
        entered.set()
        time.sleep(0.3)
        return plain(HTTPStatus.OK, "done")

    server = serve(None, Route("/slow", slow))
    with connect(server) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert entered.wait(PATIENCE)
        server.close()
        assert client.recv(4096).endswith(b"done\n")


def test_a_server_that_never_started_can_be_closed() -> None:
    """The port is taken at construction and freed by close, start or not."""
    server = WebServer(LOCAL, App([]))
    assert not server.is_alive
    server.close()
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_localhost_listens_on_all_its_addresses(serve: Serve) -> None:
    """A name is reachable at each address that it has here, under one port."""
    server = serve(settings=WebSettings("localhost", 0))
    port = int(server.url.rsplit(":", 1)[1])
    for _, _, _, _, (host, *_) in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
        socket.create_connection((str(host), port), timeout=PATIENCE).close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1"])
def test_url_of_a_wildcard_can_be_asked(serve: Serve, host: str) -> None:
    """`url` works from this machine, also where the server listens everywhere or on IPv6."""
    if ":" in host and not has_ipv6():
        with pytest.raises(WebError):
            serve(settings=WebSettings(host, 0))
        return
    assert get(serve(settings=WebSettings(host, 0)).url + "/-/healthy").status_code == 200


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


class WebServerOnce:
    """A running server for a with statement."""

    def __enter__(self) -> WebServer:
        self.server = WebServer(LOCAL, App([]))
        self.server.start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.close()
