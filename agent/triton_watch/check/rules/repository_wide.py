"""Rules 140-143 and 660-661: what only a look over all models of a repository, or several, can show."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.memory import EACH, RESERVES, SHARES_WEIGHTS, Group, instances_by_gpu
from triton_watch.check.rules.sizes import size_text
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from triton_watch.check.options import Options
    from triton_watch.check.summary import ModelSummary, Summaries

_SHORTEST_WORD = 6
_LONGEST_NAME = 64
_MOST_ALIKE = 8
"""Names that share a deletion: more of them are a family of names, not slips."""
_ON_CPU = frozenset({"openvino", "ensemble"})
_CONFIG = '--- {}/config.pbtxt\nbackend: "onnxruntime"\n{}--- {}/1/model.onnx\nsize: 6000\n'


def _duplicates(repositories: Sequence[Summaries], _options: Options) -> Iterator[Hit]:
    places: dict[str, list[ModelSummary]] = defaultdict(list)
    for repository in repositories:
        for model in repository.models.values() if repository.whole and repository.together else ():
            places[model.name].append(model)
    for name, models in places.items():
        for model in models[1:]:
            yield Hit(
                f"{clip(name)} is in {clip(str(models[0].path.parent), 200)} as well, and Triton loads neither "
                '(Triton: "model appears in two or more repositories")',
                fix="rename or remove one, or give the repositories to different servers",
                file=model.path,
                model=name,
            )


def _names_alike(repository: Summaries, _options: Options) -> Iterator[Hit]:
    by_key: dict[str, list[str]] = defaultdict(list)
    for name in repository.models:
        by_key[re.sub("[-_. ]", "", name.casefold())].append(name)
    for names in by_key.values():
        first, *others = sorted(names)
        for other in others:
            yield _alike(repository, first, other, "they differ in case or separators only")


def _typos(repository: Summaries, _options: Options) -> Iterator[Hit]:
    for first, second in sorted(set(_slips(repository.models))):
        yield _alike(repository, first, second, "they differ by one slip of the keyboard")


def _alike(repository: Summaries, first: str, second: str, how: str) -> Hit:
    return Hit(
        f"{clip(first)} and {clip(second)} are two models, and {how}: is one of them a leftover?",
        fix="remove the one that nobody asks for, or name them apart",
        file=repository.models[second].path,
        model=second,
    )


def _slips(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs that one insertion, deletion, substitution or swap of letters makes the same.

    Two such names have a variant with one letter less in common, so it takes one pass over all.
    """
    variants: dict[str, set[str]] = defaultdict(set)
    for name in names:
        if len(name) <= _LONGEST_NAME:
            variants[name].add(name)
            for index in range(len(name)):
                variants[name[:index] + name[index + 1 :]].add(name)
    for alike in variants.values():
        if 1 < len(alike) <= _MOST_ALIKE:
            yield from ((one, other) for one, other in combinations(sorted(alike), 2) if is_slip(one, other))


def is_slip(one: str, other: str) -> bool:
    """Whether two names differ by a slip within one long word; numbers, plurals and short words are meant."""
    words, others = re.split("[-_. ]", one), re.split("[-_. ]", other)
    different = [(a, b) for a, b in zip(words, others, strict=False) if a != b]
    if len(words) != len(others) or len(different) != 1:
        return False
    a, b = different[0]
    if min(len(a), len(b)) < _SHORTEST_WORD or not (a + b).isalpha() or a.casefold() == b.casefold():
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    if start == 0 or {rest_a, rest_b} == {"", "s"}:
        return False  # another word, or its plural
    swapped = len(a) == len(b) and rest_a[:2] == rest_b[:2][::-1] and rest_a[2:] == rest_b[2:]
    inside = rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]
    return swapped or inside


def _broken_links(repository: Summaries, _options: Options) -> Iterator[Hit]:
    if not repository.whole:
        return
    try:
        with os.scandir(repository.path) as entries:
            links = sorted(entry.name for entry in entries if entry.is_symlink())
    except OSError:
        return
    for name in links:
        path = repository.path / name
        try:
            path.stat()
        except OSError as error:
            if not isinstance(error, PermissionError):
                yield Hit(
                    f"{clip(name)} is a symbolic link that leads nowhere, and Triton then loads no model at all "
                    '(Triton: "failed to poll model repository … failed to stat file")',
                    fix="mend or remove the link",
                    file=path,
                )


def _idle_gpus(repository: Summaries, options: Options) -> Iterator[Hit]:
    used: set[int] = set()
    for model in repository.models.values():
        if model.is_ensemble or model.backend in _ON_CPU:
            continue
        found = _gpu_groups(model, options)
        chooses = model.backend in RESERVES or any(group.kind == "KIND_MODEL" for group in model.groups)
        if chooses or not model.groups or any(not group.gpus for group in found):
            return  # on all GPUs, or on those that it chooses itself
        used.update(gpu for group in found for gpu in group.gpus)
    valid = {gpu for gpu in used if 0 <= gpu < 4096}
    count = options.gpus if options.gpus is not None else max(valid, default=-1) + 1
    idle = [gpu for gpu in range(min(count, 4096)) if gpu not in valid]
    if valid and idle and repository.whole:
        yield Hit(
            f"no model uses GPU {listed(map(str, idle))}: all instances are on GPU {listed(map(str, sorted(valid)))}",
            fix="add the idle ones to gpus of the busiest models, or leave gpus out to use all",
            file=repository.path,
            severity=Severity.WARNING if options.gpus is not None else Severity.INFO,
            confidence=Confidence.HIGH if options.gpus is not None else Confidence.LOW,
        )


