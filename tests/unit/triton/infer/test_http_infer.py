"""Inference over HTTP: what is sent, what is read, and what each way to fail is called."""

from __future__ import annotations

import json
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.misbehaving import (
    Behaviour,
    Connection,
    Deaf,
    Server,
    answers,
    answers_and_closes,
    closes_at_once,
    drips,
    http_answer,
    resets,
    silent,
    speaks_first,
    target_at,
)
from triton_watch.records import CanaryReason, Credentials, Timeouts
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.http import HttpInfer
from triton_watch.triton.infer.messages import Exchange, InferRequest, Tensor, TensorError, tensor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

X = tensor_of(np.array([[1, 2]], dtype=np.float32), "FP32")
REQUEST = InferRequest("m", "", "one", {"X": X})
GOOD: dict[str, Any] = {
    "model_name": "m",
    "model_version": "3",
    "outputs": [{"name": "Y", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}],
}
FLOATS = struct.pack("<2f", 3, 5)


def binary_answer(header: Any, data: bytes = FLOATS, length: int | str | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(text) if length is None else length
    return http_answer(
        text + data, content_type="application/octet-stream", headers=[f"Inference-Header-Content-Length: {length}"]
    )


def json_answer(*outputs: dict[str, Any]) -> bytes:
    body = {"model_name": "m", "model_version": "1", "outputs": list(outputs)}
    return http_answer(json.dumps(body).encode(), content_type="application/json")


def output(datatype: str, shape: list[int], data: Any) -> dict[str, Any]:
    return {"name": "Y", "datatype": datatype, "shape": shape, "data": data}


def failure(behaviour: Behaviour, timeout: float = 5.0, **fields: Any) -> InferError:
    with Server(behaviour) as server:
        client = HttpInfer(target_at(server.url, **fields))
        with pytest.raises(InferError) as caught:
            client.infer(REQUEST, timeout)
        client.close()
    return caught.value


def asked(data: bytes) -> dict[str, Tensor]:
    with Server(answers(data)) as server:
        (answer,) = HttpInfer(target_at(server.url)).infer(REQUEST, 5.0).answers
    return dict(answer.outputs)


def test_tensors_go_out_and_come_back_as_bytes_after_the_json() -> None:
    texts = tensor_of(np.array(["a", "é"], dtype=np.object_), "BYTES")
    request = InferRequest("a model", "2", "id", {"X": X, "T": texts}, {"sequence_id": 2**63, "sequence_start": True})
    sent = bytearray()

    def behave(connection: Connection) -> None:
        while not sent.endswith(texts.data):
            sent.extend(connection.sock.recv(65_536))
        connection.send(binary_answer(GOOD))

    with Server(behave) as server:
        exchange = HttpInfer(target_at(server.url)).infer(request, 5.0)
    head, _, body = bytes(sent).partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    (length,) = (int(line.split(":")[1]) for line in lines if line.startswith("inference-header-content-length"))
    assert lines[0] == "post /v2/models/a%20model/versions/2/infer http/1.1"
    assert "content-type: application/octet-stream" in lines
    assert json.loads(body[:length]) == {
        "id": "id",
        "parameters": {"sequence_id": 2**63, "sequence_start": True, "binary_data_output": True},
        "inputs": [
            {"name": "X", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
            {"name": "T", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 11}},
        ],
    }
    assert body[length:] == X.data + texts.data
    (answer,) = exchange.answers
    assert (answer.model, answer.version, answer.outputs) == ("m", "3", {"Y": Tensor("FP32", (1, 2), FLOATS)})
    assert 0 < answer.at == exchange.first == exchange.seconds < 5


def test_credentials_and_headers_of_the_target_are_sent_too() -> None:
    credentials = Credentials(bearer_token="secret", headers=(("Content-Type", "text/plain"), ("X-Team", "vision")))
    with Server(answers(binary_answer(GOOD))) as server:
        HttpInfer(target_at(server.url, credentials=credentials)).infer(REQUEST, 5.0)
        head = server.requests[0].partition(b"\r\n\r\n")[0].decode().lower()
    assert "authorization: bearer secret" in head
    assert "x-team: vision" in head
    assert "content-type: application/octet-stream" in head
    assert "text/plain" not in head


def test_each_inference_has_a_connection_of_its_own_which_is_closed_afterwards() -> None:
    closed = threading.Semaphore(0)

    def behave(connection: Connection) -> None:
        assert connection.read_request()
        connection.send(binary_answer(GOOD))
        if not connection.read_request():
            closed.release()

    with Server(behave) as server:
        client = HttpInfer(target_at(server.url))
        for number in (1, 2):
            client.infer(REQUEST, 5.0)
            assert closed.acquire(timeout=5)
            assert server.connections == number


def test_many_threads_may_ask_at_once() -> None:
    together = threading.Barrier(4)

    def behave(connection: Connection) -> None:
        connection.read_request()
        together.wait(5)
        connection.send(binary_answer(GOOD))

    with Server(behave) as server, ThreadPoolExecutor(4) as threads:
        client = HttpInfer(target_at(server.url))
        exchanges = list(threads.map(lambda _: client.infer(REQUEST, 5.0), range(8)))
        client.close()
    assert [len(exchange.answers) for exchange in exchanges] == [1] * 8


@pytest.mark.parametrize(
    ("datatype", "data", "expected"),
    [
        ("FP32", [1, 2.5, 3], [1, 2.5, 3]),
        ("FP64", [[1], [2], [3]], [1, 2, 3]),
        ("BF16", [1, 2, 3], [1, 2, 3]),
        ("INT64", [2**63 - 1, -(2**63), 0], [2**63 - 1, -(2**63), 0]),
        ("UINT64", [2**64 - 1, 1, 0], [2**64 - 1, 1, 0]),
        ("BOOL", [True, False, True], [True, False, True]),
        ("BYTES", ["a", "", "é\0"], [b"a", b"", "é\0".encode()]),
    ],
)
def test_data_in_the_json_are_read_as_well(datatype: str, data: Any, expected: list[Any]) -> None:
    found = asked(json_answer(output(datatype, [3], data)))["Y"]
    assert (found.datatype, found.shape, found.array().tolist()) == (datatype, (3,), expected)


def test_outputs_as_bytes_and_as_json_may_stand_side_by_side() -> None:
    header = {**GOOD, "outputs": [{**output("INT8", [1], [7]), "name": "Z"}, *GOOD["outputs"]]}
    assert asked(binary_answer(header)) == {"Z": Tensor("INT8", (1,), b"\7"), "Y": Tensor("FP32", (1, 2), FLOATS)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (binary_answer(GOOD, FLOATS[:7]), "output 'Y' announces 8 bytes where 7 are left"),
        (binary_answer(GOOD, FLOATS + b"!"), "1 bytes follow the last output"),
        (binary_answer(GOOD, length=10_000), "10000 bytes of JSON are announced where"),
        (binary_answer(GOOD, length=5), "broken JSON"),
        (binary_answer(GOOD, length=0), "JSON"),
        (binary_answer(GOOD, length="many"), "broken JSON"),
        (binary_answer(b"\xff\xfe"), "broken JSON"),
        (binary_answer([]), "not a JSON object"),
        (binary_answer({}, b""), "no list of outputs"),
        (binary_answer({"outputs": [1]}, b""), "not a JSON object"),
        (binary_answer({"outputs": [{"name": "Y"}]}, b""), "lacks its name, datatype or shape"),
        (binary_answer({**GOOD, "model_version": 3}), "model_version is not a text"),
        (json_answer(output("FP32", [-1], [1])), "whole numbers"),
        (json_answer(output("FP32", [True], [1])), "whole numbers"),
        (json_answer({**output("FP32", [1], [1]), "parameters": {"binary_data_size": -4}}), "not a whole number"),
        (json_answer({"name": "Y", "datatype": "FP32", "shape": [1]}), "neither bytes nor data"),
        (json_answer(output("FP32", [3], [1, 2])), "2 values for shape [3]"),
        (json_answer(output("FP32", [1], ["1"])), "not of FP32"),
        (json_answer(output("INT32", [1], [1.5])), "not of INT32"),
        (json_answer(output("INT8", [1], [300])), "outside of int8"),
        (json_answer(output("BYTES", [1], [1])), "not of BYTES"),
        (json_answer(output("BYTES", [1], ["\ud800"])), "surrogate"),
        (json_answer(output("FP99", [1], [1])), "FP99"),
        (http_answer(b"<html>", content_type="text/html"), "HTML"),
        (http_answer(b""), "empty body"),
        (http_answer(status="204 No Content"), "204"),
    ],
)
def test_an_answer_that_cannot_be_read_is_named_so(data: bytes, words: str) -> None:
    error = failure(answers(data))
    assert error.reason is CanaryReason.UNREADABLE
    assert words in error.text


