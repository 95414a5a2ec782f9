"""20x: the library of a backend: its place, its name, its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.resolve import ENSEMBLE
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.check.rules.backend import LIBRARIES, NO_LIBRARY, SOURCE, own_libraries
from triton_watch.check.served import served_versions
from triton_watch.records import Severity
from triton_watch.wording.text import clip, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

SMALLEST_LIBRARY = 200
"""Bytes: more than a Git LFS pointer, less than any library."""


def _escapes(model: Model, _options: Options) -> Iterator[Hit]:
    backend = model.message.backend
    if "/" not in backend or model.message.platform == ENSEMBLE:
        return
    name = clip(backend)
    yield model.hit(
        f'a backend is named, not a path: Triton finds none called "{name}" ("{NO_LIBRARY} \'{name}\'", or "backend '
        'library name escapes backend directory")',
        "backend",
        value=True,
        fix=f'write backend: "{clip(backend.rstrip("/").rpartition("/")[2])}" and start the server with '
        "--backend-directory=… where its library lies",
    )


def _runtime(model: Model, _options: Options) -> Iterator[Hit]:
    runtime, backend = model.message.runtime, model.backend
    if not runtime or "/" in runtime or model.is_ensemble or model.detached or runtime in own_libraries(model):
        return
    own = f"libtriton_{backend}.so"
    if not (_elsewhere(runtime) if backend not in LIBRARIES else _unknown_to(backend, runtime)):
        return
    yield model.hit(
        f"runtime names a library that is not there: \"unable to find backend library '{clip(runtime)}' for model "
        f"'{clip(model.name)}'\"",
        "runtime",
        value=True,
        fix=f'remove the line, or write runtime: "{clip(own)}"',
    )


def _elsewhere(runtime: str) -> bool:
    """Whether it is the library of one of NVIDIA's backends: another backend does not have it."""
    return runtime.removeprefix("libtriton_").removesuffix(".so") in LIBRARIES and runtime.endswith(".so")


def _unknown_to(backend: str, runtime: str) -> bool:
    if runtime == "model.py":  # PyTorch has one; what others have depends on the image
        return backend not in {"pytorch", "python", "tensorrtllm"}
    return runtime != f"libtriton_{backend}.so" and not runtime.endswith(".dll")


def _damaged(model: Model, _options: Options) -> Iterator[Hit]:
    wanted = model.message.runtime or f"libtriton_{model.backend}.so"
    folders = [*(version.folder for version in served_versions(model)[:5]), model.folder]
    entry = None if model.detached else next((e for e in (f.get(wanted) for f in folders) if e is not None), None)
    if entry is None or not entry.is_file or not entry.name.endswith(".so") or model.is_ensemble:
        return
    if entry.size < SMALLEST_LIBRARY:
        yield model.hit_file(
            f"{clip(entry.name)} is the backend's library and has {plural(entry.size, 'byte')}, too few for one: "
            '"unable to load shared library: … file too short"',
            entry.path,
            fix="put the library there, or remove the file: then Triton takes the one of its backend directory",
        )


ESCAPES = Rule(
    id="TW208",
    slug="backend-is-a-path",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="The backend is a name, not a path",
    problem="`backend` has a slash in it.",
    bad='backend: "../backends/identity"\n',
    good='backend: "identity"\n',
    why="Triton looks below its backend directories only, and newer servers refuse names that leave them.",
    source=SOURCE,
    check=_escapes,
)

RUNTIME = Rule(
    id="TW209",
    slug="runtime-not-found",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="The runtime is the backend's library",
    problem="`runtime` names a file that neither the backend nor the model has.",
    bad='backend: "onnxruntime"\nruntime: "onnxruntime"\n',
    good='backend: "onnxruntime"\nruntime: "libtriton_onnxruntime.so"\n',
    why="`runtime` is the file's name of the backend's library, or model.py for backends written in Python. It is "
    "looked for in the version's, the model's and the backend's directory. Without it Triton finds the usual one.",
    source=SOURCE + " `runtime` is known since 23.12.",
    check=_runtime,
)

DAMAGED = Rule(
    id="TW211",
    slug="backend-library-damaged",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    title="A backend's library that a model brings along is one",
    problem="The library in the model's directory is empty or a placeholder.",
    bad="""\
--- ranker/config.pbtxt
backend: "ranking"
--- ranker/1/libtriton_ranking.so
version https://git-lfs.github.com/spec/v1
""",
    good='--- ranker/config.pbtxt\nbackend: "identity"\n--- ranker/1/\n',
    why="Triton takes a library in the version's or the model's directory before its own.",
    source=SOURCE,
    check=_damaged,
)

RULES: tuple[Rule, ...] = (ESCAPES, RUNTIME, DAMAGED)
