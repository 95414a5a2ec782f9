"""Real files, as their libraries wrote them (tests/fixtures/models/README.md says how)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from triton_watch.check.formats import Format, TensorSpec, read_model_file, sniff

MODELS = Path(__file__).parents[3] / "fixtures" / "models"

FORMATS = {
    "onnx/kinds.onnx": Format.ONNX,
    "onnx/external.onnx": Format.ONNX,
    "onnx/torch.onnx": Format.ONNX,
    "onnx/torch_dynamo.onnx": Format.ONNX,
    "onnx/sklearn.onnx": Format.ONNX,
    "torch/scripted.pt": Format.TORCHSCRIPT,
    "torch/traced.pt": Format.TORCHSCRIPT,
    "torch/state_dict.pt": Format.TORCH_PICKLE,
    "torch/legacy_state_dict.pt": Format.TORCH_PICKLE,
    "torch/whole_module.pt": Format.TORCH_PICKLE,
    "torch/export.pt2": Format.TORCH_EXPORT,
    "tensorflow/model.savedmodel": Format.SAVED_MODEL,
    "tensorflow/model.savedmodel/saved_model.pb": Format.SAVED_MODEL,
    "tensorflow/model.graphdef": Format.GRAPHDEF,
    "tensorflow/model.tflite": Format.TFLITE,
    "openvino/model.xml": Format.OPENVINO_XML,
    "openvino/kinds.xml": Format.OPENVINO_XML,
    "fil/xgboost.json": Format.XGBOOST_JSON,
    "fil/multiclass.json": Format.XGBOOST_JSON,
    "fil/xgboost.ubj": Format.XGBOOST_UBJ,
    "fil/xgboost.model": Format.XGBOOST_BINARY,
    "fil/model.txt": Format.LIGHTGBM_TEXT,
    "fil/checkpoint.tl": Format.TREELITE_CHECKPOINT,
    "dali/model.dali": Format.DALI,
    "other/sklearn.joblib": Format.PICKLE,
    "other/sklearn.pkl": Format.PICKLE,
    "other/weights.safetensors": Format.SAFETENSORS,
    "other/weights.h5": Format.KERAS_H5,
}


@pytest.mark.parametrize(("name", "known"), FORMATS.items(), ids=FORMATS)
def test_a_real_file_is_known_by_its_content_and_has_no_problem(name: str, known: Format) -> None:
    found = read_model_file(MODELS / name)
    assert (found.format, found.problem) == (known, None)
    assert found.path == MODELS / name
    assert sniff(MODELS / name) is known


@pytest.mark.parametrize("name", [name for name in FORMATS if (MODELS / name).is_file()])
def test_the_name_of_a_file_does_not_matter(name: str, tmp_path: Path) -> None:
    for other in ("model.plan", "model.onnx", "model"):
        shutil.copyfile(MODELS / name, tmp_path / other)
        assert sniff(tmp_path / other) is FORMATS[name]


def test_onnx_tells_every_kind_of_input() -> None:
    found = read_model_file(MODELS / "onnx/kinds.onnx")
    assert found.inputs == (
        TensorSpec("x", "FP32", (-1, 3, -1), note="batch"),
        # w, an initializer, is an input in the file and none for a client
        TensorSpec("ids", "INT64", None),
        TensorSpec("scalar", "STRING", ()),
        TensorSpec("seq", None, None, note="a sequence"),
        TensorSpec("opt", "INT64", (2,), optional=True),
        TensorSpec("bf", "BF16", (0, 4)),
        TensorSpec("c", None, (1,), note="COMPLEX64"),
    )
    assert found.outputs == (TensorSpec("y", "FP32", (-1, 3, -1), note="batch"), TensorSpec("z", "INT64", None))
    assert found.detail == {
        "ir_version": "8",
        "producer": "ours 1",
        "opset": "17",
        "opsets": "ai.onnx.ml 3",
        "initializers": "2",
    }


def test_onnx_of_both_exporters_of_pytorch_tells_the_same() -> None:
    for name in ("torch.onnx", "torch_dynamo.onnx"):
        found = read_model_file(MODELS / "onnx" / name)
        assert found.inputs == (TensorSpec("x", "FP32", (-1, 3), note="batch"),)
        assert found.outputs == (TensorSpec("y", "FP32", (-1, 2), note="batch"),)


def test_a_classifier_of_sklearn_has_an_output_that_is_no_tensor() -> None:
    found = read_model_file(MODELS / "onnx/sklearn.onnx")
    assert found.outputs == (
        TensorSpec("output_label", "INT64", (-1,)),
        TensorSpec("output_probability", None, None, note="a sequence"),
    )


def test_external_weights_of_onnx_are_named_and_must_be_there_in_full(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "onnx", tmp_path, dirs_exist_ok=True)
    model, weights = tmp_path / "external.onnx", tmp_path / "external.bin"
    assert read_model_file(model).detail["external_data"] == "external.bin"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert read_model_file(model).problem == (
        "keeps weights in 'external.bin', which has 3,999 bytes of at least 4,000"
    )
    weights.unlink()
    assert read_model_file(model).problem == "keeps weights in 'external.bin', which is not beside it"


def test_a_folder_with_an_onnx_model_is_one(tmp_path: Path) -> None:
    shutil.copy(MODELS / "onnx/torch.onnx", tmp_path / "model.onnx")
    found = read_model_file(tmp_path)
    assert (found.format, found.path, found.problem) == (Format.ONNX, tmp_path, None)
    assert found.inputs is not None


def test_a_saved_model_tells_its_serving_signature() -> None:
    found = read_model_file(MODELS / "tensorflow/model.savedmodel")
    assert found.inputs == (TensorSpec("ids", "INT64", None), TensorSpec("x", "FP32", (-1, 3)))
    assert found.outputs == (TensorSpec("same", "INT64", None), TensorSpec("scores", "FP32", (-1, 2)))
    assert found.detail == {
        "tags": "serve",
        "signatures": "serving_default",
        "signature": "serving_default",
        "tensorflow": "2.21.0",
    }


def test_a_saved_model_with_variables_needs_their_values(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "tensorflow/model.savedmodel", tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "variables")
    problem = read_model_file(tmp_path).problem
    assert problem is not None
    assert "uses variables" in problem
    assert problem.startswith("has a saved_model.pb in it that ")


def test_a_frozen_graph_has_its_placeholders_as_inputs() -> None:
    found = read_model_file(MODELS / "tensorflow/model.graphdef")
    assert found.inputs == (
        TensorSpec("x", "FP32", (-1, 4)),
        TensorSpec("k", "INT32", ()),
        TensorSpec("u", "STRING", None),
    )
    assert found.outputs is None


def test_openvino_tells_names_types_and_shapes() -> None:
    found = read_model_file(MODELS / "openvino/kinds.xml")
    assert found.inputs == (
        TensorSpec("a", "FP32", None, note="also called b"),
        TensorSpec("scalar", "INT64", ()),
        TensorSpec("ranged", "FP16", (-1, -1, 3)),
        TensorSpec("text", "STRING", (-1,)),
    )
    assert found.outputs == (
        TensorSpec("Result_6", "FP32", None),
        TensorSpec("Result_10", "INT64", None),
        TensorSpec("Result_14", "FP16", (-1, -1, 1)),
        TensorSpec("text", "STRING", (-1,)),
    )


def test_the_weights_of_openvino_must_be_beside_it_in_full(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "openvino", tmp_path, dirs_exist_ok=True)
    weights = tmp_path / "model.bin"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert read_model_file(tmp_path / "model.xml").problem == (
        "needs 36 bytes of weights, and model.bin beside it has 35: it is truncated"
    )
    weights.unlink()
    assert read_model_file(tmp_path / "model.xml").problem == "needs weights, and model.bin is not beside it"


def test_torchscript_tells_the_arguments_of_forward() -> None:
    scripted = read_model_file(MODELS / "torch/scripted.pt")
    assert (scripted.inputs, scripted.outputs) == (None, None)
    assert scripted.detail == {
        "version": "3",
        "class": "Net",
        "forward": "x,mask",
        "optional": "mask",
        "returns": "Tuple[Tensor, Tensor]",
    }
    assert read_model_file(MODELS / "torch/traced.pt").detail["forward"] == "x"


def test_an_exported_program_tells_its_tensors() -> None:
    found = read_model_file(MODELS / "torch/export.pt2")
    assert found.inputs == (TensorSpec("x", "FP32", (-1, 3)),)
    assert found.outputs == (TensorSpec("relu", "FP32", (-1, 2)),)
    assert found.detail["torch"] == "2.13.0+cpu"


@pytest.mark.parametrize("name", ["state_dict.pt", "legacy_state_dict.pt"])
def test_weights_are_told_from_a_pickled_module_by_the_class_they_name(name: str) -> None:
    assert read_model_file(MODELS / "torch" / name).detail == {"class": "collections.OrderedDict"}
    assert read_model_file(MODELS / "torch/whole_module.pt").detail == {"class": "__main__.One"}


@pytest.mark.parametrize(
    ("name", "kind", "features", "classes", "objective"),
    [
        ("xgboost.json", "xgboost_json", "4", "0", "binary:logistic"),
        ("xgboost.ubj", "xgboost_ubj", "4", "0", "binary:logistic"),
        ("xgboost.model", "xgboost", "4", "0", "binary:logistic"),
        ("multiclass.json", "xgboost_json", "4", "3", "multi:softprob"),
        ("model.txt", "lightgbm", "4", "3", "multiclass num_class:3"),
        ("checkpoint.tl", "treelite_checkpoint", "4", None, None),
    ],
)
def test_trees_tell_how_many_features_and_classes_they_have(
    name: str, kind: str, features: str, classes: str | None, objective: str | None
) -> None:
    detail = read_model_file(MODELS / "fil" / name).detail
    assert detail["model_type"] == kind
    found = (detail["features"], detail.get("classes"), detail.get("objective"))
    assert found == (features, classes, objective)


def test_a_dali_pipeline_tells_its_external_sources_and_outputs() -> None:
    found = read_model_file(MODELS / "dali/model.dali")
    assert found.inputs == (TensorSpec("DALI_INPUT_0", "FP32", (-1, -1, -1)),)
    assert found.outputs == (TensorSpec("__Cast_1", None, None),)
    assert found.detail == {"threads": "2", "batch_size": "4"}


def test_the_library_of_a_pickle_is_named() -> None:
    assert read_model_file(MODELS / "other/sklearn.joblib").detail == {"library": "sklearn"}