def test_an_answer_over_the_limit_of_a_body_is_not_read() -> None:
    assert failure(answers(binary_answer(GOOD)), body_limit=20).reason is CanaryReason.UNREADABLE


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        ("503 Service Unavailable", "[request id: <id_unknown>] Exceeds maximum queue size", CanaryReason.OVERLOADED),
        ("503 Service Unavailable", "", CanaryReason.OVERLOADED),
        (
            "503 Service Unavailable",
            "Request for unknown model: 'm' has no available versions",
            CanaryReason.NOT_SERVED,
        ),
        ("404 Not Found", "Request for unknown model: 'm' is not found", CanaryReason.NOT_SERVED),
        ("400 Bad Request", "Request for unknown model: 'm' version 7 is not found", CanaryReason.NOT_SERVED),
        ("400 Bad Request", "Model 'm' is not ready", CanaryReason.NOT_SERVED),
        ("400 Bad Request", "unexpected inference input 'Q' for model 'm'", CanaryReason.REFUSED),
        ("404 Not Found", "", CanaryReason.REFUSED),
        ("401 Unauthorized", "", CanaryReason.REFUSED),
        ("403 Forbidden", "This API is restricted, expecting header 'k'", CanaryReason.REFUSED),
        ("302 Found", "", CanaryReason.REFUSED),
        ("413 Payload Too Large", "", CanaryReason.REFUSED),
        ("500 Internal Server Error", "the weights are gone", CanaryReason.SERVER_ERROR),
        ("500 Internal Server Error", "the key is not found", CanaryReason.SERVER_ERROR),
        ("502 Bad Gateway", "", CanaryReason.SERVER_ERROR),
        ("501 Not Implemented", "HTTP end point doesn't support models with decoupled transaction policy", None),
    ],
)
def test_each_status_has_its_reason_and_the_servers_own_words(
    status: str, text: str, reason: CanaryReason | None
) -> None:
    body = json.dumps({"error": text}).encode() if text else b""
    error = failure(answers(http_answer(body, status=status, content_type="application/json")))
    assert error.reason is (reason or CanaryReason.REFUSED)
    if text:
        assert error.text == text.removeprefix("[request id: <id_unknown>] ")
    else:
        assert f"HTTP {status[:3]}" in error.text
    assert bool(error.hint) is (status[:3] in {"401", "403"})


