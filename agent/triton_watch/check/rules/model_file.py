"""23x: model files that are missing, empty, placeholders or damaged."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from triton_watch.check.formats import MODEL_TYPES, Format
from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.model_format import NO_MODEL, contents, of_another_backend, wanted_formats
from triton_watch.check.served import ServedFile, barred_files, missing_files, model_type, served_files
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit
    from triton_watch.check.served import Missing

_PLACEHOLDER = re.compile(
    r"\.(?:git|docker)(?:keep|ignore|attributes)|\.(?:keep|placeholder|empty)|(?:readme|placeholder|put|place|download|fetch|"
    r"export|convert|get)(?:[-_. ].*)?|.*\.(?:md|rst|sh|py|ipynb|dvc|url|link|ps1|bat)|makefile",
    re.IGNORECASE,
)
"""What is kept in a version's directory whose model comes later: placeholders, notes, scripts, DVC's pointers."""
_UNREADABLE = re.compile(
    r"cannot be read|any known model|is too (?:large|complex)|does not exist|that PyTorch cannot read"
)
"""Problems that are limits of ours, or of this user."""
_BESIDE = re.compile(r"beside it|keeps weights in")
MOST_NAMES = 100
_ONNX = '--- ranker/config.pbtxt\nbackend: "onnxruntime"\n'
_GOOD = f"{_ONNX}--- ranker/1/model.onnx\na model\n"


def _missing(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend == "python" or model.is_ensemble:
        return
    for one in missing_files(model):
        yield from _missing_hit(model, one)


def _missing_hit(model: Model, one: Missing) -> Iterator[Hit]:
    version, names, broken = one
    found = contents(version)
    if version.folder.problem or of_another_backend(found, wanted_formats(model)):
        return  # what lies there is another backend's: that rule says so
    right = sorted(name for name, known in found.items() if known in wanted_formats(model))
    entries = version.folder.entries[:MOST_NAMES]
    later = not broken and bool(entries) and all(_PLACEHOLDER.fullmatch(entry.name) for entry in entries)
    place = f"{version.name}/{clip(names[0].lstrip('/'))}"
    if broken:
        message = f"{place} is a symbolic link to {clip(broken.link or '')}, which cannot be followed: {broken.problem}"
    elif right:
        message = f"{version.name}/ has no {_either(names)}, which the {model.backend} backend opens"
        if model.backend == "fil":
            message += f" for model_type {clip(model_type(model))}; {clip(right[0])} in it is {found[right[0]].value}"
    else:
        message = f"{version.name}/ {'has no model in it' if entries else 'is empty'}: {place} is missing"
    yield model.hit_file(
        message + (" (a placeholder is there: the model seems to be fetched later)" if later else ""),
        version.path,
        fix=_mend(model, names[0], right[0], found)
        if right and not broken
        else f"put the model there as {_either(names)}",
        severity=Severity.WARNING if later else None,
    )


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(clip(name) for name in dict.fromkeys(names[:3]))


def _mend(model: Model, name: str, there: str, found: Mapping[str, Format]) -> str:
    """Return how to make the backend open the file that is there; the FIL backend has to be told its type too."""
    kinds = MODEL_TYPES.items() if model.backend == "fil" else ()
    right = [(kind, usual) for kind, (usual, known) in kinds if known is found[there]]
    if not right or model_type(model) in {kind for kind, _ in right}:
        return _rename(name, there)
    kind, usual = right[0]
    named = "" if usual == there else f' and default_model_filename: "{clip(there)}"'
    return f'write parameters {{ key: "model_type" value {{ string_value: "{kind}" }} }}{named}'


def _rename(name: str, found: str) -> str:
    same_kind = PurePath(name).suffix == PurePath(found).suffix
    return (f"rename {clip(found)} to {clip(name)}, or " * same_kind) + f'write default_model_filename: "{clip(found)}"'


def _pointer(model: Model, _options: Options) -> Iterator[Hit]:
    for one in _judged(model):
        if one.file.format is Format.GIT_LFS_POINTER:
            yield _hit(model, one, "run `git lfs pull` before the repository is deployed")


def _empty(model: Model, _options: Options) -> Iterator[Hit]:
    for one in _judged(model):
        if one.file.format is Format.EMPTY and model.backend != "python":
            yield _hit(model, one, "put the model there: copy or export it again")


def _page(model: Model, _options: Options) -> Iterator[Hit]:
    for one in _judged(model):
        if one.file.format is Format.HTML:
            yield _hit(model, one, "download it again, logged in, and compare its size or checksum")


def _text(model: Model, _options: Options) -> Iterator[Hit]:
    for one in _judged(model):
        text = one.file.format is Format.TEXT and Format.VLLM_JSON not in wanted_formats(model)
        if text and not one.file.problem and not {Format.PYTHON_SOURCE, Format.LIGHTGBM_TEXT} & wanted_formats(model):
            yield _hit(model, one, "put the model there; keep notes in files of other names")


def _damaged(model: Model, _options: Options) -> Iterator[Hit]:
    for one in _judged(model):
        problem = one.file.problem
        told = one.file.format is Format.VLLM_JSON  # by the rule about vLLM's arguments
        if problem and not told and not _UNREADABLE.search(problem) and not _BESIDE.search(problem):
            yield _hit(model, one, "copy or export it again, and compare its size or checksum")


def _weights(model: Model, _options: Options) -> Iterator[Hit]:
    for one in _judged(model):
        if one.file.problem and _BESIDE.search(one.file.problem):
            yield _hit(model, one, "put that file beside it, or save the model as a single file")


def _unread(model: Model, _options: Options) -> Iterator[Hit]:
    if model.is_ensemble:
        return
    found = [(one.entry, one.file.problem or "") for one in served_files(model)]
    found += [(entry, f"cannot be read: {entry.problem}") for entry in barred_files(model)]
    for entry, problem in found:
        if problem.startswith("cannot be read: "):
            yield model.hit_file(
                f"{clip(str(entry.path.relative_to(model.path)))} {problem}; nothing in it was judged, and the "
                "server's user needs to read it",
                entry.path,
                fix="let this user, and the server's, read it and what it lies in",
            )


def _judged(model: Model) -> Iterator[ServedFile]:
    wanted = wanted_formats(model)
    known = wanted | NO_MODEL
    yield from (one for one in served_files(model) if wanted and one.file.format in known and not model.is_ensemble)


def _hit(model: Model, one: ServedFile, fix: str) -> Hit:
    problem = one.file.problem or f"is {one.file.format.value}"
    return model.hit_file(f"{one.version.name}/{clip(one.name)} {clip(problem, 200)}", one.entry.path, fix=fix)


def _damage_only(model: Model, options: Options) -> Iterator[Hit]:
    hits = {hit.file for rule in (_pointer, _empty, _page) for hit in rule(model, options)}
    yield from (hit for hit in _damaged(model, options) if hit.file not in hits)


MISSING = Rule(
    id="TW230",
    slug="model-file-missing",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.STRUCTURE,
    title="A served version has the file that its backend opens",
    problem="The file with the backend's usual name, or the one that default_model_filename names, is not in the "
    "version's directory. A warning where only placeholders, notes or scripts lie there: the model may come later.",
    bad=f"{_ONNX}--- ranker/1/vocabulary.txt\nthe\n",
    good=_GOOD,
    why="The core accepts it, the backend fails to load the version.",
    source="The backends' loaders (\"unable to find … for model\"); names as in each backend's README.",
    check=_missing,
)

POINTER = Rule(
    id="TW231",
    slug="git-lfs-pointer",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.STRUCTURE,
    title="The model's file is the model, not a Git LFS pointer",
    problem="The file holds three lines that Git LFS replaces by the real content.",
    bad=f"{_ONNX}--- ranker/1/model.onnx\nversion https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    good=_GOOD,
    why="A clone without Git LFS has pointers only, and the backend cannot parse them.",
    source="https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md",
    check=_pointer,
)

EMPTY = Rule(
    id="TW232",
    slug="empty-model-file",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.STRUCTURE,
    title="The model's file is not empty",
    problem="The file that the backend opens has no content.",
    bad=f"{_ONNX}--- ranker/1/model.onnx\n",
    good=_GOOD,
    why="The backend cannot load it.",
    source="The backends' loaders.",
    check=_empty,
)

PAGE = Rule(
    id="TW233",
    slug="model-file-is-web-page",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.STRUCTURE,
    title="The model's file is no saved error page",
    problem="The file holds HTML, or XML of an object store's error.",
    bad=f"{_ONNX}--- ranker/1/model.onnx\n<!DOCTYPE html>\n<html><body>Not found</body></html>\n",
    good=_GOOD,
    why="A download that needs a login, or failed, was saved in the model's place.",
    source="The backends' loaders.",
    check=_page,
)

TEXT = Rule(
    id="TW234",
    slug="model-file-is-text",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    box=Box.STRUCTURE,
    confidence=Confidence.MEDIUM,
    title="The model's file is no note",
    problem="The file that the backend opens holds plain text, and models of its formats are binary.",
    bad=f"{_ONNX}--- ranker/1/model.onnx\nplace the model here\n",
    good=f"{_ONNX}--- ranker/1/model.onnx\nhex: 00ff00ff00ff\n",
    why="It is most likely a placeholder, and the backend cannot load it.",
    source="The backends' loaders.",
    check=_text,
)

DAMAGED = Rule(
    id="TW235",
    slug="damaged-model-file",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.STRUCTURE,
    title="The model's file is whole",
    problem="The file begins as a model and is cut off, filled with zero bytes or otherwise broken.",
    bad=f"{_ONNX}--- ranker/1/model.onnx\nhex: 080812077079746f7263683a80808001\n",
    good=_GOOD,
    why="A copy or an export was interrupted, or the disk was full. The backend cannot load it.",
    source="The formats' own structure; nothing is loaded.",
    check=_damage_only,
)

WEIGHTS = Rule(
    id="TW236",
    slug="model-weights-missing",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.STRUCTURE,
    title="The weights that a model keeps in other files are there",
    problem="An ONNX model's external data, an OpenVINO model's .bin or a SavedModel's variables are not beside it, or "
    "too short.",
    bad='--- ranker/config.pbtxt\nbackend: "openvino"\n--- ranker/1/model.xml\n<?xml version="1.0"?>\n<net name="n" '
    'version="11"><layers><layer id="0" name="c" type="Const"><data element_type="f32" offset="0" shape="1" size="4"/>'
    "</layer></layers></net>\n",
    good=_GOOD,
    why="The backend cannot load the model without them.",
    source="The formats' own structure; nothing is loaded.",
    check=_weights,
)

UNREAD = Rule(
    id="TW237",
    slug="model-file-unreadable",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    box=Box.STRUCTURE,
    title="The model's file can be read",
    problem="The file that the backend opens is there, and this check may not read it.",
    bad="# a model's file without permission to read",
    good=_GOOD,
    why="Nothing in it was judged. Where the server runs as another user without that permission, the model does not "
    "load.",
    source="The operating system.",
    check=_unread,
)

RULES: tuple[Rule, ...] = (MISSING, POINTER, EMPTY, PAGE, TEXT, DAMAGED, WEIGHTS, UNREAD)
