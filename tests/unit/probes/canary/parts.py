"""Configurations, plans, answers, polls and scripted clients for the tests of canaries."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from support.misbehaving import target_at
from triton_watch.probes.canary.clients import Clocks
from triton_watch.probes.canary.plan import Plan, plan_of
from triton_watch.probes.canary.run import Run
from triton_watch.records import (
    CanaryOptions,
    CanaryReason,
    CanaryResult,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    TargetSnapshot,
    TensorSpec,
)
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.messages import BYTES, Exchange, InferAnswer, InferRequest, Tensor, tensor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

KEY = ModelKey("m", "1")
Reply: TypeAlias = "Exchange | InferError | Callable[[InferRequest, float], Exchange]"


def tensor(values: Any, datatype: str = "FP32") -> Tensor:
    return tensor_of(np.array(values, dtype=object if datatype == BYTES else None), datatype)


def spec(
    name: str = "x", datatype: str = "FP32", dims: tuple[int, ...] = (4,), *, optional: bool = False
) -> TensorSpec:
    return TensorSpec(name, datatype, dims, optional)


def config_of(
    inputs: Iterable[TensorSpec] = (spec(),), outputs: Iterable[TensorSpec] = (spec("y"),), **more: Any
) -> ModelConfig:
    return ModelConfig(more.pop("name", "m"), inputs=tuple(inputs), outputs=tuple(outputs), **more)


def plan(options: CanaryOptions | None = None, golden: Any = None, **config: Any) -> Plan:
    return plan_of(KEY, config_of(**config), options or CanaryOptions(), golden)


def answer(outputs: Mapping[str, Tensor] | None = None, *, version: str = "1", at: float = 0.01) -> InferAnswer:
    outputs = {"y": tensor([0.1, 0.2, 0.3, 0.4])} if outputs is None else outputs
    return InferAnswer("m", version, outputs, at)


def exchange(*answers: InferAnswer, seconds: float = 0.02) -> Exchange:
    return Exchange(answers or (answer(),), seconds)


def error(reason: CanaryReason, text: str = "it said so", **more: Any) -> InferError:
    return InferError(reason, text, **more)


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += seconds


def clocks(clock: Callable[[], float]) -> Clocks:
    return Clocks(clock, lambda: 1_700_000_000.0, lambda: 0.0)


@dataclass
class Scripted:
    """A client that replies what stands in `replies`, in order, then the last one again and again."""

    replies: list[Reply] = field(default_factory=lambda: [exchange()])
    requests: list[InferRequest] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    streams: list[int] = field(default_factory=list)
    closed: int = 0

    def infer(self, request: InferRequest, timeout: float) -> Exchange:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.requests.append(request)
        self.timeouts.append(timeout)
        if isinstance(reply, InferError):
            raise reply
        return reply if isinstance(reply, Exchange) else reply(request, timeout)

    def stream(self, request: InferRequest, timeout: float, limit: int) -> Exchange:
        self.streams.append(limit)
        return self.infer(request, timeout)

    def close(self) -> None:
        self.closed += 1


def runner(client: Scripted, clock: Callable[[], float] | None = None) -> Run:
    return Run(client, random.Random(7), clocks(clock or Clock()))


def result_of(reason: CanaryReason = CanaryReason.OK, key: ModelKey = KEY, **more: Any) -> CanaryResult:
    served = {"latency": 0.02, "responses": 1} if reason.was_served else {}
    return CanaryResult(**{"key": key, "at": 0.0, "began": 0.0, "ended": 0.0, "reason": reason, **served, **more})


def poll(
    ready: Iterable[ModelKey] = (KEY,),
    configs: Iterable[ModelConfig] = (),
    *,
    others: Iterable[ModelState] = (),
    heard: bool = True,
    **more: Any,
) -> TargetSnapshot:
    states = (*(ModelState(key, ModelStatus.READY) for key in ready), *others)
    outcome = Outcome.OK if heard else Outcome.READ_TIMEOUT
    return TargetSnapshot(
        **{
            "target": target_at("http://127.0.0.1:1"),
            "cycle": 1,
            "at": 0.0,
            "duration": 0.5,
            "probes": {"index": ProbeResult("index", outcome, 0.1)},
            "models": states,
            "configs": {config.name: config for config in configs},
            **more,
        }
    )