@pytest.mark.parametrize(
    "behaviour",
    [
        closes_at_once,
        resets,
        speaks_first(b"SSH-2.0-x\r\n"),
        answers_and_closes(b"HTTP/1.1 200 OK\r\nContent-Le"),
        answers_and_closes(binary_answer(GOOD)[:-3]),
    ],
)
def test_a_connection_that_breaks_or_does_not_speak_http_is_unreachable(behaviour: Behaviour) -> None:
    assert failure(behaviour).reason is CanaryReason.UNREACHABLE


def test_nobody_at_the_port_is_unreachable() -> None:
    with Server(silent) as server:
        url = server.url
    with pytest.raises(InferError, match="refused") as caught:
        HttpInfer(target_at(url)).infer(REQUEST, 5.0)
    assert caught.value.reason is CanaryReason.UNREACHABLE


def test_a_connection_that_does_not_come_about_within_the_targets_own_time_is_unreachable() -> None:
    with Deaf() as server, pytest.raises(InferError) as caught:
        HttpInfer(target_at(server.url)).infer(REQUEST, 30.0)
    assert caught.value.reason is CanaryReason.UNREACHABLE
    assert caught.value.seconds < 5


SLOW = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"


@pytest.mark.parametrize("behaviour", [silent, drips(b"x", every=0.02, at_once=SLOW), drips(SLOW, every=0.05)])
def test_no_whole_answer_within_the_timeout_is_the_deadline_however_it_drips(behaviour: Behaviour) -> None:
    error = failure(behaviour, timeout=0.3)
    assert error.reason is CanaryReason.DEADLINE
    assert 0.25 < error.seconds < 2


