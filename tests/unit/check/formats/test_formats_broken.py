"""Files that are not what they should be: truncated, empty, pointers, pages, devices."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from triton_watch.check.formats import Format, read_model_file, sniff

MODELS = Path(__file__).parents[3] / "fixtures" / "models"


def written(folder: Path, data: bytes, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


LFS = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 102530333\n"
)
CASES: list[tuple[str, bytes, Format, str | None]] = [
    ("empty", b"", Format.EMPTY, "is empty"),
    (
        "lfs",
        LFS,
        Format.GIT_LFS_POINTER,
        "is a Git LFS pointer that stands for a file of 102,530,333 bytes: fetch it with `git lfs pull`",
    ),
    (
        "page",
        b"\n<!DOCTYPE html>\n<html><head><title>Sign in\n to your account</title>",
        Format.HTML,
        "is a web page or an error message that a download saved in the model's place: 'Sign in to your account'",
    ),
    (
        "s3",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>Not there.</Message></Error>',
        Format.HTML,
        "is a web page or an error message that a download saved in the model's place: 'Not there.'",
    ),
    ("zeros", bytes(9000), Format.UNKNOWN, "holds nothing but zero bytes: it was allocated and never written"),
    ("hole", bytes(9000) + b"x", Format.UNKNOWN, "begins with zero bytes: it was not written completely"),
    ("text", b"remember to put the model here\n", Format.TEXT, None),
    ("noise", bytes(range(255, 0, -1)), Format.UNKNOWN, None),
    ("gguf", b"GGUF\x03\0\0\0" + bytes(16), Format.GGUF, None),
    ("gguf head", b"GGUF\x03", Format.GGUF, "is truncated: it must be at least 24 bytes long and has 5"),
    ("plan head", b"ftrt\0\0", Format.TENSORRT_PLAN, "is truncated: it must be at least 28 bytes long and has 6"),
    ("json", b'{"model": "facebook/opt-125m"}', Format.VLLM_JSON, None),
    ("other json", b'{"a": 1}', Format.TEXT, None),
    ("python", b"import numpy\n\nclass TritonPythonModel:\n", Format.PYTHON_SOURCE, None),
    ("latin", "# Größe\nimport numpy\n".encode("latin-1"), Format.PYTHON_SOURCE, None),
]


@pytest.mark.parametrize(("name", "data", "known", "problem"), CASES, ids=[case[0] for case in CASES])
def test_what_is_no_model_says_what_it_is(
    name: str, data: bytes, known: Format, problem: str | None, tmp_path: Path
) -> None:
    found = read_model_file(written(tmp_path, data))
    assert (found.format, found.problem, found.size) == (known, problem, len(data)), name
    assert (found.inputs, found.outputs) == (None, None)


@pytest.mark.parametrize(
    ("data", "likeness"),
    [
        (b"\x10\0\0\0ORTM" + bytes(99), "ONNX Runtime's ORT format"),
        (b"\x1f\x8b\x08" + bytes(99), "a gzip archive"),
        (b"\x7fELF" + bytes(99), "a shared library or program"),
    ],
)
def test_an_unknown_file_says_what_it_looks_like(data: bytes, likeness: str, tmp_path: Path) -> None:
    found = read_model_file(written(tmp_path, data))
    assert (found.format, found.detail) == (Format.UNKNOWN, {"looks_like": likeness})


def test_a_plan_tells_the_version_of_tensorrt_only_if_it_is_one(tmp_path: Path) -> None:
    plan = b"ftrt" + bytes(20) + bytes([10, 3, 0, 26]) + bytes(99)
    assert read_model_file(written(tmp_path, plan)).detail == {"tensorrt": "10.3.0.26"}
    odd = b"ftrt" + bytes(20) + bytes([200, 3, 0, 26]) + bytes(99)
    assert read_model_file(written(tmp_path, odd)).detail == {}


@pytest.mark.parametrize(
    ("name", "kept", "words"),
    [
        ("onnx/kinds.onnx", 0.5, "is truncated: it must be at least"),
        ("tensorflow/model.savedmodel/saved_model.pb", 0.5, "is truncated: it must be at least 12,573"),
        ("tensorflow/model.graphdef", 0.4, "is truncated: it must be at least"),
        ("dali/model.dali", 0.5, "is truncated: it must be at least"),
        ("openvino/model.xml", 0.9, "is truncated: it does not end with </net>"),
        ("torch/scripted.pt", 0.9, "is truncated: it is a zip archive without its end"),
        ("torch/export.pt2", 0.5, "is truncated: it is a zip archive without its end"),
        ("fil/xgboost.json", 0.9, "is truncated: it does not end as a JSON object does"),
        ("fil/multiclass.json", 0.5, "is truncated: it does not end as a JSON object does"),
        ("fil/xgboost.ubj", 0.9, "is truncated: it does not end as a UBJSON object does"),
        ("fil/model.txt", 0.3, "is truncated: its `end of trees` is missing"),
        ("other/weights.safetensors", 0.9, "is truncated: it must be at least 712"),
        ("other/weights.h5", 0.9, "is truncated: it must be at least 2,688"),
    ],
)
def test_a_truncated_file_is_still_known_and_says_so(name: str, kept: float, words: str, tmp_path: Path) -> None:
    whole = MODELS / name
    data = whole.read_bytes()
    found = read_model_file(written(tmp_path, data[: int(len(data) * kept)], whole.name))
    assert found.format is sniff(whole)
    assert found.problem is not None
    assert words in found.problem


def test_a_checkpoint_without_its_end_is_no_torchscript(tmp_path: Path) -> None:
    data = (MODELS / "torch/state_dict.pt").read_bytes()
    assert sniff(written(tmp_path, data[: len(data) // 2])) is Format.TORCH_PICKLE


@pytest.mark.parametrize("name", ["onnx/kinds.onnx", "torch/traced.pt", "openvino/model.xml"])
def test_what_was_learned_before_the_damage_is_kept_apart_from_what_was_not(name: str, tmp_path: Path) -> None:
    data = (MODELS / name).read_bytes()
    found = read_model_file(written(tmp_path, data[: len(data) // 2], Path(name).name))
    assert (found.inputs, found.outputs) == (None, None)


def test_a_fifo_a_device_and_a_link_to_one_are_not_opened(tmp_path: Path) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to("/dev/zero")
    found = {path: read_model_file(path) for path in (fifo, link, Path("/dev/zero"))}
    assert [model.problem for model in found.values()] == [
        "is a FIFO and not a file",
        "is a device and not a file",
        "is a device and not a file",
    ]
    assert {sniff(path) for path in found} == {Format.UNKNOWN}


def test_a_link_to_a_file_is_followed_and_a_circle_is_not(tmp_path: Path) -> None:
    good, circle = tmp_path / "good", tmp_path / "circle"
    good.symlink_to(MODELS / "onnx/torch.onnx")
    circle.symlink_to(circle)
    assert read_model_file(good).format is Format.ONNX
    assert (read_model_file(circle).problem or "").startswith("cannot be read: ")


def test_a_path_without_a_file_is_a_problem_and_no_error(tmp_path: Path) -> None:
    assert read_model_file(tmp_path / "nothing").problem == "does not exist"
    assert (read_model_file(Path("a\0b")).problem or "").startswith("cannot be read: ")
    assert sniff(Path("a\0b")) is Format.UNKNOWN


def test_a_folder_without_a_model_is_a_problem(tmp_path: Path) -> None:
    found = read_model_file(tmp_path)
    assert (found.format, found.problem) == (
        Format.UNKNOWN,
        "is a folder without saved_model.pb or model.onnx in it",
    )


@pytest.mark.parametrize(
    ("data", "known", "problem"),
    [
        (LFS, Format.GIT_LFS_POINTER, "has a saved_model.pb in it that is a Git LFS pointer"),
        (b"noise \xff\x01", Format.UNKNOWN, "has a saved_model.pb in it that is nothing known"),
        ("graphdef", Format.GRAPHDEF, "has a saved_model.pb in it that is a TensorFlow GraphDef"),
    ],
)
def test_a_saved_model_whose_file_is_something_else_says_what(
    data: bytes | str, known: Format, problem: str, tmp_path: Path
) -> None:
    if isinstance(data, str):
        data = (MODELS / "tensorflow/model.graphdef").read_bytes()
    written(tmp_path, data, "saved_model.pb")
    found = read_model_file(tmp_path)
    assert found.format is known
    assert (found.problem or "").startswith(problem)


def test_a_saved_model_in_text_is_one_that_is_not_read(tmp_path: Path) -> None:
    written(tmp_path, b"saved_model_schema_version: 1\n", "saved_model.pbtxt")
    found = read_model_file(tmp_path)
    assert (found.format, found.problem, found.inputs) == (Format.SAVED_MODEL, None, None)


def test_a_document_type_is_refused_before_its_entities_grow(tmp_path: Path) -> None:
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><net name="&c;"><layers/></net>'
    )
    found = read_model_file(written(tmp_path, bomb, "model.xml"))
    assert (found.format, found.problem) == (
        Format.OPENVINO_XML,
        "declares a document type, which no OpenVINO model does",
    )


def test_wrong_xml_names_the_place(tmp_path: Path) -> None:
    found = read_model_file(written(tmp_path, b'<net name="n">\n <layers></layer>\n</net>', "model.xml"))
    assert found.problem == "is not valid XML: line 2, column 12: mismatched tag"


def test_layers_inside_of_a_loop_are_no_inputs(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "openvino", tmp_path, dirs_exist_ok=True)
    path = tmp_path / "model.xml"
    inner = '<layer id="9" name="i" type="Parameter"><data shape="1" element_type="f32"/></layer>'
    body = f'<layer id="99" name="loop" type="Loop"><body><layers>{inner}</layers></body></layer></layers>'
    path.write_text(path.read_text().replace("</layers>", body, 1))
    found = read_model_file(path)
    assert found.problem is None
    assert [spec.name for spec in found.inputs or ()] == ["x"]


def test_an_old_ir_names_its_outputs_by_the_layers_that_make_them(tmp_path: Path) -> None:
    old = """<net name="n" version="10"><layers>
    <layer id="0" name="data" type="Parameter"><data element_type="f16" shape="1,3"/></layer>
    <layer id="1" name="prob" type="SoftMax"><output><port id="2"/></output></layer>
    <layer id="2" name="r" type="Result"><input><port id="0" precision="FP16"><dim>1</dim></port></input></layer>
    </layers><edges><edge from-layer="1" from-port="2" to-layer="2" to-port="0"/></edges></net>"""
    found = read_model_file(written(tmp_path, old.encode(), "model.xml"))
    names = [(spec.name, spec.dtype, spec.shape) for spec in (*(found.inputs or ()), *(found.outputs or ()))]
    assert names == [("data", "FP16", (1, 3)), ("prob", "FP16", (1,))]


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as writer:
        for name, data in files.items():
            writer.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (["m/data/aotinductor/model/x.wrapper.so", "m/archive_format"], Format.TORCH_EXPORT),
        (["serialized_exported_program.json", "version"], Format.TORCH_EXPORT),
        (["metadata.json", "config.json", "model.weights.h5"], Format.KERAS_ZIP),
        (["arr_0.npy"], Format.UNKNOWN),
        (["m/code/__torch__.py", "m/data.pkl"], Format.TORCHSCRIPT),
        (["m/data.pkl", "m/data/0", "m/version"], Format.TORCH_PICKLE),
        ([], Format.UNKNOWN),
    ],
)
def test_a_zip_archive_is_told_by_what_is_in_it(names: list[str], known: Format, tmp_path: Path) -> None:
    found = read_model_file(written(tmp_path, archive(dict.fromkeys(names, b""))))
    assert found.format is known


def test_a_package_of_aotinductor_tells_what_it_was_compiled_for(tmp_path: Path) -> None:
    facts = b'{"AOTI_DEVICE_KEY": "cuda", "AOTI_MACHINE": "x86_64", "AOTI_COMPUTE_CAPABILITY": "90"}'
    data = archive({"m/data/aotinductor/model/a.wrapper_metadata.json": facts, "m/archive_format": b"pt2"})
    found = read_model_file(written(tmp_path, data, "model.pt2"))
    assert found.detail == {"kind": "AOTInductor", "device": "cuda", "machine": "x86_64", "capability": "90"}
    assert found.problem is None
