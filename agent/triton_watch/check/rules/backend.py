"""20x: the backend's name, its library, and backends that some servers no longer have."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from triton_watch.check.options import Release
from triton_watch.check.pbtxt import ProblemKind
from triton_watch.check.pbtxt.template import placeholder
from triton_watch.check.resolve import DETECTED, ENSEMBLE
from triton_watch.check.rule import RedLine, Rule, Scope, Stage
from triton_watch.check.served import remembered, resolved, served_versions
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

LIBRARIES = frozenset(
    {"tensorrt", "onnxruntime", "pytorch", "openvino", "tensorflow", "fil", "dali", "tensorrtllm", "python"}
    | {"identity", "repeat", "square"}
)
"""NVIDIA's backends that are shared libraries."""
KNOWN = LIBRARIES | {"vllm"}
FAMILIAR = frozenset({"tensorflow1", "tensorflow2"})
"""Backends that exist elsewhere under names that look like others."""
MEANT = {
    "onnx": "onnxruntime",
    "onnx_runtime": "onnxruntime",
    "onnxruntime_onnx": "onnxruntime",
    "ort": "onnxruntime",
    "torch": "pytorch",
    "libtorch": "pytorch",
    "torchscript": "pytorch",
    "pytorch_libtorch": "pytorch",
    "torch_aoti": "pytorch",
    "trt": "tensorrt",
    "tensorrt_plan": "tensorrt",
    "tensorrt_llm": "tensorrtllm",
    "trtllm": "tensorrtllm",
    "trt_llm": "tensorrtllm",
    "tf": "tensorflow",
    "tensorflow_savedmodel": "tensorflow",
    "tensorflow_graphdef": "tensorflow",
    "savedmodel": "tensorflow",
    "xgboost": "fil",
    "lightgbm": "fil",
    "treelite": "fil",
    "rapids_fil": "fil",
    "ov": "openvino",
    "openvino_ir": "openvino",
    "python3": "python",
    "py": "python",
    "vllm_backend": "vllm",
    "python_backend": "python",
    "onnxruntime_backend": "onnxruntime",
    "pytorch_backend": "pytorch",
    "tensorrt_backend": "tensorrt",
    "tensorrtllm_backend": "tensorrtllm",
    "fil_backend": "fil",
    "dali_backend": "dali",
    "openvino_backend": "openvino",
}
"""What people write, in lower case with `_` -> the backend's name."""
TENSORFLOW_UNTIL = Release(25, 3)
NEAR = 0.86
NO_LIBRARY = "unable to find backend library for backend"
SOURCE = "tritonserver 2.51.0 (measured); TritonModel::ResolveBackend…, src/backend_model.cc."


@remembered
def own_libraries(model: Model) -> frozenset[str]:
    """Return the names of the shared libraries and scripts that a model brings along for its backend."""
    folders = [] if model.detached else [model.folder, *(version.folder for version in served_versions(model)[:5])]
    return frozenset(e.name for f in folders for e in f.entries if e.name.endswith((".so", ".dll")) and not e.is_dir)


def _written(model: Model) -> str:
    """Return the backend that is written, if Triton would look for its library under that name alone."""
    backend = model.message.backend
    if model.message.platform == ENSEMBLE or model.message.runtime or f"libtriton_{backend}.so" in own_libraries(model):
        return ""
    return backend


def meant(backend: str) -> tuple[str, Confidence] | None:
    """Return the backend that a misspelt one most likely means, and how sure that is; None for a custom one."""
    if backend in KNOWN or backend in FAMILIAR:
        return None
    tidy = backend.strip().lower().replace("-", "_").replace(" ", "_")
    if found := tidy if tidy in KNOWN else MEANT.get(tidy):
        return found, Confidence.HIGH
    close = difflib.get_close_matches(tidy[:40], sorted(KNOWN), n=1, cutoff=NEAR)
    return (close[0], Confidence.MEDIUM) if close and len(tidy) > 4 else None


def _told_of_template(model: Model) -> bool:
    """Whether the file as a whole was found to be a template, which says it all."""
    return model.config is not None and any(one.kind is ProblemKind.TEMPLATE for one in model.config.problems)


def found_files(model: Model) -> dict[str, str]:
    """Return the backends whose usual files the versions have, each with such a file: python -> 1/model.py."""
    found: dict[str, str] = {}
    for version in model.versions[:5]:
        for name, owner in DETECTED:
            if version.folder.get(name) is not None and name != model.message.default_model_filename:
                found.setdefault(owner, f"{version.name}/{name}")
    return found


def contradicted(model: Model, backend: str) -> bool:
    """Whether the versions have files that Triton knows, and all of them are of other backends."""
    found = found_files(model)
    return bool(found) and backend not in found


