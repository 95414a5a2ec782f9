"""Inference over gRPC, with tritonclient's protobuf messages and stub: one shared channel for all models of a target.

Every call has one deadline; when it passes, gRPC cancels the call on the server, too, so that nothing lingers
there. The stub is used rather than tritonclient's own client, whose streams can be neither timed nor canceled.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from triton_watch.records import CanaryReason
from triton_watch.triton.errors import clean
from triton_watch.triton.infer.contents import tensor_of_contents
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.messages import Exchange, InferAnswer, InferRequest, Tensor, TensorError
from triton_watch.triton.tls import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from triton_watch.records import Target

_MAX_RESPONSES: Final = 10_000
"""Responses of one stream that are kept; a stream with more is ended there."""
_OPTIONS: Final = (
    # A canary that fails says so now; the next one, seconds later, must find a channel that has tried again.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
)
_NETWORK: Final = re.compile(
    r"failed to connect|errors? resolving|connections to all|socket closed|connection (reset|refused|timed out|aborted)"
    r"|broken pipe|recvmsg|sendmsg|endpoint clos|goaway|rst_stream|stream removed|tcp user timeout|keepalive"
    r"|http status code|http2|handshake|transport|no route|unreachable|channel closed",
    re.IGNORECASE,
)
"""Words of gRPC's own: it gives a status for a lost connection, too, and nothing but the text tells the two apart."""
_UNKNOWN_MODEL: Final = re.compile(
    r"unknown model|is not found|no available versions|not ready|at requested version", re.IGNORECASE
)
_REQUEST_ID: Final = re.compile(r"^\[request id: [^\]]*\] ")
_RESTRICTED: Final = re.compile(r"This protocol is restricted, expecting header '([^']*)'")

_REASONS: Final[Mapping[grpc.StatusCode, CanaryReason]] = MappingProxyType(
    {
        grpc.StatusCode.UNAVAILABLE: CanaryReason.OVERLOADED,
        grpc.StatusCode.RESOURCE_EXHAUSTED: CanaryReason.OVERLOADED,
        grpc.StatusCode.DEADLINE_EXCEEDED: CanaryReason.DEADLINE,
        grpc.StatusCode.NOT_FOUND: CanaryReason.NOT_SERVED,
        grpc.StatusCode.INVALID_ARGUMENT: CanaryReason.REFUSED,
        grpc.StatusCode.ALREADY_EXISTS: CanaryReason.REFUSED,
        grpc.StatusCode.PERMISSION_DENIED: CanaryReason.REFUSED,
        grpc.StatusCode.UNAUTHENTICATED: CanaryReason.REFUSED,
        grpc.StatusCode.FAILED_PRECONDITION: CanaryReason.REFUSED,
        grpc.StatusCode.OUT_OF_RANGE: CanaryReason.REFUSED,
        grpc.StatusCode.UNIMPLEMENTED: CanaryReason.REFUSED,
    }
)
"""What a status means that the server sent. All others are errors of the server."""


_MAY_BE_OURS: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    }
)
"""Statuses that gRPC makes itself where there is no answer."""