def test_the_timeout_of_a_request_counts_where_the_targets_own_are_shorter() -> None:
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.sleep(0.3)
        connection.send(binary_answer(GOOD))

    short = Timeouts(connect=0.4, read=0.1, total=0.1)
    with Server(behave) as server:
        exchange = HttpInfer(target_at(server.url, timeouts=short)).infer(REQUEST, 5.0)
    assert exchange.seconds >= 0.3


def test_no_time_at_all_is_the_deadline_and_nothing_is_sent() -> None:
    with Server(silent) as server, pytest.raises(InferError) as caught:
        HttpInfer(target_at(server.url)).infer(REQUEST, 0.0)
    assert caught.value.reason is CanaryReason.DEADLINE
    assert server.connections == 0


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
OUTPUTS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("Y") | ANY_JSON,
        "datatype": st.sampled_from(["FP32", "INT8", "UINT64", "BOOL", "BF16", "BYTES"]) | ANY_JSON,
        "shape": st.lists(st.integers(-1, 3) | st.integers(), max_size=3) | ANY_JSON,
        "parameters": st.fixed_dictionaries({"binary_data_size": st.integers(-1, 9) | ANY_JSON}) | ANY_JSON,
        "data": st.lists(st.integers() | st.floats() | st.text(max_size=2), max_size=3) | ANY_JSON,
    },
)
HEADERS = st.builds(lambda outputs: {**GOOD, "outputs": outputs}, st.lists(OUTPUTS, max_size=3)) | ANY_JSON


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[HttpInfer, list[bytes]]]:
    """A client, and the place for what its server answers next."""
    script = [b""]

    def behave(connection: Connection) -> None:
        if connection.read_request():
            connection.send(script[0])

    with Server(behave) as server:
        yield HttpInfer(target_at(server.url)), script


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=HEADERS, data=st.binary(max_size=24), length=st.none() | st.integers(0, 200))
def test_whatever_is_answered_is_an_answer_or_an_infer_error(
    scripted: tuple[HttpInfer, list[bytes]], header: Any, data: bytes, length: int | None
) -> None:
    client, script = scripted
    script[0] = binary_answer(header, data, length)
    found = outcome(client)
    if isinstance(found, InferError):
        assert found.reason is CanaryReason.UNREADABLE
        assert found.text.isprintable()
    else:
        assert all(array_or_words(tensor) is not None for tensor in found.answers[0].outputs.values())


def outcome(client: HttpInfer) -> Exchange | InferError:
    try:
        return client.infer(REQUEST, 5.0)
    except InferError as error:
        return error


def array_or_words(tensor: Tensor) -> object:
    try:
        return tensor.array()
    except TensorError as error:
        return str(error)
