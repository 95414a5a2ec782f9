"""Inference over gRPC, with real servers in this process: what is sent, what is read, how it ends."""

from __future__ import annotations

import base64
import dataclasses
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2

from support.misbehaving import Behaviour, Deaf, Server, closes_at_once, resets, silent, speaks_first, target_at
from triton_watch.records import CanaryReason, Credentials
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.grpc import GrpcInfer
from triton_watch.triton.infer.messages import DTYPES, Exchange, InferRequest, Tensor, TensorError, tensor_of
from unit.triton.infer.grpc_server import GrpcServer, Servicer, ends_with, response, streamed

if TYPE_CHECKING:
    from collections.abc import Iterator

X = tensor_of(np.array([[1, 2]], dtype=np.float32), "FP32")
REQUEST = InferRequest("m", "3", "one", {"X": X})
FLOATS = struct.pack("<2f", 3, 5)
Y = ("Y", "FP32", [1, 2], FLOATS)


def asked(servicer: Servicer, request: InferRequest = REQUEST, timeout: float = 5.0, **target: Any) -> Exchange:
    with GrpcServer(servicer) as server:
        client = GrpcInfer(server.target(**target))
        try:
            return client.infer(request, timeout)
        finally:
            client.close()


def streamed_from(servicer: Servicer, timeout: float = 5.0, limit: int = 100) -> Exchange:
    with GrpcServer(servicer) as server:
        client = GrpcInfer(server.target())
        try:
            return client.stream(REQUEST, timeout, limit)
        finally:
            client.close()


def failure(servicer: Servicer, request: InferRequest = REQUEST, timeout: float = 5.0, **target: Any) -> InferError:
    with pytest.raises(InferError) as caught:
        asked(servicer, request, timeout, **target)
    return caught.value


def outputs(item: Any) -> dict[str, Tensor]:
    return dict(asked(Servicer(infer=lambda _request, _context: item)).answers[0].outputs)


def test_tensors_go_out_and_come_back_as_bytes() -> None:
    texts = tensor_of(np.array(["a", "é"], dtype=np.object_), "BYTES")
    servicer = Servicer(infer=lambda _request, _context: response(Y, ("Z", "BYTES", [2], texts.data)))
    exchange = asked(servicer, InferRequest("m", "3", "one", {"X": X, "T": texts}))
    (request,) = servicer.requests
    assert (request.model_name, request.model_version, request.id) == ("m", "3", "one")
    assert [(one.name, one.datatype, list(one.shape)) for one in request.inputs] == [
        ("X", "FP32", [1, 2]),
        ("T", "BYTES", [2]),
    ]
    assert list(request.raw_input_contents) == [X.data, texts.data]
    (answer,) = exchange.answers
    assert (answer.model, answer.version) == ("m", "3")
    assert answer.outputs == {"Y": Tensor("FP32", (1, 2), FLOATS), "Z": texts}
    assert 0 < answer.at == exchange.first == exchange.seconds < 5


def test_parameters_have_their_own_types() -> None:
    servicer = Servicer()
    given_ones: dict[str, Any] = {
        "yes": True,
        "number": -5,
        "large": 2**64 - 1,
        "half": 0.5,
        "text": "é",
        "sequence_id": 2**31,
    }
    asked(servicer, dataclasses.replace(REQUEST, parameters=given_ones))
    sent = servicer.requests[0].parameters
    fields = {name: sent[name].WhichOneof("parameter_choice") for name in given_ones}
    assert fields == {
        "yes": "bool_param",
        "number": "int64_param",
        "large": "uint64_param",
        "half": "double_param",
        "text": "string_param",
        "sequence_id": "int64_param",
    }
    assert {name: getattr(sent[name], kind) for name, kind in fields.items()} == given_ones


