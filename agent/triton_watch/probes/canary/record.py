"""A golden from a running model: its inputs sent several times, in turn, and what its answers have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.probes.canary.golden.model import Golden
from triton_watch.probes.canary.golden.repeats import judge_repeats, merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.probes.canary.memory import Memory
    from triton_watch.probes.canary.plan import Plan
    from triton_watch.probes.canary.run import Run
    from triton_watch.triton.infer.messages import Tensor

REPEATS: Final = 5
FIRST_TIMEOUT: Final = 60.0
"""Seconds that the first answer may take: nobody has asked the model yet."""


class NotRecordedError(Exception):
    """No golden could be made; the text says why, in a sentence."""


def record(run: Run, plan: Plan, memory: Memory, *, repeats: int, ignore: frozenset[str] = frozenset()) -> Golden:
    """Ask the model `repeats` times with each input; `ignore` are outputs that are left out.

    From the second time on the inputs come in a random order: a server alternates its instances, and each input
    must meet them all, for an instance that answers otherwise is to be seen.

    Raises:
        NotRecordedError: a canary fails, or the answers are too unlike each other.

    """
    plan = replace(plan, golden=None)
    answers: list[list[Sequence[Mapping[str, Tensor]]]] = [[] for _ in plan.variants]
    order = list(range(len(answers)))
    for repeat in range(repeats):
        for variant in order:
            timeout = FIRST_TIMEOUT if repeat == 0 else None
            result, responses = run.answered(plan, variant, memory, timeout=timeout)
            if not result.ok:
                raise NotRecordedError(f"its canary fails ({result.reason.value}): {result.detail}")
            answers[variant].append([_without(response.outputs, ignore) for response in responses])
        run.rng.shuffle(order)
    found = merged([judge_repeats(kept) for kept in answers])
    if found.refusals:
        raise NotRecordedError("; ".join(found.refusals))
    return Golden(
        model=plan.key.name,
        version=plan.key.version,
        inputs=plan.variants,
        outputs=tuple(tuple(kept[0]) for kept in answers),
        compare=found.rules,
        notes=found.notes,
        ignore=tuple(sorted(ignore & {spec.name for spec in plan.outputs})),
        parameters=dict(plan.options.parameters),
    )


def same_answers(golden: Golden) -> bool:
    """Whether all inputs got the same answer, so that a swapped one could not be told."""
    first, *others = golden.outputs
    return bool(others) and all(one == first for one in others)


def _without(outputs: Mapping[str, Tensor], ignore: frozenset[str]) -> Mapping[str, Tensor]:
    return {name: tensor for name, tensor in outputs.items() if name not in ignore}
