"""Each way for a Prometheus to fail, or to be no Prometheus, is one sentence about it, within the deadline."""

from __future__ import annotations

import json
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import trustme

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
    http_answer,
    keeps_alive_for,
    resets,
    silent,
    speaks_first,
)
from triton_watch.conventions.slo import SLO_EVENTS
from triton_watch.records import Credentials, PrometheusSettings, Timeouts, TlsSettings
from triton_watch.store.prometheus_api import PrometheusApi
from triton_watch.store.prometheus_errors import HistoryError
from triton_watch.store.prometheus_queries import Selector

if TYPE_CHECKING:
    from pathlib import Path

ENOUGH = 5.0
"""Seconds: many times the total deadline of 0.7 s, for machines that are busy with other things."""
AT = 1_760_000_000.0
HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"


def vector(*rows: Any, **more: Any) -> bytes:
    answer = {"status": "success", "data": {"resultType": "vector", "result": list(rows)}, **more}
    return http_answer(json.dumps(answer).encode(), content_type="application/json")


def row(value: Any = "1", **labels: Any) -> dict[str, Any]:
    return {"metric": labels, "value": [AT, value]}


def settings_at(url: str, **fields: Any) -> PrometheusSettings:
    given = {"credentials": Credentials(), "tls": TlsSettings(), "timeouts": Timeouts(0.4, 0.1, 0.7), **fields}
    return PrometheusSettings(url, **given)


def api_at(url: str, **fields: Any) -> PrometheusApi:
    return PrometheusApi(settings_at(url, **fields), clock=time.monotonic)


def failure(url: str, **fields: Any) -> str:
    """The sentence of the error, which must come in time."""
    api = api_at(url, **fields)
    began = time.monotonic()
    with pytest.raises(HistoryError) as caught:
        api.instant("up", AT)
    assert time.monotonic() - began < ENOUGH
    api.close()
    text = str(caught.value)
    assert text.startswith(f"Prometheus at {url} ")
    assert "Triton" not in text
    assert "\n" not in text
    return text


def error(status: str, body: bytes, content_type: str = "application/json", headers: tuple[str, ...] = ()) -> Behaviour:
    return answers(http_answer(body, status=status, content_type=content_type, headers=headers))