@pytest.mark.parametrize(
    "request_",
    [
        dataclasses.replace(REQUEST, parameters={"seed": 2**64}),
        dataclasses.replace(REQUEST, parameters={"seed": -(2**63) - 1}),
        dataclasses.replace(REQUEST, model="\ud800"),
        dataclasses.replace(REQUEST, inputs={"X": Tensor("FP32", (2**64,), b"")}),
    ],
)
def test_a_request_that_cannot_be_written_is_refused_and_not_sent(request_: InferRequest) -> None:
    servicer = Servicer()
    error = failure(servicer, request_)
    assert error.reason is CanaryReason.REFUSED
    assert error.text.startswith("the request cannot be written: ")
    assert servicer.requests == []


@pytest.mark.parametrize(
    ("credentials", "name", "value"),
    [
        (Credentials(bearer_token="s3cret"), "authorization", "Bearer s3cret"),
        (
            Credentials(username="ann", password="pä:ss"),
            "authorization",
            "Basic " + base64.b64encode("ann:pä:ss".encode()).decode(),
        ),
        (Credentials(username="ann"), "authorization", "Basic " + base64.b64encode(b"ann:").decode()),
        (Credentials(restricted_header=("Admin-Key", "Value")), "triton-grpc-protocol-admin-key", "Value"),
        (Credentials(headers=(("X-Team", "Vision"),)), "x-team", "Vision"),
    ],
)
def test_credentials_and_headers_of_the_target_are_sent(credentials: Credentials, name: str, value: str) -> None:
    servicer = Servicer()
    asked(servicer, credentials=credentials)
    assert servicer.metadata[0][name] == value


@pytest.mark.parametrize(
    ("credentials", "name"),
    [
        (Credentials(bearer_token="a\nsecret"), "authorization"),
        (Credentials(bearer_token="sécret"), "authorization"),
        (Credentials(headers=(("X Y", "secret"),)), "x y"),
        (Credentials(headers=(("x-bin", "secret"),)), "x-bin"),
        (Credentials(headers=(("", "secret"),)), ""),
    ],
)
def test_a_header_that_grpc_cannot_send_is_named_without_its_secret(credentials: Credentials, name: str) -> None:
    error = failure(Servicer(), credentials=credentials)
    assert (error.reason, error.text) == (
        CanaryReason.UNREACHABLE,
        f"the header {name!r} has characters that gRPC cannot send",
    )
    assert "secret" not in error.hint


FIELDS: dict[str, tuple[str, list[Any]]] = {
    "BOOL": ("bool_contents", [True, False]),
    "INT8": ("int_contents", [-128, 127]),
    "INT16": ("int_contents", [-(2**15), 2**15 - 1]),
    "INT32": ("int_contents", [-(2**31), 2**31 - 1]),
    "INT64": ("int64_contents", [-(2**63), 2**63 - 1]),
    "UINT8": ("uint_contents", [0, 255]),
    "UINT16": ("uint_contents", [0, 2**16 - 1]),
    "UINT32": ("uint_contents", [0, 2**32 - 1]),
    "UINT64": ("uint64_contents", [2**64 - 1, 2**63 + 1]),
    "FP32": ("fp32_contents", [0.5, float("inf")]),
    "FP64": ("fp64_contents", [0.1, -1e300]),
    "BYTES": ("bytes_contents", [b"", b"\xff\0"]),
}


def typed(datatype: str, values: list[Any], shape: list[int], field: str = "") -> Any:
    found = response(("Y", datatype, shape, None))
    getattr(found.outputs[0].contents, field or FIELDS[datatype][0]).extend(values)
    return found


