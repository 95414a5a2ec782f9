"""Random changes of one thing in the models of `cases/seeds.yaml`: the same for the same seed.

What is judged is the configuration, so Python models become stand-ins here: they load a hundred times faster, and
a missing model.py would hang the server.
"""

from __future__ import annotations

import random
import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from differential.case import CONFIG, Case, File, Models, token
from differential.cases import load_cases

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS = re.compile(r'\s+|#[^\n]*|"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"#]+')
NUMBERS = ("0", "-1", "1", "2", "3", "1000", "4294967296", "9223372036854775807", "-2147483648", "0.5", '"4"')
SMALL_NUMBERS = NUMBERS[:6]
ALLOCATING = frozenset({"model_warmup", "initial_state", "instance_group", "sequence_batching"})
"""Inside these a number makes the server allocate so many bytes, threads or slots: only small ones there."""
TYPES = ("TYPE_INVALID", "TYPE_FP32", "TYPE_INT64", "TYPE_STRING", "TYPE_BOOL", "TYPE_FP16", "FP32", "TYPE_BYTES")
STRINGS = ('""', '"x"', '"tensorrt"', '"onnxruntime"', '"ensemble"', '"1"')
TYPICAL_VERSIONS = ("0", "01", "v1", "1abc", "-1", "latest")


@dataclass(slots=True)
class Field:
    """A field of a configuration; a list is as many fields. `value` is a literal or the fields of a block."""

    name: str
    value: str | list[Field]


Place = tuple[list[Field], int, tuple[str, ...]]
"""A field's siblings, its index among them, and the names of the blocks that it is in."""


def mutations(seed: int, count: int) -> list[Case]:
    """`count` cases, none recorded. Each is one of the seeds with one thing changed; `note` says which."""
    rng = random.Random(seed)
    seeds = [case for case in load_cases() if case.family == "seeds"]
    return [_mutation(rng, rng.choice(seeds), f"mutation-{seed}-{number}") for number in range(count)]


def _mutation(rng: random.Random, origin: Case, name: str) -> Case:
    models = _renamed(origin, token(name))
    judge = origin.judge.replace(origin.token, token(name))
    directory = rng.choice(sorted(models))
    if rng.random() < 0.12:
        note = _change_files(rng, models, directory, judge)
    else:
        note = _change_config(rng, models[directory])
    completed = any(CONFIG not in files for files in models.values())
    return Case(
        name=name,
        family="mutations",
        repositories=(models,),
        judge=judge,
        tags=frozenset({"stand-in"} if completed else ()),
        note=f"{origin.name}, {directory}: {note}",
    )


def _renamed(origin: Case, mine: str) -> Models:
    """The models of a seed under the names of a new case."""
    return {
        directory.replace(origin.token, mine): {
            path: _adapted(content, origin, mine) for path, content in files.items()
        }
        for directory, files in origin.repositories[0].items()
    }


def _adapted(content: File, origin: Case, mine: str) -> File:
    if not isinstance(content, str):
        return content
    return content.replace(origin.token, mine).replace('backend: "python"', 'backend: "identity"')


def _change_config(rng: random.Random, files: dict[str, File]) -> str:
    """Change one thing in a model's configuration; returns what."""
    text = files[CONFIG]
    if not isinstance(text, str):
        raise TypeError("a seed's configuration is text")
    fields = parse(text)
    if rng.random() < 0.1:
        files[CONFIG], note = _broken_text(rng, render(fields))
        return note
    places = list(_places(fields, ()))
    change = rng.choice(CHANGES)
    siblings, index, path = rng.choice(places)
    where = ".".join([*path, siblings[index].name])
    note = change(rng, fields, (siblings, index, path))
    files[CONFIG] = render(fields)
    return f"{note} {where}"


def _places(fields: list[Field], path: tuple[str, ...]) -> list[Place]:
    found: list[Place] = []
    for index, field in enumerate(fields):
        found.append((fields, index, path))
        if isinstance(field.value, list):
            found += _places(field.value, (*path, field.name))
    return found


def _remove(_rng: random.Random, _fields: list[Field], place: Place) -> str:
    siblings, index, _ = place
    del siblings[index]
    return "removed"


def _duplicate(rng: random.Random, _fields: list[Field], place: Place) -> str:
    siblings, index, _ = place
    siblings.insert(rng.randrange(len(siblings) + 1), deepcopy(siblings[index]))
    return "doubled"


def _set(rng: random.Random, _fields: list[Field], place: Place) -> str:
    """Another value; a block is emptied."""
    siblings, index, path = place
    field = siblings[index]
    if isinstance(field.value, list):
        field.value = []
        return "emptied"
    old = field.value
    field.value = rng.choice([value for value in _values_like(old, (*path, field.name)) if value != old])
    return f"changed {old} to {field.value} in"


