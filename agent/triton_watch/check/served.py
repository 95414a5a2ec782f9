"""Which versions of a model Triton loads, which files their backend opens, and what is in those files.

Everything is found once for a model and kept with it: several rules ask the same.
"""

from __future__ import annotations

import errno
import os
from functools import wraps
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from triton_watch.check.files import Entry, read_entry
from triton_watch.check.formats import MODEL_TYPES, ModelFile, default_filenames, read_model_file
from triton_watch.check.resolve import Resolved, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triton_watch.check.model import Model, Version

_T = TypeVar("_T")

MOST_VERSIONS = 50
"""Versions of one model whose files are read; a policy `all` may have any number of them."""
NO_PERMISSION = os.strerror(errno.EACCES)
FIXED_NAMES = frozenset({"vllm", "tensorrtllm"})
"""Backends that do not ask for default_model_filename."""


class ServedFile(NamedTuple):
    """A file or folder that a backend opens. `name` is relative to the version's directory."""

    version: Version
    name: str
    entry: Entry
    file: ModelFile


class Missing(NamedTuple):
    """A version without any of the files that its backend would open."""

    version: Version
    names: tuple[str, ...]
    broken: Entry | None
    """The entry of such a name that cannot be read (a broken link), if there is one."""


def remembered(make: Callable[[Model], _T]) -> Callable[[Model], _T]:
    """Keep what a function finds about a model with the model."""
    key = f"{make.__module__}.{make.__qualname__}"

    @wraps(make)
    def recall(model: Model) -> _T:
        kept = vars(model)
        if key not in kept:
            kept[key] = make(model)
        return cast("_T", kept[key])

    return recall


@remembered
def resolved(model: Model) -> Resolved:
    """Return the platform and backend that Triton takes."""
    return resolve(model)


@remembered
def served_versions(model: Model) -> tuple[Version, ...]:
    """Return the versions that the version policy chooses, the newest first; without a policy the newest one.

    Directories such as `1abc` are left out: Triton counts them as 1 and looks for the files in `1`.
    """
    usual = (version for version in model.versions if version.name == str(version.number))
    newest = sorted(usual, key=lambda version: -version.number)
    policy = model.message.version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "specific":
        wanted = set(policy.specific.versions)
        return tuple(version for version in newest if version.number in wanted)
    if choice == "all" or (choice is None and model.message.HasField("version_policy")):
        return tuple(newest)
    return tuple(newest[: policy.latest.num_versions if choice == "latest" else 1])


def wanted_names(model: Model) -> tuple[str, ...]:
    """Return the names of which a backend opens one, the usual one first; () when it is not known."""
    backend, given = model.backend, model.message.default_model_filename
    if given and backend not in FIXED_NAMES:
        usual: tuple[str, ...] = (given,)
    elif backend == "tensorflow":
        usual = {"tensorflow_savedmodel": ("model.savedmodel",), "tensorflow_graphdef": ("model.graphdef",)}.get(
            resolved(model).platform, ()
        )
    elif backend == "fil":
        usual = (MODEL_TYPES[model_type(model)][0],) if model_type(model) in MODEL_TYPES else ()
    else:
        usual = default_filenames(backend)
    return usual + tuple(model.message.cc_model_filenames.values())[:20] if backend == "tensorrt" else usual


def model_type(model: Model) -> str:
    """Return the FIL backend's kind of model (its parameter model_type, by default xgboost)."""
    parameters = model.message.parameters
    return parameters["model_type"].string_value if "model_type" in parameters else "xgboost"


@remembered
def served_files(model: Model) -> tuple[ServedFile, ...]:
    """Return the model files of the served versions, read."""
    return tuple(
        ServedFile(version, name, entry, read_model_file(entry.path))
        for version in served_versions(model)[:MOST_VERSIONS]
        for name, entry in _there(model, version)
    )


@remembered
def missing_files(model: Model) -> tuple[Missing, ...]:
    """Return the served versions that have none of the files their backend opens, as far as one may look."""
    return tuple(one for one in _not_there(model) if one.broken is None or one.broken.problem != NO_PERMISSION)


def barred_files(model: Model) -> tuple[Entry, ...]:
    """Return the files of backends that this user may not even look at."""
    return tuple(one.broken for one in _not_there(model) if one.broken and one.broken.problem == NO_PERMISSION)


@remembered
def _not_there(model: Model) -> tuple[Missing, ...]:
    names = wanted_names(model)
    if not names or any(_inside(name) is None for name in names):
        return ()
    return tuple(
        Missing(version, names, _broken(version, names))
        for version in served_versions(model)[:MOST_VERSIONS]
        if not version.folder.problem and not any(True for _ in _there(model, version))
    )


@remembered
def unlisted_versions(model: Model) -> tuple[Version, ...]:
    """Return the served versions whose directories could not be listed (whole): nobody knows what is missing there."""
    return tuple(version for version in served_versions(model)[:MOST_VERSIONS] if version.folder.problem)


def _there(model: Model, version: Version) -> Iterator[tuple[str, Entry]]:
    """Yield what a version has of the wanted names: the first for most backends, all of them by GPU."""
    for name in dict.fromkeys(wanted_names(model)):
        entry = _entry(version, name)
        if entry is not None and not entry.problem:
            yield name, entry
            if model.backend != "tensorrt":
                return


def _broken(version: Version, names: tuple[str, ...]) -> Entry | None:
    entries = (_entry(version, name) for name in names)
    return next((entry for entry in entries if entry is not None and entry.problem), None)


def _entry(version: Version, name: str) -> Entry | None:
    path = _inside(name)
    if path is None:
        return None
    if len(path.parts) == 1:
        return version.folder.get(path.name)
    entry = read_entry(version.path / path)
    return None if entry.problem not in {None, NO_PERMISSION} and not entry.link else entry


def _inside(name: str) -> PurePosixPath | None:
    """Return a name as a path within the version's directory, None when it leaves it."""
    path = PurePosixPath(name.lstrip("/"))
    return None if not path.parts or ".." in path.parts or "\0" in name else path
