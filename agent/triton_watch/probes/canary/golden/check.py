"""Compare a model's answer with its golden, and name what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.probes.canary.golden.compare import Method, constant_where_golden_is_not, difference
from triton_watch.records import CanaryReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from triton_watch.probes.canary.golden.model import Golden, Tensors
    from triton_watch.probes.canary.golden.rules import Rule
    from triton_watch.triton.infer.messages import Tensor

Verdict = tuple[CanaryReason, str]


def against(golden: Golden, variant: int, responses: Sequence[Tensors]) -> Verdict:
    """Reason and sentence; OK has none. A variant that was never recorded has nothing to be compared with."""
    if not 0 <= variant < len(golden.outputs):
        return CanaryReason.OK, ""
    expected = golden.outputs[variant]
    if len(responses) != len(expected):
        few = len(responses) < len(expected)
        reason = CanaryReason.TOO_FEW_RESPONSES if few else CanaryReason.TOO_MANY_RESPONSES
        return reason, f"{len(responses)} responses came, and the golden answer has {len(expected)}"
    found = next(_problems(golden.compare, expected, responses), None)
    if found is None or found[0] is CanaryReason.MISSING_OUTPUT:
        return found or (CanaryReason.OK, "")
    other = _answers_to_another(golden, variant, responses)
    if other is not None:
        return CanaryReason.SWAPPED, f"the answer is the one to input {other}, and input {variant} was sent: {found[1]}"
    return found


def _problems(rules: Mapping[str, Rule], expected: Sequence[Tensors], got: Sequence[Tensors]) -> Iterator[Verdict]:
    """What is wrong, output by output, in the order of the responses."""
    for number, (old, new) in enumerate(zip(expected, got, strict=True)):
        for name, rule in rules.items():
            if name not in old:
                continue
            where = f'output "{name}"' + (f" of response {number}" if len(expected) > 1 else "")
            if name not in new:
                yield CanaryReason.MISSING_OUTPUT, f"{where} is missing, and the golden answer has it"
                continue
            reason, sentence = _judged(old[name], new[name], rule)
            if sentence:
                yield reason, f"{where} is not what was recorded: {sentence}"


def _judged(expected: Tensor, got: Tensor, rule: Rule) -> Verdict:
    """A constant answer has a largest value, too; by the other methods it is fine where it is close enough."""
    sentence = difference(expected, got, rule)
    if not sentence and rule.method is not Method.TOP1:
        return CanaryReason.OK, ""
    if expected.datatype == got.datatype and expected.shape == got.shape:
        constant = constant_where_golden_is_not(expected, got)
        if constant:
            return CanaryReason.CONSTANT, constant
    return CanaryReason.GOLDEN_MISMATCH, sentence


def _answers_to_another(golden: Golden, variant: int, responses: Sequence[Tensors]) -> int | None:
    """The variant whose golden answer this is; one that is constant where this variant's is not proves nothing."""
    mine = golden.outputs[variant]
    for number, other in enumerate(golden.outputs):
        if number == variant or len(other) != len(responses) or _disagree(golden, other, responses):
            continue
        reasons = [reason for reason, _ in _problems(golden.compare, mine, other)]
        if CanaryReason.GOLDEN_MISMATCH in reasons:
            return number
    return None


def _disagree(golden: Golden, expected: Sequence[Tensors], got: Sequence[Tensors]) -> bool:
    return next(_problems(golden.compare, expected, got), None) is not None
