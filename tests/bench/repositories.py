"""Made model repositories for the bench: what a platform with many models has, one in ten with something wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG = """\
# Owned by team {team}.
name: "{name}"
backend: "{backend}"
max_batch_size: {batch}
input [
  {{
    name: "INPUT__0"
    data_type: TYPE_FP32
    dims: [ 3, 224, 224 ]
  }},
  {{
    name: "INPUT__1"
    data_type: TYPE_INT64
    dims: [ -1 ]
  }}
]
output [
  {{
    name: "OUTPUT__0"
    data_type: TYPE_FP32
    dims: [ 1000 ]
  }}
]
instance_group [
  {{
    count: 2
    kind: KIND_GPU
    gpus: [ 0, 1 ]
  }}
]
dynamic_batching {{
  preferred_batch_size: [ 8, 16 ]
  max_queue_delay_microseconds: 100
  default_queue_policy {{
    max_queue_size: 128
  }}
}}
parameters {{
  key: "ENABLE_CACHE_CLEANING"
  value: {{ string_value: "true" }}
}}
"""
_ENSEMBLE = """\
name: "{name}"
platform: "ensemble"
max_batch_size: 8
input {{ name: "IMAGE" data_type: TYPE_FP32 dims: [ 3, 224, 224 ] }}
input {{ name: "IDS" data_type: TYPE_INT64 dims: [ -1 ] }}
output [ {{ name: "SCORES" data_type: TYPE_FP32 dims: [ 1000 ] }} ]
ensemble_scheduling {{
  step [
    {{
      model_name: "{member}"
      model_version: -1
      input_map {{ key: "INPUT__0" value: "IMAGE" }}
      input_map {{ key: "INPUT__1" value: "IDS" }}
      output_map {{ key: "OUTPUT__0" value: "SCORES" }}
    }}
  ]
}}
"""
_PYTHON = """\
import numpy


class TritonPythonModel:
    def initialize(self, args):
        self.scale = 2.0

    def execute(self, requests):
        return [self.answer(request) for request in requests]
"""
_TORCHSCRIPT = bytes.fromhex("504b0304") + bytes(2000)


def make(folder: Path, models: int) -> int:
    """Write a repository of so many models; return the bytes of its configurations."""
    size = 0
    for number in range(models):
        name = f"model_{number:05d}"
        version = folder / name / "1"
        version.mkdir(parents=True)
        ensemble = number % 10 == 9
        backend = "python" if number % 2 else "pytorch"
        if ensemble:
            text = _ENSEMBLE.format(name=name, member=f"model_{number - 1:05d}")
        else:
            batch = -1 if number % 10 == 5 else 16
            text = _CONFIG.format(name=name, backend=backend, batch=batch, team=number % 7)
            file = version / ("model.py" if number % 2 else "model.pt")
            file.write_bytes(_PYTHON.encode() if number % 2 else _TORCHSCRIPT)
        (folder / name / "config.pbtxt").write_text(text)
        size += len(text)
    return size
