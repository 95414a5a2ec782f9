"""Which backend and platform Triton takes for a model: as its configuration says, or what its files and name say.

It follows Triton's AutoCompleteBackendFields (src/model_config_utils.cc of core), step by step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from triton_watch.check.files import Entry
    from triton_watch.check.model import Model

ENSEMBLE = "ensemble"

PLATFORM_BACKENDS = {
    "tensorrt_plan": "tensorrt",
    "onnxruntime_onnx": "onnxruntime",
    "pytorch_libtorch": "pytorch",
    "torch_aoti": "pytorch",
    "tensorflow_graphdef": "tensorflow",
    "tensorflow_savedmodel": "tensorflow",
    "ensemble": ENSEMBLE,
}
"""Platform -> the backend that serves it."""

DETECTED = (
    ("model.savedmodel", "tensorflow"),
    ("model.graphdef", "tensorflow"),
    ("model.plan", "tensorrt"),
    ("model.onnx", "onnxruntime"),
    ("model.xml", "openvino"),
    ("model.pt", "pytorch"),
    ("model.pt2", "pytorch"),
    ("model.py", "python"),
)
"""Name in the first version's directory -> backend, in the order in which Triton looks."""

_PLATFORMS = {
    "model.savedmodel": "tensorflow_savedmodel",
    "model.graphdef": "tensorflow_graphdef",
    "model.plan": "tensorrt_plan",
    "model.onnx": "onnxruntime_onnx",
    "model.pt": "pytorch_libtorch",
    "model.pt2": "torch_aoti",
}
"""Name -> the platform that goes with it; the others have none."""


class Resolved(NamedTuple):
    """What Triton fills in before it validates a configuration. Empty is what it does not find.

    `by_name`: the backend is the rest of the model's name behind its first dot. `detected`: the file's name
    that told.
    """

    platform: str
    backend: str
    by_name: bool = False
    detected: str = ""


def resolve(model: Model) -> Resolved:
    """Return the platform and the backend that Triton goes on with; an ensemble's backend is `ensemble`."""
    message = model.message
    if not message.backend and (message.platform == ENSEMBLE or message.HasField("ensemble_scheduling")):
        return Resolved(message.platform, ENSEMBLE)
    platform, backend, filename = message.platform, message.backend, message.default_model_filename
    for name, candidate in DETECTED:
        own = _PLATFORMS.get(name, "")
        found = filename == name or (not (filename or platform) and _lies_there(model, name))
        if candidate == "tensorflow":
            platform = platform or (own if found and backend in {"", candidate} else "")
            chosen = platform == own
        else:
            chosen = not backend and (found or (bool(own) and platform == own))
        if (chosen and not backend) or backend == candidate != "tensorflow":
            return Resolved(platform or own, candidate, detected=name if not backend and found and not filename else "")
    if not (backend or platform or filename):
        return Resolved("", backend_of_name(model.name), by_name=True)
    return Resolved(platform, backend)


def _lies_there(model: Model, name: str) -> bool:
    """Whether the first directory has it; SavedModels are directories, plans and GraphDefs are files."""
    entry = model.first_folder.get(name)
    if entry is None:
        return False
    return (
        entry.is_dir if name == "model.savedmodel" else not (entry.is_dir and name in {"model.graphdef", "model.plan"})
    )


def resolve_backend(model: Model) -> str:
    """Return the backend that Triton would take: `ensemble` for ensembles, empty when it finds none."""
    return resolve(model).backend


def backend_of_name(name: str) -> str:
    """Return the backend of a model called `name.<backend>`: what follows the first dot. Empty without one."""
    return name.partition(".")[2]


def first_directory(model: Model) -> Entry | None:
    """Return the directory whose files Triton looks at: the first by its name, whether it is a version or not."""
    if model.detached:
        return None
    return next((entry for entry in model.folder.entries if entry.is_dir), None)
