"""The models of the stage, written as a repository: Y = 2 * X + 1, each with a time and a character of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.records import EnsembleStep, ModelConfig

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Model:
    """A Python model. An execution takes `seconds`; `more` is further text of its config.pbtxt."""

    name: str
    seconds: float
    max_batch_size: int = 0
    answer: str = "right"
    """Or `nan`, or `stream`: three responses, the last after all of its time."""
    more: str = ""


def _waits(microseconds: int, more: str = "") -> str:
    return f"dynamic_batching {{ {more}max_queue_delay_microseconds: {microseconds} }}"


STEADY, BATCHED, CACHED, FAILING, WRONG = "steady", "batched", "cached", "failing", "wrong"
FIRST, SECOND, PIPELINE, TRICKLE, STREAM = "first", "second", "pipeline", "trickle", "stream"
MODELS: tuple[Model, ...] = (
    Model(STEADY, 0.03, max_batch_size=4),  # it could batch, and nobody told it to
    Model(BATCHED, 0.1, max_batch_size=8, more=_waits(300_000, "preferred_batch_size: [ 3 ] ")),  # all its callers
    Model(FIRST, 0.01),
    Model(SECOND, 0.03),
    Model(CACHED, 0.05, max_batch_size=4, more="response_cache { enable: true }"),
    Model(FAILING, 0.01),
    Model(WRONG, 0.005, answer="nan"),
    Model(TRICKLE, 0.002, max_batch_size=4, more=_waits(5_000)),  # a request that is alone waits its 5 ms
    Model(STREAM, 0.02, answer="stream", more="model_transaction_policy { decoupled: true }"),
)
GHOST = "ghost"
"""A model that is expected, and is not there."""
FAIL = -1e6
"""An input that any model refuses."""

_RECORDED = ModelConfig("matmul", backend="python", max_batch_size=16, dynamic_batching=True, uses_gpu=True)
_STEPS = (EnsembleStep(FIRST, -1), EnsembleStep(SECOND, -1))
CONFIGS: tuple[ModelConfig, ...] = (
    *(
        ModelConfig(
            one.name, backend="python", max_batch_size=one.max_batch_size, dynamic_batching="dynamic" in one.more
        )
        for one in MODELS
    ),
    _RECORDED,
    ModelConfig(PIPELINE, platform="ensemble", steps=_STEPS),
)
"""What live servers would say of them, and of the recorded one."""

_CODE = """\
import json
import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        given = json.loads(args["model_config"])["parameters"]
        self.seconds = float(given["seconds"]["string_value"])
        self.answer = given["answer"]["string_value"]

    def execute(self, requests):
        xs = [pb_utils.get_input_tensor_by_name(one, "X").as_numpy() for one in requests]
        if any((x <= -1e6).any() for x in xs):
            raise RuntimeError("the model fell over")
        if self.answer == "stream":
            for one, x in zip(requests, xs):
                self.stream(one, x)
            return None  # with a list Triton counts a failure, though the client has its answers
        time.sleep(self.seconds)
        return [self.response(x) for x in xs]

    def response(self, x):
        return pb_utils.InferenceResponse([pb_utils.Tensor("Y", x * np.nan if self.answer == "nan" else 2 * x + 1)])

    def stream(self, request, x):
        sender = request.get_response_sender()
        for _ in range(3):
            time.sleep(self.seconds / 3)
            sender.send(self.response(x))
        sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
"""
_IO = """\
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
"""
_CONFIG = """\
name: "{name}"
backend: "python"
max_batch_size: {size}
{io}instance_group [ {{ count: 1 kind: KIND_CPU }} ]
parameters {{ key: "seconds" value: {{ string_value: "{seconds}" }} }}
parameters {{ key: "answer" value: {{ string_value: "{answer}" }} }}
{more}
"""
_PIPELINE = f"""\
name: "{PIPELINE}"
platform: "ensemble"
max_batch_size: 0
{_IO}ensemble_scheduling {{
  step [
    {{
      model_name: "{FIRST}" model_version: -1
      input_map {{ key: "X" value: "X" }} output_map {{ key: "Y" value: "HALFWAY" }}
    }},
    {{
      model_name: "{SECOND}" model_version: -1
      input_map {{ key: "X" value: "HALFWAY" }} output_map {{ key: "Y" value: "Y" }}
    }}
  ]
}}
"""


def write_repository(folder: Path) -> Path:
    """Write all models below `folder`, and return it."""
    for one in MODELS:
        config = _CONFIG.format(
            name=one.name, size=one.max_batch_size, io=_IO, seconds=one.seconds, answer=one.answer, more=one.more
        )
        _write(folder / one.name, config)
        (folder / one.name / "1" / "model.py").write_text(_CODE)
    _write(folder / PIPELINE, _PIPELINE)
    return folder


def _write(folder: Path, config: str) -> None:
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(config)