def _gpu_groups(model: ModelSummary, options: Options) -> list[Group]:
    """Return the groups on GPUs; those of KIND_AUTO too, unless the server has none."""
    kinds = {"KIND_GPU"} if options.gpus == 0 else {"KIND_GPU", "KIND_AUTO"}
    return [Group(group.count, group.gpus) for group in model.groups if group.kind in kinds]


def _memory_of_all(repository: Summaries, options: Options) -> Iterator[Hit]:
    if options.gpu_memory is None:
        return
    need: Counter[int] = Counter()
    largest: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for model in repository.models.values():
        counts = instances_by_gpu(_gpu_groups(model, options), options.gpus)
        for gpu, count in counts.items() if model.model_bytes and model.backend not in RESERVES else ():
            size = model.model_bytes * (1 if model.backend in SHARES_WEIGHTS else count)
            need[gpu] += size
            largest[gpu].append((size, model.name))
    for gpu in sorted(need):
        total = need[gpu] + (need[EACH] if gpu != EACH else 0)
        models = sorted(largest[gpu] + (largest[EACH] if gpu != EACH else []), reverse=True)
        if total > options.gpu_memory and len(models) > 1:
            shown = listed(f"{clip(name)} {size_text(size)}" for size, name in models[:3])
            yield Hit(
                f"the weights of {plural(len(models), 'model')} on {'each GPU' if gpu == EACH else f'GPU {gpu}'} are "
                f"{size_text(total)}, and it has {size_text(options.gpu_memory)}; the largest: {shown}",
                fix="spread the models over GPUs with gpus, reduce count, or load fewer of them at a time",
                file=repository.path,
            )


def _two(first: str, second: str, *extra: str) -> str:
    more = [*extra, "", ""]
    return _CONFIG.format(first, more[0], first) + _CONFIG.format(second, more[1], second)


def _on(gpus: str) -> str:
    return f"instance_group [ {{ kind: KIND_GPU gpus: [ {gpus} ] }} ]\n"


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW140",
        slug="duplicate-model",
        severity=Severity.ERROR,
        scope=Scope.COLLECTION,
        title="A model is in one of a server's repositories",
        problem="Two repositories of one check have a model of the same name.",
        bad="# --model-repository=a --model-repository=b, with a/ranker/ and b/ranker/",
        good="# --model-repository=a --model-repository=b, with a/ranker/ and b/ranker_canary/",
        why="Triton loads neither and still says that it is ready.",
        source="tritonserver 2.51.0 (measured)",
        check=_duplicates,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW141",
        slug="names-alike",
        severity=Severity.WARNING,
        scope=Scope.REPOSITORY,
        title="Models' names differ by more than case and separators",
        problem="Two models' names are the same but for upper and lower case, `_`, `-` and `.`.",
        bad=_two("text_encoder", "Text-Encoder"),
        good=_two("text_encoder", "image_encoder"),
        why="Clients ask the wrong one. On a file system that ignores case, one of them is gone after a copy.",
        source="general practice; tritonserver 2.51.0 serves both (measured)",
        check=_names_alike,
        confidence=Confidence.MEDIUM,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW142",
        slug="names-typo",
        severity=Severity.WARNING,
        scope=Scope.REPOSITORY,
        title="Models' names differ by more than a slip",
        problem="Two models' names differ by one letter within a long word.",
        bad=_two("text_encoder", "text_encodr"),
        good=_two("text_encoder_v1", "text_encoder_v2"),
        why="One is often the leftover of a renaming: it takes memory, and some client still asks it.",
        source="general practice",
        check=_typos,
        confidence=Confidence.LOW,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW143",
        slug="broken-link-in-repository",
        severity=Severity.ERROR,
        scope=Scope.REPOSITORY,
        title="Symbolic links in the repository lead somewhere",
        problem="A symbolic link beside the models cannot be followed.",
        bad=_two("ranker", "encoder") + "--- old\nlink: nowhere\n",
        good=_two("ranker", "encoder"),
        why="Triton looks at everything in the repository and gives up at the first failure: no model is loaded.",
        source="tritonserver 2.51.0 (measured)",
        check=_broken_links,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW660",
        slug="idle-gpu",
        severity=Severity.WARNING,
        scope=Scope.REPOSITORY,
        title="Every GPU is used by some model",
        problem="No model's groups name a GPU, while others are named.",
        bad=_two("ranker", "encoder", _on("0"), _on("2")),
        good=_two("ranker", "encoder", _on("0"), _on("1")),
        why="An idle GPU costs as much as a busy one. Often every configuration was copied with gpus: [ 0 ].",
        source="general practice",
        check=_idle_gpus,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW661",
        slug="gpu-memory-of-all-models",
        severity=Severity.WARNING,
        scope=Scope.REPOSITORY,
        title="The models of a GPU fit into its memory together",
        problem=(
            "The sizes of all models' files, times their instances, exceed the memory of a GPU, where that is given."
        ),
        bad=_two("ranker", "encoder", _on("0"), _on("0")),
        good=_two("ranker", "encoder", _on("0"), "instance_group [ { kind: KIND_CPU } ]\n"),
        why="Models load one after the other until the memory is full, and the last ones fail.",
        source="an estimate from the size of the files; TensorRT's instances share the weights",
        check=_memory_of_all,
        confidence=Confidence.MEDIUM,
        box=Box.INSTANCES,
    ),
)
