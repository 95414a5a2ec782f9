"""One canary of one model: send what the plan says under one deadline, judge what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.sentences import joined
from triton_watch.probes.canary.clients import Clocks, InferClient, UnaryClient
from triton_watch.probes.canary.plan import Kind, Plan
from triton_watch.probes.canary.verdict import judge
from triton_watch.records import CanaryReason, CanaryResult
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.messages import InferRequest

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from triton_watch.probes.canary.memory import Memory
    from triton_watch.triton.infer.messages import Exchange, InferAnswer

__all__ = ["REQUEST_ID", "STEPS", "Clocks", "InferClient", "Run", "UnaryClient"]

REQUEST_ID: Final = "triton-watch"
"""Every request id begins with it."""
STEPS: Final = 3
"""Requests of a sequence: one that starts it, one that goes on, one that ends it."""
_END_TIMEOUT: Final = 0.5
"""Seconds to end a sequence that went wrong, so that its slot on the server is free again."""
_FALLBACK_RESPONSES: Final = 1000
"""Responses of a stream that are read where no max_responses says otherwise."""
_MADE_UP: Final = "its input was made up; if the model cannot take it, give one under canary.overrides"


@dataclass(slots=True)
class _Sent:
    """What has happened until now: a failure half way leaves it to be told."""

    requests: int = 0
    responses: int = 0
    answers: list[InferAnswer] = field(default_factory=list)
    seconds: float = 0.0
    first: float | None = None

    def add(self, exchange: Exchange) -> None:
        if self.first is None and exchange.first is not None:
            self.first = self.seconds + exchange.first
        self.answers += exchange.answers
        self.responses += len(exchange.answers)
        self.seconds += exchange.seconds


@dataclass(frozen=True, slots=True)
class Run:
    """Runs canaries with one client. `rng` makes the ids of sequences."""

    client: InferClient
    rng: random.Random
    clocks: Clocks = field(default_factory=Clocks)

    def once(
        self, plan: Plan, variant: int, memory: Memory, *, timeout: float | None = None, is_proven: bool = False
    ) -> CanaryResult:
        """Run the canary with one of the plan's inputs; nothing is raised for what the server does.

        `is_proven`: the model has taken its input before, so that no word is lost on its being made up.
        """
        result, _ = self.answered(plan, variant, memory, timeout=timeout, is_proven=is_proven)
        return result

    def answered(
        self, plan: Plan, variant: int, memory: Memory, *, timeout: float | None = None, is_proven: bool = False
    ) -> tuple[CanaryResult, Sequence[InferAnswer]]:
        """Run the canary and return the responses, too: all that came when it was answered at all."""
        began, cpu = self.clocks.clock(), self.clocks.cpu()
        sent = _Sent()
        try:
            self._send(plan, variant, sent, began + (timeout or plan.options.timeout))
        except InferError as error:
            reason, detail = error.reason, _sentence(error, plan, is_proven=is_proven)
            sent.seconds += error.seconds
        else:
            reason, detail = judge(plan, variant, sent.answers, sent.seconds)
            if reason is CanaryReason.OK and plan.golden is None:
                reason, detail = _remembered(memory, variant, sent.answers)
        result = CanaryResult(
            key=plan.key,
            at=self.clocks.now(),
            began=began,
            ended=self.clocks.clock(),
            reason=reason,
            detail=detail,
            latency=sent.seconds if reason.was_served else None,
            first_response=sent.first,
            responses=sent.responses,
            requests=sent.requests,
            variant=variant,
            overhead=self.clocks.cpu() - cpu,
            checked_golden=plan.golden is not None,
            was_made_up=plan.was_made_up,
        )
        return result, sent.answers

    def _send(self, plan: Plan, variant: int, sent: _Sent, deadline: float) -> None:
        if plan.kind is Kind.SEQUENCE:
            self._send_sequence(plan, variant, sent, deadline)
            return
        flags = {"sequence_start": True, "sequence_end": True} if plan.in_sequence else {}
        request = self._request(plan, variant, {**self._sequence(plan), **flags})
        left = self._left(deadline)
        sent.requests = 1
        if plan.kind is Kind.UNARY:
            sent.add(self.client.infer(request, left))
            return
        most = plan.options.max_responses or _FALLBACK_RESPONSES
        sent.add(self.client.stream(request, left, most + 1))

    def _send_sequence(self, plan: Plan, variant: int, sent: _Sent, deadline: float) -> None:
        sequence = self._sequence(plan)
        for step in range(STEPS):
            flags = {"sequence_start": step == 0, "sequence_end": step == STEPS - 1}
            request = self._request(plan, variant, {**sequence, **flags})
            try:
                left = self._left(deadline)
                sent.requests += 1
                sent.add(self.client.infer(request, left))
            except InferError as error:
                if _has_begun(sent, error) and sent.requests < STEPS:
                    self._end(self._request(plan, variant, {**sequence, "sequence_end": True}), sent)
                raise

    def _end(self, request: InferRequest, sent: _Sent) -> None:
        sent.requests += 1
        try:
            sent.responses += len(self.client.infer(request, _END_TIMEOUT).answers)
        except InferError:
            return  # the verdict is made of what went wrong before

    def _sequence(self, plan: Plan) -> Mapping[str, bool | float | str]:
        """An id that no client is likely to use; in 31 bits, for a model may want no more."""
        if not plan.in_sequence:
            return {}
        number = self.rng.randrange(2**30, 2**31 - 1)
        return {"sequence_id": f"{REQUEST_ID}-{number:x}" if plan.text_sequence_ids else number}

    def _request(self, plan: Plan, variant: int, parameters: Mapping[str, bool | float | str]) -> InferRequest:
        own = {**({} if plan.golden is None else plan.golden.parameters), **dict(plan.options.parameters)}
        key = plan.key
        number = self.rng.getrandbits(40)
        inputs = plan.variants[variant]
        return InferRequest(key.name, key.version, f"{REQUEST_ID}-{number:010x}", inputs, {**own, **parameters})

    def _left(self, deadline: float) -> float:
        left = deadline - self.clocks.clock()
        if left <= 0:
            raise InferError(CanaryReason.DEADLINE, "no time was left for all requests of the canary")
        return left


def _has_begun(sent: _Sent, error: InferError) -> bool:
    """Whether the server knows the sequence, and can be told of its end."""
    return error.reason is not CanaryReason.UNREACHABLE and (sent.responses > 0 or error.reason.was_served)


def _sentence(error: InferError, plan: Plan, *, is_proven: bool) -> str:
    hints = [error.hint] if error.hint else []
    if plan.was_made_up and not is_proven and error.reason in (CanaryReason.REFUSED, CanaryReason.SERVER_ERROR):
        hints.append(_MADE_UP)
    return joined([error.text, *hints])


def _remembered(memory: Memory, variant: int, answers: Sequence[InferAnswer]) -> tuple[CanaryReason, str]:
    other = memory.swapped_with(variant, [answer.outputs for answer in answers])
    if other is None:
        return CanaryReason.OK, ""
    sentence = f"input {variant} got the answer that input {other} always gets: a stale one, or another caller's"
    return CanaryReason.SWAPPED, sentence
