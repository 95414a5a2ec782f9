"""Requests and answers as the messages of protobuf that gRPC sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tritonclient.grpc import service_pb2

from triton_watch.records import CanaryReason
from triton_watch.triton.infer.contents import tensor_of_contents
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.messages import InferAnswer, Tensor, TensorError

if TYPE_CHECKING:
    from triton_watch.triton.infer.messages import InferRequest


def message_of(request: InferRequest) -> Any:  # noqa: ANN401 - protobuf's messages have no type here
    """The message of a request. Raises `InferError` where protobuf cannot say it."""
    try:
        return _message(request)
    except (TypeError, ValueError) as error:  # a number of over 64 bits, half of a surrogate pair in a name
        raise InferError(CanaryReason.REFUSED, f"the request cannot be written: {error}") from None


def _message(request: InferRequest) -> Any:  # noqa: ANN401 - as above
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


def answer_of(response: Any, seconds: float) -> InferAnswer:  # noqa: ANN401 - protobuf
    """The answer in a response; its tensors' bytes are not looked at. Raises `InferError`."""
    try:
        outputs = _outputs(response)
    except TensorError as error:
        raise InferError(CanaryReason.UNREADABLE, f"an output cannot be read: {error}", seconds=seconds) from None
    return InferAnswer(response.model_name, response.model_version, outputs, seconds)


def _outputs(response: Any) -> dict[str, Tensor]:  # noqa: ANN401 - protobuf
    raw, outputs = response.raw_output_contents, response.outputs
    if len(raw) > len(outputs):
        raise TensorError(f"the bytes of {len(raw)} outputs came, and {len(outputs)} are described")
    found = {}
    for place, output in enumerate(outputs):
        shape = tuple(output.shape)
        if place < len(raw):
            found[output.name] = Tensor(output.datatype, shape, raw[place])
        else:
            found[output.name] = tensor_of_contents(output.contents, output.datatype, shape)
    return found
