"""Is an answer what the model's configuration promises? The server does not ask that; a canary does.

The checks go from what is most basic to what is finest; the first that fails is the verdict. Each is one function
that gives a sentence, or an empty text where all is well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.probes.canary.golden.check import against
from triton_watch.probes.canary.plan import Kind
from triton_watch.records import CanaryReason
from triton_watch.triton.infer.messages import FLOATS, Tensor, TensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from triton_watch.probes.canary.plan import Plan
    from triton_watch.records import TensorSpec
    from triton_watch.triton.infer.messages import InferAnswer


def judge(plan: Plan, variant: int, answers: Sequence[InferAnswer], seconds: float) -> tuple[CanaryReason, str]:
    """Return the verdict on the responses to one input that took `seconds`, with a sentence where it is not OK."""
    for reason, check in _CHECKS:
        sentence = check(plan, answers)
        if sentence:
            return reason, sentence
    if plan.golden is not None:
        reason, sentence = against(plan.golden, variant, [answer.outputs for answer in answers])
        if reason is not CanaryReason.OK:
            return reason, sentence
    limit = plan.options.max_latency
    if limit is not None and seconds > limit:
        return CanaryReason.TOO_SLOW, f"the answer took {seconds:.3g} s, and max_latency is {limit:g} s"
    return CanaryReason.OK, ""


def _version(plan: Plan, answers: Sequence[InferAnswer]) -> str:
    wrong = next((answer.version for answer in answers if answer.version not in ("", plan.key.version)), None)
    return "" if wrong is None else f"version {wrong} answered, and {plan.key.version} was asked"


def _too_few(plan: Plan, answers: Sequence[InferAnswer]) -> str:
    least = plan.options.min_responses if plan.kind is Kind.STREAM else 1
    return "" if len(answers) >= least else f"{_responses(len(answers))} came, and at least {least} are expected"


def _too_many(plan: Plan, answers: Sequence[InferAnswer]) -> str:
    most = plan.options.max_responses
    if most is None or plan.kind is not Kind.STREAM or len(answers) <= most:
        return ""
    return f"more than {_responses(most)} came, which max_responses allows"


def _responses(count: int) -> str:
    return f"{count} response{'' if count == 1 else 's'}"


def _missing(plan: Plan, answers: Sequence[InferAnswer]) -> str:
    """A stream may have an output in some of its responses only."""
    promised = [spec.name for spec in plan.outputs]
    if plan.kind is Kind.STREAM:
        given = {name for answer in answers for name in answer.outputs}
        absent = [name for name in promised if name not in given] if answers else []
    else:
        absent = [name for answer in answers for name in promised if name not in answer.outputs]
    return f"the answer has no output {absent[0]}, which the configuration promises" if absent else ""


def _extra(plan: Plan, answers: Sequence[InferAnswer]) -> str:
    promised = {spec.name for spec in plan.outputs}
    extra = sorted({name for answer in answers for name in answer.outputs} - promised)
    return f"the answer has an output {extra[0]}, which the configuration does not know" if extra and promised else ""


def _each(check: Callable[[Plan, TensorSpec, Tensor], str]) -> Callable[[Plan, Sequence[InferAnswer]], str]:
    def over_all(plan: Plan, answers: Sequence[InferAnswer]) -> str:
        for answer in answers:
            for spec in plan.outputs:
                tensor = answer.outputs.get(spec.name)
                sentence = "" if tensor is None else check(plan, spec, tensor)
                if sentence:
                    return sentence
        return ""

    return over_all


def _dtype(_plan: Plan, spec: TensorSpec, tensor: Tensor) -> str:
    if tensor.datatype == spec.datatype:
        return ""
    return f"{spec.name} is {tensor.datatype}, and the configuration promises {spec.datatype}"


def _shape(plan: Plan, spec: TensorSpec, tensor: Tensor) -> str:
    """A decoupled model may answer with another number of rows than it was asked for."""
    batch = () if plan.batch_size is None else (-1 if plan.kind is Kind.STREAM else plan.batch_size,)
    wanted = (*batch, *spec.dims)
    fits = len(tensor.shape) == len(wanted) and all(
        want in (-1, have) for want, have in zip(wanted, tensor.shape, strict=True)
    )
    if fits:
        return ""
    promise = "the configuration promises"
    if batch and plan.kind is not Kind.STREAM:
        promise = f"the configuration and a batch of {batch[0]} promise"
    return f"{spec.name} has shape {list(tensor.shape)}, and {promise} {list(wanted)}"


def _readable(_plan: Plan, spec: TensorSpec, tensor: Tensor) -> str:
    try:
        tensor.array()
    except TensorError as error:
        return f"{spec.name} cannot be read: {error}"
    return ""


def _finite(plan: Plan, spec: TensorSpec, tensor: Tensor) -> str:
    """What is not finite in a golden may be so: there it is compared value by value."""
    if tensor.datatype not in FLOATS or plan.options.allow_non_finite or _golden_has_non_finite(plan, spec.name):
        return ""
    values = tensor.array()
    bad = np.count_nonzero(~np.isfinite(values))
    if not bad:
        return ""
    kind = "NaN" if np.isnan(values).sum() == bad else "NaN or infinite" if np.isnan(values).any() else "infinite"
    return f"{bad} of {values.size} values of {spec.name} are {kind}"


def _golden_has_non_finite(plan: Plan, output: str) -> bool:
    if plan.golden is None:
        return False
    tensors = (answer.get(output) for variant in plan.golden.outputs for answer in variant)
    floats = (tensor for tensor in tensors if tensor is not None and tensor.datatype in FLOATS)
    return any(not np.isfinite(tensor.array()).all() for tensor in floats)


_CHECKS: tuple[tuple[CanaryReason, Callable[[Plan, Sequence[InferAnswer]], str]], ...] = (
    (CanaryReason.WRONG_VERSION, _version),
    (CanaryReason.TOO_FEW_RESPONSES, _too_few),
    (CanaryReason.TOO_MANY_RESPONSES, _too_many),
    (CanaryReason.MISSING_OUTPUT, _missing),
    (CanaryReason.EXTRA_OUTPUT, _extra),
    (CanaryReason.WRONG_DTYPE, _each(_dtype)),
    (CanaryReason.WRONG_SHAPE, _each(_shape)),
    (CanaryReason.UNREADABLE, _each(_readable)),
    (CanaryReason.NOT_FINITE, _each(_finite)),
)
"""In the order in which they are made."""
