"""Rules 130-134: names of models, links that lead out of the repository, files that should not travel with a model."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from triton_watch.check.model import CONFIG, Model
from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.sizes import size_text
from triton_watch.check.rules.without_config import Without, judged, kind_of
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.files import Entry
    from triton_watch.check.options import Options

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z", ".rar", ".whl")
_TRAINING = (".ipynb", ".ckpt", ".h5", ".tfrecord", ".parquet", ".csv", ".npz", ".mp4", ".log")
_WORTH_A_LINE = 10 * 1024 * 1024
_HEAVY = 1024**3
"""Bytes of stray files from which on they are told, and from which on they are a warning."""
_CONFIG = 'backend: "onnxruntime"\n'
_GOOD = f"--- ranker/config.pbtxt\n{_CONFIG}--- ranker/1/model.onnx\na model\n"


def _odd_name(model: Model, _options: Options) -> Iterator[Hit]:
    if model.detached or _PLAIN_NAME.fullmatch(model.name) or kind_of(model) in {Without.HIDDEN, Without.NO_MODEL}:
        return
    others = dict.fromkeys(re.sub("[A-Za-z0-9_.-]", "", model.name))
    odd = listed("a blank" if char == " " else repr(char)[1:-1] for char in others)
    hangs = model.backend == "python" and any(char.isspace() for char in model.name)
    consequence = (
        "with a blank in the name of a Python model the server hangs while it starts"
        if hangs
        else "Triton's HTTP API cannot load or unload it by that name (it does not decode %-escapes there)"
    )
    yield model.hit_file(
        f"the model's name {clip(model.name)!r} has {odd} in it: {consequence}",
        model.path,
        fix="rename it with letters, digits, `_`, `-` and `.` only",
        severity=Severity.ERROR if hangs else Severity.WARNING,
    )


def _leads_out(model: Model, _options: Options) -> Iterator[Hit]:
    if model.detached:
        return
    root = None
    for entry in _links(model):
        root = root or os.path.realpath(model.repository.path)
        target = os.path.realpath(entry.path)
        if os.path.commonpath((root, target)) != root:
            yield model.hit_file(
                f"{clip(str(entry.path.relative_to(model.path)))} is a symbolic link out of the repository, to "
                f"{clip(entry.link or '')}: where only the repository is mounted or copied, it leads nowhere",
                entry.path,
                fix="put the file itself there, or mount what the link leads to at the same path",
            )


def _links(model: Model) -> Iterator[Entry]:
    """Yield links that can be followed: the model's directory, what is in it and in its versions."""
    if model.entry.link is not None:
        yield model.entry
        return  # all in it is outside as well
    for entry in model.folder.entries:
        if entry.link is not None and not entry.problem:
            yield entry
    for version in model.versions:
        if version.entry.link is None:
            yield from (entry for entry in version.folder.entries if entry.link is not None and not entry.problem)


def _stray_files(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model):
        return
    text = model.config.text if model.config else ""
    folders = [model.folder, *(version.folder for version in model.versions)]
    found = [entry for folder in folders for entry in folder.entries if _is_stray(entry) and entry.name not in text]
    total = sum(entry.size for entry in found)
    if total < _WORTH_A_LINE:
        return
    found.sort(key=lambda entry: -entry.size)
    yield model.hit_file(
        f"{plural(len(found), 'file')} of {size_text(total)} that Triton does not need: "
        + listed((str(entry.path.relative_to(model.path)) for entry in found), 4),
        found[0].path,
        fix="keep them outside the repository: they are copied with it, and a remote one is downloaded at every start",
        severity=Severity.WARNING if total >= _HEAVY else Severity.INFO,
    )


def _is_stray(entry: Entry) -> bool:
    return entry.is_file and entry.name.lower().endswith(_ARCHIVES + _TRAINING)


def _config_in_version(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model):
        return
    for version in model.versions:
        entry = version.folder.get(CONFIG)
        if entry is not None:
            yield model.hit_file(
                f"{version.name}/{CONFIG} is never read: Triton reads the one beside the versions, for all of them",
                entry.path,
                fix="remove it, or move what it says",
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW130",
        slug="odd-model-name",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Models' names have letters, digits, `_`, `-` and `.` only",
        problem="A model's directory has another character in its name. An error for a Python model with a blank.",
        bad=f"--- my ranker/config.pbtxt\n{_CONFIG}--- my ranker/1/model.onnx\na model\n",
        good=_GOOD,
        why=(
            "The name is part of URLs and labels. Triton's repository API takes %-escapes literally, and the launcher "
            "of Python models breaks a name at its blanks."
        ),
        source="tritonserver 2.51.0 (measured)",
        check=_odd_name,
        stage=Stage.BACKEND,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW131",
        slug="link-out-of-repository",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A repository holds all that belongs to it",
        problem="A symbolic link of a model leads to a place outside the repository.",
        bad=f"--- ranker/config.pbtxt\n{_CONFIG}--- ranker/1/model.onnx\nlink: /etc/hostname\n",
        good=_GOOD,
        why="A container sees what is mounted. There the link is broken, and Triton refuses the model.",
        source="tritonserver 2.51.0 (measured): links are followed where they lead somewhere",
        check=_leads_out,
        confidence=Confidence.MEDIUM,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW132",
        slug="stray-files",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="A repository is free of what only training needs",
        problem=(
            "Notebooks, archives, checkpoints or data of 10 MiB or more lie with the model; a warning from 1 GiB on."
        ),
        bad=f"{_GOOD}--- ranker/notebook.ipynb\nsize: 20000000\n",
        good=f"{_GOOD}--- ranker/notebook.ipynb\nsize: 20000\n",
        why="They make images and start-ups slow, and may hold what should not leave the team.",
        source="general practice",
        check=_stray_files,
        confidence=Confidence.MEDIUM,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW133",
        slug="config-in-version",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="There is one config.pbtxt for all versions",
        problem="A version's directory has a config.pbtxt as well.",
        bad=f"{_GOOD}--- ranker/1/config.pbtxt\nmax_batch_size: 8\n",
        good=_GOOD,
        why="Triton never reads it, so what it says is not in force.",
        source="core/src/model_config_utils.cc",
        check=_config_in_version,
        box=Box.STRUCTURE,
    ),
)
