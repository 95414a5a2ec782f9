"""A real gRPC server on a free port of this machine, whose answers a test scripts."""

from __future__ import annotations

import dataclasses
from concurrent import futures
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from support.misbehaving import target_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from triton_watch.records import Target


def response(*outputs: tuple[str, str, list[int], bytes | None], model: str = "m", version: str = "3") -> Any:
    """Outputs as name, datatype, shape and raw bytes; None leaves the bytes out."""
    found = service_pb2.ModelInferResponse(model_name=model, model_version=version)
    for name, datatype, shape, raw in outputs:
        found.outputs.add(name=name, datatype=datatype, shape=shape)
        if raw is not None:
            found.raw_output_contents.append(raw)
    return found


def streamed(item: Any = None, *, final: bool = False, failed: str = "") -> Any:
    """One item of a stream."""
    found = service_pb2.ModelStreamInferResponse(error_message=failed)
    if item is not None or final:
        found.infer_response.CopyFrom(response() if item is None else item)
        found.infer_response.parameters["triton_final_response"].bool_param = final
    return found


@dataclass
class Servicer(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]  # generated code has no types
    """What is asked goes to `infer` and `stream`, and is kept with its metadata."""

    infer: Callable[[Any, grpc.ServicerContext], Any] = lambda _request, _context: response()
    stream: Callable[[Any, grpc.ServicerContext], Iterator[Any]] = lambda _request, _context: iter(
        [streamed(final=True)]
    )
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)

    def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the service's own name
        self._keep(request, context)
        return self.infer(request, context)

    def ModelStreamInfer(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        for request in requests:
            self._keep(request, context)
            yield from self.stream(request, context)

    def _keep(self, request: Any, context: grpc.ServicerContext) -> None:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))


class GrpcServer:
    """Serves a servicer until the end of its `with`."""

    def __init__(self, servicer: Servicer, tls: grpc.ServerCredentials | None = None, port: int = 0) -> None:
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, self._server)
        address = f"localhost:{port}"
        add = self._server.add_insecure_port if tls is None else lambda at: self._server.add_secure_port(at, tls)
        self.port: int = add(address)
        self._in_tls = tls is not None

    def target(self, **fields: Any) -> Target:
        made = target_at("http://127.0.0.1:1", **{"grpc_tls": self._in_tls, **fields})
        return dataclasses.replace(made, grpc_address=f"localhost:{self.port}")

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(grace=None).wait(5)


def ends_with(code: grpc.StatusCode, details: str = "") -> Callable[[Any, grpc.ServicerContext], Any]:
    """A method that ends with this status."""

    def answer(_request: Any, context: grpc.ServicerContext) -> Any:
        context.abort(code, details)

    return answer
