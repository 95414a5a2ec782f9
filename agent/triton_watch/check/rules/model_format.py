"""22x: a model file's format against the backend, by what is in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.formats import Format, backends_for, default_filenames, expected_formats, sniff
from triton_watch.check.rule import Box, RedLine, Rule, Scope, Stage
from triton_watch.check.rules.platform import TORCH_AOTI_SINCE
from triton_watch.check.served import missing_files, resolved, served_files
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triton_watch.check.model import Model, Version
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

NO_MODEL = frozenset({Format.UNKNOWN, Format.TEXT, Format.EMPTY, Format.HTML, Format.GIT_LFS_POINTER})
"""Content that is no model's of any format, or not known: rules of their own, or no judgement."""
_SCRIPTS = frozenset({Format.PYTHON_SOURCE, Format.VLLM_JSON})
"""What lies beside models for other reasons."""
_ADVICE = {
    Format.TORCH_PICKLE: "save TorchScript instead: torch.jit.save(torch.jit.script(model), …), or export it to ONNX",
    Format.KERAS_H5: "save it as a SavedModel (model.export), or convert it to ONNX (tf2onnx)",
    Format.KERAS_ZIP: "save it as a SavedModel (model.export), or convert it to ONNX (tf2onnx)",
    Format.SAFETENSORS: "serve it with vllm (model.json names its folder), or load it in a model.py (backend python)",
    Format.GGUF: "serve it with vllm, or load it in a model.py with the python backend",
    Format.PICKLE: "load it in a model.py with the python backend, or export it (skl2onnx, Treelite)",
}
"""Formats that no backend opens by itself."""
_MOST_LOOKED_AT = 100


def wanted_formats(model: Model) -> frozenset[Format]:
    """Return the formats that the model's backend can open; empty when that is not known."""
    of_platform = {"tensorflow_savedmodel": Format.SAVED_MODEL, "tensorflow_graphdef": Format.GRAPHDEF}
    known = of_platform.get(resolved(model).platform) if model.backend == "tensorflow" else None
    return expected_formats(model.backend) if known is None else frozenset({known})


def _wrong(model: Model, _options: Options) -> Iterator[Hit]:
    wanted = wanted_formats(model)
    if not wanted or model.is_ensemble:
        return
    for one in served_files(model):
        known = one.file.format
        if known in NO_MODEL or known in wanted or (known in _SCRIPTS and model.backend in {"dali", "fil"}):
            continue
        yield model.hit(
            f"{one.version.name}/{clip(one.name)} is {known.value}: the {model.backend} backend cannot open it",
            *_place(model),
            value=True,
            fix=advice(known, one.name),
        )
    yield from _wrong_name_too(model, wanted)


def _wrong_name_too(model: Model, wanted: frozenset[Format]) -> Iterator[Hit]:
    """Report a version in which the backend's file is missing and another backend's is there."""
    for version, names, _ in missing_files(model):
        other = of_another_backend(contents(version), wanted)
        if other is not None:
            name, known = other
            yield model.hit(
                f"{version.name}/ has no {clip(names[0])}, which the {model.backend} backend opens; {clip(name)} "
                f"in it is {known.value}",
                *_place(model),
                value=True,
                fix=advice(known, name),
            )


def contents(version: Version) -> dict[str, Format]:
    """Return what the first files and folders of a version are, by their names."""
    entries = version.folder.entries[:_MOST_LOOKED_AT]
    return {entry.name: sniff(entry.path) for entry in entries if not entry.problem and not entry.special}


def of_another_backend(found: Mapping[str, Format], wanted: frozenset[Format]) -> tuple[str, Format] | None:
    """Return a model that the backend cannot open, if none is there that it can."""
    if not wanted.isdisjoint(found.values()):
        return None
    others = ((name, known) for name, known in found.items() if known not in NO_MODEL | _SCRIPTS)
    return next(others, ("model.py", Format.PYTHON_SOURCE) if "model.py" in found else None)


def advice(known: Format, name: str) -> str:
    """Return what to do with a file of a format that the backend cannot open."""
    backends = backends_for(known)
    if not backends:
        return _ADVICE.get(known, "convert it to ONNX")
    best, usual = backends[0], default_filenames(backends[0])
    named = f' (with default_model_filename: "{clip(name)}")' if name and name not in usual else ""
    return f'write backend: "{best}" and no platform{named}, or put a file of the right format there'


def _place(model: Model) -> tuple[str]:
    return ("backend" if model.has("backend") else "platform",)


def _exported(model: Model, options: Options) -> Iterator[Hit]:
    if model.backend != "pytorch" or resolved(model).platform == "torch_aoti":
        return
    old = options.triton is not None and options.triton < TORCH_AOTI_SINCE
    for one in served_files(model):
        if one.file.format is Format.TORCH_EXPORT:
            yield model.hit_file(
                f"{one.version.name}/{clip(one.name)} is {one.file.format.value}: with platform pytorch_libtorch it "
                f"must be TorchScript; such archives are served from {TORCH_AOTI_SINCE} on, as torch_aoti",
                one.entry.path,
                fix='save TorchScript (torch.jit.save), or write platform: "torch_aoti" for a new server',
                severity=Severity.ERROR if old else Severity.WARNING,
            )


_ONNX_FILE = "hex: 0808120770 79746f7263681a05322e302e303a0042021011\n"

WRONG = Rule(
    id="TW220",
    slug="wrong-backend-for-format",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    red_line=RedLine.WRONG_BACKEND,
    box=Box.STRUCTURE,
    title="The backend can open the model's file",
    problem="What is in the model's file is of a format that the backend cannot open, whatever the file is called.",
    bad='--- ranker/config.pbtxt\nbackend: "tensorrt"\n--- ranker/1/model.plan\n' + _ONNX_FILE,
    good='--- ranker/config.pbtxt\nbackend: "onnxruntime"\n--- ranker/1/model.onnx\n' + _ONNX_FILE,
    why="Loading fails. Only files whose format is certain by their content are judged.",
    source="The backends' own loaders; formats are told by their leading bytes and structure.",
    check=_wrong,
    fixable=True,
)

EXPORTED = Rule(
    id="TW221",
    slug="torch-export-needs-aoti",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    title="A torch.export archive is served as torch_aoti",
    problem="The PyTorch backend's file is an archive of torch.export or AOTInductor, not TorchScript.",
    bad='--- ranker/config.pbtxt\nbackend: "pytorch"\n--- ranker/1/model.pt\n'
    "hex: 504b0304140000000000000021000000000000000000000000000e000000617263686976655f666f726d6174504b010214031400"
    "00000000000021000000000000000000000000000e0000000000000000000000800100000000617263686976655f666f726d6174"
    "504b050600000000010001003c0000002c0000000000\n",
    good='backend: "pytorch"\n',
    why="torch.jit.load, which serves pytorch_libtorch, cannot read it. An error when the server is known to be older "
    "than 26.03.",
    source="Triton's release notes for 26.03; PyTorch backend.",
    confidence=Confidence.MEDIUM,
    check=_exported,
)

RULES: tuple[Rule, ...] = (WRONG, EXPORTED)
