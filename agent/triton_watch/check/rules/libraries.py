"""Rules 643-646: libraries, agents, environments and labels that a configuration names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.without_config import KNOWN_BACKENDS
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

_ONNX = 'backend: "onnxruntime"\n'
_ENVIRONMENT = "EXECUTION_ENV_PATH"
_VARIABLE = "$$TRITON_MODEL_DIRECTORY"
_TAG = re.compile("[A-Za-z0-9][A-Za-z0-9_]*|")
"""Keys that make a label's name once Triton has put `_` before them."""
_MOST = 100
_PYTHON = 'backend: "python"\nparameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{}" }} }}\n'


def _operations(model: Model, _options: Options) -> Iterator[Hit]:
    files = model.message.model_operations.op_library_filename
    if not files or model.is_ensemble:
        return
    if model.backend in KNOWN_BACKENDS - {"onnxruntime", "tensorflow"}:
        yield model.hit(
            f"model_operations has no effect: the backend {model.backend} loads no libraries of operations from it",
            "model_operations",
            fix="remove it",
        )
        return
    for index, name in enumerate(files[:_MOST]):
        if ".." in name.split("/"):
            yield model.hit(
                f"the library {clip(name)} is looked for outside of where it is named, from the server's own directory",
                *("model_operations", "op_library_filename", index),
                value=True,
                fix="write an absolute path, the one inside the container",
            )


def _agents(model: Model, _options: Options) -> Iterator[Hit]:
    if not model.message.HasField("model_repository_agents"):
        return
    agents = model.message.model_repository_agents.agents
    if not agents:
        yield model.hit(
            "model_repository_agents names no agent, and Triton ends with a crash",
            "model_repository_agents",
            fix="remove it",
        )
    for index, agent in enumerate(agents[:_MOST]):
        if agent.name != "checksum":
            name = clip(agent.name)
            yield model.hit(
                f"the agent {name!r} does not come with Triton (\"unable to find 'libtritonrepoagent_{name}.so'\")",
                *("model_repository_agents", "agents", index, "name"),
                value=True,
                fix=f"put its library below --repoagent-directory ({name}/libtritonrepoagent_{name}.so), or remove it",
                confidence=Confidence.MEDIUM if agent.name else None,
            )


def _environment(model: Model, _options: Options) -> Iterator[Hit]:
    parameters = model.message.parameters
    if model.backend != "python" or _ENVIRONMENT not in parameters:
        return
    value = parameters[_ENVIRONMENT].string_value
    if re.match(r"\$?\$\{?TRITON_MODEL_DIRECTORY", value) and not value.startswith(_VARIABLE):
        yield model.hit(
            f"{_ENVIRONMENT} begins with {clip(value.split('/')[0])}, which the Python backend does not replace "
            '("Failed to get the canonical path")',
            *("parameters", _ENVIRONMENT, "string_value"),
            value=True,
            fix=f'write "{_VARIABLE}/…", with two dollar signs and without braces',
        )


def _tags(model: Model, _options: Options) -> Iterator[Hit]:
    for key in list(model.message.metric_tags)[:_MOST]:
        if not _TAG.fullmatch(key):
            yield model.hit(
                f"the tag {clip(key)!r} becomes the metrics' label {clip('_' + key)!r}, which Prometheus does not "
                "allow, "
                'and Triton ends with a crash (Triton: "Invalid label name")',
                *("metric_tags", key),
                fix="begin with a letter or digit and go on with letters, digits and `_`",
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW643",
        slug="operations-library",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Libraries of operations are found by the backend",
        problem="model_operations names a library with `..` in its path, or the backend reads none.",
        bad=f'{_ONNX}model_operations {{ op_library_filename: [ "../ops.so" ] }}\n',
        good=f'{_ONNX}model_operations {{ op_library_filename: [ "/opt/ops/ops.so" ] }}\n',
        why="The path goes to the loader as it is: a relative one begins where the server was started.",
        source="onnxruntime_backend/src/onnxruntime.cc (24.10)",
        check=_operations,
        confidence=Confidence.MEDIUM,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW644",
        slug="repository-agents",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="The server has every repository agent",
        problem=(
            "model_repository_agents is empty, or an agent has no name; a warning for one that does not come with "
            "Triton."
        ),
        bad=f"{_ONNX}model_repository_agents {{ }}\n",
        good=f'{_ONNX}model_repository_agents {{ agents [ {{ name: "checksum" }} ] }}\n',
        why="Without its library Triton refuses the model. The empty block ends the whole server.",
        source="tritonserver 2.51.0 (measured)",
        check=_agents,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW645",
        slug="python-environment-variable",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="EXECUTION_ENV_PATH begins with $$TRITON_MODEL_DIRECTORY, or a path",
        problem="The variable for the model's directory is written with one dollar sign, or in braces.",
        bad=_PYTHON.format("$TRITON_MODEL_DIRECTORY/env.tar.gz"),
        good=_PYTHON.format("/opt/environments/ranker.tar.gz"),
        why="The Python backend knows one spelling. Any other is taken for a path, which is not there.",
        source="tritonserver 2.51.0 (measured); python_backend/README.md",
        check=_environment,
        stage=Stage.BACKEND,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW646",
        slug="metric-tag-name",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A metric tag's key can be a label's name",
        problem="A key of metric_tags has another character than letters, digits and `_`, or begins with `_`.",
        bad=f'{_ONNX}metric_tags {{ key: "cost-center" value: "4711" }}\n',
        good=f'{_ONNX}metric_tags {{ key: "cost_center" value: "4711" }}\n',
        why="Triton puts `_` before it and makes it a label of the model's metrics. A bad one ends the whole server.",
        source="tritonserver 2.51.0 (measured)",
        check=_tags,
        stage=Stage.CORE,
        box=Box.METRICS,
    ),
)
