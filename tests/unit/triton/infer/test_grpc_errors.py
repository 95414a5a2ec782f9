"""What a gRPC status and its text, or the text of a stream's error, is called."""

from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.records import CanaryReason
from triton_watch.triton.infer.grpc_errors import failure, stream_error
from triton_watch.triton.infer.words import own_words

Code = grpc.StatusCode
TLS_HINT = "check tls.ca_file, cert_file and key_file of the target"
# Recorded from grpcio 1.85 against servers that are not there, or not what they should be.
NETWORK = [
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: "
    "Connection refused",
    "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed",
    "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:1: recvmsg:Connection reset by peer",
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: connection attempt timed out before "
    "receiving SETTINGS frame",
    "errors resolving no-such-host.invalid:8001: [field:hostname lookup error:address lookup failed]",
    "DNS resolution failed for no-such-host.invalid:8001: errors resolving no-such-host",
    "Socket closed",
    "Broken pipe",
    "GOAWAY received",
    "Received RST_STREAM with error code 2",
    "keepalive watchdog timeout",
    "Channel closed!",
    "recvmsg:Connection reset by peer",
    "sendmsg: Broken pipe",
    "No route to host",
    "Network is unreachable",
]


def called(code: grpc.StatusCode, details: str = "", *, in_tls: bool = False) -> tuple[CanaryReason, str, str]:
    found = failure(code, details, 1.5, in_tls=in_tls)
    assert found.seconds == 1.5
    return found.reason, found.text, found.hint


@pytest.mark.parametrize("text", NETWORK)
def test_the_networks_own_words_are_unreachable(text: str) -> None:
    assert called(Code.UNAVAILABLE, text)[:2] == (CanaryReason.UNREACHABLE, text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Exceeds maximum queue size", CanaryReason.OVERLOADED),
        ("Request timeout expired", CanaryReason.OVERLOADED),
        (
            "Server is stopping, scheduler for model has stopped accepting new inference requests",
            CanaryReason.OVERLOADED,
        ),
        ("", CanaryReason.OVERLOADED),
        ("Request for unknown model: 'm' has no available versions", CanaryReason.NOT_SERVED),
        ("Request for unknown model: 'm' version 7 is not at ready state", CanaryReason.NOT_SERVED),
    ],
)
def test_unavailable_in_the_servers_words_is_a_full_queue_or_no_such_model(text: str, reason: CanaryReason) -> None:
    assert called(Code.UNAVAILABLE, text)[0] is reason


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (Code.NOT_FOUND, "Request for unknown model: 'm' is not found", CanaryReason.NOT_SERVED),
        (Code.NOT_FOUND, "", CanaryReason.NOT_SERVED),
        (Code.INVALID_ARGUMENT, "unexpected shape for input 'x' for model 'm'", CanaryReason.REFUSED),
        (Code.INVALID_ARGUMENT, "Request for unknown model: 'm' is not found", CanaryReason.NOT_SERVED),
        (
            Code.UNIMPLEMENTED,
            "ModelInfer RPC doesn't support models with decoupled transaction policy",
            CanaryReason.REFUSED,
        ),
        (Code.UNIMPLEMENTED, "Received http2 header with status: 404", CanaryReason.UNREACHABLE),
        (Code.PERMISSION_DENIED, "no", CanaryReason.REFUSED),
        (Code.UNAUTHENTICATED, "no", CanaryReason.REFUSED),
        (Code.ALREADY_EXISTS, "no", CanaryReason.REFUSED),
        (Code.FAILED_PRECONDITION, "no", CanaryReason.REFUSED),
        (Code.OUT_OF_RANGE, "no", CanaryReason.REFUSED),
        (Code.RESOURCE_EXHAUSTED, "no", CanaryReason.OVERLOADED),
        (Code.INTERNAL, "the weights are gone", CanaryReason.SERVER_ERROR),
        (Code.INTERNAL, "the key is not found", CanaryReason.SERVER_ERROR),
        (Code.INTERNAL, "Received RST_STREAM with error code 2", CanaryReason.UNREACHABLE),
        (Code.UNKNOWN, "Stream removed", CanaryReason.UNREACHABLE),
        (Code.UNKNOWN, "boom", CanaryReason.SERVER_ERROR),
        (Code.CANCELLED, "Channel closed!", CanaryReason.UNREACHABLE),
        (Code.CANCELLED, "the model canceled it", CanaryReason.SERVER_ERROR),
        (Code.ABORTED, "Socket closed", CanaryReason.SERVER_ERROR),
        (Code.DATA_LOSS, "no", CanaryReason.SERVER_ERROR),
    ],
)
def test_every_status_has_a_reason(code: grpc.StatusCode, text: str, reason: CanaryReason) -> None:
    assert called(code, text)[0] is reason


