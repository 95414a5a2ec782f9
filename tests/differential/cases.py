"""The cases of `cases/*.yaml`, with the verdicts of `recorded.yaml`.

A file has `bases` (beginnings of configurations, by name) and `cases`. A case has a `name`, unique
everywhere; either `config` and `files` of its only model, whose directory is called as the case, or
`models`, or `repositories` (lists of models: the server is started on them). Of a model:

- `base`: the beginning of its configuration; `config`: the rest of it. Null is a model without config.pbtxt.
- `files`: content by path; null is an empty directory, `{link: target}` a symbolic link. Left out, there is a
  version 1 with the file that the backend looks for.

CASE stands for the case's name with `_` for `-`, in names of directories and files and in contents. Further:
`judge` (the judged model's directory; default: the only one, or CASE), `note`, `tags`, `flags`, `alone`.
Tags: `gpu` is what this machine refuses because it has no GPU; `stand-in` where the real backend would say something
else than its stand-in; `slow` hangs until the judge's deadline.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from differential.case import CONFIG, Case, File, Link, Verdict, token

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "cases"
RECORDED = HERE / "recorded.yaml"

PYTHON_MODEL = """\
class TritonPythonModel:
    def execute(self, requests):
        return []
"""
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x051.0.0"
ZIP = b"PK\x03\x04\x00\x00"
MODEL_FILES: dict[str, dict[str, File]] = {
    "onnxruntime": {"1/model.onnx": ONNX},
    "tensorrt": {"1/model.plan": b"ftrt\x00\x00\x00\x00"},
    "tensorrt_plan": {"1/model.plan": b"ftrt\x00\x00\x00\x00"},
    "onnxruntime_onnx": {"1/model.onnx": ONNX},
    "pytorch": {"1/model.pt": ZIP},
    "pytorch_libtorch": {"1/model.pt": ZIP},
    "tensorflow": {"1/model.graphdef": b"\x0a\x00"},
    "tensorflow_graphdef": {"1/model.graphdef": b"\x0a\x00"},
    "tensorflow_savedmodel": {"1/model.savedmodel/saved_model.pb": b"\x08\x01\x12\x00"},
    "openvino": {"1/model.xml": '<?xml version="1.0"?>\n<net/>\n', "1/model.bin": b"\x00"},
    "fil": {"1/xgboost.json": "{}\n"},
    "python": {"1/model.py": PYTHON_MODEL},
    "vllm": {"1/model.json": '{"model": "facebook/opt-125m"}\n'},
    "dali": {"1/model.dali": b"\x0a\x00"},
}
KEYS = {"name", "base", "config", "files", "models", "repositories", "judge", "note", "tags", "flags", "alone"}
_BACKEND = re.compile(r"""\bbackend\s*:\s*["'](\w+)["']""")
_PLATFORM = re.compile(r"""\bplatform\s*:\s*["'](\w+)["']""")


@cache
def load_cases() -> list[Case]:
    """All cases, by family and in the order of their files. Raises `ValueError` for a case that is wrong."""
    recorded = read_recorded()
    cases: list[Case] = []
    for path in sorted(FOLDER.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        bases = document.get("bases", {})
        cases += [_case(raw, path.stem, bases, recorded) for raw in document["cases"]]
    _require_unique(cases)
    return cases


def read_recorded() -> dict[str, Verdict]:
    """The recorded verdicts by case."""
    if not RECORDED.exists():
        return {}
    document = yaml.safe_load(RECORDED.read_text(encoding="utf-8"))
    return {name: Verdict(bool(stage), stage, reason) for name, (stage, reason) in document["verdicts"].items()}


def _case(raw: dict[str, Any], family: str, bases: dict[str, str], recorded: dict[str, Verdict]) -> Case:
    name = raw["name"]
    if unknown := set(raw) - KEYS:
        raise ValueError(f"case {name} of {family}.yaml has unknown keys: {sorted(unknown)}")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"{name!r} of {family}.yaml is no name of a case")
    mine = token(name)
    described = raw.get("repositories") or [raw.get("models") or {"CASE": raw}]
    repositories = tuple(
        {_expand(directory, mine): _files(model or {}, mine, bases) for directory, model in models.items()}
        for models in described
    )
    only = next(iter(repositories[0])) if len(repositories[0]) == 1 else mine
    return Case(
        name=name,
        family=family,
        repositories=repositories,
        judge=_expand(raw["judge"], mine) if "judge" in raw else only,
        alone=bool(raw.get("repositories") or raw.get("alone")),
        flags=tuple(raw.get("flags", ())),
        tags=frozenset(raw.get("tags", ())),
        note=raw.get("note", ""),
        recorded=recorded.get(name),
    )


def _files(model: dict[str, Any], mine: str, bases: dict[str, str]) -> dict[str, File]:
    """All files of one model's directory."""
    text = model.get("config", "" if "base" in model else None)
    if isinstance(text, str) and "base" in model:
        text = f"{bases[model['base']].rstrip()}\n{text}"
    files = {} if text is None else {CONFIG: _content(text, mine)}
    if "files" not in model:
        return files | _default_files(text if isinstance(text, str) else "")
    return files | {_expand(path, mine): _content(content, mine) for path, content in (model["files"] or {}).items()}


def _default_files(config: str) -> dict[str, File]:
    """What the backend looks for in version 1."""
    found = _BACKEND.search(config) or _PLATFORM.search(config)
    return MODEL_FILES.get(found[1] if found else "", {"1": None})


def _content(content: Any, mine: str) -> File:
    if isinstance(content, dict):
        return Link(content["link"])
    return _expand(content, mine) if isinstance(content, str) else content


def _expand(text: str, mine: str) -> str:
    return text.replace("CASE", mine)


def _require_unique(cases: list[Case]) -> None:
    """Cases share one server, one after the other: none may know the models of another."""
    names: dict[str, str] = {}
    for case in cases:
        models: set[str] = {name for repository in case.repositories for name in repository}
        for name in [f"case {case.name}", *models]:
            if name in names and not case.alone:
                raise ValueError(f"{name} is in case {case.name} and in case {names[name]}")
            names[name] = case.name
