"""Inference over gRPC, with tritonclient's protobuf messages and stub: one shared channel for all models of a target.

Every call has one deadline; when it passes, gRPC cancels the call on the server, too, so that nothing lingers
there. The stub is used rather than tritonclient's own client, whose streams can be neither timed nor canceled.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, cast

import grpc
from tritonclient.grpc import service_pb2_grpc

from triton_watch.records import CanaryReason
from triton_watch.triton.infer.channel import channel_to, metadata_of, unsendable
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.grpc_errors import failure, stream_error
from triton_watch.triton.infer.messages import Exchange, InferAnswer, InferRequest
from triton_watch.triton.infer.protobuf import answer_of, message_of
from triton_watch.triton.tls import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triton_watch.records import Target

_MAX_RESPONSES: Final = 10_000
"""Responses of one stream that are kept; a stream with more is ended there."""


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
        self._metadata = metadata_of(target)

    def infer(self, request: InferRequest, timeout: float) -> Exchange:
        """One request, one response, within `timeout` seconds. Raises `InferError`."""
        message = message_of(request)
        begin = self._clock()
        try:
            response = self._begun("ModelInfer", message, timeout)
        except grpc.RpcError as error:
            raise self._failure(error, begin) from None
        seconds = self._clock() - begin
        return Exchange((answer_of(response, seconds),), seconds)

    def stream(self, request: InferRequest, timeout: float, limit: int = _MAX_RESPONSES) -> Exchange:
        """One request and all its responses, to the final one, within `timeout` seconds. Raises `InferError`.

        After `limit` responses the stream is canceled, and what came until then is the answer.
        """
        message = message_of(request)
        message.parameters["triton_enable_empty_final_response"].bool_param = True
        begin = self._clock()
        answers: list[InferAnswer] = []
        call = self._begun("ModelStreamInfer", iter((message,)), timeout)
        try:
            for answer in self._responses(call, begin):
                answers.append(answer)
                if len(answers) >= limit:
                    break
        except grpc.RpcError as error:
            ended = self._failure(error, begin)
            if answers and ended.reason is CanaryReason.DEADLINE:
                text = f"{len(answers)} responses came within {ended.seconds:.3g} s, and not the final one"
                ended = InferError(ended.reason, text, seconds=ended.seconds)
            raise ended from None
        finally:
            call.cancel()
        return Exchange(tuple(answers), self._clock() - begin)

    def close(self) -> None:
        """Close the channel; a later request opens a new one."""
        with self._lock:
            channel, self._channel, self._stub = self._channel, None, None
        if channel is not None:
            channel.close()

    def _begun(self, method: str, message: Any, timeout: float) -> Any:  # noqa: ANN401 - the stub has no type
        """Call a method of the stub. Raises `grpc.RpcError`, `InferError`."""
        bad = unsendable(self._metadata)
        if bad is not None:
            text = f"the header {bad!r} has characters that gRPC cannot send"
            hint = "check the target's headers, bearer_token and basic_auth"
            raise InferError(CanaryReason.UNREACHABLE, text, hint=hint)
        call = getattr(self._ready_stub(), method)
        try:
            return call(message, timeout=timeout, metadata=self._metadata)
        except ValueError:  # gRPC's own words for a channel that another thread has closed since
            raise InferError(CanaryReason.UNREACHABLE, "the connection was closed meanwhile") from None

    def _responses(self, call: Any, begin: float) -> Iterator[InferAnswer]:  # noqa: ANN401 - a gRPC call has no type
        for item in call:
            seconds = self._clock() - begin
            if item.error_message:
                raise stream_error(item.error_message, seconds)
            response = item.infer_response
            is_final = response.parameters["triton_final_response"].bool_param
            if response.outputs or not is_final:
                yield answer_of(response, seconds)
            if is_final:
                return

    def _ready_stub(self) -> Any:  # noqa: ANN401 - the generated stub has no type
        files = fingerprint(self._target.tls) if self._target.grpc_tls else ()
        with self._lock:
            if self._stub is None or files != self._files:
                if self._channel is not None:
                    self._channel.close()
                self._channel = channel_to(self._target)
                self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
                self._files = files
            return self._stub

    def _failure(self, error: grpc.RpcError, begin: float) -> InferError:
        call = cast("grpc.Call", error)  # every RpcError of a call is one, which the stubs do not say
        return failure(call.code(), call.details() or "", self._clock() - begin, in_tls=self._target.grpc_tls)
