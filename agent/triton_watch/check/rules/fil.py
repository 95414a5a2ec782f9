"""What the FIL backend (decision trees) demands of its parameters, inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.formats import MODEL_TYPES
from triton_watch.check.rule import Box, RedLine, Rule, Scope, Stage
from triton_watch.check.rules.io_text import declared, type_name
from triton_watch.check.served import model_type, served_files
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

_TREES = frozenset(known for _, known in MODEL_TYPES.values())
_NAMES = {"input": ("input__0",), "output": ("output__0", "treeshap_output")}
_FIL = 'backend: "fil"\nparameters { key: "model_type" value { string_value: "xgboost_json" } }\n'
_LIGHTGBM = """\
--- ranker/config.pbtxt
backend: "fil"
parameters {{ key: "model_type" value {{ string_value: "lightgbm" }} }}
input {{ name: "input__0" data_type: TYPE_FP32 dims: [ {} ] }}
--- ranker/1/model.txt
tree
version=v4
num_class=1
max_feature_idx=9
objective=binary

end of trees
"""


def _model_type(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "fil":
        return
    wanted = model_type(model)
    place = ("parameters", "model_type", "value", "string_value")
    if wanted not in MODEL_TYPES:
        yield model.hit(
            f'the FIL backend knows no model_type "{clip(wanted)}"',
            *place,
            fix=f"write one of {listed(MODEL_TYPES)}",
        )
        return
    for one in served_files(model):
        known = one.file.format
        if known in _TREES and known is not MODEL_TYPES[wanted][1]:
            right = next(kind for kind, (_, format_) in MODEL_TYPES.items() if format_ is known)
            yield model.hit(
                f'{one.version.name}/{clip(one.name)} is {known.value}, and model_type says "{wanted}"'
                + ("" if "model_type" in model.message.parameters else " (the default)"),
                *place,
                fix=f'write parameters {{ key: "model_type" value {{ string_value: "{right}" }} }}',
            )


def _tensors(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "fil":
        return
    every = list(declared(model))
    for field, allowed in _NAMES.items():
        ios = [one for one in every if one.field == field]
        if ios and not any(one.io.name == allowed[0] for one in ios):
            yield model.hit(
                f"the FIL backend's {field} is called {allowed[0]}, and the configuration has none of that name",
                *ios[0].path,
                "name",
                value=True,
                fix=f'write name: "{allowed[0]}"',
            )
        for one in ios:
            if one.io.name in allowed and type_name(one.io.data_type) not in {"FP32", "INVALID"}:
                yield model.hit(
                    f"{one.label} is TYPE_{type_name(one.io.data_type)}, and the FIL backend's is TYPE_FP32",
                    *one.path,
                    "data_type",
                    value=True,
                    fix="write data_type: TYPE_FP32",
                )


def _features(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "fil":
        return
    inputs = [(index, io) for index, io in enumerate(model.message.input[:10]) if io.name == "input__0" and io.dims]
    for one in served_files(model) if inputs else ():
        text = one.file.detail.get("features", "")
        index, io = inputs[0]
        if text.isdecimal() and io.dims[-1] not in (-1, int(text)):
            yield model.hit(
                f"{one.version.name}/{clip(one.name)} was trained on {text} features, and input__0 has {io.dims[-1]}",
                *("input", index, "dims"),
                fix=f"write dims: [ {text} ]",
            )


MODEL_TYPE = Rule(
    id="TW222",
    slug="fil-model-type",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    red_line=RedLine.WRONG_BACKEND,
    title="model_type says what the FIL backend's file is",
    problem="The parameter model_type has a value that the backend does not know, or the file is of another type. "
    "Without it the backend expects XGBoost's binary format.",
    bad='backend: "fil"\nparameters { key: "model_type" value { string_value: "xgb" } }\n',
    good='backend: "fil"\nparameters { key: "model_type" value { string_value: "xgboost_json" } }\n',
    why="The backend parses the file as the type says, and fails.",
    source="FIL backend, README and src/model_state.h.",
    check=_model_type,
)

TENSORS = Rule(
    id="TW335",
    slug="fil-tensors",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="A FIL model has input__0 and output__0, TYPE_FP32",
    problem="The FIL backend's input or output has another name or type.",
    bad=_FIL + 'input { name: "features" data_type: TYPE_FP32 dims: [ 4 ] }\n',
    good=_FIL + 'input { name: "input__0" data_type: TYPE_FP32 dims: [ 4 ] }\n',
    why="The backend asks for these tensors by name.",
    source="FIL backend, src/model.h, and its docs/model_config.md.",
    check=_tensors,
)

FEATURES = Rule(
    id="TW345",
    slug="fil-feature-count",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    box=Box.SHAPES,
    title="input__0 of a FIL model has as many values as the model has features",
    problem="The number of features in the model's file differs from the last dimension of input__0.",
    bad=_LIGHTGBM.format(4),
    good=_LIGHTGBM.format(10),
    why="The trees then look at the wrong values, or beyond them.",
    source="FIL backend; the formats' own headers.",
    check=_features,
)

RULES: tuple[Rule, ...] = (MODEL_TYPE, TENSORS, FEATURES)
