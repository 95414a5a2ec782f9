"""55x: models that fit into a pipeline which nothing makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Hit, Rule, Scope
from triton_watch.check.rules.ensemble_examples import model_text, repository_text
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.options import Options
    from triton_watch.check.summary import ModelSummary, Summaries, Tensor

COMMON = frozenset({"input", "output", "data", "x", "y", "text", "image", "images", "logits", "prompt", "streaming"})
"""Names that fit by chance."""
_MOST_GIVERS = 20


def _own_name(tensor: Tensor) -> bool:
    """Whether a tensor's name says something: not INPUT0, output__1, x."""
    plain = tensor.name.lower().rstrip("0123456789").rstrip("_")
    return bool(plain) and plain not in COMMON


def _pipelines(summaries: Summaries, _options: Options) -> Iterator[Hit]:
    models = [one for one in summaries.models.values() if one.has_config and not one.is_ensemble]
    if any(one.backend == "python" for one in models):
        return  # a Python model may call the others (BLS), which its configuration does not say
    within = {name for one in summaries.models.values() for name in one.members}
    givers: dict[Tensor, list[str]] = {}
    for model in models:
        for tensor in dict.fromkeys(model.outputs):
            givers.setdefault(tensor, []).append(model.name)
    for model in models:
        before = [] if model.name in within else _before(model, givers)
        if before:
            yield Hit(
                f"all inputs of {clip(model.name)} are outputs of {listed(before, 3)}, by name, type and shape: if "
                "clients "
                "call one after the other, the tensors travel to them and back in between",
                'make an ensemble of them (platform: "ensemble"): its clients call once, and tensors stay in the '
                "server",
                model.config_path,
                model=model.name,
            )


def _before(model: ModelSummary, givers: dict[Tensor, list[str]]) -> list[str]:
    """Return the models that give all inputs of a model."""
    if not model.inputs or not all(_own_name(tensor) and tensor in givers for tensor in model.inputs):
        return []
    candidates = [name for name in givers[model.inputs[0]][:_MOST_GIVERS] if name != model.name]
    rest = [set(givers[tensor]) for tensor in model.inputs[1:50]]
    return [name for name in candidates if all(name in names for names in rest)]


_ENCODER = model_text("TOKENS", "EMBEDDING")
_RANKER = model_text("EMBEDDING", "SCORE")
_ENSEMBLE = (
    '--- pipeline/config.pbtxt\nplatform: "ensemble"\nensemble_scheduling {\n'
    '  step { model_name: "encoder" model_version: -1 }\n  step { model_name: "ranker" model_version: -1 }\n}\n'
)


def _models(**configs: str) -> str:
    return repository_text("", **configs).partition("--- pipeline/1/.gitkeep\n")[2]


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW550",
        slug="pipeline-without-ensemble",
        severity=Severity.INFO,
        scope=Scope.REPOSITORY,
        confidence=Confidence.LOW,
        title="Models that follow each other are an ensemble",
        problem="All inputs of a model are outputs of another one, by name, type and shape, and it is in no ensemble. "
        "Not judged where there are Python models, which may call others themselves, nor by names such as INPUT0.",
        bad=_models(encoder=_ENCODER, ranker=_RANKER),
        good=_models(encoder=_ENCODER, ranker=_RANKER) + _ENSEMBLE,
        why="An ensemble saves a round trip a step, and keeps tensors on the server, often on the GPU.",
        source="Triton's user guide, ensemble_models.md.",
        check=_pipelines,
    ),
)