def test_a_deadline_says_how_long_was_waited() -> None:
    assert called(Code.DEADLINE_EXCEEDED, "Deadline Exceeded") == (
        CanaryReason.DEADLINE,
        "no answer within 1.5 s",
        "",
    )


def test_a_status_without_words_is_named() -> None:
    assert called(Code.INTERNAL)[1] == "gRPC status INTERNAL"


@pytest.mark.parametrize("header", ["triton-grpc-protocol-admin-key", "admin-key"])
def test_a_restricted_protocol_says_which_header_to_set(header: str) -> None:
    text = f"This protocol is restricted, expecting header '{header}'"
    reason, words, hint = called(Code.UNAVAILABLE, text)
    assert (reason, words) == (CanaryReason.REFUSED, text)
    assert hint == (
        "set the target's restricted_api to the header 'admin-key' with the value of --grpc-restricted-protocol"
    )


@pytest.mark.parametrize(
    ("text", "in_tls", "hint"),
    [
        ("failed to connect to all addresses; last error: Ssl handshake failed (TSI_PROTOCOL_FAILURE)", True, TLS_HINT),
        ("failed to connect to all addresses: CERTIFICATE_VERIFY_FAILED", True, TLS_HINT),
        (NETWORK[1], False, "if the server's gRPC port speaks TLS, write grpc: grpcs://… for the target"),
        (NETWORK[1], True, ""),
        (NETWORK[0], False, ""),
    ],
)
def test_what_to_do_about_tls_is_said(text: str, in_tls: bool, hint: str) -> None:
    assert called(Code.UNAVAILABLE, text, in_tls=in_tls)[2] == hint


@pytest.mark.parametrize(
    ("message", "reason", "text"),
    [
        ("Request for unknown model: 'm' is not found", CanaryReason.NOT_SERVED, None),
        ("[request id: abc] Exceeds maximum queue size", CanaryReason.OVERLOADED, "Exceeds maximum queue size"),
        ("[request id: <id_unknown>] Request timeout expired", CanaryReason.OVERLOADED, "Request timeout expired"),
        ("unexpected shape for input 'x'", CanaryReason.REFUSED, None),
        ("expected 2 inputs but got 1 inputs for model 'm'", CanaryReason.REFUSED, None),
        (
            "Failed to process the request(s), message: boom\n  at line 3",
            CanaryReason.SERVER_ERROR,
            "Failed to process the request(s), message: boom at line 3",
        ),
    ],
)
def test_the_errors_of_a_stream_are_told_by_their_words(message: str, reason: CanaryReason, text: str | None) -> None:
    found = stream_error(message, 0.5)
    assert (found.reason, found.text, found.seconds) == (reason, message if text is None else text, 0.5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[request id: a] gone", "gone"),
        ("[request id: a] [request id: b] gone", "[request id: b] gone"),
        ("it said [request id: a] gone", "it said [request id: a] gone"),
        ("a\x00b\n\tc", "a b c"),
    ],
)
def test_the_id_of_the_request_is_no_word_of_the_server(text: str, expected: str) -> None:
    assert own_words(text) == expected


@given(st.sampled_from(list(grpc.StatusCode)), st.text() | st.sampled_from(NETWORK), st.booleans())
def test_any_status_with_any_text_has_a_reason_and_one_line(code: grpc.StatusCode, text: str, in_tls: bool) -> None:
    found = failure(code, text, 0.1, in_tls=in_tls)
    assert found.reason is CanaryReason.UNREADABLE or not found.reason.was_served
    assert found.text
    assert "\n" not in found.text