@pytest.mark.parametrize("datatype", FIELDS)
def test_outputs_in_typed_fields_are_read_without_losing_a_digit(datatype: str) -> None:
    _, values = FIELDS[datatype]
    found = outputs(typed(datatype, values, [2, 1]))["Y"]
    assert (found.datatype, found.shape) == (datatype, (2, 1))
    assert found.array().reshape(-1).tolist() == values


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (typed("INT32", [1, 2, 3], [2]), "3 values for shape [2]"),
        (typed("INT32", [1], [-1]), "1 values for shape [-1]"),
        (typed("INT32", [1], [2**62, 2**62]), "1 values for shape"),
        (typed("INT8", [300], [1]), "a value is outside of int8: -128 to 127"),
        (typed("FP32", [1], [1], "int_contents"), "0 values for shape [1]"),
        (response(("Y", "FP16", [1], None)), "FP16 came without its bytes"),
        (response(("Y", "FP99", [1], None)), "FP99 came without its bytes"),
        (response(("Y", "FP32", [1], FLOATS), ("Z", "FP32", [1], None)), "0 values for shape [1]"),
        (
            service_pb2.ModelInferResponse(raw_output_contents=[b"1"]),
            "the bytes of 1 outputs came, and 0 are described",
        ),
    ],
)
def test_outputs_that_do_not_make_a_tensor_are_unreadable(item: Any, words: str) -> None:
    error = failure(Servicer(infer=lambda _request, _context: item))
    assert error.reason is CanaryReason.UNREADABLE
    assert words in error.text
    assert error.seconds > 0


@pytest.mark.parametrize("raw", [b"", b"\0", FLOATS * 2])
def test_raw_bytes_that_do_not_fit_come_through_as_they_are_for_the_verdict(raw: bytes) -> None:
    found = outputs(response(("Y", "FP32", [1, 2], raw)))["Y"]
    assert found == Tensor("FP32", (1, 2), raw)
    with pytest.raises(TensorError):
        found.array()


def test_no_outputs_are_an_answer_too() -> None:
    assert outputs(response()) == {}


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "[request id: one] Exceeds maximum queue size", CanaryReason.OVERLOADED),
        (grpc.StatusCode.UNAVAILABLE, "Request for unknown model: 'm' is not found", CanaryReason.NOT_SERVED),
        (grpc.StatusCode.NOT_FOUND, "Request for unknown model: 'm' is not found", CanaryReason.NOT_SERVED),
        (grpc.StatusCode.INVALID_ARGUMENT, "unexpected inference input 'Q'", CanaryReason.REFUSED),
        (grpc.StatusCode.UNIMPLEMENTED, "ModelInfer RPC doesn't support decoupled models", CanaryReason.REFUSED),
        (grpc.StatusCode.INTERNAL, "the weights are gone", CanaryReason.SERVER_ERROR),
        (grpc.StatusCode.UNKNOWN, "", CanaryReason.SERVER_ERROR),
    ],
)
def test_a_status_of_the_server_comes_with_its_own_words(
    code: grpc.StatusCode, text: str, reason: CanaryReason
) -> None:
    error = failure(Servicer(infer=ends_with(code, text)))
    assert error.reason is reason
    assert error.text == (text.removeprefix("[request id: one] ") or "gRPC status UNKNOWN")


def test_an_answer_over_the_limit_of_a_body_is_not_read() -> None:
    servicer = Servicer(infer=lambda _request, _context: response(("Y", "INT8", [9000], b"1" * 9000)))
    error = failure(servicer, body_limit=5000)
    assert error.reason is CanaryReason.UNREADABLE
    assert "larger than max" in error.text
    assert "body_limit" in error.hint


def test_a_request_over_the_limit_of_the_server_is_refused() -> None:
    large = Tensor("INT8", (5_000_000,), b"1" * 5_000_000)
    error = failure(Servicer(), dataclasses.replace(REQUEST, inputs={"X": large}))
    assert error.reason is CanaryReason.REFUSED
    assert "larger than max" in error.text


def test_no_answer_in_time_is_the_deadline_and_the_server_hears_of_it() -> None:
    canceled = threading.Event()

    def hang(_request: Any, context: grpc.ServicerContext) -> Any:
        context.add_callback(canceled.set)
        assert canceled.wait(10)
        return response()

    error = failure(Servicer(infer=hang), timeout=0.3)
    assert error.reason is CanaryReason.DEADLINE
    assert error.text.startswith("no answer within 0.3")
    assert 0.25 < error.seconds < 2
    assert canceled.is_set()


