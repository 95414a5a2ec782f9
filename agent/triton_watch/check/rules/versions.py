"""Rules 120-123 and 126-128: version directories."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from triton_watch.check.resolve import DETECTED
from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.version_policy import loaded_versions
from triton_watch.check.rules.without_config import judged
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.files import Entry
    from triton_watch.check.model import Model, Version
    from triton_watch.check.options import Options

_LOOKS_LIKE_VERSION = re.compile(r"(?:v|ver|version|release)?[-_. ]?0*(?P<number>[0-9]{1,18})", re.IGNORECASE)
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_SUFFIXES = (".onnx", ".plan", ".engine", ".pt", ".pt2", ".graphdef", ".savedmodel", ".dali", ".tl", ".ubj")
_MODEL_FILES = {name for name, _ in DETECTED} | {"model.json", "xgboost.json", "xgboost.model"}
_CONFIG = 'backend: "onnxruntime"\n'
_GOOD = f"--- ranker/config.pbtxt\n{_CONFIG}--- ranker/1/model.onnx\na model\n"


def unversioned_files(model: Model) -> list[Entry]:
    """Return models' files that lie in the model's directory, where no version with a file is beside them."""
    if any(version.folder.entries for version in model.versions):
        return []
    return [entry for entry in model.folder.entries if entry.name in _MODEL_FILES or entry.name.endswith(_SUFFIXES)]


def _near_misses(model: Model) -> list[tuple[Entry, int]]:
    """Return directories that were meant to be versions and are none, with the number that was meant."""
    known = {version.name for version in model.versions}
    found = []
    for entry in model.folder.entries:
        match = _LOOKS_LIKE_VERSION.fullmatch(entry.name) if entry.is_dir and entry.name not in known else None
        if match:
            found.append((entry, int(match["number"])))
    return found


def _files_as_versions(model: Model) -> list[Entry]:
    return [entry for entry in model.folder.entries if entry.is_file and re.fullmatch("[0-9]{1,18}", entry.name)]


def _broken(model: Model) -> bool:
    return any(entry.link is not None and entry.problem for entry in model.folder.entries)


def _none(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model) or model.versions:
        return
    if _near_misses(model) or _files_as_versions(model) or unversioned_files(model) or _broken(model):
        return  # rules of their own say what is there instead
    advice = "put the model's file into"
    why = ""
    if model.is_ensemble:
        advice = "make"
        why = ": an ensemble needs one too, though nothing is in it, and git keeps no empty directory"
    yield model.hit_file(
        f"{clip(model.name)} has no version directory{why} "
        '(Triton: "at least one version must be available under the version policy")',
        model.path,
        fix=f"{advice} {clip(model.name)}/1/" + (", with an empty .gitkeep in it" if model.is_ensemble else ""),
    )


def _no_number(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model):
        return
    for entry, number in _near_misses(model):
        refused = not model.versions
        consequence = (
            'and no other is there (Triton: "at least one version must be available under the version policy")'
            if refused
            else "and Triton passes it over"
        )
        yield model.hit_file(
            f"the directory {clip(entry.name)} is no version: the name must be a number without leading zeros, "
            + consequence,
            entry.path,
            fix=f"rename it to {number or 1}",
            severity=Severity.ERROR if refused else Severity.WARNING,
        )


def _file(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model):
        return
    for entry in _files_as_versions(model):
        refused = not model.versions
        yield model.hit_file(
            f"{entry.name} is a file, and a version is a directory"
            + (' (Triton: "at least one version must be available under the version policy")' if refused else ""),
            entry.path,
            fix=f"make {entry.name}/ a directory and put the model's file into it",
            severity=Severity.ERROR if refused else Severity.WARNING,
        )


def _outside(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model) or _near_misses(model) or _files_as_versions(model):
        return
    files = unversioned_files(model)
    if not files:
        return
    refused = not model.versions
    names = listed(entry.name for entry in files)
    where = f"{clip(model.name)}/{model.versions[0].name if model.versions else '1'}/"
    yield model.hit_file(
        f"{names} {'lies' if len(files) == 1 else 'lie'} in the model's directory, where Triton does not look, and "
        + (
            'there is no version directory (Triton: "at least one version must be available under the version policy")'
            if refused
            else "the version directory is empty"
        ),
        files[0].path,
        fix=f"move {'it' if len(files) == 1 else 'them'} into {where}",
        severity=Severity.ERROR if refused else Severity.WARNING,
    )


def _odd(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model):
        return
    names = {version.name for version in model.versions}
    loaded = loaded_versions(model)
    for version in model.versions:
        if _SMALLEST <= version.number <= _LARGEST and (message := _oddity(version, names)):
            hangs = version.number in loaded and model.backend == "python" and str(version.number) not in names
            yield model.hit_file(
                message + (", and a Python model without model.py makes the server hang" if hangs else ""),
                version.path,
                fix="number versions from 1 on, without other characters",
                severity=Severity.ERROR if hangs else Severity.WARNING,
            )


def _oddity(version: Version, names: set[str]) -> str | None:
    name, number = clip(version.name), str(version.number)
    if version.name != number and number in names:
        return f"Triton takes the directory {name!r} for version {number} as well, and reads only {number}/"
    if version.name != number:
        return f"Triton takes the directory {name!r} for version {number} and then looks for its files in {number}/"
    if version.number <= 0:
        return f"version {number} is accepted by Triton, but clients and ensembles use 0 and -1 for special meanings"
    return None


def _too_large(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model):
        return
    for version in model.versions:
        if not _SMALLEST <= version.number <= _LARGEST:
            yield model.hit_file(
                f"the number that the directory {clip(version.name)} begins with does not fit into 64 bits, "
                "and Triton ends with a crash (std::out_of_range)",
                version.path,
                fix="number versions from 1 on, and keep other directories out of the model's directory",
            )


def _empty(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model):
        return
    for version in model.versions:
        if model.is_ensemble and not version.folder.entries and not version.folder.problem:
            in_git = _in_git(model)
            yield model.hit_file(
                f"git keeps no empty directory: {clip(model.name)}/{version.name}/ is missing in the next clone, "
                "and Triton then refuses the ensemble for want of a version",
                version.path,
                fix=f"put an empty file into it: touch {clip(str(version.path))}/.gitkeep",
                severity=Severity.WARNING if in_git else Severity.INFO,
            )


def _in_git(model: Model) -> bool:
    folder = os.path.realpath(model.path)
    while folder != os.path.dirname(folder):  # noqa: PTH120  # a string is enough to go upwards
        folder = os.path.dirname(folder)  # noqa: PTH120
        if os.path.lexists(os.path.join(folder, ".git")):  # noqa: PTH118
            return True
    return False


_ENSEMBLE = """--- pipeline/config.pbtxt
platform: "ensemble"
ensemble_scheduling { step [] }
"""

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW120",
        slug="no-version",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="Every model has a version directory",
        problem="A model's directory has no sub-directory whose name is a number.",
        bad=_ENSEMBLE,
        good=f"{_ENSEMBLE}--- pipeline/1/.gitkeep\n",
        why="Triton refuses the model, an ensemble too. Git drops empty directories, so ensembles often lose theirs.",
        source="tritonserver 2.51.0 (measured)",
        check=_none,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW121",
        slug="version-name",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A version directory's name is a number",
        problem="A directory is called `v1`, `01` or the like. A warning where other versions are there.",
        bad=f"--- ranker/config.pbtxt\n{_CONFIG}--- ranker/v1/model.onnx\na model\n",
        good=_GOOD,
        why="Triton passes over names that do not begin with a number, and over numbers with leading zeros.",
        source="tritonserver 2.51.0 (measured)",
        check=_no_number,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW122",
        slug="version-is-file",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A version is a directory",
        problem="What is called `1` is a file. A warning where other versions are there.",
        bad=f"--- ranker/config.pbtxt\n{_CONFIG}--- ranker/1\na model\n",
        good=_GOOD,
        why="Triton passes over files when it looks for versions.",
        source="tritonserver 2.51.0 (measured)",
        check=_file,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW123",
        slug="model-file-outside-version",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A model's file lies in a version directory",
        problem=(
            "A model's file lies beside config.pbtxt, and no version has a file. A warning where a version is there."
        ),
        bad=f"--- ranker/config.pbtxt\n{_CONFIG}--- ranker/model.onnx\na model\n",
        good=_GOOD,
        why="Backends look for files in the directory of the version that they load.",
        source="tritonserver 2.51.0 (measured)",
        check=_outside,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW126",
        slug="odd-version-name",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Versions are numbered from 1 on",
        problem="A version is called `0`, `-1`, or only begins with a number, as `1abc` or `1.5`.",
        bad=f"--- ranker/config.pbtxt\n{_CONFIG}--- ranker/1abc/model.onnx\na model\n",
        good=_GOOD,
        why=(
            "Triton reads the beginning of the name as a number and then looks into a directory that is called by that "
            "number alone: the core says READY, and the backend finds no file. A Python model hangs the server."
        ),
        source="tritonserver 2.51.0 (measured)",
        check=_odd,
        stage=Stage.BACKEND,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW127",
        slug="version-number-too-large",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A version's number fits into 64 bits",
        problem="A directory in the model's directory begins with a number of 19 digits or more that is too large.",
        bad=f"{_GOOD}--- ranker/20240101120000000000/\n",
        good=f"{_GOOD}--- ranker/20240101120000/\n",
        why="Triton ends with a crash, even where other versions are there. Time stamps and hashes look like this.",
        source="tritonserver 2.51.0 (measured)",
        check=_too_large,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW128",
        slug="empty-version-directory",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="An ensemble's version directory survives git",
        problem="An ensemble's version directory is empty. A warning where the repository is in a git work tree.",
        bad=f"{_ENSEMBLE}--- pipeline/1/\n",
        good=f"{_ENSEMBLE}--- pipeline/1/.gitkeep\n",
        why="Git tracks files only: the directory is missing in every clone, and Triton refuses the ensemble there.",
        source="tritonserver 2.51.0 (measured)",
        check=_empty,
        box=Box.STRUCTURE,
    ),
)
