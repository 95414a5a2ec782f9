"""46x: the response cache, and models that answer more than once (decoupled)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.formats import read_python_model
from triton_watch.check.members import decoupled_member
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.check.served import served_files
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

ENABLE = ("response_cache", "enable")
ONE_ANSWER = frozenset({"onnxruntime", "tensorrt", "pytorch", "tensorflow", "openvino", "fil"})
"""Backends that send one answer to each request, whatever the transaction policy says."""
GENERATIVE = frozenset({"vllm", "tensorrtllm"})
_SOURCE = "tritonserver 2.51.0 (measured); ValidateModelConfig, src/model_config_utils.cc."
_OFF = "remove response_cache"


def _cached(model: Model) -> bool:
    return model.message.response_cache.enable


def _with_sequence(model: Model, _options: Options) -> Iterator[Hit]:
    if _cached(model) and model.message.HasField("sequence_batching"):
        yield model.hit(
            'answers of a sequence depend on what came before, so they are not cached; Triton: "Response Cache does '
            "not "
            f"currently support model {clip(model.name)} with sequence batching scheduler. Please disable the response "
            'cache."',
            *ENABLE,
            fix=_OFF,
        )


def _with_decoupled(model: Model, _options: Options) -> Iterator[Hit]:
    if not _cached(model):
        return
    of = "the model"
    if not model.message.model_transaction_policy.decoupled:
        member = decoupled_member(model) if model.is_ensemble and not model.detached else None
        if member is None:
            return
        of = f"the ensemble, by its member {clip(member)},"
    yield model.hit(
        f'{of} may answer a request any number of times, so nothing is cached; Triton: "Response Cache does not '
        f"currently support model {clip(model.name)} with 'decoupled' transaction policy. Please disable the response "
        'cache."',
        *ENABLE,
        fix=_OFF,
    )


def _not_configured(model: Model, options: Options) -> Iterator[Hit]:
    if not _cached(model) or options.cache:
        return
    yield model.hit(
        "the server has no response cache, so this does nothing, silently"
        if options.cache is False
        else "this only works where the server has a response cache; without one it does nothing, silently",
        *ENABLE,
        fix="start tritonserver with --cache-config=local,size=1073741824 (bytes)",
        severity=Severity.WARNING if options.cache is False else None,
    )


def _may_vary(model: Model, _options: Options) -> Iterator[Hit]:
    if not _cached(model):
        return
    if model.backend in GENERATIVE:
        yield model.hit(
            "a generating model answers differently each time (sampling, seeds); a cached answer ends that",
            *ENABLE,
            fix=_OFF,
        )
    elif model.backend == "python":
        yield model.hit(
            "the same inputs always get the first answer again: is execute() a function of its inputs alone, without "
            "time, randomness, files or other models?",
            *ENABLE,
            fix=f"{_OFF} if it is not",
            severity=Severity.INFO,
            confidence=Confidence.LOW,
        )


def _decoupled_without_use(model: Model, _options: Options) -> Iterator[Hit]:
    if model.message.model_transaction_policy.decoupled and model.backend in ONE_ANSWER:
        yield model.hit(
            f"the {model.backend} backend sends one answer to each request; as a decoupled model it is only to be "
            "had over "
            "gRPC streams, and HTTP requests fail",
            *("model_transaction_policy", "decoupled"),
            fix="remove model_transaction_policy",
        )


def _no_sender(model: Model, _options: Options) -> Iterator[Hit]:
    if not model.message.model_transaction_policy.decoupled or model.backend != "python" or model.detached:
        return
    for served in served_files(model)[:1]:
        code = read_python_model(served.entry.path)
        own = code.has_class and code.has_execute and code.syntax_error is None and code.problem is None
        if own and code.bases_seen and not code.uses_response_sender:
            yield model.hit(
                f"{clip(served.name)} never asks for a response sender (request.get_response_sender()), the only way "
                "of "
                "a decoupled model to answer; what execute() returns is an error then",
                *("model_transaction_policy", "decoupled"),
                fix="answer through get_response_sender() and return None, or remove model_transaction_policy",
            )


_HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'
_PYTHON = 'backend: "python"\nmax_batch_size: 8\n'
_CACHE = "response_cache { enable: true }\n"

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW460",
        slug="cache-with-sequences",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Answers of sequences are not cached",
        problem="`response_cache` is enabled for a model with `sequence_batching`.",
        bad=_HEAD + "sequence_batching { }\n" + _CACHE,
        good=_HEAD + "dynamic_batching { }\n" + _CACHE,
        why="The same inputs get another answer later in a sequence.",
        source=_SOURCE,
        check=_with_sequence,
    ),
    Rule(
        id="TW461",
        slug="cache-with-decoupled",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Answers of decoupled models are not cached",
        problem="`response_cache` is enabled for a decoupled model, or for an ensemble with a decoupled member.",
        bad=_HEAD + "model_transaction_policy { decoupled: true }\n" + _CACHE,
        good=_HEAD + _CACHE,
        why="The cache holds one answer to a request.",
        source=_SOURCE,
        check=_with_decoupled,
    ),
    Rule(
        id="TW462",
        slug="cache-not-configured",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="A cached model is served by a server with a cache",
        problem="`response_cache` is enabled. A warning when the server is known to have none, silent when it has one.",
        bad=_HEAD + _CACHE,
        good=_HEAD,
        why="Without --cache-config Triton loads the model and caches nothing.",
        source="tritonserver 2.51.0 (measured).",
        check=_not_configured,
    ),
    Rule(
        id="TW463",
        slug="cache-of-varying-answers",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        confidence=Confidence.MEDIUM,
        title="Only answers that never change are cached",
        problem="`response_cache` is enabled for a generating model (vllm, tensorrtllm), or, as a hint, for a Python "
        "model.",
        bad='backend: "vllm"\n' + _CACHE,
        good='backend: "vllm"\n',
        why="The cache compares inputs alone: whoever asks the same gets the first answer for ever.",
        source="Triton's user guide, response_cache.md.",
        check=_may_vary,
    ),
    Rule(
        id="TW464",
        slug="decoupled-without-use",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Models that answer once are not decoupled",
        problem="`decoupled` is true for a backend that sends one answer to each request.",
        bad=_HEAD + "model_transaction_policy { decoupled: true }\n",
        good=_HEAD,
        why="HTTP and unary gRPC refuse decoupled models: clients must use gRPC streams, for nothing.",
        source="Triton's user guide, decoupled_models.md; tritonserver 2.51.0 accepts it (measured).",
        check=_decoupled_without_use,
    ),
    Rule(
        id="TW465",
        slug="decoupled-without-sender",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        confidence=Confidence.MEDIUM,
        title="A decoupled Python model answers through a response sender",
        problem="The model is decoupled, and nothing in model.py calls `get_response_sender`. Classes with bases from "
        "elsewhere are not judged.",
        bad=_PYTHON + "model_transaction_policy { decoupled: true }\n",
        good=_PYTHON,
        why="A decoupled model's execute() must return None; each request fails otherwise.",
        source="Triton's Python backend, README (Decoupled mode).",
        check=_no_sender,
    ),
)
