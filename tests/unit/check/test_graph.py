"""The graph of an ensemble against a slow and literal copy of what Triton's core does with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triton_watch.check.graph import Graph
from triton_watch.check.pbtxt.messages import ModelConfig

TENSORS = st.sampled_from([f"t{number}" for number in range(6)])
STEPS = st.lists(
    st.tuples(st.lists(TENSORS, min_size=1, max_size=3), st.lists(TENSORS, min_size=1, max_size=2)),
    min_size=1,
    max_size=5,
)


def config(inputs: list[str], outputs: list[str], steps: list[tuple[list[str], list[str]]]) -> ModelConfig:
    message = ModelConfig()
    for name in inputs:
        message.input.add().name = name
    for name in outputs:
        message.output.add().name = name
    for takes, gives in steps:
        step = message.ensemble_scheduling.step.add()
        for number, tensor in enumerate(takes):
            step.input_map[f"i{number}"] = tensor
        for number, tensor in enumerate(gives):
            step.output_map[f"o{number}"] = tensor
    return message


def core_refuses(inputs: list[str], outputs: list[str], steps: list[tuple[list[str], list[str]]]) -> bool:
    """ValidateEnsembleSchedulingConfig of tritonserver 2.51.0, in its own order and with its own marks."""
    before: dict[str, set[str]] = {}
    after: dict[str, set[str]] = {}
    written: set[str] = set()
    for takes, gives in steps:
        for tensor in gives:
            if tensor in written:
                return True
            written.add(tensor)
        for tensor in {*takes, *gives}:
            before.setdefault(tensor, set())
            after.setdefault(tensor, set())
        for one in takes:
            for other in gives:
                after[one].add(other)
                before[other].add(one)
    if any(name not in before for name in [*inputs, *outputs]):
        return True
    ready = set(inputs)
    while more := {one for one in before if one not in ready and before[one] and before[one] <= ready}:
        ready |= more
    if any(name not in ready for name in outputs):
        return True
    return any(name not in outputs and (name not in ready or not after[name]) for name in before)


def graph_refuses(graph: Graph) -> bool:
    mapped = {*graph.readers, *graph.writers}
    return bool(
        any(len(writers) > 1 for writers in graph.writers.values())
        or not {*graph.inputs, *graph.outputs} <= mapped
        or graph.unwritten
        or graph.unused
        or next(graph.loops(), None)
    )


@given(inputs=st.lists(TENSORS, max_size=3), outputs=st.lists(TENSORS, max_size=3), steps=STEPS)
def test_it_finds_something_exactly_when_the_core_refuses(
    inputs: list[str], outputs: list[str], steps: list[tuple[list[str], list[str]]]
) -> None:
    assert graph_refuses(Graph(config(inputs, outputs, steps))) == core_refuses(inputs, outputs, steps)


@given(inputs=st.lists(TENSORS, max_size=2), steps=STEPS)
def test_a_loop_is_one(inputs: list[str], steps: list[tuple[list[str], list[str]]]) -> None:
    for loop in Graph(config(inputs, [], steps)).loops():
        for (step, tensor), (following, _) in zip(loop, [*loop[1:], loop[0]], strict=True):
            assert tensor in dict(step.inputs).values()
            assert tensor in dict(following.outputs).values()


@given(inputs=st.lists(TENSORS, max_size=3), steps=STEPS)
def test_steps_run_after_what_they_read_was_written(
    inputs: list[str], steps: list[tuple[list[str], list[str]]]
) -> None:
    graph = Graph(config(inputs, [], steps))
    known = {*graph.inputs, *graph.unwritten}

    for step in graph.order:
        assert {tensor for _, tensor in step.inputs} <= known
        known |= {tensor for _, tensor in step.outputs}
