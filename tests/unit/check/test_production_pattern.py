"""The example that the project began with: nothing of it is wrong to Triton, and what is of no use is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.discover import RepositorySpec
from triton_watch.check.options import Options
from triton_watch.check.rules import RULES
from triton_watch.check.run import check
from triton_watch.records import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import Finding

ENCODER = """\
# config.pbtxt for ONNX model
name: "text_encoder"
platform: "onnxruntime_onnx"
max_batch_size: 64

input [
  {
    name: "input_ids"
    data_type: TYPE_INT64
    dims: [-1]  # Dynamic sequence length
  }
]

output [
  {
    name: "embeddings"
    data_type: TYPE_FP32
    dims: [768]
  }
]

dynamic_batching {
  preferred_batch_size: [8, 16, 32]
  max_queue_delay_microseconds: 100
}

instance_group [
  {
    count: 2
    kind: KIND_GPU
    gpus: [0, 1]
  }
]

optimization {
  cuda {
    graphs: true
  }
}
"""
CLASSIFIER = """\
name: "classifier"
platform: "pytorch_libtorch"
max_batch_size: 64
input [ { name: "INPUT__0" data_type: TYPE_FP32 dims: [768] } ]
output [ { name: "OUTPUT__0" data_type: TYPE_FP32 dims: [2] } ]
dynamic_batching { }
instance_group [ { count: 1 kind: KIND_GPU } ]
"""
ENSEMBLE = """\
name: "ensemble"
platform: "ensemble"
max_batch_size: 64
input [ { name: "input_ids" data_type: TYPE_INT64 dims: [-1] } ]
output [ { name: "scores" data_type: TYPE_FP32 dims: [2] } ]
ensemble_scheduling {
  step [
    {
      model_name: "text_encoder"
      model_version: -1
      input_map { key: "input_ids" value: "input_ids" }
      output_map { key: "embeddings" value: "embeddings" }
    },
    {
      model_name: "classifier"
      model_version: -1
      input_map { key: "INPUT__0" value: "embeddings" }
      output_map { key: "OUTPUT__0" value: "scores" }
    }
  ]
}
"""


def findings(repository: Path, options: Options) -> list[Finding]:
    """Check the three models, whose files are fetched later: that is another matter."""
    for name, config in (("text_encoder", ENCODER), ("classifier", CLASSIFIER), ("ensemble", ENSEMBLE)):
        (repository / name / "1").mkdir(parents=True)
        (repository / name / "config.pbtxt").write_text(config)
        if name != "ensemble":
            (repository / name / "1" / ".gitkeep").touch()
    found = check(RULES, options, repositories=[RepositorySpec(repository)]).findings
    return [one for one in found if one.slug != "model-file-missing"]


def test_nothing_of_it_is_an_error_on_a_server_with_two_gpus(tmp_path: Path) -> None:
    found = findings(tmp_path / "model_repository", Options(gpus=2))
    assert [one for one in found if one.severity is Severity.ERROR or one.red_line] == []


def test_what_has_no_effect_or_a_price_is_said_where_it_stands(tmp_path: Path) -> None:
    found = findings(tmp_path / "model_repository", Options(gpus=2))
    encoder = {one.slug: one.line for one in found if one.model == "text_encoder"}
    assert encoder["cuda-graphs-without-effect"] == 37
    assert encoder["preferred-sizes-without-use"] == 23
    assert encoder["unbounded-queue"] == 22
    assert "empty-version-directory" in {one.slug for one in found if one.model == "ensemble"}


def test_with_one_gpu_the_second_is_not_there(tmp_path: Path) -> None:
    found = findings(tmp_path / "model_repository", Options(gpus=1))
    errors = [(one.model, one.slug) for one in found if one.severity is Severity.ERROR]
    assert ("text_encoder", "gpu-not-there") in errors
