"""24x: model.py and the parameters of the Python backend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.files import read_entry
from triton_watch.check.formats import Format, PythonModel, read_python_model, sniff
from triton_watch.check.pbtxt import Span
from triton_watch.check.rule import Box, RedLine, Rule, Scope, Stage
from triton_watch.check.served import ServedFile, missing_files, remembered, served_files
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.files import Entry
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

CLASS = "TritonPythonModel"
_JUDGED = frozenset({Format.PYTHON_SOURCE, Format.TEXT, Format.EMPTY})
_NEWER = re.compile(r"""[fF]["']|^\s*type\s+\w+|\bexcept\s*\*|^\s*(?:def|class)\s+\w+\[""")
"""Python 3.12 and 3.11 have these; the Python that checks may be older than the server's."""
_DIRECTORY = "$$TRITON_MODEL_DIRECTORY"
_NO_ARCHIVE = frozenset({Format.EMPTY, Format.GIT_LFS_POINTER, Format.HTML, Format.TEXT})
_SKELETON = f"class {CLASS}:\n    def execute(self, requests):\n        return []\n"
_PYTHON = '--- ranker/config.pbtxt\nbackend: "python"\n'
_GOOD = f"{_PYTHON}--- ranker/1/model.py\n{_SKELETON}"
_MEASURED = "tritonserver 2.51.0 and its Python backend (measured)"


@remembered
def python_models(model: Model) -> tuple[tuple[ServedFile, PythonModel], ...]:
    """Return the Python files of the served versions, parsed; other models have none."""
    files = served_files(model) if model.backend == "python" else ()
    return tuple((one, read_python_model(one.entry.path)) for one in files if one.file.format in _JUDGED)


def completes_itself(model: Model) -> bool:
    """Whether a Python model declares its inputs and outputs in code."""
    return any(code.has_auto_complete for _, code in python_models(model))