def of_prometheus(kind: str, text: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": text}).encode()


CASES: dict[str, tuple[Behaviour, str]] = {
    "silent": (silent, "did not answer in time"),
    "drips": (drips(b"HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyy", every=0.05), "did not answer in time"),
    "drips its body": (drips(b" ", every=0.05, at_once=b"HTTP/1.1 200 OK\r\n\r\n"), "did not answer in time"),
    "closes": (closes_at_once, "closed the connection without an answer"),
    "resets": (resets, "broke the connection"),
    "ends early": (answers_and_closes(vector(row())[:-9]), "ended its answer early"),
    "gRPC": (speaks_first(GRPC_SETTINGS), "answered with bytes that are not HTTP: check the port (usually 9090)"),
    "TLS": (answers_and_closes(TLS_ALERT), "answered with bytes that are not HTTP"),
    "endless": (ENDLESS_CHUNKS, ""),
    "endless body": (ENDLESS_BODY, ""),
    "huge": (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"), "too large to be read"),
    "an encoding": (answers(http_answer(b"x", headers=["Content-Encoding: br"])), "encoding 'br'"),
    "a login page": (answers(http_answer(HTML, content_type="text/html")), "answered with an HTML page"),
    "nothing": (answers(http_answer()), "answered with an empty body"),
    "no JSON": (answers(http_answer(b"hello")), "answered with something else"),
    "deep JSON": (answers(http_answer(b"[" * 200_000)), "answered with something else"),
    "other JSON": (answers(http_answer(b'{"status": "success"}')), "answered with something else"),
    "a list": (answers(http_answer(b"[]")), "answered with something else"),
    "another type": (
        answers(http_answer(vector().replace(b"vector", b"matrix").partition(b"\r\n\r\n")[2])),
        "something",
    ),
    "no number": (answers(vector(row("many"))), "answered with something else"),
    "no label": (answers(vector(row(slo=1))), "answered with something else"),
    "no value": (answers(vector({"metric": {}})), "answered with something else"),
    "bad data": (error("400 Bad Request", of_prometheus("bad_data", "parse error")), "'parse error': it does not take"),
    "TLS port": (
        error("400 Bad Request", b"Client sent an HTTP request to an HTTPS server.", "text/plain"),
        "answered that it speaks TLS: write https:// in its URL",
    ),
    "Mimir without a tenant": (error("401 Unauthorized", b"no org id\n", "text/plain"), "'no org id': set basic_auth"),
    "forbidden": (error("403 Forbidden", HTML, "text/html"), "answered HTTP 403: the credentials for it are missing"),
    "no such path": (error("404 Not Found", b"404 page not found\n", "text/plain"), "is the path of its URL right"),
    "a redirect": (
        error("302 Found", b"", headers=("Location: https://user:secret@sso/login?token=secret",)),
        "redirects to https://sso/login?… (HTTP 302): write the final address",
    ),
    "too heavy": (
        error("422 Unprocessable Entity", of_prometheus("execution", "query processing would load too many samples")),
        "too many samples': it could not evaluate the query",
    ),
    "limited": (error("429 Too Many Requests", b"slow down", "text/plain"), "'slow down': it limits its clients"),
    "overloaded": (error("503 Service Unavailable", of_prometheus("timeout", "query timed out")), "'query timed out'"),
    "a bad gateway": (
        error("502 Bad Gateway", HTML, "text/html"),
        "answered HTTP 502: see its log, and that of a proxy",
    ),
    "accepted": (error("202 Accepted", b"", "text/plain"), "is something else on this port?"),
}


@pytest.mark.parametrize(("behaviour", "words"), CASES.values(), ids=CASES.keys())
def test_each_failure_is_a_sentence_about_prometheus(behaviour: Behaviour, words: str) -> None:
    with Server(behaviour) as server:
        assert words in failure(server.url)


def test_no_connection_is_told_with_its_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "refused the connection: nothing listens there" in failure(f"http://127.0.0.1:{port}")
    assert "has a host name that has no address" in failure("http://no-such-host.invalid:9090")
    assert "cannot be asked: the URL must be like http://host:9090" in failure("ftp://localhost:9090")
    with Deaf() as deaf:
        assert "could not be connected to within 0.4 s" in failure(deaf.url)


def test_a_certificate_of_an_unknown_authority_is_refused_and_one_of_a_known_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with Server(answers(vector()), tls=context) as server:
        assert "its CA is not trusted here; give the CA's certificate in tls.ca_file" in failure(server.url)
        assert api_at(server.url, tls=TlsSettings(ca_file=ca_file)).instant("up", AT) == []
    with Server(speaks_first(http_answer(status="400 Bad Request"))) as server:
        text = failure(server.url.replace("http:", "https:"))
    assert "what answers does not speak TLS; if it is plain HTTP, write http:// in its URL" in text


def test_a_query_is_a_form_with_its_time_and_the_servers_own_deadline() -> None:
    credentials = Credentials(bearer_token="t0ken", headers=(("X-Scope-OrgID", "team a"),))
    with Server(answers(vector())) as server:
        api_at(f"{server.url}/prometheus", credentials=credentials).instant('up{a="ü\ud800"}', AT)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /prometheus/api/v1/query HTTP/1.1"
    assert {
        "Content-Type: application/x-www-form-urlencoded",
        "X-Scope-OrgID: team a",
        "Authorization: Bearer t0ken",
    } <= {*lines}
    assert parse_qs(body.decode()) == {"query": ['up{a="ü?"}'], "time": ["1760000000.000"], "timeout": ["665ms"]}


def test_a_slow_evaluation_is_waited_for_until_the_total_deadline() -> None:
    """The read deadline is for servers that answer at once."""

    def slow(connection: Any) -> None:
        connection.read_request()
        connection.sleep(0.3)
        connection.send(vector(row()))

    with Server(slow) as server:
        assert len(api_at(server.url).instant("up", AT)) == 1


def test_a_kept_connection_that_closes_under_a_query_is_renewed() -> None:
    with Server(keeps_alive_for(1, vector())) as server:
        api = api_at(server.url)
        api.instant("up", AT)
        api.instant("up", AT)
        api.close()
        assert server.connections == 2


def test_warnings_are_kept_once_each_and_infos_are_not() -> None:
    answer = vector(warnings=["partial\nresponse: store down"], infos=["PromQL info: a metric might not be a counter"])
    with Server(answers(answer)) as server:
        api = api_at(server.url)
        api.instant("up", AT)
        api.instant("up", AT)
        assert api.warnings == (f"Prometheus at {server.url}: it warns: partial response: store down.",)
        api.close()


def test_warnings_do_not_grow_for_ever() -> None:
    with Server(answers(*(vector(warnings=[f"store {n} is down"]) for n in range(60)))) as server:
        api = api_at(server.url)
        for _ in range(60):
            api.instant("up", AT)
        api.close()
    assert len(api.warnings) == 50
    assert "store 59 is down" in api.warnings[-1]


def test_values_that_are_no_numbers_are_left_out() -> None:
    with Server(answers(vector(row("NaN", a="1"), row("+Inf", a="2"), row("3.5", a="3")))) as server:
        assert [(one.labels["a"], one.value) for one in api_at(server.url).instant("up", AT)] == [("3", 3.5)]


def test_no_secret_gets_into_a_sentence() -> None:
    with Server(error("401 Unauthorized", b"")) as server:
        url = server.url.replace("://", "://user:hidden@")
        with pytest.raises(HistoryError) as caught:
            api_at(url, credentials=Credentials(username="u", password="hidden")).instant("up", AT)
    assert "hidden" not in str(caught.value)


def test_a_selector_takes_label_names_and_no_promql() -> None:
    with pytest.raises(HistoryError, match=r"cannot be asked for the label 'a=\"b\"} or up{c'"):
        Selector(settings_at("http://localhost:9090", selector=(('a="b"} or up{c', "x"),)))


def test_what_is_special_in_a_regular_expression_is_escaped() -> None:
    selector = Selector(settings_at("http://localhost:9090", selector=(("cluster", 'a"\\\n\x00é'),)))
    matchers = (
        r'cluster="a\"\\\n\u0000é"',
        r'slo=~"a\\.b|c\\|d|e-f_g h"',
        r'model=~"m\\(1\\)"',
        r'result="good"',
    )
    expected = f"triton_watch_slo_events_total{{{', '.join(matchers)}}}"
    assert selector.series(SLO_EVENTS, ["e-f_g h", "c|d", "a.b"], ["m(1)"], "good") == expected
