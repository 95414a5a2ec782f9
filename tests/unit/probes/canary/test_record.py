"""A golden of what a model answers now, or a sentence that says why there is none."""

from __future__ import annotations

from itertools import count, cycle
from typing import TYPE_CHECKING, Any

import pytest

from triton_watch.probes.canary.golden.rules import Method
from triton_watch.probes.canary.memory import Memory
from triton_watch.probes.canary.record import FIRST_TIMEOUT, NotRecordedError, record, same_answers
from triton_watch.records import CanaryOptions, CanaryReason
from unit.probes.canary.golden.tensors import golden
from unit.probes.canary.parts import Scripted, answer, error, exchange, plan, runner, spec, tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.probes.canary.golden.model import Golden
    from triton_watch.probes.canary.plan import Plan
    from triton_watch.triton.infer.messages import Exchange, InferRequest, Tensor

CAT, DOG = tensor([0.9, 0.1, 0.2, 0.3]), tensor([0.1, 0.8, 0.3, 0.2])


def answering(outputs: Iterable[dict[str, Tensor]]) -> Scripted:
    """A model that gives these outputs one after another."""
    following = iter(outputs)

    def reply(_request: InferRequest, _timeout: float) -> Exchange:
        return exchange(answer(next(following)))

    return Scripted([reply])


def recorded(client: Scripted, made: Plan | None = None, repeats: int = 3, ignore: Any = ()) -> Golden:
    return record(runner(client), made or plan(), Memory(), repeats=repeats, ignore=frozenset(ignore))


def refusal(client: Scripted, made: Plan | None = None, **more: Any) -> str:
    with pytest.raises(NotRecordedError) as caught:
        recorded(client, made, **more)
    return str(caught.value)


def test_each_input_is_sent_so_often_and_the_first_answers_are_kept() -> None:
    made = plan(CanaryOptions(parameters=(("seed", 1),)))

    def reply(request: InferRequest, _timeout: float) -> Exchange:
        return exchange(answer({"y": CAT if request.inputs == made.variants[0] else DOG}))

    client = Scripted([reply])
    found = recorded(client, made, repeats=4)
    assert [request.inputs for request in client.requests[:2]] == [*made.variants]
    assert all([request.inputs for request in client.requests].count(one) == 4 for one in made.variants)
    assert (found.model, found.version, found.inputs) == ("m", "1", made.variants)
    assert found.outputs == (({"y": CAT},), ({"y": DOG},))
    assert found.compare["y"].method is Method.CLOSE
    assert found.parameters == {"seed": 1}
    assert (found.notes, found.ignore) == ((), ())


def test_two_instances_that_take_turns_and_answer_otherwise_do_not_pass_for_one_that_knows_its_inputs() -> None:
    assert "varies between repeats" in refusal(answering(cycle([{"y": CAT}, {"y": DOG}])), repeats=5)


def test_only_the_first_answer_to_each_input_may_take_long() -> None:
    client = Scripted()
    recorded(client, repeats=3)
    assert client.timeouts == [FIRST_TIMEOUT] * 2 + [5.0] * 4


def test_an_older_golden_is_not_what_is_asked_for() -> None:
    old = golden(tensor([7.0, 7.0, 7.0, 8.0]))
    assert recorded(Scripted(), plan(None, old)).outputs == ((answer().outputs,),)


def test_all_responses_of_a_stream_are_kept() -> None:
    client = Scripted([exchange(answer({"y": CAT}), answer({"y": DOG}))])
    assert recorded(client, plan(decoupled=True)).outputs[0] == ({"y": CAT}, {"y": DOG})


@pytest.mark.parametrize("reason", [CanaryReason.UNREACHABLE, CanaryReason.REFUSED, CanaryReason.DEADLINE])
def test_a_canary_that_fails_is_not_recorded(reason: CanaryReason) -> None:
    assert refusal(Scripted([exchange(), error(reason, "no")])).startswith(f"its canary fails ({reason.value}): no")


def test_an_answer_that_is_wrong_in_itself_is_not_recorded() -> None:
    client = answering(cycle([{"y": tensor([1.0])}]))
    assert refusal(client).startswith("its canary fails (wrong_shape): y has shape [1]")


def test_answers_that_vary_too_much_are_refused_with_what_to_do() -> None:
    client = answering({"y": CAT, "id": tensor([number], "INT32")} for number in count())
    made = plan(outputs=[spec("y"), spec("id", "INT32", (1,))])
    words = refusal(client, made)
    assert 'output "id" varies between repeats' in words
    assert "method ignore" in words


def test_an_output_that_is_ignored_may_vary_and_is_not_kept() -> None:
    client = answering({"y": CAT, "id": tensor([number], "INT32")} for number in count())
    found = recorded(client, plan(outputs=[spec("y"), spec("id", "INT32", (1,))]), ignore=["id", "nothing"])
    assert found.outputs[0] == ({"y": CAT},)
    assert list(found.compare) == ["y"]
    assert found.ignore == ("id",)


def test_a_little_noise_is_noted_and_allowed() -> None:
    client = answering({"y": tensor([[0.9 + 0.02 * (number // 2 % 2), 0.5, 0.2, 0.3]])} for number in count())
    found = recorded(client, plan(outputs=[spec("y", dims=(1, 4))]), repeats=4)
    assert found.notes
    assert "varies between repeats" in found.notes[0]


def test_another_number_of_responses_is_refused() -> None:
    client = Scripted([exchange(answer()), exchange(answer()), exchange(answer(), answer())])
    assert "responses to the first request" in refusal(client, plan(decoupled=True))


@pytest.mark.parametrize(
    ("outputs", "same"),
    [((CAT, CAT), True), ((CAT, DOG), False), ((CAT,), False), ((CAT, CAT, DOG), False), ((CAT, CAT, CAT), True)],
)
def test_same_answers_to_all_inputs_are_noticed(outputs: tuple[Tensor, ...], same: bool) -> None:
    assert same_answers(golden(*outputs)) is same
