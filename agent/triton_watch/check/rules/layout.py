"""Rules 104-108: what lies in a repository and is no model, and what in a model's directory Triton trips over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.model import CONFIG, Model
from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.without_config import Without, kind_of, lists, nested, refusal
from triton_watch.check.served import unlisted_versions
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.files import Folder
    from triton_watch.check.options import Options

MOST_TOLD = 10
"""Versions of a model that are told one by one."""
_MODEL_FILE = "--- ranker/1/model.onnx\na model\n"
_GOOD = f'--- ranker/config.pbtxt\nbackend: "onnxruntime"\n{_MODEL_FILE}'


def _nested(model: Model, options: Options) -> Iterator[Hit]:
    if kind_of(model) is not Without.NESTED:
        return
    inside = [entry.name for entry in nested(model)]
    yield model.hit_file(
        f"{clip(model.name)} is no model: {_those(inside)} in it, one level too deep "
        f'(Triton: "{refusal(model, options) or "the directories in it are no versions"}")',
        model.path,
        fix=f"move them up beside {clip(model.name)}, or give {clip(str(model.path))} as --model-repository",
        severity=Severity.ERROR if refusal(model, options) else Severity.WARNING,
    )


def _those(names: list[str]) -> str:
    return f"the model {clip(names[0])} is" if len(names) == 1 else f"the models {listed(names)} are"


def _hidden(model: Model, options: Options) -> Iterator[Hit]:
    if model.detached or not model.name.startswith("."):
        return
    reason = refusal(model, options) if kind_of(model) is Without.HIDDEN else None
    consequence = f'fails to load it (Triton: "{reason}")' if reason else "serves it"
    yield model.hit_file(
        f"Triton takes every directory for a model, the hidden one {clip(model.name)} too, and {consequence}",
        model.path,
        fix="keep it out of the repository: serve a sub-directory, or copy only the models",
        severity=Severity.ERROR if reason else Severity.WARNING,
    )


def _no_model(model: Model, options: Options) -> Iterator[Hit]:
    if kind_of(model) is not Without.NO_MODEL:
        return
    reason = refusal(model, options)
    yield model.hit_file(
        f"{clip(model.name)} has no {CONFIG}, no version and no model's file, and Triton takes every directory of a "
        f'repository for a model (Triton: "{reason}"); by default the server then ends',
        model.path,
        fix="move it out of the repository",
        severity=Severity.ERROR if reason else Severity.WARNING,
    )


def _broken_link(model: Model, _options: Options) -> Iterator[Hit]:
    if model.detached:
        return
    for entry in model.folder.entries:
        if entry.link is None or not entry.problem or entry.name == CONFIG:
            continue
        gone = entry.problem in {"No such file or directory", "Too many levels of symbolic links"}
        yield model.hit_file(
            f"{clip(entry.name)} is a symbolic link to {clip(entry.link)}, which cannot be followed: {entry.problem}"
            + (f' (Triton: "failed to stat file {clip(model.name)}/{clip(entry.name)}")' if gone else ""),
            entry.path,
            fix="mend or remove the link: one broken link in a model's directory makes Triton refuse the model",
            severity=Severity.ERROR if gone else Severity.WARNING,
        )


def _unlisted(model: Model, _options: Options) -> Iterator[Hit]:
    if model.detached:
        return
    if not lists(model):
        yield _not_seen(model, clip(model.name), model.folder)
    for version in unlisted_versions(model)[:MOST_TOLD]:
        yield _not_seen(model, f"{clip(model.name)}/{version.name}", version.folder)


def _not_seen(model: Model, name: str, folder: Folder) -> Hit:
    if folder.cut:
        message = f"{name} has {folder.problem}: the rest was not looked at"
        fix = "keep data out of the model's directory: Triton lists it whole at every poll"
    else:
        message = f"{name} cannot be listed ({folder.problem}), so nothing in it was judged"
        fix = "let this user, and the server's, read the directory"
    return model.hit_file(message, folder.path, fix=fix)


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW104",
        slug="nested-repository",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="Models lie directly in the repository",
        problem="A directory of the repository is no model but holds models.",
        bad='--- models/ranker/config.pbtxt\nbackend: "onnxruntime"\n--- models/ranker/1/model.onnx\na model\n',
        good=_GOOD,
        why="Triton looks for models one level deep. It takes the directory between for a model, which fails.",
        source="tritonserver 2.51.0 (measured)",
        check=_nested,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW105",
        slug="hidden-directory",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A repository has no hidden directories",
        problem="A directory whose name starts with a dot lies among the models. A warning where Triton serves it.",
        bad="--- .git/HEAD\nref: refs/heads/main\n",
        good=_GOOD,
        why=(
            "Triton takes it for a model: `.git` asks for a backend called git. With the default --exit-on-error "
            "the server ends over it."
        ),
        source="tritonserver 2.51.0 (measured)",
        check=_hidden,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW106",
        slug="no-model",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A repository has directories of models only",
        problem=(
            "A directory of the repository has no config.pbtxt, no version and no model's file: docs, scripts, data."
        ),
        bad=f"{_GOOD}--- docs/readme.md\nabout the models\n",
        good=f"{_GOOD}--- readme.md\nabout the models\n",
        why="Triton takes every directory for a model and ends over one that is none, unless --exit-on-error=false.",
        source="tritonserver 2.51.0 (measured)",
        check=_no_model,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW107",
        slug="broken-link",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="Symbolic links in a model's directory lead somewhere",
        problem="A symbolic link directly in the model's directory cannot be followed.",
        bad=f"{_GOOD}--- ranker/2\nlink: nowhere\n",
        good=_GOOD,
        why="Triton looks at everything in the directory while it searches versions and gives up at the first failure.",
        source="tritonserver 2.51.0 (measured): deeper down it does not look",
        check=_broken_link,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW108",
        slug="unlisted-directory",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A model's directory can be listed",
        problem="The directory, or that of a served version, may not be read, or has so many "
        "entries that the check stopped looking.",
        bad="# a directory without permission to read, or of more than 20,000 entries",
        good='backend: "onnxruntime"\n',
        why="Triton lists the whole directory at every load and poll. What was not listed here was not judged.",
        source="core/src/filesystem/implementations/local.h",
        check=_unlisted,
        box=Box.STRUCTURE,
    ),
)
