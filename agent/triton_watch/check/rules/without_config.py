"""What a directory of a repository is when it has no config.pbtxt, and whether Triton can do without."""

from __future__ import annotations

import difflib
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from triton_watch.check.model import CONFIG, Model, version_number
from triton_watch.check.resolve import DETECTED, first_directory
from triton_watch.check.served import remembered, resolved
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.files import Entry, Folder
    from triton_watch.check.options import Options

NEEDS_PLATFORM = frozenset({"onnxruntime", "pytorch", "tensorflow", "tensorrt"})
"""Backends that a model's name cannot choose: the core then misses the platform that belongs to them."""
_COMPLETES = frozenset({"dali", "openvino", "python", "vllm"})
"""Backends that a model's name can choose, and that complete a configuration."""
KNOWN_BACKENDS = NEEDS_PLATFORM | {
    "dali", "fil", "identity", "openvino", "python", "repeat", "square", "tensorrtllm", "vllm",
}  # fmt: skip
NOT_COMPLETED = frozenset({"model.pt", "model.pt2", "model.graphdef"})
"""Files whose backends complete no configuration."""
_OTHER_NAMES = frozenset(
    {"config", "config.json", "config.pb", "config.txt", "config.yaml", "config.yml", "config.prototxt"}
)
_MOST_CHILDREN = 100


class Without(Enum):
    """What a directory without config.pbtxt seems to be."""

    HIDDEN = "hidden"
    MISNAMED = "misnamed"
    NESTED = "nested"
    NO_MODEL = "no model"
    MODEL = "model"


class Misplaced(NamedTuple):
    """A file that was meant to be the configuration. `sure`: it can hardly be anything else."""

    entry: Entry
    sure: bool


def lists(model: Model) -> bool:
    """Whether there is a directory that could be listed whole, so that what is not in it is missing."""
    return not model.detached and model.folder.problem is None


def has_config(model: Model) -> bool:
    """Whether something called config.pbtxt is there."""
    return model.detached or model.folder.get(CONFIG) is not None


def judged(model: Model) -> bool:
    """Whether there is a configuration, and a directory that could be listed, to judge the versions by."""
    return lists(model) and has_config(model)


@remembered
def kind_of(model: Model) -> Without | None:
    """Return what a directory without config.pbtxt seems to be; None when it has one or could not be listed."""
    if not lists(model) or has_config(model):
        return None
    if model.name.startswith("."):
        return Without.HIDDEN
    if misplaced(model):
        return Without.MISNAMED
    if next(nested(model), None):
        return Without.NESTED
    return Without.MODEL if model.versions or any(holds_model(e) for e in model.folder.entries) else Without.NO_MODEL


def holds_model(entry: Entry) -> bool:
    """Whether a name in a model's directory is a model's file, or a directory with one."""
    names = {name for name, _ in DETECTED}
    return entry.name in names or (entry.is_dir and any(name in names for name in entry.folder().by_name))


@remembered
def misplaced(model: Model) -> Misplaced | None:
    """Return the file that most likely was meant to be config.pbtxt."""
    found = [one for entry in model.folder.entries if entry.is_file and (one := _meant(entry))]
    for version in model.versions:
        entry = version.folder.get(CONFIG)
        if entry is not None and entry.is_file:
            found.append(Misplaced(entry, sure=True))
    return min(found, key=lambda one: not one.sure, default=None)


def _meant(entry: Entry) -> Misplaced | None:
    name = entry.name.lower()
    close = difflib.SequenceMatcher(None, name, CONFIG).ratio() >= 0.8 if len(name) < 40 else False
    if name.endswith(".pbtxt") or close:
        return Misplaced(entry, sure=True)
    return Misplaced(entry, sure=False) if name in _OTHER_NAMES else None


def nested(model: Model) -> Iterator[Entry]:
    """Yield sub-directories that are models themselves."""
    directories = [entry for entry in model.folder.entries if entry.is_dir]
    for entry in directories[:_MOST_CHILDREN]:
        inside = entry.folder()
        config = inside.get(CONFIG)
        if (config is not None and config.is_file) or _has_version(entry, inside):
            yield entry


def _has_version(entry: Entry, inside: Folder) -> bool:
    """Whether a directory without config.pbtxt has a version with a file of a name that Triton detects."""
    return version_number(entry.name) is None and any(
        child.is_dir and version_number(child.name) is not None and holds_model(child)
        for child in inside.entries[:_MOST_CHILDREN]
    )


def detect(model: Model) -> tuple[str, str]:
    """Return the file and the backend that Triton derives from it, or from the name (then without a file)."""
    found = resolved(model)
    first = first_directory(model)
    return (f"{first.name}/{found.detected}" if first and found.detected else ""), found.backend


def refusal(model: Model, options: Options) -> str | None:
    """Return why Triton refuses a directory without config.pbtxt, in its words; None when it completes one."""
    name = clip(model.name)
    file, backend = detect(model)
    if not options.auto_complete:
        return f"failed to open text file for read {name}/config.pbtxt: No such file or directory"
    if not file and (reason := _refused_by_name(name, backend)):
        return reason
    if not model.versions:
        return f"at least one version must be available under the version policy of model '{name}'"
    if not file and backend not in KNOWN_BACKENDS:
        return f"unable to find backend library for backend '{clip(backend)}'"
    if file.rpartition("/")[2] in NOT_COMPLETED or (not file and backend not in _COMPLETES):
        return f"model configuration is not provided for model '{name}'"
    return None


def _refused_by_name(name: str, backend: str) -> str | None:
    if not backend:
        return f"Invalid model name: Could not determine backend for model '{name}'"
    if backend in NEEDS_PLATFORM:
        return f"unexpected 'platform' and 'backend' pair, got:, {backend}"
    return None