def _values_like(value: str, path: tuple[str, ...]) -> tuple[str, ...]:
    if value.startswith('"'):
        return (*STRINGS, value.lower(), value.upper(), f'{value[:-1]}_"', value.strip('"') or "x")
    if value.startswith("TYPE_"):
        return TYPES
    if value in ("true", "false"):
        return ("true", "false", "True", "1", "yes")
    if re.fullmatch(r"[-.\d]+", value):
        return SMALL_NUMBERS if ALLOCATING.intersection(path) else NUMBERS
    return ("KIND_CPU", "KIND_MODEL", "CONTROL_SEQUENCE_START", "CONTROL_SEQUENCE_END", "DELAY", "1")


def _rename(rng: random.Random, fields: list[Field], place: Place) -> str:
    """A typing mistake, or the name of another field."""
    siblings, index, _ = place
    others = sorted({siblings[index].name for siblings, index, _ in _places(fields, ())})
    name = siblings[index].name
    siblings[index].name = rng.choice([name[:-1] or "x", name.upper(), name + "s", rng.choice(others)])
    return f"called {siblings[index].name}:"


def _shuffle(rng: random.Random, _fields: list[Field], place: Place) -> str:
    rng.shuffle(place[0])
    return "shuffled the siblings of"


def _move(rng: random.Random, fields: list[Field], place: Place) -> str:
    """To another block, or out of all."""
    siblings, index, _ = place
    field = siblings.pop(index)
    blocks = [sibling[i].value for sibling, i, _ in _places(fields, ())]
    target = rng.choice([fields, *(block for block in blocks if isinstance(block, list))])
    target.insert(rng.randrange(len(target) + 1), field)
    return "moved"


def _swap(rng: random.Random, fields: list[Field], place: Place) -> str:
    """With the value of another field of the same name."""
    siblings, index, _ = place
    mine = siblings[index]
    others = [row[i] for row, i, _ in _places(fields, ()) if row[i].name == mine.name and row[i].value != mine.value]
    if not others:
        return _remove(rng, fields, place)
    other = rng.choice(others)
    mine.value, other.value = deepcopy(other.value), deepcopy(mine.value)
    return "swapped the values of two"


CHANGES: tuple[Callable[[random.Random, list[Field], Place], str], ...] = (
    _remove,
    _remove,
    _duplicate,
    _set,
    _set,
    _set,
    _set,
    _rename,
    _shuffle,
    _move,
    _swap,
)


def _broken_text(rng: random.Random, text: str) -> tuple[str, str]:
    """A change that the tree of fields cannot say."""
    position = rng.randrange(len(text))
    what = rng.choice(["cut", "drop", "// here", "{", "}", ",", ";", '"', "é", "\r", "#"])
    if what == "cut":
        return text[:position], "cut off"
    if what == "drop":
        return text[:position] + text[position + 1 :], f"dropped {text[position]!r} at {position}"
    return text[:position] + what + text[position:], f"inserted {what!r} at {position}"


def _change_files(rng: random.Random, models: Models, directory: str, judge: str) -> str:
    """Rename a version, or lose a file, the versions or the whole model."""
    files = models[directory]
    what = rng.choice(["version", "file", "versions", "model"])
    if what == "version":
        version = rng.choice(TYPICAL_VERSIONS)
        models[directory] = {
            version + path.removeprefix("1") if path.split("/")[0] == "1" else path: content
            for path, content in files.items()
        }
        return f"version 1 is called {version}"
    if what == "file":
        path = rng.choice(sorted(files))
        del files[path]
        return f"without {path}"
    if what == "versions" or directory == judge:
        models[directory] = {path: content for path, content in files.items() if path == CONFIG}
        return "without versions"
    del models[directory]
    return "not there"


def parse(text: str) -> list[Field]:
    """The fields of a configuration that is right."""
    tokens = [found for found in TOKENS.findall(text) if found.strip() and not found.startswith("#")]
    return _block(_Tokens([*tokens, "}"]))


class _Tokens:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0

    def take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1]

    def skip(self, *tokens: str) -> bool:
        """Take the next token if it is one of these."""
        if self._tokens[self._next] in tokens:
            self._next += 1
            return True
        return False


def _block(tokens: _Tokens) -> list[Field]:
    """Fields up to the closing brace."""
    fields: list[Field] = []
    while not tokens.skip("}"):
        name = tokens.take()
        tokens.skip(":")
        if not tokens.skip("["):
            fields.append(Field(name, _value(tokens)))
        else:
            while not tokens.skip("]"):
                fields.append(Field(name, _value(tokens)))
                tokens.skip(",")
    return fields


def _value(tokens: _Tokens) -> str | list[Field]:
    return _block(tokens) if tokens.skip("{") else tokens.take()


def render(fields: list[Field], indent: str = "") -> str:
    """The text of a configuration."""
    lines = []
    for field in fields:
        if isinstance(field.value, list):
            lines.append(f"{indent}{field.name} {{\n{render(field.value, indent + '  ')}{indent}}}\n")
        else:
            lines.append(f"{indent}{field.name}: {field.value}\n")
    return "".join(lines)