def _misspelt(model: Model, _options: Options) -> Iterator[Hit]:
    backend = _written(model)
    unfilled = placeholder(backend)
    if unfilled and not _told_of_template(model):
        yield model.hit(
            f"{clip(unfilled)} is a template's placeholder that was not filled in: \"{NO_LIBRARY} '{clip(backend)}'\"",
            "backend",
            value=True,
            fix="fill it in with the backend's name, python say, before Triton reads the file",
        )
    if not backend or unfilled or "/" in backend:
        return
    if backend == ENSEMBLE:
        yield model.hit(
            f"no backend is called ensemble: \"{NO_LIBRARY} 'ensemble'\"",
            "backend",
            value=True,
            fix='write platform: "ensemble" instead',
        )
    elif found := meant(backend):
        yield model.hit(
            f'no backend is called "{clip(backend)}", {found[0]} is: "{NO_LIBRARY} \'{clip(backend)}\'"',
            "backend",
            value=True,
            fix=f'write backend: "{found[0]}"',
            confidence=found[1],
        )


def _custom(model: Model, _options: Options) -> Iterator[Hit]:
    backend = _written(model)
    if not backend or backend in KNOWN or "/" in backend or backend == ENSEMBLE or meant(backend):
        return
    if placeholder(backend):
        return
    yield model.hit(
        f'backend "{clip(backend)}" is none that comes with Triton; without its library the model is refused: '
        f"\"{NO_LIBRARY} '{clip(backend)}'\"",
        "backend",
        value=True,
        fix=f"see that the image has backends/{clip(backend)}/libtriton_{clip(backend)}.so (or model.py) "
        "in its backend directory",
    )


def _by_name(model: Model, _options: Options) -> Iterator[Hit]:
    found = resolved(model)
    backend = found.backend
    if model.config is None or model.detached or not found.by_name or not backend or backend in KNOWN:
        return
    if f"libtriton_{backend}.so" in own_libraries(model):
        return
    shown, name = clip(backend), clip(model.name)
    yield model.hit(
        f"Triton takes {name} for a model and '{shown}' in its name for the backend: \"{NO_LIBRARY} '{shown}'\"",
        fix=f"write the backend into config.pbtxt, or see that the image has backends/{shown}/libtriton_{shown}.so",
        confidence=Confidence.MEDIUM,
    )


def _tensorflow(model: Model, options: Options) -> Iterator[Hit]:
    if model.backend != "tensorflow" or model.is_ensemble:
        return
    gone = options.triton is not None and options.triton >= TENSORFLOW_UNTIL
    if options.triton is not None and not gone:
        return
    yield model.hit(
        "the TensorFlow backend is gone since Triton 25.03"
        + (f": {options.triton} says \"{NO_LIBRARY} 'tensorflow'\"" if gone else "; newer servers refuse the model"),
        "backend" if model.has("backend") else "platform",
        value=True,
        fix='convert the model to ONNX (tf2onnx) and write backend: "onnxruntime"',
        severity=Severity.ERROR if gone else Severity.WARNING,
    )


MISSPELT = Rule(
    id="TW205",
    slug="misspelt-backend",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    red_line=RedLine.WRONG_BACKEND,
    title="The backend is called by its name",
    problem="`backend` is nearly the name of a backend that comes with Triton, a platform's or product's name, or a "
    "template's placeholder (`${…}`) that nobody filled in.",
    bad='backend: "onnx"\n',
    good='backend: "onnxruntime"\n',
    why="Triton looks for backends/<name>/libtriton_<name>.so, and upper and lower case count. Custom backends may "
    "have any name, so only near misses are reported, and not when the model brings the library along.",
    source=SOURCE,
    check=_misspelt,
    fixable=True,
)

CUSTOM = Rule(
    id="TW206",
    slug="custom-backend",
    severity=Severity.INFO,
    scope=Scope.MODEL,
    title="A backend that does not come with Triton is in the image",
    problem="`backend` names a backend that NVIDIA's images do not have.",
    bad='backend: "ranking_rules"\n',
    good='backend: "identity"\n',
    why="It may be right: custom backends exist. Where the library is not installed, the model is refused.",
    source=SOURCE,
    check=_custom,
)

BY_NAME = Rule(
    id="TW207",
    slug="backend-from-directory-name",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="A directory's name is not taken for a backend by accident",
    problem="Nothing says which backend serves the model, and its directory's name has a dot: Triton takes what "
    "follows the dot for the backend. There is none of that name.",
    bad="--- ranker.v2/config.pbtxt\nmax_batch_size: 8\n--- ranker.v2/1/ranker.onnx\nx\n",
    good='--- ranker.v2/config.pbtxt\nbackend: "onnxruntime"\n--- ranker.v2/1/model.onnx\nx\n',
    why="Triton tells the backend by the files that it knows, and falls back to the directory's name: in `a.b.c` it is "
    "`b.c`. Backends other than NVIDIA's may exist, so it may be meant.",
    source=SOURCE,
    check=_by_name,
)

TENSORFLOW = Rule(
    id="TW210",
    slug="tensorflow-removed",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    title="The TensorFlow backend is no longer there",
    problem="The model needs the TensorFlow backend.",
    bad='platform: "tensorflow_savedmodel"\n',
    good='backend: "onnxruntime"\n',
    why="Images from 25.03 on come without it. It is an error when the server is known to be so new (`--triton`).",
    source="Triton's release notes for 25.03.",
    check=_tensorflow,
)

RULES: tuple[Rule, ...] = (MISSPELT, CUSTOM, BY_NAME, TENSORFLOW)
