"""gRPC where there is any, HTTP where there never was."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.misbehaving import target_at
from triton_watch.probes.canary.transport import Transport
from triton_watch.records import CanaryReason, Protocol, TlsSettings
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.messages import Exchange, InferRequest
from unit.probes.canary.parts import Clock, Scripted, error, exchange

REQUEST = InferRequest("m", "1", "id", {})
GONE = error(CanaryReason.UNREACHABLE, "gRPC is gone")
HTTP_GONE = error(CanaryReason.UNREACHABLE, "HTTP is gone")


class Both:
    """A transport over two scripted clients."""

    def __init__(self, grpc: list[Any], http: list[Any], protocol: Protocol = Protocol.AUTO, **target: Any) -> None:
        self.clock = Clock()
        self.grpc, self.http = Scripted(grpc), Scripted(http)
        self.made: list[str] = []
        self.transport = Transport(
            target_at("http://127.0.0.1:1", **target),
            protocol,
            clock=self.clock,
            over_grpc=lambda _: self._make("grpc", self.grpc),
            over_http=lambda _: self._make("http", self.http),
        )

    def _make(self, name: str, client: Scripted) -> Scripted:
        self.made.append(name)
        return client

    def infer(self, timeout: float = 5.0) -> Exchange | InferError:
        try:
            return self.transport.infer(REQUEST, timeout)
        except InferError as failure:
            return failure

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.grpc.requests), len(self.http.requests)


def test_grpc_is_spoken_where_it_answers() -> None:
    both = Both([exchange()], [exchange()])
    assert both.infer() == exchange()
    assert (both.asked, both.made, both.transport.protocol) == ((1, 0), ["grpc"], Protocol.GRPC)


def test_http_is_spoken_where_there_never_was_grpc_and_then_at_once() -> None:
    both = Both([GONE], [exchange()])
    assert both.infer() == exchange()
    assert both.transport.protocol is Protocol.HTTP
    both.infer()
    assert both.asked == (1, 2)


@pytest.mark.parametrize(
    "reason", [one for one in CanaryReason if one not in (CanaryReason.OK, CanaryReason.UNREACHABLE)]
)
def test_any_other_failure_is_no_reason_to_go_over_to_http(reason: CanaryReason) -> None:
    failure = error(reason)
    both = Both([failure], [exchange()])
    assert both.infer() is failure
    assert both.asked == (1, 0)


@pytest.mark.parametrize("first", [exchange(), error(CanaryReason.SERVER_ERROR), error(CanaryReason.OVERLOADED)])
def test_a_server_whose_grpc_once_answered_has_no_excuse(first: Any) -> None:
    both = Both([first, GONE], [exchange()])
    both.infer()
    assert both.infer() is GONE
    assert both.asked == (2, 0)


def test_no_answer_in_time_is_no_answer() -> None:
    both = Both([error(CanaryReason.DEADLINE), GONE], [exchange()])
    both.infer()
    assert both.infer() == exchange()


def test_where_neither_is_there_the_failure_is_that_of_grpc_and_grpc_is_asked_again() -> None:
    both = Both([GONE], [HTTP_GONE])
    assert both.infer() is GONE
    assert both.infer() is GONE
    assert both.asked == (2, 2)


def test_a_failure_over_http_is_an_answer_over_http() -> None:
    failure = error(CanaryReason.SERVER_ERROR)
    both = Both([GONE], [failure])
    assert both.infer() is failure
    assert both.transport.protocol is Protocol.HTTP


def test_grpc_and_http_share_one_timeout() -> None:
    both = Both([GONE], [exchange()])

    def slowly(_request: InferRequest, _timeout: float) -> Exchange:
        both.clock.pass_by(2.0)
        raise GONE

    both.grpc.replies = [slowly]
    both.infer(5.0)
    assert both.http.timeouts == [3.0]


def test_without_time_left_http_is_not_asked() -> None:
    both = Both([GONE], [exchange()])
    assert both.infer(0.05) is GONE
    assert both.asked == (1, 0)


def test_grpc_is_looked_for_again_after_ten_minutes() -> None:
    both = Both([GONE], [exchange()])
    both.infer()
    both.clock.pass_by(599.0)
    both.infer()
    assert both.asked == (1, 2)
    both.clock.pass_by(2.0)
    both.infer()
    assert both.asked == (2, 3)
    both.clock.pass_by(601.0)
    both.grpc.replies = [exchange()]
    both.infer()
    both.infer()
    assert both.asked == (4, 3)
    assert both.transport.protocol is Protocol.GRPC


@pytest.mark.parametrize("protocol", [Protocol.GRPC, Protocol.HTTP])
def test_a_protocol_that_was_chosen_is_kept(protocol: Protocol) -> None:
    both = Both([GONE], [HTTP_GONE], protocol)
    both.infer()
    both.clock.pass_by(10_000.0)
    both.infer()
    assert both.asked == ((2, 0) if protocol is Protocol.GRPC else (0, 2))
    assert both.transport.protocol is protocol


def test_where_any_certificate_is_accepted_only_http_can_do_that() -> None:
    both = Both([exchange()], [exchange()], grpc_tls=True, tls=TlsSettings(insecure_skip_verify=True))
    both.infer()
    both.clock.pass_by(10_000.0)
    both.infer()
    assert both.asked == (0, 2)
    assert "tls.ca_file in place of insecure_skip_verify" in both.transport.hindrance


def test_streams_are_hindered_as_long_as_there_is_no_grpc() -> None:
    both = Both([GONE], [exchange()])
    assert both.transport.hindrance == ""
    both.infer()
    assert "no gRPC answers at localhost:1" in both.transport.hindrance
    both.grpc.replies = [exchange()]
    both.clock.pass_by(601.0)
    both.infer()
    assert both.transport.hindrance == ""


def test_streams_go_over_grpc_alone() -> None:
    both = Both([GONE], [exchange()])
    with pytest.raises(InferError, match="gRPC is gone"):
        both.transport.stream(REQUEST, 5.0, 3)
    assert both.asked == (1, 0)
    assert both.grpc.streams == [3]


def test_a_stream_that_was_answered_proves_that_grpc_is_there() -> None:
    both = Both([exchange(), GONE], [exchange()])
    both.transport.stream(REQUEST, 5.0, 3)
    assert both.infer() is GONE
    assert both.asked == (2, 0)


def test_connections_are_closed_where_there_are_any() -> None:
    both = Both([GONE], [exchange()])
    both.transport.close()
    assert (both.grpc.closed, both.http.closed) == (0, 0)
    both.infer()
    both.transport.close()
    assert (both.grpc.closed, both.http.closed) == (1, 1)


def test_many_threads_share_one_client() -> None:
    both = Both([exchange()], [exchange()])
    together = threading.Barrier(8)

    def ask(_: int) -> None:
        together.wait(5)
        both.infer()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert both.made == ["grpc"]
    assert both.asked == (8, 0)
