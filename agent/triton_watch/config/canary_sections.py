"""The `canary` section of `triton-watch.yaml`, as pydantic models: strict, no unknown key.

What one setting says of another, such as a timeout of its interval, is checked by `build_canary`.
"""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from triton_watch.config import canary_fields as c
from triton_watch.config import fields as f
from triton_watch.config import slo_fields as s
from triton_watch.config.canary_inputs import InputSection
from triton_watch.config.errors import ParseError
from triton_watch.config.sections import Json, Section, setting


def _refuse_inputs(value: object) -> None:
    del value
    raise ParseError("stands here for all models, and fits few: move it under overrides, to the models that take it.")


class CanaryOptionsSection(Section):
    """What the section and each override share."""

    enabled: f.Truth | None = setting("Whether canaries are sent.", default=True, example=False)
    interval: c.Interval | None = setting(
        "Time from one canary to the next, from 1s to 1d.", default="30s", example="5m"
    )
    timeout: f.Duration | None = setting(
        "Longest time for a whole answer; shorter than `interval`. Without it: 5s, or half of the interval where that "
        "is less.",
        default="5s",
        example="2s",
    )
    start_delay: c.Delay | None = setting(
        "Wait after a model became ready, for one that has to warm up, at most 1d.", default="0s", example="1m"
    )
    max_latency: f.Duration | None = setting(
        "A right answer that took longer is a failure, too; at most `timeout`. Without it: `timeout` alone.",
        example="500ms",
    )
    max_pending: c.AnyNumber | None = setting(
        "Canaries pause while more requests than these wait for the model.", default=20, example=0
    )
    dynamic_size: c.Some | None = setting(
        "Size of each dimension that the model leaves open (-1), where no input is given.", default=1, example=16
    )
    batch_size: c.Some | None = setting("Size of the batch, where no input is given.", default=1, example=4)
    optional_inputs: f.Truth | None = setting("Give the model its optional inputs, too.", default=False, example=True)
    allow_non_finite: f.Truth | None = setting(
        "Take NaN and infinity in an answer for right.", default=False, example=True
    )
    min_responses: c.AnyNumber | None = setting(
        "Least responses to one request to a decoupled model.", default=1, example=2
    )
    max_responses: c.Some | None = setting(
        "Most responses to one request to a decoupled model. Without it: any number.", example=100
    )
    parameters: c.Parameters | None = setting(
        "Parameters to send with each request: name and text, number or truth value. Those of a sequence are "
        "chosen by the canary.",
        example={"priority": 1},
        rule={"propertyNames": {"minLength": 1, "not": {"enum": list(c.OWN_PARAMETERS)}}},
    )


def _drop_defaults(schema: Json) -> None:
    """Say nothing of the built-in values: what an override leaves out is as in the section."""
    schema["minProperties"] = 2
    for part in schema["properties"].values():
        part.pop("default", None)


class CanaryOverrideSection(CanaryOptionsSection):
    """Other options for some of the models. What it leaves out is as in the section."""

    model_config = ConfigDict(json_schema_extra=_drop_defaults)
    models: s.Globs = Field(
        description="Names of models, with `*` and `?`; the first override that fits counts.", examples=["chat*"]
    )
    inputs: Annotated[list[InputSection], Field(min_length=1)] | None = setting(
        "What the models are asked, one whole input or several that are used in turn. Each names the input tensors: "
        "`NAME: [0.1, 0.2]` (nested lists in the shape of the model, with the batch dimension or without it, or a "
        "scalar for all of it), `NAME: {values: [1, 2, 3], shape: [1, 3]}` or `NAME: {file: name.npy}`. Without it "
        "inputs are made from the model's metadata.",
        example=[{"FEATURES": [0.1, 0.2, 0.3, 0.4], "TEXT": {"file": "text.npy"}}],
    )


class CanaryScopeSection(Section):
    """What holds for all canaries together."""

    models: s.Globs | None = setting(
        "Names of models that are asked, with `*` and `?`.", default=["*"], example=["text_*", "ranker"]
    )
    exclude_models: c.Exclusions | None = setting("Names of models that are not asked after all.", example="*_test")
    protocol: c.ProtocolName | None = setting(
        "What canaries speak: `grpc`, `http`, or `auto`, which is gRPC, and HTTP where there never was any gRPC. "
        "Decoupled models answer over gRPC only.",
        default="auto",
        example="http",
    )
    concurrency: c.Places | None = setting(
        "Most canaries at the same time, over all targets, from 1 to 64.", default=4, example=16
    )
    jitter: c.Jitter | None = setting(
        "Share of the interval by which canaries are moved at random, from 0% to 50%, so that they do not come "
        "together.",
        default="10%",
        example="25%",
    )
    failures: c.Runs | None = setting(
        "A model is failing while so many of its last `window` canaries failed. Without it: 2, or 1 with a window of "
        "1.",
        default=2,
        example=3,
    )
    window: c.Runs | None = setting("The last canaries that count, from `failures` to 20.", default=3, example=5)
    goldens: f.Text | None = setting(
        "Folder of recorded answers, with which new ones are compared. It need not be there yet.", example="goldens"
    )
    overrides: list[CanaryOverrideSection] | None = setting("Other options, and inputs, for some of the models.")


class CanarySection(CanaryOptionsSection, CanaryScopeSection):
    """Small requests that show whether the models answer, and how."""

    inputs: SkipJsonSchema[Annotated[None, BeforeValidator(_refuse_inputs)]] = None
    """For a sentence of its own: it is no setting."""
