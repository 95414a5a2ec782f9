"""Rules 830-834: a live server against the repository that it should serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triton_watch.check.rule import Box, Hit, Rule, Scope
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.live import LiveServer
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

Path = tuple["str | int", ...]

MOST_DRIFTS = 20
"""Fields of one model that are named."""
_BY_NAME = frozenset({"input", "output"})
"""Lists whose elements are found by their name: auto-complete adds to them."""
_PINNED = ("max_batch_size", "input", "output", "dynamic_batching", "model_transaction_policy")
"""Fields whose completed values matter when the model file changes."""


def _judged(server: LiveServer) -> Iterator[tuple[str, Model]]:
    return ((name, model) for name, model in server.on_disk.items() if not model.detached and not name.startswith("."))


def _not_loaded(server: LiveServer, _options: Options) -> Iterator[Hit]:
    if server.index is None:
        return
    known = {state.key.name for state in server.states}
    for name, model in _judged(server):
        if name not in known:
            cause = (
                "it has no version"
                if not model.versions
                else "the server reads another repository, has not seen it yet, or no version of it counts"
            )
            yield model.hit(
                f"'{clip(name)}' is on disk, and {server.url} does not know it: {cause}",
                fix="compare with the server's --model-repository; without the poll mode a new model needs a restart, "
                f"or POST /v2/repository/models/{clip(name)}/load",
            )


def _not_on_disk(server: LiveServer, _options: Options) -> Iterator[Hit]:
    models = list(server.on_disk.values())
    whole = bool(models) and not any(model.detached or model.repository.only is not None for model in models)
    for name in dict.fromkeys(state.key.name for state in server.states):
        if whole and name not in server.on_disk and server.ready_versions(name):
            yield server.hit(
                f"model '{clip(name)}' is served, and is not in the repositories of this check",
                name,
                fix="check the repository that it is from, too; or unload it",
            )


def _removed(server: LiveServer, _options: Options) -> Iterator[Hit]:
    known = {state.key.name for state in server.states}
    for name in () if server.index is None or server.metrics is None else server.metrics.models:
        if name not in known:
            yield server.hit(
                f"model '{clip(name)}' is served, and no longer in the server's repository: the index leaves it out, "
                "the metrics page does not, and the next restart ends it",
                name,
                fix=f"put its directory back, or POST /v2/repository/models/{clip(name)}/unload",
            )


def _versions_behind(server: LiveServer, _options: Options) -> Iterator[Hit]:
    for name, model in _judged(server):
        ready = {int(version) for version in server.ready_versions(name) if version.lstrip("-").isdecimal()}
        numbers = {version.number for version in model.versions if version.name == str(version.number)}
        policy = model.message.version_policy
        if policy.WhichOneof("policy_choice") == "specific":
            numbers &= set(policy.specific.versions)
        newest = max(numbers, default=None)
        if not ready or newest is None or newest <= max(ready):
            continue
        path = next((version.path for version in model.versions if version.number == newest), model.path)
        yield model.hit_file(
            f"version {newest} of '{clip(name)}' is on disk, {server.url} serves {listed(map(str, sorted(ready)))}: "
            "it came later, or did not load",
            path,
            fix=f"POST /v2/repository/models/{clip(name)}/load loads it; if that fails, the answer says why",
        )


def _drift(server: LiveServer, _options: Options) -> Iterator[Hit]:
    for name, model in _judged(server):
        served = server.configs.get(name)
        if served is None or not model.readable:
            continue
        for number, (path, on_disk, live) in enumerate(differences(model.message, served)):
            if number >= MOST_DRIFTS:
                break
            yield model.hit(
                f"'{clip(name)}' is served with another configuration than this one: {_shown(path)} is {live} there "
                f"and {on_disk} here",
                *path,
                fix=f"POST /v2/repository/models/{clip(name)}/load or a restart loads it; or put back what is served",
            )


def differences(on_disk: Any, served: Any, at: Path = ()) -> Iterator[tuple[Path, str, str]]:  # noqa: ANN401
    """Yield path and both values of what is set on disk and is another on the server (protobuf messages).

    Only what is written on disk counts: the server completes the rest. Of lists of inputs and outputs the elements
    go by their names, of other lists of messages by their places.
    """
    for field, value in on_disk.ListFields():
        path, other = (*at, field.name), getattr(served, field.name)
        if path == ("name",):
            continue
        if field.message_type is None:
            repeated = _is_list(field)
            if (list(value) != list(other)) if repeated else value != other:
                yield path, _value(field, value), _value(field, other)
        elif field.message_type.GetOptions().map_entry:
            yield from _of_map(value, other, path)
        elif _is_list(field):
            yield from _of_list(value, other, path)
        else:
            yield from differences(value, other, path)


def _is_list(field: Any) -> bool:  # noqa: ANN401 - protobuf's
    # Before protobuf 6.31 there is only `label`, which later ones warn of.
    return bool(field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED)


def _of_map(value: Any, other: Any, path: Path) -> Iterator[tuple[Path, str, str]]:  # noqa: ANN401 - protobuf's
    for key in sorted(value):
        if key not in other:
            yield (*path, key), "there", "not there"
        elif value[key] != other[key]:
            yield (*path, key), _short(value[key]), _short(other[key])


def _of_list(value: Any, other: Any, path: Path) -> Iterator[tuple[Path, str, str]]:  # noqa: ANN401 - protobuf's
    named = {item.name: item for item in other} if path[-1] in _BY_NAME else {}
    for number, item in enumerate(value):
        match = named.get(item.name) if path[-1] in _BY_NAME else other[number] if number < len(other) else None
        if match is None:
            yield (*path, number), "there", "not there"
        else:
            yield from differences(item, match, (*path, number))


def _value(field: Any, value: Any) -> str:  # noqa: ANN401 - protobuf's
    if field.enum_type is None:
        return _short(list(value) if _is_list(field) else value)
    names = field.enum_type.values_by_number
    every = [names[one].name if one in names else str(one) for one in (value if _is_list(field) else [value])]
    return listed(every) if every else "empty"


def _short(value: object) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return clip(" ".join(text.split()), 60)


def _shown(path: Path) -> str:
    """Return `input[0].dims`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return clip(text)