def _missing(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "python" or model.message.runtime or model.is_ensemble:
        return
    for version, names, broken in missing_files(model):
        name = clip(names[0])
        why = f"is a broken link ({broken.problem})" if broken else "is missing"
        yield model.hit_file(
            f"{version.name}/{name} {why}: with the Python backend the whole server hangs for minutes while it starts, "
            "and then the model fails",
            version.path,
            fix=f"write {clip(model.name)}/{version.name}/{name} with a class {CLASS}"
            + _other_script(version.folder.entries),
        )


def _other_script(entries: tuple[Entry, ...]) -> str:
    names = [entry.name for entry in entries if entry.is_file and entry.name.endswith(".py")]
    return f', or write default_model_filename: "{clip(names[0])}"' if len(names) == 1 else ""


def _syntax(model: Model, _options: Options) -> Iterator[Hit]:
    for one, code in python_models(model):
        if code.syntax_error is not None:
            yield _syntax_hit(model, one, code.syntax_error)
        elif code.problem and "zero byte" in code.problem:
            yield model.hit_file(f"{clip(one.name)} {code.problem}", one.entry.path, fix="save it as UTF-8 text")


def _syntax_hit(model: Model, one: ServedFile, error: tuple[int, int, str]) -> Hit:
    line, column, words = error
    text = _text(one)
    lines = text.split("\n")
    start = sum(len(before) + 1 for before in lines[: line - 1]) + column - 1
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    newer = bool(_NEWER.search(here))
    return model.hit_file(
        f'{clip(one.name)} is no valid Python: {clip(words, 120)} (Triton: "SyntaxError")',
        one.entry.path,
        fix="mend the line" + (", or see that the server's Python is new enough for it" if newer else ""),
        span=Span(start, start + 1, line, max(column, 1)),
        text=text,
        severity=Severity.WARNING if newer else None,
        confidence=Confidence.MEDIUM if newer else None,
    )


def _text(one: ServedFile) -> str:
    try:
        with one.entry.path.open("rb") as file:
            return file.read(1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


def _no_class(model: Model, _options: Options) -> Iterator[Hit]:
    for one, code in python_models(model):
        if code.syntax_error or code.has_class or code.problem not in (None, "is empty"):
            continue
        yield model.hit_file(
            f"{clip(one.name)} {'is empty' if code.problem else f'defines no {CLASS}'}: "
            f"\"module '{one.version.name}.model' has no attribute '{CLASS}'\"",
            one.entry.path,
            fix=f"define class {CLASS} with execute(self, requests)",
        )


def _no_execute(model: Model, _options: Options) -> Iterator[Hit]:
    for one, code in python_models(model):
        if code.syntax_error is None and code.problem is None and code.has_class and code.has_execute is False:
            yield model.hit_file(
                f"{CLASS} in {clip(one.name)} has no execute: Triton loads the model and then fails every request",
                one.entry.path,
                fix="define execute(self, requests) that returns one InferenceResponse for each request",
            )


def _environment(model: Model, _options: Options) -> Iterator[Hit]:
    key = "EXECUTION_ENV_PATH"
    if model.backend != "python" or key not in model.message.parameters or model.detached:
        return
    value = model.message.parameters[key].string_value
    if not value.startswith(_DIRECTORY):
        return
    entry = read_entry(model.path / value.removeprefix(_DIRECTORY).lstrip("/"))
    place = ("parameters", key, "value", "string_value")
    if entry.problem:
        yield model.hit(
            f'{clip(value)} is not there: "Failed to get the canonical path for …"',
            *place,
            fix="put the packed environment (conda-pack) there, or correct the path",
        )
    elif entry.is_file and (known := sniff(entry.path)) in _NO_ARCHIVE:
        yield model.hit(
            f'{clip(value)} is {known.value} and no archive: "archive_read_open_filename() failed."',
            *place,
            fix="put the packed environment (conda-pack) there"
            + (": run `git lfs pull`" if known is Format.GIT_LFS_POINTER else ""),
        )


def _force_cpu(model: Model, _options: Options) -> Iterator[Hit]:
    key = "FORCE_CPU_ONLY_INPUT_TENSORS"
    if model.backend != "python" or key not in model.message.parameters:
        return
    value = model.message.parameters[key].string_value
    if value not in {"yes", "no"}:
        yield model.hit(
            f'{key} is yes or no: "Incorrect value for {key}: {clip(value)}"',
            *("parameters", key, "value", "string_value"),
            fix='write string_value: "no" to keep tensors on the GPU, "yes" to get them in main memory',
        )


MISSING = Rule(
    id="TW240",
    slug="python-model-missing",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="A Python model has its model.py",
    problem='A served version of a model with backend "python" has no model.py (or no file that default_model_filename '
    "names).",
    bad=f"{_PYTHON}--- ranker/1/serve.py\n{_SKELETON}",
    good=_GOOD,
    why="Other backends fail at once. This one hangs, and with it the server's start: over 200 seconds.",
    source=_MEASURED,
    check=_missing,
    box=Box.STRUCTURE,
)

SYNTAX = Rule(
    id="TW241",
    slug="python-syntax-error",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    title="model.py is valid Python",
    problem="Python's parser refuses the file. Nothing of it was run.",
    bad=f"{_PYTHON}--- ranker/1/model.py\nclass {CLASS}\n    pass\n",
    good=_GOOD,
    why="The model fails to load. A line with newer syntax is a warning: the server's Python may be newer too.",
    source=_MEASURED,
    check=_syntax,
)

NO_CLASS = Rule(
    id="TW242",
    slug="python-no-model-class",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    red_line=RedLine.WRONG_BACKEND,
    title=f"model.py has a class {CLASS}",
    problem="The file neither defines nor imports the class that the Python backend looks for.",
    bad=f"{_PYTHON}--- ranker/1/model.py\nclass Ranker:\n    def execute(self, requests):\n        return []\n",
    good=_GOOD,
    why="The model fails to load.",
    source=_MEASURED,
    check=_no_class,
)

NO_EXECUTE = Rule(
    id="TW243",
    slug="python-no-execute",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    title=f"{CLASS} has execute",
    problem="Neither the class nor its bases in the file define execute.",
    bad=f"{_PYTHON}--- ranker/1/model.py\nclass {CLASS}:\n    def predict(self, requests):\n        return []\n",
    good=_GOOD,
    why="The server accepts the model and calls it READY, and answers each request with an error.",
    source=_MEASURED,
    check=_no_execute,
)

ENVIRONMENT = Rule(
    id="TW245",
    slug="python-environment-missing",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    title="The Python environment of a model is there",
    problem="EXECUTION_ENV_PATH names a file below the model's directory that is missing or no archive.",
    bad="""\
--- ranker/config.pbtxt
backend: "python"
parameters { key: "EXECUTION_ENV_PATH" value { string_value: "$$TRITON_MODEL_DIRECTORY/env.tar.gz" } }
--- ranker/1/model.py
"""
    + _SKELETON,
    good=_GOOD,
    why="The backend unpacks it before it starts the model. Paths elsewhere are not judged: they are the server's.",
    source=_MEASURED,
    check=_environment,
)

FORCE_CPU = Rule(
    id="TW246",
    slug="python-force-cpu-value",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    title="FORCE_CPU_ONLY_INPUT_TENSORS is yes or no",
    problem="The parameter has another value, as `true`.",
    bad='backend: "python"\nparameters { key: "FORCE_CPU_ONLY_INPUT_TENSORS" value { string_value: "false" } }\n',
    good='backend: "python"\nparameters { key: "FORCE_CPU_ONLY_INPUT_TENSORS" value { string_value: "no" } }\n',
    why="The backend refuses the model.",
    source=_MEASURED,
    check=_force_cpu,
)

RULES: tuple[Rule, ...] = (MISSING, SYNTAX, NO_CLASS, NO_EXECUTE, ENVIRONMENT, FORCE_CPU)
