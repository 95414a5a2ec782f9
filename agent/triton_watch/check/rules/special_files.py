"""25x: what single backends demand of their files: vLLM's arguments, ONNX versions, TensorRT-LLM's engines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.formats import Format, read_vllm
from triton_watch.check.options import Release
from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.model_format import wanted_formats
from triton_watch.check.served import served_files
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

ONNX_SUPPORT = (
    (Release(22, 4), 15, 8),
    (Release(22, 9), 17, 8),
    (Release(23, 5), 19, 9),
    (Release(24, 3), 20, 9),
    (Release(24, 5), 21, 10),
    (Release(25, 3), 22, 10),
    (Release(25, 5), 23, 11),
)
"""From a release on: the newest opset and IR version of its ONNX Runtime (ONNX Runtime's compatibility page)."""
_ENGINES = ("gpt_model_path", "encoder_model_path", "engine_dir")
_TEMPLATE = re.compile(r"\$\{\w+\}")


def _vllm(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "vllm":
        return
    for one in served_files(model):
        if one.file.format not in wanted_formats(model) | {Format.TEXT, Format.UNKNOWN}:
            continue
        problem = read_vllm(one.entry.path).problem
        if problem and "cannot be read" not in problem and "is too large" not in problem:
            yield model.hit_file(
                f"{one.version.name}/{clip(one.name)} {clip(problem, 200)}",
                one.entry.path,
                fix='write {"model": "folder-or-hub-name"} and further arguments of vLLM\'s engine',
            )


def _misspelt(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "vllm":
        return
    from triton_watch.check.formats.vllm_arguments import misspelt  # noqa: PLC0415 - a long table for few models

    for one in served_files(model):
        for name, right in misspelt([str(name) for name in read_vllm(one.entry.path).args])[:10]:
            yield model.hit_file(
                f'{one.version.name}/{clip(one.name)} has "{clip(name)}", which is no argument of vLLM\'s engine as '
                "far as known here; vLLM refuses what it does not know (TypeError)",
                one.entry.path,
                fix=f"did you mean {right}?",
            )


def onnx_limits(release: Release) -> tuple[int, int] | None:
    """Return the newest opset and IR version that a release's ONNX Runtime reads; None for very old ones."""
    return next(((opset, ir) for since, opset, ir in reversed(ONNX_SUPPORT) if release >= since), None)


def _opset(model: Model, options: Options) -> Iterator[Hit]:
    release = options.triton or ONNX_SUPPORT[-1][0]
    limits = onnx_limits(release) if model.backend == "onnxruntime" else None
    if limits is None:
        return
    server = f"the ONNX Runtime of Triton {release}" if options.triton else f"ONNX Runtime as of Triton {release}"
    for one in served_files(model):
        if one.file.format is not Format.ONNX:
            continue
        for what, known, newest in zip(("opset", "ir_version"), ("opset", "IR version"), limits, strict=True):
            number = one.file.detail.get(what, "")
            if number.isdecimal() and int(number[:6]) > newest:
                yield model.hit_file(
                    f"{one.version.name}/{clip(one.name)} has {known} {number[:6]}; {server} reads up to {newest}",
                    one.entry.path,
                    fix=f"export it with {known} {newest}, or run a newer Triton",
                )


def _template(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "tensorrtllm":
        return
    for key in _ENGINES:
        value = model.message.parameters[key].string_value if key in model.message.parameters else ""
        if _TEMPLATE.search(value):
            yield model.hit(
                f"{key} is still the template's {clip(value)}: there is no engine of that name",
                *("parameters", key, "value", "string_value"),
                fix=f"write the folder of the engine, or fill the template in (fill_template.py {key}:…)",
                severity=Severity.ERROR if key == "gpt_model_path" else None,
            )


VLLM = Rule(
    id="TW250",
    slug="vllm-arguments",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.STRUCTURE,
    title="model.json holds arguments of vLLM's engine",
    problem="The file is no JSON object, or has no `model`.",
    bad='--- chat/config.pbtxt\nbackend: "vllm"\n--- chat/1/model.json\n{"gpu_memory_utilization": 0.5}\n',
    good='--- chat/config.pbtxt\nbackend: "vllm"\n--- chat/1/model.json\n{"model": "facebook/opt-125m"}\n',
    why="The backend hands its content to vLLM's AsyncEngineArgs.",
    source="vLLM backend, src/model.py.",
    check=_vllm,
)

OPSET = Rule(
    id="TW251",
    slug="onnx-version-too-new",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    confidence=Confidence.MEDIUM,
    title="The server's ONNX Runtime knows the model's opset and IR version",
    problem="The ONNX file was made for a newer ONNX Runtime than that of the server's release "
    "(`--triton`; without it, than of any known one).",
    bad='--- ranker/config.pbtxt\nbackend: "onnxruntime"\n--- ranker/1/model.onnx\nhex: 0808120274773a0042021063\n',
    good='--- ranker/config.pbtxt\nbackend: "onnxruntime"\n--- ranker/1/model.onnx\nhex: 0808120274773a0042021011\n',
    why='ONNX Runtime refuses it: "Unsupported model IR version", or "opset … is under development".',
    source="ONNX Runtime's compatibility page, and the versions in Triton's release notes.",
    check=_opset,
)

TEMPLATE = Rule(
    id="TW252",
    slug="tensorrtllm-template",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    title="The template of a TensorRT-LLM model is filled in",
    problem="A parameter that names a folder still is `${…}`. An error for gpt_model_path.",
    bad='backend: "tensorrtllm"\nparameters { key: "gpt_model_path" value { string_value: "${engine_dir}" } }\n',
    good='backend: "tensorrtllm"\nparameters { key: "gpt_model_path" value { string_value: "/engines/llama" } }\n',
    why="The backend looks for engines in a folder of that name.",
    source="tensorrtllm_backend, all_models/inflight_batcher_llm.",
    check=_template,
)

MISSPELT = Rule(
    id="TW253",
    slug="vllm-argument-misspelt",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    confidence=Confidence.MEDIUM,
    title="Arguments of vLLM's engine are spelt right",
    problem="A name in model.json is not, but almost is that of a well-known argument.",
    bad='--- chat/config.pbtxt\nbackend: "vllm"\n--- chat/1/model.json\n{"model": "x", "tensor_paralel_size": 2}\n',
    good='--- chat/config.pbtxt\nbackend: "vllm"\n--- chat/1/model.json\n{"model": "x", "tensor_parallel_size": 2}\n',
    why="The backend hands all of them to AsyncEngineArgs, which ends with a TypeError for a name that it does not "
    "have. Names like none of them are not judged: vLLM gets new ones with each release.",
    source="vLLM backend, src/model.py; vLLM, engine/arg_utils.py.",
    check=_misspelt,
)

RULES: tuple[Rule, ...] = (VLLM, OPSET, TEMPLATE, MISSPELT)