def _completed(server: LiveServer, _options: Options) -> Iterator[Hit]:
    for name, model in _judged(server):
        served = server.configs.get(name)
        if served is None or model.is_ensemble or (model.config is not None and not model.readable):
            continue
        filled = [one for one in _PINNED if _is_set(served, one) and not model.has(one)]
        if filled:
            yield model.hit(
                f"Triton completed {listed(filled)} of '{clip(name)}' by itself, from the model or its backend",
                fix=f"pin that in config.pbtxt, as GET /v2/models/{clip(name)}/config has "
                "it: then a new model file cannot change it unseen",
            )


def _is_set(served: Any, name: str) -> bool:  # noqa: ANN401 - protobuf's
    return any(field.name == name for field, _ in served.ListFields())


def _rule(number: int, slug: str, title: str, **more: object) -> Rule:
    fields = {"severity": Severity.WARNING, "scope": Scope.LIVE, "source": "tritonserver 2.51.0 (measured)", **more}
    return Rule(id=f"TW{number}", slug=slug, title=title, **fields)  # type: ignore[arg-type]


RULES: tuple[Rule, ...] = (
    _rule(
        830,
        "on-disk-not-on-server",
        "The server knows every model on disk",
        problem="A model of the repository is not in the server's index.",
        bad="The repository has `ranker/`, and the index does not name it.",
        good="The repository has `ranker/`, and the index says that it is READY.",
        why="A model without a usable version is absent from the index; so is one that was added after the start.",
        check=_not_loaded,
        box=Box.STRUCTURE,
    ),
    _rule(
        831,
        "on-server-not-on-disk",
        "Every model on the server is on disk",
        problem="A model that is served is not in the repositories of this check.",
        bad="The index has `old_ranker`, and the repository does not.",
        good="All models of the index are in the repository.",
        why="The server has other repositories, or another version of this one.",
        check=_not_on_disk,
        confidence=Confidence.MEDIUM,
    ),
    _rule(
        832,
        "version-behind",
        "The newest version is served",
        problem="The newest version directory is not READY on the server.",
        bad="The repository has `ranker/3/`, and the index has version 2.",
        good="The repository has `ranker/3/`, and the index says that version 3 is READY.",
        why="A new version is loaded at the start, by polling, or when somebody asks; when that fails, the old one "
        "goes on being served.",
        check=_versions_behind,
        confidence=Confidence.MEDIUM,
    ),
    _rule(
        833,
        "configuration-drift",
        "The server serves the configuration on disk",
        problem="A field that is written in config.pbtxt has another value in the server's completed configuration.",
        bad="config.pbtxt says `max_batch_size: 16`, and GET /v2/models/ranker/config says 8.",
        good="config.pbtxt says `max_batch_size: 16`, and so does the server.",
        why="The file was edited after the load, or somebody loaded the model with a configuration of his own. "
        "The next restart changes what is served.",
        check=_drift,
    ),
    _rule(
        834,
        "configuration-auto-completed",
        "What matters in a configuration is written down",
        severity=Severity.INFO,
        problem="The server filled in fields that config.pbtxt leaves out.",
        bad="config.pbtxt has no input, and the server's completed configuration has one.",
        good="config.pbtxt has all inputs and outputs.",
        why="Completed fields follow the model file: a new one changes names, shapes or batching, and nobody wrote it.",
        check=_completed,
    ),
    _rule(
        835,
        "served-and-removed",
        "Models that are served are still in the server's repository",
        problem="The metrics page has a model that the index does not know.",
        bad='The page has nv_inference_request_success{model="old_ranker"}, and the index does not name it.',
        good="Every model of the metrics page is in the index.",
        why="When a model's directory is removed, the model goes on being served outside of the poll mode, `ready` for "
        "every probe, while POST /v2/repository/index forgets it.",
        check=_removed,
    ),
)