def test_all_responses_of_a_stream_are_read_to_the_final_one() -> None:
    items = [streamed(response(Y)), streamed(response(Y)), streamed(final=True), streamed(response(Y))]
    servicer = Servicer(stream=lambda _request, _context: iter(items))
    exchange = streamed_from(servicer)
    assert [answer.outputs for answer in exchange.answers] == [{"Y": Tensor("FP32", (1, 2), FLOATS)}] * 2
    assert exchange.first is not None
    assert 0 < exchange.first <= exchange.answers[1].at <= exchange.seconds
    assert servicer.requests[0].parameters["triton_enable_empty_final_response"].bool_param


def test_a_final_response_with_outputs_counts_and_an_empty_one_does_not() -> None:
    assert len(streamed_from(Servicer(stream=lambda *_: iter([streamed(response(Y), final=True)]))).answers) == 1
    assert streamed_from(Servicer()).answers == ()


def test_a_stream_that_the_server_closes_without_a_final_response_ends_there() -> None:
    servicer = Servicer(stream=lambda *_: iter([streamed(response(Y))]))
    with GrpcServer(servicer) as server, ThreadPoolExecutor(1):
        client = GrpcInfer(server.target())
        assert len(client.stream(REQUEST, 5.0, 100).answers) == 1
        client.close()


