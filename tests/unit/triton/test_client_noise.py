"""Whatever bytes answer, a call ends in a value or a TritonError."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.misbehaving import Connection, Server, http_answer, target_at
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import TritonError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLS: list[Callable[[TritonClient], object]] = [
    lambda client: client.ready(),
    lambda client: client.server_metadata(),
    lambda client: client.repository_index(),
    lambda client: client.model_config("m"),
    lambda client: client.model_metadata("m"),
    lambda client: client.statistics(),
    lambda client: client.metrics(),
]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["name", "version"]), inner),
    max_leaves=8,
)
HEADERS = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 3",
            b"Content-Length: -1",
            b"Content-Length: 3, 4",
            b"Content-Length: 99999999999999999999999999",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Content-Encoding: br",
            b"Content-Type: text/html",
            b"Connection: close",
            b"Location: http://[",
            b"Set-Cookie: \xff",
            b"Broken",
            b": empty",
            b" folded",
        ]
    )
    | st.binary(max_size=20),
    max_size=4,
)
ANSWERS = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest, st.binary(max_size=200)),
    st.builds(
        lambda status, headers, body: b"HTTP/1.1 %d X\r\n" % status + b"\r\n".join([*headers, b"", body]),
        st.integers(0, 1200),
        HEADERS,
        st.binary(max_size=60),
    ),
    st.builds(lambda found: http_answer(json.dumps(found).encode()), ANY_JSON),
)


class Noise:
    """A server whose answer can be set; it closes each connection after it."""

    def __init__(self) -> None:
        self.answer = b""
        self.server = Server(self._behave)

    def _behave(self, connection: Connection) -> None:
        connection.read_request()
        connection.send(self.answer)


@pytest.fixture(scope="module")
def noise() -> Iterator[Noise]:
    noise = Noise()
    with noise.server:
        yield noise


@given(answer=ANSWERS, call=st.sampled_from(CALLS))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answer_gives_a_value_or_a_triton_error(
    noise: Noise, answer: bytes, call: Callable[[TritonClient], object]
) -> None:
    noise.answer = answer
    text = f"{noise.server.url} is fine"
    with TritonClient(target_at(noise.server.url)) as client:
        try:
            call(client)
        except TritonError as error:
            text = str(error)
    assert text.startswith(noise.server.url)
    assert text.isprintable()
