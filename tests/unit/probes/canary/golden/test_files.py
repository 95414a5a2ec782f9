"""Goldens on disk come back as they were, for any names and datatypes."""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from triton_watch.probes.canary.golden.compare import Method, Rule
from triton_watch.probes.canary.golden.files import fingerprint, load, load_all, path_of, save
from triton_watch.probes.canary.golden.model import Golden, GoldenError
from unit.probes.canary.golden.tensors import NAMES, golden, goldens, put_arrays, tensor

ANSWER = tensor([[0.1, 0.9, 0.0]])


@given(goldens())
def test_what_was_saved_is_loaded(one: Golden) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(folder, one)
        assert load(folder, one.model, one.version) == one
        assert load_all(folder) == ([one], [])


@given(goldens())
def test_the_same_golden_is_the_same_bytes(one: Golden) -> None:
    with tempfile.TemporaryDirectory() as name:
        first, second = (save(Path(name) / str(number), one) for number in range(2))
        for suffix in (".json", ".npz"):
            assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()


@given(NAMES, NAMES)
def test_no_name_leaves_the_folder_or_hides_in_it(model: str, version: str) -> None:
    folder = Path("goldens")
    path = path_of(folder, model * 300, version)
    assert Path(os.path.normpath(path)) == path
    assert path.relative_to(folder).parts == path.parts[-2:]
    assert path.suffix == ".json"
    assert not any(part.startswith(".") or len(part) > 255 for part in path.parts)


def test_each_model_has_its_own_file() -> None:
    names = ["a/b", "a%2Fb", "..", "%2E.", "", "%", "A", "ä", "x" * 300, "x" * 301, "x" * 299 + "y"]
    assert len({path_of(Path(), name, "1") for name in names}) == len(names)


def test_numpy_reads_the_arrays_without_pickle(tmp_path: Path) -> None:
    one = golden(ANSWER, inputs=({"x": tensor(["a\0b", "ü"], "BYTES"), "h": tensor([1.5], "BF16")},))
    with np.load(save(tmp_path, one).with_suffix(".npz"), allow_pickle=False) as arrays:
        assert set(arrays) == {"input/0/x", "input/0/h", "output/0/0/y"}
        assert arrays["output/0/0/y"].tolist() == ANSWER.array().tolist()
        assert (arrays["input/0/h"].dtype, arrays["input/0/h"].tolist()) == (np.dtype("<u2"), [0x3FC0])
        assert arrays["input/0/x"].tobytes() == one.inputs[0]["x"].data


def test_the_json_is_for_people(tmp_path: Path) -> None:
    nan = float("nan")
    one = golden(
        tensor([[0.1, nan, -float("inf"), *range(9)]]),
        inputs=({"x": tensor(["héllo\n" + "z" * 100], "BYTES")},),
        ignore=("z",),
        outputs=(({"y": tensor([0.1, nan, -float("inf"), *range(9)]), "z": tensor([True], "BOOL")},),),
        notes=("seen",),
        recorded_at="2026-01-02T03:04:05Z",
        server=("triton", "2.51.0"),
        parameters={"seed": 7},
    )
    text = save(tmp_path, one).read_text("utf-8")
    content = json.loads(text, parse_constant=pytest.fail)
    assert text.startswith('{\n  "arrays": {\n')
    assert "héllo" in text
    assert content["outputs"][0][0][0] == {
        "name": "y",
        "datatype": "FP32",
        "shape": [12],
        "preview": [0.1, "nan", "-inf", 0.0, 1.0, 2.0, 3.0, 4.0],
    }
    assert len(content["inputs"][0][0]["preview"][0]) == 81
    assert content["compare"] == {"y": {"method": "close", "rtol": 0.01, "atol": 0.001}, "z": {"method": "ignore"}}
    assert content["server"] == {"name": "triton", "version": "2.51.0"}
    assert (content["format"], content["parameters"], content["notes"]) == (1, {"seed": 7}, ["seen"])


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ({"method": "close", "rtol": 0.01, "atol": 1}, Rule(Method.CLOSE, 0.01, 1.0)),
        ({"method": "close", "rtol": 0.5}, Rule(Method.CLOSE, 0.5)),
        ({"method": "exact"}, Rule(Method.EXACT)),
        ({"method": "top1"}, Rule(Method.TOP1)),
        ({"method": "cosine", "least": 0.99}, Rule(Method.COSINE, least=0.99)),
        ({"method": "ignore"}, None),
    ],
)
def test_the_rules_may_be_edited(tmp_path: Path, entry: dict[str, Any], rule: Rule | None) -> None:
    path = save(tmp_path, golden(ANSWER))
    content = json.loads(path.read_text("utf-8"))
    content["compare"]["y"] = entry
    path.write_text(json.dumps(content), "utf-8")
    found = load(tmp_path, "resnet", "1")
    assert found is not None
    assert found.compare == ({"y": rule} if rule else {})
    assert found.ignore == (() if rule else ("y",))


def test_an_array_of_savez_compressed_is_read_too(tmp_path: Path) -> None:
    one = golden(ANSWER)
    path = save(tmp_path, one)
    arrays = io.BytesIO()
    with np.load(path.with_suffix(".npz")) as found:
        np.savez_compressed(arrays, **dict(found))
    put_arrays(path, arrays.getvalue())
    assert load(tmp_path, "resnet", "1") == one


def test_there_is_none_where_none_was_recorded(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere", "m", "1") is None
    assert load(tmp_path, "m", "1") is None
    save(tmp_path, golden(ANSWER))
    assert load(tmp_path, "resnet", "2") is None
    assert fingerprint(tmp_path, "resnet", "2") is None


def test_the_fingerprint_changes_with_either_file_and_not_by_itself(tmp_path: Path) -> None:
    path = save(tmp_path, golden(ANSWER))
    seen = [fingerprint(tmp_path, "resnet", "1")]
    assert fingerprint(tmp_path, "resnet", "1") == seen[0]
    for changed in (path, path.with_suffix(".npz")):
        os.utime(changed, ns=(1, 1))
        seen.append(fingerprint(tmp_path, "resnet", "1"))
    path.with_suffix(".npz").unlink()
    seen.append(fingerprint(tmp_path, "resnet", "1"))
    assert len(set(seen)) == 4
    assert None not in seen


def test_nothing_else_is_left_beside_the_two_files(tmp_path: Path) -> None:
    for answer in (ANSWER, tensor([1.0])):
        save(tmp_path, golden(answer))
    assert sorted(path.name for path in (tmp_path / "resnet").iterdir()) == ["1.json", "1.npz"]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GoldenError, match=r"1\.json cannot be written \(Not a directory: .*make its folder writable$"):
        save(tmp_path / "file", golden(ANSWER))


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    huge = tensor(np.zeros(70_000_000, np.float32))
    with pytest.raises(GoldenError, match="more than can be read"):
        save(tmp_path, golden(huge))
    assert list(tmp_path.iterdir()) == []
