"""Turn a golden's JSON and arrays into a `Golden`. Whatever is wrong is a ValueError with what, and where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from triton_watch.probes.canary.golden.arrays import key_of, tensor_in
from triton_watch.probes.canary.golden.document import FORMAT
from triton_watch.probes.canary.golden.model import Golden
from triton_watch.probes.canary.golden.rule_text import rule_of_json
from triton_watch.triton.infer.messages import KNOWN_DATATYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.probes.canary.golden.model import Tensors
    from triton_watch.probes.canary.golden.rules import Rule
    from triton_watch.triton.infer.messages import Tensor


class NewerFormatError(ValueError):
    """The file was written by a newer triton-watch."""


def content_of(data: bytes) -> dict[str, Any]:
    """The JSON object of a golden in the format that is known here."""
    try:
        content = json.loads(data.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("it is no JSON that a golden has: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    number = content.get("format") if isinstance(content, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError('it is no golden of triton-watch: there is no "format"')  # noqa: TRY004 - the file's error
    if number > FORMAT:
        raise NewerFormatError(f"it has the format {number}, and {FORMAT} is the newest that is known here")
    if number != FORMAT:
        raise ValueError(f"it has the format {number}, which never was one")
    checked: dict[str, Any] = content
    return checked


def names_in(content: dict[str, Any]) -> tuple[str, str]:
    """Model and version."""
    return _get(content, "model", str), _get(content, "version", str)


def digest_in(content: dict[str, Any]) -> str:
    """The SHA-256 of the .npz that belongs to it."""
    digest: str = _get(_get(content, "arrays", dict), "sha256", str)
    return digest


def golden_of(content: dict[str, Any], arrays: Mapping[str, bytes]) -> Golden:
    """The golden. `arrays` are the .npy by key."""
    model, version = names_in(content)
    server = _get(content, "server", dict)
    inputs = tuple(_tensors(one, arrays, "input", number) for number, one in _numbered(content, "inputs"))
    outputs = tuple(
        tuple(_tensors(one, arrays, "output", variant, number) for number, one in enumerate(_list(responses)))
        for variant, responses in _numbered(content, "outputs")
    )
    if len(inputs) != len(outputs):
        raise ValueError(f"it has {len(inputs)} inputs and {len(outputs)} answers")
    rules = {name: _rule(name, value) for name, value in _get(content, "compare", dict).items()}
    known = {name for responses in outputs for tensors in responses for name in tensors}
    for name in rules.keys() - known:
        raise ValueError(f'it has "{name}" under "compare", and no answer has an output of that name')
    return Golden(
        model=model,
        version=version,
        inputs=inputs,
        outputs=outputs,
        compare={name: rule for name, rule in rules.items() if rule is not None},
        notes=tuple(_get({"note": note}, "note", str) for _, note in _numbered(content, "notes")),
        recorded_at=_get(content, "recorded_at", str),
        server=(_get(server, "name", str), _get(server, "version", str)),
        ignore=tuple(name for name, rule in rules.items() if rule is None),
        parameters={name: _scalar(name, value) for name, value in _get(content, "parameters", dict).items()},
    )


def _rule(name: str, value: object) -> Rule | None:
    try:
        return rule_of_json(value)
    except ValueError as error:
        raise ValueError(f'"{name}" under "compare" {error}') from None


def _tensors(described: object, arrays: Mapping[str, bytes], *where: str | int) -> Tensors:
    tensors: dict[str, Tensor] = {}
    for one in _list(described):
        name, datatype = _get(one, "name", str), _get(one, "datatype", str)
        key = key_of(*where, name)
        if datatype not in KNOWN_DATATYPES:
            raise ValueError(f'the datatype "{datatype}" of {key} is not known')
        if key not in arrays:
            raise ValueError(f"the .npz has no {key}")
        try:
            tensors[name] = tensor_in(arrays[key], datatype, _shape(one))
        except ValueError as error:
            raise ValueError(f"{key} in the .npz does not fit: {error}") from None
    return tensors


def _shape(described: dict[str, Any]) -> tuple[int, ...]:
    shape = _get(described, "shape", list)
    if not all(isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in shape):
        raise ValueError("its shape is no list of whole numbers from 0")
    return tuple(shape)


def _scalar(name: str, value: object) -> bool | int | float | str:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f'the parameter "{name}" is no text, number or boolean')  # noqa: TRY004 - the file's error
    return value


def _get(content: object, name: str, kind: type) -> Any:  # noqa: ANN401 - JSON: of the kind that was asked for
    value = content.get(name) if isinstance(content, dict) else None
    if not isinstance(value, kind):
        raise ValueError(f'"{name}" is missing, or not what it should be')  # noqa: TRY004 - the file's error
    return value


def _list(value: object) -> list[Any]:
    found: list[Any] = _get({"an entry": value}, "an entry", list)
    return found


def _numbered(content: dict[str, Any], name: str) -> enumerate[Any]:
    return enumerate(_get(content, name, list))
