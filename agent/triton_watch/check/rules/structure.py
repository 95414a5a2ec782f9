"""Rules 100-103: config.pbtxt as a file, and the name in it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from triton_watch.check.model import CONFIG, Model
from triton_watch.check.rule import Box, Hit, RedLine, Rule, Scope, Stage
from triton_watch.check.rules.without_config import Without, detect, kind_of, misplaced, refusal
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.files import Entry
    from triton_watch.check.options import Options

_MODEL_FILE = "--- ranker/1/model.onnx\na model\n"
_GOOD = f'--- ranker/config.pbtxt\nbackend: "onnxruntime"\n{_MODEL_FILE}'


def _no_config(model: Model, options: Options) -> Iterator[Hit]:
    if kind_of(model) is not Without.MODEL:
        return
    reason, (file, backend) = refusal(model, options), detect(model)
    if reason and model.first_folder.problem:
        return  # the file that tells the backend may be in there
    shown = f"backend: {backend}" if file else "its backend"
    fix = f"write {clip(model.name)}/{CONFIG} with {shown}, max_batch_size, input, output and instance_group"
    if reason:
        if configs := _other_configs(model):
            reason += f'"; {configs} is only read with --model-config-name, "'
        yield model.hit_file(
            f'{clip(model.name)} has no {CONFIG}, and Triton cannot do without one (Triton: "{reason}")',
            model.path,
            fix=fix,
        )
    else:
        yield model.hit_file(
            f"{clip(model.name)} has no {CONFIG}: Triton makes one up from {file or 'the name'} ({backend}), "
            "without a batching delay, queue limits or instance groups of your choice",
            model.path,
            fix=fix,
            severity=Severity.WARNING,
        )


def _other_configs(model: Model) -> str:
    folder = model.folder.get("configs")
    names = [] if folder is None else [entry.name for entry in folder.folder().entries if entry.name.endswith(".pbtxt")]
    return f"configs/{clip(names[0])}" if names else ""


def _misnamed(model: Model, options: Options) -> Iterator[Hit]:
    if kind_of(model) is not Without.MISNAMED:
        return
    found = misplaced(model)
    if found is None:
        return
    reason = refusal(model, options)
    name = clip(str(found.entry.path.relative_to(model.path)))
    more = f'refuses the model (Triton: "{reason}")' if reason else "serves the model without it"
    how = "rename it" if found.entry.name.endswith((".pbtxt", "txt", ".pbtx")) else "write its content as text protobuf"
    yield model.hit_file(
        f"{name} seems to be the configuration, but Triton reads only {CONFIG} in the model's directory, and {more}",
        found.entry.path,
        fix=f"{how}: {clip(model.name)}/{CONFIG}",
        severity=Severity.ERROR if reason else Severity.WARNING,
        confidence=Confidence.HIGH if found.sure else Confidence.MEDIUM,
    )


def _unreadable(model: Model, _options: Options) -> Iterator[Hit]:
    entry = None if model.detached else model.folder.get(CONFIG)
    if entry is None or model.config_bytes is not None:
        return
    if entry.is_dir:
        yield model.hit_file(
            f"{CONFIG} is a directory, and Triton ends with a crash when it reads it",
            entry.path,
            fix=f"make {CONFIG} a file",
        )
    elif entry.link is not None and entry.problem:
        yield model.hit_file(
            f"{CONFIG} is a symbolic link to {clip(entry.link)}, which cannot be followed: {entry.problem} "
            '(Triton: "failed to stat file")',
            entry.path,
            fix="put the file itself there, or mend the link",
        )
    elif entry.special and _blocks(entry):
        yield model.hit_file(
            f"{CONFIG} is a pipe or a socket: Triton waits for it without end", entry.path, fix="put a file there"
        )
    else:
        reason = entry.problem or ("it is a device" if entry.special else "no permission")
        yield model.hit_file(
            f"{CONFIG} cannot be read ({reason}), so nothing in it was judged; the server's user needs to read it",
            entry.path,
            fix=f"chmod a+r {clip(str(entry.path))}",
            severity=Severity.WARNING,
        )


def _blocks(entry: Entry) -> bool:
    try:
        mode = entry.path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _name_mismatch(model: Model, _options: Options) -> Iterator[Hit]:
    name = model.message.name
    if model.detached or not name or name == model.name:
        return
    yield model.hit(
        f"the model is called {clip(name)!r} here and its directory {clip(model.name)!r} "
        f"(Triton: \"unexpected directory name '{clip(model.name)}' for model '{clip(name)}', "
        'directory name must equal model name")',
        "name",
        value=True,
        fix=f'write name: "{clip(model.name, 200)}", remove the line, or rename the directory',
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW100",
        slug="missing-config",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="Every model has a config.pbtxt",
        problem="A model's directory has no config.pbtxt. A warning where Triton completes one from the model's file.",
        bad="--- ranker/1/model.pt\na model\n",
        good=_GOOD,
        why=(
            "Only some backends can describe a model by themselves. Where they do, batching, queue limits and "
            "instances are whatever the backend guesses, and change with its version."
        ),
        source="tritonserver 2.51.0 (measured); AutoCompleteBackendFields in core/src/model_config_utils.cc",
        check=_no_config,
        stage=Stage.CORE,
        red_line=RedLine.NO_CONFIG,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW101",
        slug="misnamed-config",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="The configuration is called config.pbtxt and lies beside the versions",
        problem=(
            "There is no config.pbtxt, but a file of a similar name, of another format, or in a version's directory."
        ),
        bad=f'--- ranker/config.pbtx\nbackend: "onnxruntime"\n{_MODEL_FILE}',
        good=_GOOD,
        why="Triton reads no other name and no JSON or YAML, and says nothing of the file that it passed over.",
        source="tritonserver 2.51.0 (measured)",
        check=_misnamed,
        stage=Stage.CORE,
        red_line=RedLine.NO_CONFIG,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW102",
        slug="unreadable-config",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="config.pbtxt is a file that can be read",
        problem="config.pbtxt is a directory, a pipe, a link that leads nowhere, or may not be read.",
        bad="--- ranker/config.pbtxt/\n--- ranker/1/model.onnx\na model\n",
        good=_GOOD,
        why="A directory of this name ends the whole server; a broken link makes it refuse the model.",
        source="tritonserver 2.51.0 (measured)",
        check=_unreadable,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW103",
        slug="name-mismatch",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A model's name is its directory's name",
        problem="`name` in config.pbtxt differs from the directory's name, be it in case or in a blank.",
        bad=f'--- ranker/config.pbtxt\nname: "Ranker"\nbackend: "onnxruntime"\n{_MODEL_FILE}',
        good=f'--- ranker/config.pbtxt\nname: "ranker"\nbackend: "onnxruntime"\n{_MODEL_FILE}',
        why="Triton refuses the model when it polls the repository. `name` can be left out.",
        source="tritonserver 2.51.0 (measured)",
        check=_name_mismatch,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
        fixable=True,
    ),
)
