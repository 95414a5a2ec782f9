"""Every broken file is a GoldenError with one sentence, and nothing else."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triton_watch.probes.canary.golden.files import load, load_all, save
from triton_watch.probes.canary.golden.model import GoldenError
from unit.probes.canary.golden.tensors import golden, put_arrays, tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DataObject

WHOLE = golden(
    tensor([[0.1, 0.9, 0.0]]),
    inputs=({"x": tensor(["a\0b", ""], "BYTES"), "h": tensor([1.5, 2.5], "BF16")},),
    notes=("seen",),
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def sentence(folder: Path) -> str:
    """The one problem, which `load` and `load_all` have to say in the same words."""
    goldens, problems = load_all(folder)
    assert (goldens, len(problems)) == ([], 1)
    with pytest.raises(GoldenError) as caught:
        load(folder, "resnet", "1")
    text = str(caught.value)
    assert "\n" not in text
    assert str(folder / "resnet" / "1.json") in text
    assert text.endswith(": correct it, or record the golden again") or "cannot be read" in text
    return text


def reads_or_says(folder: Path) -> bool:
    try:
        load(folder, "resnet", "1")
    except GoldenError:
        sentence_or_other_name(folder)
        return False
    return True


def sentence_or_other_name(folder: Path) -> None:
    goldens, problems = load_all(folder)
    assert not goldens
    assert len(problems) == 1
    assert "\n" not in problems[0]


@settings(max_examples=150)
@given(st.data())
def test_bytes_of_either_file_that_went_bad_are_said(data: DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = save(Path(name), WHOLE)
        suffix = data.draw(st.sampled_from([".json", ".npz"]))
        spoilt = bytearray(path.with_suffix(suffix).read_bytes())
        if data.draw(st.booleans()):
            spoilt = spoilt[: data.draw(st.integers(0, len(spoilt) - 1))]
        else:
            spoilt[data.draw(st.integers(0, len(spoilt) - 1))] ^= data.draw(st.integers(1, 255))
        path.with_suffix(suffix).write_bytes(spoilt)
        assert not reads_or_says(Path(name)) or suffix == ".json"


@settings(max_examples=200)
@given(st.data())
def test_arrays_that_went_bad_before_their_digest_was_made_are_said(data: DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = save(Path(name), WHOLE)
        spoilt = bytearray(path.with_suffix(".npz").read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
        put_arrays(path, bytes(spoilt[: data.draw(st.integers(len(spoilt) // 2, len(spoilt)))]))
        reads_or_says(Path(name))


@settings(max_examples=200)
@given(st.data())
def test_a_header_that_went_bad_in_a_sound_zip_is_said(data: DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = save(Path(name), WHOLE)
        packed = io.BytesIO()
        with zipfile.ZipFile(path.with_suffix(".npz")) as old, zipfile.ZipFile(packed, "w") as new:
            for entry in old.namelist():
                npy = bytearray(old.read(entry))
                npy[data.draw(st.integers(0, len(npy) - 1))] = data.draw(st.integers(0, 255))
                new.writestr(entry, bytes(npy))
        put_arrays(path, packed.getvalue())
        reads_or_says(Path(name))


@settings(max_examples=200)
@given(st.data())
def test_any_json_in_any_place_is_read_or_said(data: DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = save(Path(name), WHOLE)
        content = json.loads(path.read_text("utf-8"))
        place: Any = content
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
                break
            place = place[key]
        if data.draw(st.booleans()):
            del place[key]
        else:
            place[key] = data.draw(JSON_VALUES)
        path.write_text(json.dumps(content), "utf-8")
        reads_or_says(Path(name))


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        content = json.loads(path.read_text("utf-8"))
        change(content)
        path.write_text(json.dumps(content), "utf-8")

    return spoil


def compared(entry: object, name: str = "y") -> Callable[[Path], None]:
    return edited(lambda content: content["compare"].update({name: entry}))


def rezipped(**arrays: Any) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with np.load(path.with_suffix(".npz")) as found:
            kept = dict(found) | {key.replace("__", "/"): value for key, value in arrays.items()}
        packed = io.BytesIO()
        np.savez(packed, **{key: value for key, value in kept.items() if value is not None})
        put_arrays(path, packed.getvalue())

    return spoil


def described(**fields: Any) -> Callable[[Path], None]:
    return edited(lambda content: content["inputs"][0][0].update(fields))


def text(content: str) -> Callable[[Path], None]:
    return lambda path: void(path.write_text(content, "utf-8"))


def void(_: object) -> None: ...


def replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def bomb(path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros.npy", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    put_arrays(path, packed.getvalue())


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "empty": (text(""), "it is no JSON"),
    "a list": (text("[]"), "it is no golden of triton-watch"),
    "foreign": (text('{"format": "yaml"}'), "it is no golden of triton-watch"),
    "deep": (text("[" * 100_000), "nested too deeply"),
    "a newer format": (edited(lambda content: content.update(format=2)), "has the format 2, and 1 is the newest"),
    "an older format": (edited(lambda content: content.update(format=0)), "never was one"),
    "another model": (edited(lambda content: content.update(model="bert")), 'of the model "bert"'),
    "no outputs": (edited(lambda content: content.pop("outputs")), '"outputs" is missing, or not what it should be'),
    "more inputs": (edited(lambda content: content["inputs"].append([])), "it has 2 inputs and 1 answers"),
    "a parameter": (edited(lambda content: content["parameters"].update(a=[])), 'parameter "a"'),
    "no method": (compared({"rtol": 1}), '"y" under "compare" is no object with a "method"'),
    "an unknown method": (compared({"method": "near"}), 'the method "near": choose from exact, close, top1, cosine'),
    "a negative rtol": (compared({"method": "close", "rtol": -1}), "has the rtol -1: give a number from 0"),
    "an infinite atol": (compared({"method": "close", "atol": float("inf")}), "has the atol inf"),
    "a huge atol": (compared({"method": "close", "atol": 10**400}), "has the atol inf"),
    "a worded rtol": (compared({"method": "close", "rtol": "1%"}), "has a rtol that is no number"),
    "a true rtol": (compared({"method": "close", "rtol": True}), "has a rtol that is no number"),
    "a misspelt limit": (compared({"method": "close", "rtoll": 1}), 'has "rtoll", and the method close takes rtol and'),
    "a useless limit": (compared({"method": "top1", "rtol": 1}), "the method top1 takes no limits"),
    "a cosine without its limit": (compared({"method": "cosine"}), 'needs "least"'),
    "a cosine above 1": (compared({"method": "cosine", "least": 2}), "give a number from 0 to 1"),
    "a rule for no output": (compared({"method": "exact"}, "z"), "no answer has an output of that name"),
    "no arrays": (lambda path: path.with_suffix(".npz").unlink(), "No such file"),
    "other arrays": (lambda path: void(path.with_suffix(".npz").write_bytes(b"PK")), "is not the one that was written"),
    "no zip": (lambda path: put_arrays(path, b"PK"), "it is no sound .npz"),
    "a bomb": (bomb, "are read at most"),
    "an array less": (rezipped(input__0__x=None), "the .npz has no input/0/x"),
    "another shape": (
        rezipped(output__0__0__y=np.zeros((3, 1), "f4")),
        "has <f4 of shape [3, 1] where <f4 of [1, 3]",
    ),
    "another type": (rezipped(output__0__0__y=np.zeros((1, 3), "f8")), "it has <f8 of shape [1, 3]"),
    "a pickle": (rezipped(output__0__0__y=np.array([[{}, 1, 2]], "O")), "it has |O of shape"),
    "Fortran's order": (rezipped(output__0__0__y=np.zeros((2, 2), "f4", order="F")), "no array in C order"),
    "no texts": (rezipped(input__0__x=np.zeros(9, "u1")), "the bytes end inside a length"),
    "too many texts": (described(name="x", datatype="BYTES", shape=[10**12]), "too few"),
    "an endless empty shape": (described(name="x", shape=[0, 2**70], datatype="BYTES"), "input/0/x"),
    "an unknown datatype": (described(datatype="FP8"), 'the datatype "FP8" of input/0/x is not known'),
    "a shape of texts": (described(shape=["1"]), "its shape is no list of whole numbers from 0"),
    "a folder": (replaced(Path.mkdir), "1.json is no plain file"),
    "a pipe": (replaced(os.mkfifo), "1.json is no plain file"),
    "too large": (lambda path: os.truncate(path, 17 << 20), "are read at most"),
    "arrays too large": (lambda path: os.truncate(path.with_suffix(".npz"), 257 << 20), "are read at most"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_wrong_is_said(tmp_path: Path, kind: str) -> None:
    spoil, expected = BROKEN[kind]
    spoil(save(tmp_path, WHOLE))
    if kind == "another model":
        assert expected in load_all(tmp_path)[1][0]
    else:
        assert expected in sentence(tmp_path)
    with pytest.raises(GoldenError):
        load(tmp_path, "resnet", "1")


def test_what_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    save(tmp_path, WHOLE)
    path = save(tmp_path, golden(tensor([1.0]), model="other"))
    path.write_text("{", "utf-8")
    goldens, problems = load_all(tmp_path)
    assert goldens == [WHOLE]
    assert len(problems) == 1


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert load_all(tmp_path / "nowhere") == (
        [],
        [f"{tmp_path / 'nowhere'} is no folder: record goldens into it, or name the folder that has some"],
    )
