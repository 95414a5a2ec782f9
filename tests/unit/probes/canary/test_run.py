"""One canary: what is sent, under which deadline, and what its result says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.memory import SURE, Memory
from triton_watch.probes.canary.run import REQUEST_ID, STEPS
from triton_watch.records import CanaryOptions, CanaryReason, GivenInput, GivenTensor
from triton_watch.triton.infer.errors import InferError
from unit.probes.canary.golden.tensors import golden
from unit.probes.canary.parts import KEY, Clock, Scripted, answer, error, exchange, plan, runner, tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.probes.canary.plan import Plan
    from triton_watch.records import CanaryResult
    from triton_watch.triton.infer.messages import Exchange, InferRequest

GIVEN = (GivenInput((GivenTensor("x", (1, 2, 3, 4)),)),)
SEQUENCE: dict[str, Any] = {"sequence_batching": True}


def once(client: Scripted, made: Plan | None = None, clock: Clock | None = None, variant: int = 0) -> CanaryResult:
    return runner(client, clock).once(made or plan(), variant, Memory())


def takes(clock: Clock, seconds: float) -> Callable[[InferRequest, float], Exchange]:
    """An answer after so many seconds."""

    def reply(_request: InferRequest, _timeout: float) -> Exchange:
        clock.pass_by(seconds)
        return exchange(answer(at=seconds), seconds=seconds)

    return reply


def flags(client: Scripted) -> list[tuple[object, object]]:
    return [
        (request.parameters.get("sequence_start"), request.parameters.get("sequence_end"))
        for request in client.requests
    ]


def test_one_request_has_the_models_name_version_and_input_and_an_id_of_ours() -> None:
    client, made = Scripted(), plan()
    result = once(client, made, variant=1)
    (request,) = client.requests
    assert (request.model, request.version, request.inputs) == ("m", "1", made.variants[1])
    assert re.fullmatch(REQUEST_ID + r"-[0-9a-f]{10}", request.id)
    assert dict(request.parameters) == {}
    assert client.timeouts == [5.0]
    assert (result.reason, result.detail, result.key, result.variant) == (CanaryReason.OK, "", KEY, 1)
    assert (result.requests, result.responses, result.was_made_up, result.checked_golden) == (1, 1, True, False)


def test_every_request_has_another_id_and_every_sequence_too() -> None:
    client = Scripted()
    run = runner(client)
    for _ in range(20):
        run.once(plan(**SEQUENCE), 0, Memory())
    assert len({request.id for request in client.requests}) == 20 * STEPS
    assert len({request.parameters["sequence_id"] for request in client.requests}) == 20


def test_times_are_those_of_the_clocks() -> None:
    clock = Clock(50.0)
    result = once(Scripted([takes(clock, 0.25)]), clock=clock)
    assert (result.began, result.ended, result.at) == (50.0, 50.25, 1_700_000_000.0)
    assert (result.latency, result.first_response) == (0.25, 0.25)


def test_parameters_of_the_options_are_sent_and_those_of_the_golden_before_them() -> None:
    client = Scripted()
    recorded = golden(tensor([0.1, 0.2, 0.3, 0.4]), parameters={"seed": 7, "priority": 1})
    once(client, plan(CanaryOptions(parameters=(("priority", 2),)), recorded))
    once(client, plan(CanaryOptions(parameters=(("priority", 2),))))
    assert [dict(request.parameters) for request in client.requests] == [{"seed": 7, "priority": 2}, {"priority": 2}]


def test_a_sequence_starts_goes_on_and_ends_under_one_id() -> None:
    client = Scripted()
    result = once(client, plan(**SEQUENCE))
    assert flags(client) == [(True, False), (False, False), (False, True)]
    (number,) = {request.parameters["sequence_id"] for request in client.requests}
    assert isinstance(number, int)
    assert 2**30 <= number < 2**31
    assert (result.requests, result.responses) == (3, 3)
    assert result.latency == pytest.approx(0.06)
    assert result.first_response == 0.01


def test_a_sequence_named_by_a_text_gets_one() -> None:
    client = Scripted()
    once(client, plan(text_sequence_ids=True, **SEQUENCE))
    assert re.fullmatch(REQUEST_ID + r"-[0-9a-f]+", str(client.requests[0].parameters["sequence_id"]))


def test_options_cannot_choose_the_sequence() -> None:
    client = Scripted()
    once(client, plan(CanaryOptions(parameters=(("sequence_id", 1), ("sequence_start", False))), **SEQUENCE))
    assert client.requests[0].parameters["sequence_id"] != 1
    assert client.requests[0].parameters["sequence_start"] is True


def test_all_requests_of_a_sequence_share_one_deadline() -> None:
    clock = Clock()
    client = Scripted([takes(clock, 2.0)])
    once(client, plan(**SEQUENCE), clock)
    assert client.timeouts == [5.0, 3.0, 1.0]


def test_a_sequence_for_which_no_time_is_left_is_ended_all_the_same() -> None:
    clock = Clock()
    client = Scripted([takes(clock, 2.6)])
    result = once(client, plan(**SEQUENCE), clock)
    assert (result.reason, result.detail) == (
        CanaryReason.DEADLINE,
        "no time was left for all requests of the canary",
    )
    assert client.timeouts == [5.0, pytest.approx(2.4), 0.5]
    assert flags(client)[-1] == (None, True)
    assert (result.requests, result.responses, result.latency) == (3, 3, None)


@pytest.mark.parametrize(
    ("replies", "expected", "served"),
    [
        ([error(CanaryReason.SERVER_ERROR)], [(True, False)], 0),
        ([error(CanaryReason.UNREADABLE), exchange()], [(True, False), (None, True)], 1),
        ([exchange(), error(CanaryReason.SERVER_ERROR), exchange()], [(True, False), (False, False), (None, True)], 2),
        (
            [exchange(), error(CanaryReason.DEADLINE), error(CanaryReason.REFUSED)],
            [(True, False), (False, False), (None, True)],
            1,
        ),
        ([exchange(), error(CanaryReason.UNREACHABLE)], [(True, False), (False, False)], 1),
        ([exchange(), exchange(), error(CanaryReason.SERVER_ERROR)], [(True, False), (False, False), (False, True)], 2),
    ],
)
def test_a_sequence_that_went_wrong_is_ended_where_the_server_may_know_it(
    replies: list[Any], expected: list[tuple[bool, bool]], served: int
) -> None:
    client = Scripted([*replies])
    wrong = next(reply for reply in replies if isinstance(reply, InferError))
    result = once(client, plan(**SEQUENCE))
    assert flags(client) == expected
    assert result.reason is wrong.reason
    assert (result.requests, result.responses) == (len(expected), served)
    assert len({request.parameters["sequence_id"] for request in client.requests}) == 1


def test_a_decoupled_model_is_streamed_to_one_response_more_than_it_may_send() -> None:
    client = Scripted([exchange(answer(at=0.1), answer(at=0.7), seconds=0.7)])
    result = once(client, plan(CanaryOptions(max_responses=4), decoupled=True))
    once(client, plan(decoupled=True))
    assert client.streams == [5, 1001]
    assert (result.responses, result.first_response, result.latency) == (2, 0.1, 0.7)
    assert "sequence_id" not in client.requests[0].parameters


def test_a_stateful_stream_is_a_whole_sequence_in_one_request() -> None:
    client = Scripted()
    once(client, plan(decoupled=True, **SEQUENCE))
    assert flags(client) == [(True, True)]
    assert "sequence_id" in client.requests[0].parameters


def test_a_longer_timeout_goes_before_that_of_the_options() -> None:
    client = Scripted()
    runner(client).once(plan(), 0, Memory(), timeout=30.0)
    assert client.timeouts == [30.0]


@pytest.mark.parametrize("reason", [one for one in CanaryReason if not one.was_served])
def test_a_failure_has_no_latency_and_the_words_of_the_server(reason: CanaryReason) -> None:
    result = once(Scripted([error(reason, "queue is full", seconds=3.0)]), plan(CanaryOptions(inputs=GIVEN)))
    assert (result.reason, result.detail) == (reason, "queue is full")
    assert (result.latency, result.first_response, result.responses) == (None, None, 0)


def test_an_answer_that_cannot_be_read_took_its_time_all_the_same() -> None:
    result = once(Scripted([error(CanaryReason.UNREADABLE, "an output cannot be read", seconds=0.4)]))
    assert (result.reason, result.latency) == (CanaryReason.UNREADABLE, 0.4)


MADE_UP = "its input was made up; if the model cannot take it, give one under canary.overrides"


@pytest.mark.parametrize(
    ("reason", "hint", "inputs", "detail"),
    [
        (CanaryReason.REFUSED, "", (), f"no; {MADE_UP}"),
        (CanaryReason.SERVER_ERROR, "", (), f"no; {MADE_UP}"),
        (CanaryReason.REFUSED, "set a header", (), f"no; set a header; {MADE_UP}"),
        (CanaryReason.REFUSED, "set a header", GIVEN, "no; set a header"),
        (CanaryReason.OVERLOADED, "", (), "no"),
        (CanaryReason.UNREACHABLE, "check tls", (), "no; check tls"),
    ],
)
def test_the_detail_says_what_to_do(
    reason: CanaryReason, hint: str, inputs: tuple[GivenInput, ...], detail: str
) -> None:
    assert once(Scripted([error(reason, "no", hint=hint)]), plan(CanaryOptions(inputs=inputs))).detail == detail


def test_an_answer_to_the_other_input_is_found_without_a_golden() -> None:
    first, second = (exchange(answer({"y": tensor([start, 2, 3, 4])})) for start in (0.1, 0.9))
    run, memory = runner(client := Scripted([*[first, second] * SURE, second])), Memory()
    for number in range(2 * SURE):
        assert run.once(plan(), number % 2, memory).ok
    result = run.once(plan(), 0, memory)
    assert result.reason is CanaryReason.SWAPPED
    assert result.detail == ("input 0 got the answer that input 1 always gets: a stale one, or another caller's")
    assert result.latency is not None
    assert len(client.requests) == 2 * SURE + 1


def test_with_a_golden_the_memory_is_not_asked() -> None:
    memory, recorded = Memory(), golden(tensor([0.1, 0.2, 0.3, 0.4]))
    result = runner(Scripted()).once(plan(None, recorded), 0, memory)
    assert (result.ok, result.checked_golden, result.was_made_up) == (True, True, False)
    for _ in range(SURE):
        assert memory.swapped_with(1, [{"y": tensor([0.1, 0.2, 0.3, 0.4])}]) is None
    assert memory.swapped_with(0, [{"y": tensor([0.1, 0.2, 0.3, 0.4])}]) is None


def test_responses_are_returned_beside_the_result() -> None:
    came = exchange(answer(), answer())
    result, answers = runner(Scripted([came])).answered(plan(decoupled=True), 0, Memory())
    assert result.ok
    assert list(answers) == list(came.answers)


REASONS = st.sampled_from([one for one in CanaryReason if one is not CanaryReason.OK])


@given(
    st.lists(REASONS.map(error) | st.just(exchange()), min_size=4, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_however_the_client_fails_the_run_ends_in_a_result(
    replies: list[Any], is_sequence: bool, is_stream: bool
) -> None:
    client = Scripted([*replies])
    result = once(client, plan(sequence_batching=is_sequence, decoupled=is_stream))
    assert result.requests == len(client.requests)
    assert result.responses <= result.requests
    assert (result.latency is not None) == result.reason.was_served
