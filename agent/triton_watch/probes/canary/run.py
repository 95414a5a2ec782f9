"""One canary of one model: send what the plan says under one deadline, judge what comes back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from triton_watch.probes.canary.plan import Kind, Plan
from triton_watch.probes.canary.verdict import judge
from triton_watch.records import CanaryReason, CanaryResult
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.messages import Exchange, InferRequest

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from triton_watch.probes.canary.memory import Memory
    from triton_watch.triton.infer.messages import InferAnswer

REQUEST_ID: Final = "triton-watch"
"""Every request id begins with it."""
STEPS: Final = 3
"""Requests of a sequence: one that starts it, one that goes on, one that ends it."""
_END_TIMEOUT: Final = 0.5
"""Seconds to end a sequence that went wrong, so that its slot on the server is free again."""
_FALLBACK_RESPONSES: Final = 1000
"""Responses of a stream that are read where no max_responses says otherwise."""
_MADE_UP: Final = "its input was made up; if the model cannot take it, give one under canary.overrides"


class UnaryClient(Protocol):
    """What asks the server, from any number of threads. Requests raise `InferError`."""

    def infer(self, request: InferRequest, timeout: float) -> Exchange:
        """One request, one response, within `timeout` seconds."""

    def close(self) -> None:
        """Close all connections; a later request opens new ones."""


class InferClient(UnaryClient, Protocol):
    """A client that can read streams, too."""

    def stream(self, request: InferRequest, timeout: float, limit: int) -> Exchange:
        """One request and at most `limit` responses, within `timeout` seconds."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """`clock` gives monotonic seconds, `now` Unix seconds, `cpu` the seconds that this thread has used."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    cpu: Callable[[], float] = time.thread_time


@dataclass(slots=True)
class _Sent:
    """What has happened until now: a failure half way leaves it to be told."""

    requests: int = 0
    answers: list[InferAnswer] = field(default_factory=list)
    seconds: float = 0.0
    first: float | None = None

    def add(self, exchange: Exchange) -> None:
        if self.first is None and exchange.first is not None:
            self.first = self.seconds + exchange.first
        self.answers += exchange.answers
        self.seconds += exchange.seconds


@dataclass(frozen=True, slots=True)
class Run:
    """Runs canaries with one client. `rng` makes the ids of sequences."""

    client: InferClient
    rng: random.Random
    clocks: Clocks = Clocks()

    def once(self, plan: Plan, variant: int, memory: Memory, *, timeout: float | None = None) -> CanaryResult:
        """Run the canary with one of the plan's inputs; nothing is raised for what the server does."""
        result, _ = self.answered(plan, variant, memory, timeout=timeout)
        return result

    def answered(
        self, plan: Plan, variant: int, memory: Memory, *, timeout: float | None = None
    ) -> tuple[CanaryResult, Sequence[InferAnswer]]:
        """Run the canary and return the responses, too: all that came when it was answered at all."""
        began, cpu = self.clocks.clock(), self.clocks.cpu()
        sent = _Sent()
        try:
            self._send(plan, variant, sent, began + (timeout or plan.options.timeout))
        except InferError as error:
            reason, detail = error.reason, _sentence(error, plan)
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
            responses=len(sent.answers),
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
        sent.requests = 1
        if plan.kind is Kind.UNARY:
            sent.add(self.client.infer(request, self._left(deadline)))
            return
        most = plan.options.max_responses or _FALLBACK_RESPONSES
        sent.add(self.client.stream(request, self._left(deadline), most + 1))

    def _send_sequence(self, plan: Plan, variant: int, sent: _Sent, deadline: float) -> None:
        sequence = self._sequence(plan)
        for step in range(STEPS):
            flags = {"sequence_start": step == 0, "sequence_end": step == STEPS - 1}
            request = self._request(plan, variant, {**sequence, **flags})
            sent.requests += 1
            try:
                sent.add(self.client.infer(request, self._left(deadline)))
            except InferError as error:
                if 0 < step < STEPS - 1 and error.reason is not CanaryReason.UNREACHABLE:
                    self._end(self._request(plan, variant, {**sequence, "sequence_end": True}))
                raise

    def _end(self, request: InferRequest) -> None:
        try:
            self.client.infer(request, _END_TIMEOUT)
        except InferError:
            return  # the verdict is made of what went wrong before

    def _sequence(self, plan: Plan) -> Mapping[str, bool | float | str]:
        """An id that no client is likely to use; in 31 bits, for a model may want no more."""
        if not plan.in_sequence:
            return {}
        number = self.rng.randrange(2**30, 2**31 - 1)
        return {"sequence_id": f"{REQUEST_ID}-{number:x}" if plan.text_sequence_ids else number}

    def _request(self, plan: Plan, variant: int, parameters: Mapping[str, bool | float | str]) -> InferRequest:
        own = dict(plan.options.parameters)
        key = plan.key
        number = self.rng.getrandbits(40)
        inputs = plan.variants[variant]
        return InferRequest(key.name, key.version, f"{REQUEST_ID}-{number:010x}", inputs, {**own, **parameters})

    def _left(self, deadline: float) -> float:
        left = deadline - self.clocks.clock()
        if left <= 0:
            raise InferError(CanaryReason.DEADLINE, "no time was left for all requests of the canary")
        return left


def _sentence(error: InferError, plan: Plan) -> str:
    hints = [error.hint] if error.hint else []
    if plan.was_made_up and error.reason in (CanaryReason.REFUSED, CanaryReason.SERVER_ERROR):
        hints.append(_MADE_UP)
    return "; ".join([error.text, *hints])


def _remembered(memory: Memory, variant: int, answers: Sequence[InferAnswer]) -> tuple[CanaryReason, str]:
    other = memory.swapped_with(variant, [answer.outputs for answer in answers])
    if other is None:
        return CanaryReason.OK, ""
    sentence = (
        f"input {variant + 1} got the answer that input {other + 1} always gets: a stale one, or another caller's"
    )
    return CanaryReason.SWAPPED, sentence