class GrpcInfer:
    """Asks the models of one target over gRPC, from any number of threads.

    The channel connects when it is first used, and again by itself after the server was away.
    `clock` gives monotonic seconds.
    """

    def __init__(self, target: Target, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._target = target
        self._clock = clock
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._stub: Any = None
        self._files: tuple[object, ...] = ()
        self._metadata = _metadata(target)

    def infer(self, request: InferRequest, timeout: float) -> Exchange:
        """One request, one response, within `timeout` seconds. Raises `InferError`."""
        message = _message(request)
        begin = self._clock()
        try:
            response = self._ready_stub().ModelInfer(message, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._failure(error, begin) from None
        seconds = self._clock() - begin
        return Exchange((_answer(response, seconds),), seconds)

    def stream(self, request: InferRequest, timeout: float, limit: int = _MAX_RESPONSES) -> Exchange:
        """One request and all its responses, to the final one, within `timeout` seconds. Raises `InferError`.

        After `limit` responses the stream is canceled, and what came until then is the answer.
        """
        message = _message(request)
        message.parameters["triton_enable_empty_final_response"].bool_param = True
        begin = self._clock()
        answers: list[InferAnswer] = []
        call = self._ready_stub().ModelStreamInfer(iter((message,)), timeout=timeout, metadata=self._metadata)
        try:
            for answer in self._responses(call, begin):
                answers.append(answer)
                if len(answers) >= limit:
                    break
        except grpc.RpcError as error:
            failure = self._failure(error, begin)
            if answers and failure.reason is CanaryReason.DEADLINE:
                text = f"{len(answers)} responses came within {failure.seconds:.3g} s, and not the final one"
                failure = InferError(failure.reason, text, seconds=failure.seconds)
            raise failure from None
        finally:
            call.cancel()
        return Exchange(tuple(answers), self._clock() - begin)

    def close(self) -> None:
        """Close the channel; a later request opens a new one."""
        with self._lock:
            channel, self._channel, self._stub = self._channel, None, None
        if channel is not None:
            channel.close()

    def _responses(self, call: Any, begin: float) -> Iterator[InferAnswer]:  # noqa: ANN401 - a gRPC call has no type
        for item in call:
            seconds = self._clock() - begin
            if item.error_message:
                raise _stream_error(item.error_message, seconds)
            response = item.infer_response
            is_final = response.parameters["triton_final_response"].bool_param
            if response.outputs or not is_final:
                yield _answer(response, seconds)
            if is_final:
                return

    def _ready_stub(self) -> Any:  # noqa: ANN401 - the generated stub has no type
        files = fingerprint(self._target.tls) if self._target.grpc_tls else ()
        with self._lock:
            if self._stub is None or files != self._files:
                if self._channel is not None:
                    self._channel.close()
                self._channel = _channel(self._target)
                self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
                self._files = files
            return self._stub

    def _failure(self, error: grpc.RpcError, begin: float) -> InferError:
        seconds = self._clock() - begin
        call = cast("grpc.Call", error)  # every RpcError of a call is one, which the stubs do not say
        code, text = call.code(), _own_words(call.details() or "")
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return InferError(CanaryReason.DEADLINE, f"no answer within {seconds:.3g} s", seconds=seconds)
        if code in _MAY_BE_OURS and _NETWORK.search(text):
            return InferError(CanaryReason.UNREACHABLE, text, hint=self._hint(text), seconds=seconds)
        return _refusal(code, text, seconds)

    def _hint(self, text: str) -> str:
        if "SSL" in text or "handshake" in text.lower() or "certificate" in text.lower():
            return "check tls.ca_file, cert_file and key_file of the target"
        if not self._target.grpc_tls and "Socket closed" in text:
            return "if the server's gRPC port speaks TLS, write grpc: grpcs://… for the target"
        return ""


def _refusal(code: grpc.StatusCode, text: str, seconds: float) -> InferError:
    restricted = _RESTRICTED.search(text)
    if restricted:
        key = restricted[1].removeprefix("triton-grpc-protocol-")
        hint = f"set the target's restricted_api to the header {key!r} with the value of --grpc-restricted-protocol"
        return InferError(CanaryReason.REFUSED, text, hint=hint, seconds=seconds)
    reason = _REASONS.get(code, CanaryReason.SERVER_ERROR)
    if reason is not CanaryReason.SERVER_ERROR and _UNKNOWN_MODEL.search(text):
        reason = CanaryReason.NOT_SERVED
    return InferError(reason, text or f"gRPC status {code.name}", seconds=seconds)


_STREAM_WORDS: Final = (
    (_UNKNOWN_MODEL, CanaryReason.NOT_SERVED),
    (re.compile(r"Exceeds maximum queue size|Request timeout expired", re.IGNORECASE), CanaryReason.OVERLOADED),
    (
        re.compile(r"unexpected (shape|data|number|inference)|expected \d+ inputs|data-type is|must specify"),
        CanaryReason.REFUSED,
    ),
)
"""A stream's errors come as texts alone, without a status: Triton's words on 2.51."""


def _own_words(text: str) -> str:
    """Triton's words, without the request's id that it puts before some of them."""
    return clean(_REQUEST_ID.sub("", text, count=1))


def _stream_error(message: str, seconds: float) -> InferError:
    text = _own_words(message)
    reason = next((reason for words, reason in _STREAM_WORDS if words.search(text)), CanaryReason.SERVER_ERROR)
    return InferError(reason, text, seconds=seconds)


def _message(request: InferRequest) -> Any:  # noqa: ANN401 - protobuf's messages have no type here
    message = service_pb2.ModelInferRequest(model_name=request.model, model_version=request.version, id=request.id)
    for name, tensor in request.inputs.items():
        message.inputs.add(name=name, datatype=tensor.datatype, shape=tensor.shape)
        message.raw_input_contents.append(tensor.data)
    for key, value in request.parameters.items():
        _set_parameter(message.parameters[key], value)
    return message


def _set_parameter(parameter: Any, value: bool | float | str) -> None:  # noqa: ANN401 - protobuf
    if isinstance(value, bool):
        parameter.bool_param = value
    elif isinstance(value, int):
        if value > 2**63 - 1:
            parameter.uint64_param = value
        else:
            parameter.int64_param = value
    elif isinstance(value, float):
        parameter.double_param = value
    else:
        parameter.string_param = value


def _answer(response: Any, seconds: float) -> InferAnswer:  # noqa: ANN401 - protobuf
    raw = response.raw_output_contents
    outputs = {}
    try:
        for place, output in enumerate(response.outputs):
            shape = tuple(output.shape)
            if place < len(raw):
                outputs[output.name] = Tensor(output.datatype, shape, raw[place])
            else:
                outputs[output.name] = tensor_of_contents(output.contents, output.datatype, shape)
    except TensorError as error:
        raise InferError(CanaryReason.UNREADABLE, f"an output cannot be read: {error}", seconds=seconds) from None
    return InferAnswer(response.model_name, response.model_version, outputs, seconds)


def _channel(target: Target) -> grpc.Channel:
    options = [*_OPTIONS, ("grpc.max_receive_message_length", target.body_limit)]
    if not target.grpc_tls:
        return grpc.insecure_channel(target.grpc_address, options=options)
    tls = target.tls
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_pem(tls.ca_file), private_key=_pem(tls.key_file), certificate_chain=_pem(tls.cert_file)
    )
    return grpc.secure_channel(target.grpc_address, credentials, options=options)


def _pem(path: Path | None) -> bytes | None:
    """The bytes of a PEM file. Raises `InferError`."""
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        text = f"{path} could not be read: {error.strerror or error}"
        raise InferError(CanaryReason.UNREACHABLE, text, hint="check the target's tls settings") from None


def _metadata(target: Target) -> tuple[tuple[str, str], ...]:
    """The target's credentials and headers, as gRPC sends them: names in lower case."""
    given = target.credentials
    pairs = [(name.lower(), value) for name, value in given.headers]
    if given.bearer_token is not None:
        pairs.append(("authorization", f"Bearer {given.bearer_token}"))
    elif given.username is not None:
        both = f"{given.username}:{given.password or ''}".encode()
        pairs.append(("authorization", f"Basic {base64.b64encode(both).decode()}"))
    if given.restricted_header is not None:
        name, value = given.restricted_header
        pairs.append((f"triton-grpc-protocol-{name.lower()}", value))
    return tuple(pairs)
