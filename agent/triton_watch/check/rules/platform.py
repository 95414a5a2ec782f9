"""20x: the platform, its pair with the backend, and whether Triton finds a backend at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.formats import backends_for, sniff
from triton_watch.check.options import Release
from triton_watch.check.pbtxt.template import placeholder
from triton_watch.check.resolve import ENSEMBLE, PLATFORM_BACKENDS, first_directory
from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.backend import KNOWN, found_files
from triton_watch.check.rules.backend import meant as meant_backend
from triton_watch.check.served import resolved
from triton_watch.records import Severity
from triton_watch.wording.text import clip, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

MEANT = {
    "onnxruntime": 'platform: "onnxruntime_onnx"',
    "onnx": 'platform: "onnxruntime_onnx"',
    "onnxruntime_ort": 'platform: "onnxruntime_onnx"',
    "onnx_runtime": 'platform: "onnxruntime_onnx"',
    "ort": 'platform: "onnxruntime_onnx"',
    "pytorch": 'platform: "pytorch_libtorch"',
    "torch": 'platform: "pytorch_libtorch"',
    "libtorch": 'platform: "pytorch_libtorch"',
    "torchscript": 'platform: "pytorch_libtorch"',
    "pytorch_torchscript": 'platform: "pytorch_libtorch"',
    "tensorrt": 'platform: "tensorrt_plan"',
    "trt": 'platform: "tensorrt_plan"',
    "tensorflow": 'platform: "tensorflow_savedmodel" (or "tensorflow_graphdef")',
    "tf": 'platform: "tensorflow_savedmodel" (or "tensorflow_graphdef")',
    "savedmodel": 'platform: "tensorflow_savedmodel"',
    "graphdef": 'platform: "tensorflow_graphdef"',
    "python": 'backend: "python" instead of the platform',
    "openvino": 'backend: "openvino" instead of the platform',
    "openvino_ir": 'backend: "openvino" instead of the platform',
    "vllm": 'backend: "vllm" instead of the platform',
    "fil": 'backend: "fil" instead of the platform',
    "xgboost": 'backend: "fil" instead of the platform',
    "lightgbm": 'backend: "fil" instead of the platform',
    "dali": 'backend: "dali" instead of the platform',
    "tensorrtllm": 'backend: "tensorrtllm" instead of the platform',
    "tensorrt_llm": 'backend: "tensorrtllm" instead of the platform',
    "custom": 'backend: "…" with the name of the custom backend, instead of the platform',
    "caffe2_netdef": 'platform: "onnxruntime_onnx", with the model converted to ONNX: Caffe2 is gone since 20.11',
    "ensemble_scheduling": 'platform: "ensemble"',
}
"""What people write as a platform -> what they should write."""
TORCH_AOTI_SINCE = Release(26, 3)
PAIRED = frozenset({"tensorflow", "tensorrt", "onnxruntime", "pytorch"})
"""The backends that Triton wants to see with one of their own platforms (and no others' with them)."""
_SOURCE = (
    "tritonserver 2.51.0 (measured); ValidateModelConfig and AutoCompleteBackendFields, src/model_config_utils.cc."
)


def _unknown(model: Model, options: Options) -> Iterator[Hit]:
    platform = model.message.platform
    found = resolved(model)
    if platform == "torch_aoti" and found.backend == "pytorch":
        yield from _torch_aoti(model, options)
    elif platform and not found.backend:
        name = clip(platform)
        unfilled = placeholder(platform)
        meant = None if unfilled else _by_files(model, platform) or _meant(platform)
        yield model.hit(
            f'platform "{name}" is none that Triton knows: '
            f"\"unexpected platform type '{name}' for {clip(model.name)}\"",
            "platform",
            value=True,
            fix=f"fill in the template's placeholder {clip(unfilled)} before Triton reads the file"
            if unfilled
            else f"write {meant}"
            if meant
            else f"write one of {', '.join(PLATFORM_BACKENDS)}, or a backend instead",
        )


def _torch_aoti(model: Model, options: Options) -> Iterator[Hit]:
    if options.triton is not None and options.triton >= TORCH_AOTI_SINCE:
        return
    known = options.triton is not None
    yield model.hit(
        f'platform "torch_aoti" is known from Triton {TORCH_AOTI_SINCE} on'
        + (f"; {options.triton} refuses it" if known else '; older ones refuse it: "unexpected platform type"'),
        "platform",
        value=True,
        fix='run 26.03 or newer, or serve a TorchScript file with platform: "pytorch_libtorch"',
        severity=Severity.ERROR if known else Severity.WARNING,
    )


def _by_files(model: Model, platform: str) -> str | None:
    """Return the backend of the files that are there, where they are not those of the one that the platform names."""
    found, misspelt = found_files(model), meant_backend(platform)
    wanted = platform if misspelt is None else misspelt[0]
    if len(found) != 1 or wanted not in KNOWN or wanted in found:
        return None
    ((backend, file),) = found.items()
    return f'backend: "{backend}" instead of the platform: {clip(file)} is a model of it'


def _meant(platform: str) -> str | None:
    tidy = platform.strip().lower().replace("-", "_")
    near = tidy if tidy in PLATFORM_BACKENDS else nearest(tidy, PLATFORM_BACKENDS)
    return MEANT.get(tidy) or (near and f'platform: "{near}"')


def _pair(model: Model, _options: Options) -> Iterator[Hit]:
    platform, backend, by_name, _detected = resolved(model)
    owner = PLATFORM_BACKENDS.get(platform, "")
    if model.config is None or backend not in PAIRED or owner == backend or model.is_ensemble:
        return
    if model.detached and not platform:
        return
    reason = f"\"unexpected 'platform' and 'backend' pair, got:{clip(platform)}, {backend}\""
    if by_name:
        message = f"the backend comes from the directory's name, and {backend} needs its platform beside it: {reason}"
        fix = f'write backend: "{backend}" and put its model file into the version\'s directory'
    elif platform:
        message = f'platform "{clip(platform)}" does not go with backend "{backend}": {reason}'
        fix = "leave the platform out: the backend says enough" + _either(owner, platform)
    else:
        message = f"the kind of TensorFlow model cannot be told: {reason}"
        fix = 'write platform: "tensorflow_savedmodel", or name the model\'s directory model.savedmodel'
    yield model.hit(message, "platform" if model.has("platform") else "backend", value=True, fix=fix)


def _either(owner: str, platform: str) -> str:
    return f'; if the platform is right, write backend: "{owner}" or none' if owner and platform != ENSEMBLE else ""


def _undetermined(model: Model, options: Options) -> Iterator[Hit]:
    message = model.message
    if message.platform or message.backend or model.is_ensemble or model.detached:
        return
    found = resolved(model)
    too_new = found.detected == "model.pt2" and options.triton is not None and options.triton < TORCH_AOTI_SINCE
    if found.backend and not too_new:
        return
    if not model.readable:
        return  # what has no config.pbtxt at all is the matter of rules of its own
    if model.first_folder.problem and not message.default_model_filename:
        return  # the file that tells may be in there
    name = clip(model.name)
    if message.default_model_filename:
        file = clip(message.default_model_filename)
        reason = f'default_model_filename "{file}" tells no backend: "unexpected platform type \'\' for {name}"'
    else:
        reason = (
            "neither the configuration nor a file tells the backend: "
            f"\"Could not determine backend for model '{name}' with no backend in model configuration\""
        )
    yield model.hit(reason, "default_model_filename", fix=_advice(model))


def _advice(model: Model) -> str:
    """Return what to write, by the model files that lie there under other names."""
    for version in model.versions[:3]:
        for entry in version.folder.entries[:50]:
            backends = backends_for(sniff(entry.path)) if entry.is_file or entry.is_dir else ()
            if backends:
                return f'write backend: "{backends[0]}" and default_model_filename: "{clip(entry.name)}"'
    first = first_directory(model)
    other = first is not None and model.versions and first.name != model.versions[0].name
    more = f" (Triton looks into {clip(first.name)}/ only, the first directory by its name)" if first and other else ""
    return f'write backend: "onnxruntime" (or the one that serves the model) into config.pbtxt{more}'


def _ensemble(model: Model, _options: Options) -> Iterator[Hit]:
    if model.message.platform != ENSEMBLE or not model.message.backend:
        return
    name = clip(model.name)
    yield model.hit(
        f"an ensemble has no backend: \"Ensemble model '{name}' must have platform type 'ensemble' and empty backend "
        'type"',
        "backend",
        fix="remove the line" if model.message.HasField("ensemble_scheduling") else "remove the line, or the platform",
    )


UNKNOWN = Rule(
    id="TW201",
    slug="unknown-platform",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="The platform is one that Triton knows",
    problem="`platform` has a value that Triton does not know, and no backend is given. Often it is a backend's name.",
    bad='platform: "onnxruntime"\n',
    good='platform: "onnxruntime_onnx"\n',
    why="There are few platforms: tensorrt_plan, onnxruntime_onnx, pytorch_libtorch, tensorflow_savedmodel, "
    "tensorflow_graphdef and ensemble. Everything else is named by `backend`. Upper and lower case count.",
    source=_SOURCE + " torch_aoti: 26.03.",
    check=_unknown,
    fixable=True,
)

PAIR = Rule(
    id="TW202",
    slug="platform-backend-pair",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="Platform and backend belong together",
    problem="`platform` and `backend` name different things. TensorFlow, TensorRT, ONNX Runtime and PyTorch go with "
    "their own platforms only.",
    bad='platform: "onnxruntime_onnx"\nbackend: "tensorrt"\n',
    good='platform: "tensorrt_plan"\nbackend: "tensorrt"\n',
    why="Triton refuses the pair before it looks at the model. With backend tensorflow and no file of a known name it "
    "cannot even tell the platform.",
    source=_SOURCE,
    check=_pair,
)

UNDETERMINED = Rule(
    id="TW203",
    slug="backend-not-determined",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="Triton can tell which backend serves the model",
    problem="Neither `backend` nor `platform` is written, and no file of a known name lies in the first version.",
    bad="--- bert/config.pbtxt\nmax_batch_size: 8\n--- bert/1/bert.onnx\nweights\n",
    good='--- bert/config.pbtxt\nbackend: "onnxruntime"\ndefault_model_filename: "bert.onnx"\n--- bert/1/bert.onnx\n',
    why="Triton guesses from model.savedmodel, model.graphdef, model.plan, model.onnx, model.xml, model.pt and "
    "model.py, in the directory that is first by its name, and else from a model's name like `ranker.identity`.",
    source=_SOURCE,
    check=_undetermined,
    box=Box.STRUCTURE,
)

ENSEMBLE_BACKEND = Rule(
    id="TW204",
    slug="ensemble-with-backend",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="An ensemble has no backend",
    problem='A model with platform "ensemble" has a `backend` too.',
    bad='platform: "ensemble"\nbackend: "python"\nensemble_scheduling { }\n',
    good='platform: "ensemble"\nensemble_scheduling { }\n',
    why="Triton itself runs the steps of an ensemble.",
    source=_SOURCE,
    check=_ensemble,
    fixable=True,
)

RULES: tuple[Rule, ...] = (UNKNOWN, PAIR, UNDETERMINED, ENSEMBLE_BACKEND)