def _endless(pause: float, ended: threading.Event) -> Any:
    def stream(_request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        context.add_callback(ended.set)
        while not ended.wait(pause):
            yield streamed(response(Y))

    return stream


def test_an_endless_stream_is_canceled_after_as_many_responses_as_are_wanted() -> None:
    ended = threading.Event()
    exchange = streamed_from(Servicer(stream=_endless(0.0, ended)), limit=7)
    assert len(exchange.answers) == 7
    assert ended.wait(5)


def test_an_endless_stream_is_canceled_at_the_deadline() -> None:
    ended = threading.Event()
    with pytest.raises(InferError, match=r"\d+ responses came within 0\.\d+ s, and not the final one") as caught:
        streamed_from(Servicer(stream=_endless(0.02, ended)), timeout=0.3, limit=10_000)
    assert caught.value.reason is CanaryReason.DEADLINE
    assert ended.wait(5)


@pytest.mark.parametrize(
    ("items", "reason", "text"),
    [
        ([streamed(failed="[request id: one] boom")], CanaryReason.SERVER_ERROR, "boom"),
        ([streamed(response(Y)), streamed(failed="Exceeds maximum queue size")], CanaryReason.OVERLOADED, None),
        ([streamed(response(("Y", "FP16", [1], None)))], CanaryReason.UNREADABLE, None),
    ],
)
def test_an_error_in_a_stream_is_the_end_of_it(items: list[Any], reason: CanaryReason, text: str | None) -> None:
    with pytest.raises(InferError) as caught:
        streamed_from(Servicer(stream=lambda *_: iter(items)))
    assert caught.value.reason is reason
    assert text in (None, caught.value.text)


def test_a_status_at_the_end_of_a_stream_has_its_reason() -> None:
    with pytest.raises(InferError) as caught:
        streamed_from(Servicer(stream=ends_with(grpc.StatusCode.INTERNAL, "boom")))
    assert (caught.value.reason, caught.value.text) == (CanaryReason.SERVER_ERROR, "boom")


SSH, HTTP = speaks_first(b"SSH-2.0-x\r\n"), speaks_first(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("behaviour", [closes_at_once, resets, silent, SSH, HTTP])
def test_what_does_not_speak_grpc_is_unreachable(behaviour: Behaviour) -> None:
    with Server(behaviour) as server:
        _expect_unreachable(server.url)


def test_nobody_there_is_unreachable() -> None:
    with Server(silent) as server:
        url = server.url
    _expect_unreachable(url)


def test_a_connection_that_does_not_come_about_is_unreachable_within_a_second_or_two() -> None:
    began = time.monotonic()
    with Deaf() as server:
        _expect_unreachable(server.url, timeout=20.0)
    assert time.monotonic() - began < 10


def _expect_unreachable(url: str, timeout: float = 5.0) -> None:
    target = dataclasses.replace(target_at(url), grpc_address=url.removeprefix("http://"))
    client = GrpcInfer(target)
    with pytest.raises(InferError) as caught:
        client.infer(REQUEST, timeout)
    assert caught.value.reason is CanaryReason.UNREACHABLE
    assert caught.value.text
    with pytest.raises(InferError) as caught:
        client.stream(REQUEST, timeout, 5)
    client.close()
    assert caught.value.reason is CanaryReason.UNREACHABLE


def test_a_server_that_comes_back_is_found_again() -> None:
    with GrpcServer(Servicer()) as first:
        client = GrpcInfer(first.target())
        client.infer(REQUEST, 5.0)
    with pytest.raises(InferError) as caught:
        client.infer(REQUEST, 5.0)
    assert caught.value.reason is CanaryReason.UNREACHABLE
    with GrpcServer(Servicer(), port=first.port):
        deadline = time.monotonic() + 15
        while True:
            try:
                exchange = client.infer(REQUEST, 5.0)
                break
            except InferError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    client.close()
    assert len(exchange.answers) == 1


def test_a_closed_client_opens_a_new_channel_by_need() -> None:
    with GrpcServer(Servicer()) as server:
        client = GrpcInfer(server.target())
        client.close()
        for _ in range(2):
            client.infer(REQUEST, 5.0)
            client.close()


def test_many_threads_share_one_channel_and_closing_it_meanwhile_harms_nobody_else() -> None:
    with GrpcServer(Servicer()) as server, ThreadPoolExecutor(6) as threads:
        client = GrpcInfer(server.target())

        def ask(number: int) -> CanaryReason:
            try:
                client.infer(REQUEST, 5.0)
            except InferError as error:
                return error.reason
            if number % 10 == 0:
                client.close()
            return CanaryReason.OK

        reasons = set(threads.map(ask, range(200)))
        client.close()
    assert CanaryReason.OK in reasons
    assert reasons <= {CanaryReason.OK, CanaryReason.UNREACHABLE}


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[GrpcInfer, list[Any]]]:
    """A client, and the place for what its server answers next."""
    script: list[Any] = [response()]
    servicer = Servicer(
        infer=lambda _request, _context: script[0], stream=lambda _request, _context: iter([streamed(script[0])])
    )
    with GrpcServer(servicer) as server:
        client = GrpcInfer(server.target())
        yield client, script
        client.close()


OUTPUTS = st.lists(
    st.tuples(
        st.sampled_from(["Y", "Z", ""]),
        st.sampled_from([*DTYPES, "BYTES", "FP99", ""]),
        st.lists(st.integers(-1, 3) | st.integers(-(2**63), 2**63 - 1), max_size=3),
        st.none() | st.binary(max_size=24),
    ),
    max_size=3,
)
CONTENTS = st.fixed_dictionaries(
    {},
    optional={
        "int_contents": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
        "uint64_contents": st.lists(st.integers(0, 2**64 - 1), max_size=3),
        "fp64_contents": st.lists(st.floats(), max_size=3),
        "bool_contents": st.lists(st.booleans(), max_size=3),
        "bytes_contents": st.lists(st.binary(max_size=3), max_size=3),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=OUTPUTS, contents=CONTENTS, is_stream=st.booleans())
def test_whatever_is_answered_is_an_answer_or_an_infer_error(
    scripted: tuple[GrpcInfer, list[Any]], found: list[Any], contents: dict[str, Any], is_stream: bool
) -> None:
    client, script = scripted
    script[0] = response(*found)
    for one in script[0].outputs:
        for name, values in contents.items():
            getattr(one.contents, name).extend(values)
    try:
        exchange = client.stream(REQUEST, 5.0, 5) if is_stream else client.infer(REQUEST, 5.0)
    except InferError as error:
        reason = error.reason
    else:
        reason = CanaryReason.OK
        assert set(exchange.answers[0].outputs) == {name for name, *_ in found}
    assert reason in {CanaryReason.OK, CanaryReason.UNREADABLE}
