"""Rules 810-827: the state of each model on a live server, and Triton's reason explained."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.live_reasons import explain
from triton_watch.records import Confidence, ModelState, ModelStatus, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.live import LiveServer
    from triton_watch.check.options import Options

_REASON_WIDTH = 300


def _failed(server: LiveServer) -> Iterator[ModelState]:
    return (one for one in server.states if one.status in {ModelStatus.UNAVAILABLE, ModelStatus.UNKNOWN})


def _called(state: ModelState) -> str:
    version = f" version {clip(state.key.version, 20)}" if state.key.version else ""
    return f"'{clip(state.key.name)}'{version}"


def _explained(server: LiveServer, _options: Options, kind: str) -> Iterator[Hit]:
    """Yield the failed models whose reason is of one kind."""
    for state in _failed(server):
        found = explain(state.reason)
        if found is not None and found.kind == kind:
            reason = clip(" ".join(state.reason.split()), _REASON_WIDTH)
            yield server.hit(
                f'model {_called(state)} is not served: {clip(found.meaning, 200)} (Triton: "{reason}")',
                state.key.name,
                fix=clip(found.fix, 300),
            )


def _not_explained(server: LiveServer, _options: Options) -> Iterator[Hit]:
    for state in _failed(server):
        if explain(state.reason) is not None:
            continue
        reason = clip(" ".join(state.reason.split()), _REASON_WIDTH)
        said = f'Triton: "{reason}"' if reason else "Triton gives no reason; its log has one"
        yield server.hit(
            f"model {_called(state)} is {state.status.value}, not served ({said})",
            state.key.name,
            fix="check its config.pbtxt and its files: `triton-watch check REPOSITORY`; then load it again",
        )


def _name_only(server: LiveServer, _options: Options) -> Iterator[Hit]:
    for state in server.states:
        if state.status is not ModelStatus.NOT_LOADED:
            continue
        name = clip(state.key.name)
        cause = (
            "the findings about its files in this check say why"
            if state.key.name in server.on_disk
            else ("check its repository, `triton-watch check PATH`")
        )
        yield server.hit(
            f"model '{name}' is in the index by its name only: never loaded (explicit mode), or refused when the "
            "repository was read, and then the reason is in the server's log alone; `ready` does not count it",
            state.key.name,
            fix=f"look for \"Poll failed for model directory '{name}'\" in the log; {cause}",
        )


def _changing(server: LiveServer, _options: Options) -> Iterator[Hit]:
    for state in server.states:
        if state.status in {ModelStatus.LOADING, ModelStatus.UNLOADING}:
            doing = state.status.value.lower()
            yield server.hit(
                f"model {_called(state)} is {doing}: requests to it fail until that ends",
                state.key.name,
                fix="check again in a minute; a load that goes on for ever is a hanging import or initialize",
            )


def _unloaded(server: LiveServer, _options: Options) -> Iterator[Hit]:
    for state in server.states:
        if state.status is ModelStatus.UNLOADED and not server.ready_versions(state.key.name):
            name = clip(state.key.name)
            yield server.hit(
                f"model {_called(state)} was unloaded over the API: `ready` does not count it",
                state.key.name,
                fix=f"POST /v2/repository/models/{name}/load, or take it out of the repository",
            )


_KINDS = (
    (
        811,
        "live-backend-not-found",
        "backend",
        "The server has the backend of each model",
        "No backend of that name, or its library does not load.",
        "unable to find backend library for backend 'onnx', try specifying runtime on the model configuration.",
        "Backends are directories of the image; names are case-sensitive, and no image has all of them.",
    ),
    (
        812,
        "live-shape-mismatch",
        "shape",
        "Configurations describe the tensors that models have",
        "Names, types or shapes of the configuration differ from the model's, or from the other end in an ensemble.",
        "model 'ranker', tensor 'x': the model expects 2 dimensions (shape [-1,4]) but the configuration specifies 3",
        "With max_batch_size above 0 the batch dimension is put in front of dims: written out, it is there twice.",
    ),
    (
        813,
        "live-out-of-memory",
        "memory",
        "Models fit into memory",
        "Memory of the GPU or of the container was full when the model was loaded.",
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "Every instance holds the weights again, on every GPU of its group; max_batch_size sizes the buffers.",
    ),
    (
        814,
        "live-python-model-fails",
        "python",
        "Python models load",
        "model.py, an import of it or its process failed.",
        "ModuleNotFoundError: No module named 'transformers'",
        "The code runs in the server's own Python, with the packages of the image, not in yours.",
    ),
    (
        815,
        "live-file-missing",
        "file",
        "Models find their files",
        "A file is missing, broken, of another format, or may not be read.",
        "unable to find '/models/ranker/1/model.onnx' for model 'ranker'",
        "Backends look for one name in the version's directory unless default_model_filename says another.",
    ),
    (
        816,
        "live-configuration-refused",
        "config",
        "Configurations are accepted",
        "Triton refused the configuration when it loaded the model.",
        "Invalid argument: model input 'A' must specify 'dims' for ranker",
        "What is wrong with a configuration as such shows only when the model is loaded, backend first.",
    ),
    (
        817,
        "live-gpu-missing",
        "gpu",
        "Models get the GPUs they ask for",
        "The server has no GPU, not that one, or no driver for it.",
        "instance group ranker_0 of model ranker has kind KIND_GPU but no GPUs are available",
        "A container sees the GPUs it was given, numbered from 0.",
    ),
    (
        818,
        "live-model-incompatible",
        "incompatible",
        "Models are built for this release",
        "The model needs another release of its framework, another GPU or another operator.",
        "The engine plan file is not compatible with this version of TensorRT, expecting library version 10.4",
        "TensorRT plans hold for one TensorRT and one kind of GPU; ONNX Runtime reads opsets up to its own.",
    ),
    (
        819,
        "live-ensemble-waits",
        "ensemble",
        "Ensembles have their members",
        "A member is missing, not loaded, or does not fit.",
        "ensemble 'pipeline' depends on 'ranker' which has no loaded version",
        "An ensemble is loaded after all its members, and falls with each of them.",
    ),
    (
        820,
        "live-no-version",
        "version",
        "Models have a version to serve",
        "No directory counts as a version under the model's policy.",
        "at least one version must be available under the version policy of model 'ranker'",
        "Versions are directories named by numbers; v1 and 01 are none.",
    ),
    (
        821,
        "live-shared-memory-full",
        "shared-memory",
        "There is shared memory for python models",
        "There is no shared memory left.",
        "Unable to initialize shared memory key '/triton_python_backend_shm_region_1' to requested size",
        "Containers have 64 MB of shared memory unless told otherwise, and every instance takes some.",
    ),
)

_GOOD = "The index says READY for every version of the model."

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW810",
        slug="live-model-not-ready",
        severity=Severity.ERROR,
        scope=Scope.LIVE,
        title="Every model that the server tried to load is ready",
        problem="A model is UNAVAILABLE for a reason that no other rule explains.",
        bad='The index says UNAVAILABLE, "Internal: something new".',
        good=_GOOD,
        why="Requests to it fail. The server lives on and serves the others.",
        source="POST /v2/repository/index; tritonserver 2.51.0 (measured)",
        check=_not_explained,
        box=Box.HEALTH,
    ),
    *(
        Rule(
            id=f"TW{number}",
            slug=slug,
            severity=Severity.ERROR,
            scope=Scope.LIVE,
            title=title,
            problem=problem,
            bad=f'The index says UNAVAILABLE, "{reason}".',
            good=_GOOD,
            why=why,
            source="POST /v2/repository/index; tritonserver 2.51.0 (measured), sources of its backends",
            check=partial(_explained, kind=kind),
            stage=Stage.CORE if kind in {"config", "ensemble", "version", "gpu"} else Stage.BACKEND,
        )
        for number, slug, kind, title, problem, reason, why in _KINDS
    ),
    Rule(
        id="TW822",
        slug="live-model-by-name-only",
        severity=Severity.WARNING,
        scope=Scope.LIVE,
        title="Every model in the repository has a state",
        problem="The index has the model's name and nothing else.",
        bad='The index says {"name": "ranker"}.',
        good=_GOOD,
        why="A model that is refused when the repository is read (name, platform, batching, ensemble graph) gets no "
        "state and no reason, and `ready` is 200 all the same. In the explicit mode it may just not be loaded.",
        source="tritonserver 2.51.0 (measured)",
        check=_name_only,
        confidence=Confidence.MEDIUM,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW823",
        slug="live-model-loading",
        severity=Severity.INFO,
        scope=Scope.LIVE,
        title="Models are not in between",
        problem="A model is LOADING or UNLOADING.",
        bad="The index says LOADING.",
        good=_GOOD,
        why="The server is not ready meanwhile, and what was found about it may be over in a minute.",
        source="tritonserver 2.51.0 (measured)",
        check=_changing,
    ),
    Rule(
        id="TW824",
        slug="live-model-unloaded",
        severity=Severity.INFO,
        scope=Scope.LIVE,
        title="Models in the repository are served",
        problem="Somebody unloaded the model, and its files are still there.",
        bad='The index says UNAVAILABLE, "unloaded".',
        good=_GOOD,
        why="It comes back with the next restart in the none and poll modes, and does not in the explicit mode.",
        source="tritonserver 2.51.0 (measured)",
        check=_unloaded,
    ),
)
