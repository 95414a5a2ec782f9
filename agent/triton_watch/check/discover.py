"""What a PATH is: a model repository, one model, one configuration, a manifest, or a tree that has some in it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from triton_watch.check.files import read_bytes
from triton_watch.check.model import CONFIG, version_number
from triton_watch.check.resolve import DETECTED
from triton_watch.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
LOOKED_FOR = (
    "a directory of models (NAME/config.pbtxt or NAME/1/model.*), a model's directory, a .pbtxt file, "
    "or a Kubernetes or Compose YAML file with a container that runs tritonserver"
)
_NEVER_ENTERED = frozenset({"node_modules", "__pycache__", "site-packages", "venv", ".venv"})
_MODEL_FILES = tuple(name for name, _ in DETECTED)
_DEEPEST = 10
_MOST_DIRECTORIES = 50_000
_LARGEST_MANIFEST = 10_000_000


@dataclass(frozen=True)
class RepositorySpec:
    """A repository to judge. `only`: names of the models to judge, None for all.

    `given` is the path by which the user named the one model, when it was one model; `loose` is a
    configuration file that lies in no model's directory. `found` is one that a search came upon: whether a
    server is given it together with others, nobody said.
    """

    path: Path
    only: frozenset[str] | None = None
    given: Path | None = None
    loose: Path | None = None
    found: bool = False


@dataclass
class Found:
    """What there is to check. `notes` say of a path why nothing in it was."""

    repositories: list[RepositorySpec] = field(default_factory=list)
    manifests: list[Path] = field(default_factory=list)
    given_manifests: list[Path] = field(default_factory=list)
    """Those that the user named himself: when there is no Triton in one of them, he is told."""
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.repositories or self.manifests or self.given_manifests)


def discover(paths: Iterable[Path]) -> Found:
    """Find what to check below some paths. Raises `OSError` for one that cannot be read."""
    found = Found()
    for path in paths:
        if path.is_dir():
            _discover_directory(path, found)
        else:
            _discover_file(path, found)
    found.repositories = _merged(found.repositories)
    found.manifests = list(dict.fromkeys(found.manifests))
    return found


def _discover_file(path: Path, found: Found) -> None:
    read_bytes(path, 0)  # unreadable is an error here: the user named it
    if path.suffix.lower() in MANIFEST_SUFFIXES:
        found.given_manifests.append(path)
    elif path.suffix.lower() == ".pbtxt":
        found.repositories.append(_of_config(path))
    else:
        found.notes.append(f"{path} is no .pbtxt and no .yaml file")


def _of_config(path: Path) -> RepositorySpec:
    """Judge a file with its model where it lies in a model's directory, else alone."""
    folder = path.parent
    if path.name == CONFIG and looks_like_model(folder, need_version=True):
        return _of_model(folder)
    return RepositorySpec(folder, loose=path)


def _of_model(folder: Path) -> RepositorySpec:
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100  # resolve() would follow links: the name counts as given
    parent = folder.parent if folder.name == absolute.name and folder.parent != folder else absolute.parent
    usual = Path(parent, absolute.name) == folder
    return RepositorySpec(parent, only=frozenset({absolute.name}), given=None if usual else folder)


def _discover_directory(path: Path, found: Found) -> None:
    os.scandir(path).close()
    if os.path.isfile(path / CONFIG):  # noqa: PTH113  # never raises, as in looks_like_model
        found.repositories.append(_of_model(path))
        return
    children = _visible(child.name for child in _directories(path))
    models = frozenset(name for name in children if looks_like_model(path / name))
    before = len(found.repositories), len(found.manifests)
    if _mostly_models(models, children):
        found.repositories.append(RepositorySpec(path))
        _search(path, found, without=models)
    elif looks_like_model(path):
        found.repositories.append(_of_model(path))
    else:
        _search(path, found)
        below = len(found.repositories) - before[0]
        if below and not models:
            found.notes.append(
                f"{path} has no model of its own; {plural(below, 'place')} below it with models: a server that is "
                f"given {path} itself as its model repository loads none of them"
            )
        elif below:
            others = len(children) - len(models)
            found.notes.append(
                f"{path} is searched as a tree, as {others} of its {len(children)} directories hold no model: "
                "a server that is given it as its model repository refuses those"
            )
    if before == (len(found.repositories), len(found.manifests)):
        found.notes.append(f"there is nothing of Triton's in {path}")


def _visible(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith(".") and name not in _NEVER_ENTERED)


def _mostly_models(models: frozenset[str], children: list[str]) -> bool:
    """Whether a directory is a model repository, rather than a tree that has a model in it, too."""
    return bool(models) and 2 * len(models) >= len(children)


def looks_like_model(folder: Path, *, need_version: bool = False) -> bool:
    """Whether a directory has a config.pbtxt, or a version with a file of a name that Triton detects. Never raises."""
    has_config = os.path.isfile(folder / CONFIG)  # noqa: PTH113  # Path.is_file raises for what may not be read
    if has_config and not need_version:
        return True
    for child in _directories(folder):
        if version_number(child.name) is not None and (has_config or _has_model_file(child)):
            return True
    return False


def _has_model_file(version: Path) -> bool:
    return any(os.path.exists(version / name) for name in _MODEL_FILES)  # noqa: PTH110  # never raises


def _directories(path: Path) -> Iterator[Path]:
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if _is_directory(entry):
                    yield Path(path, entry.name)
    except OSError:
        return


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _search(root: Path, found: Found, *, without: frozenset[str] = frozenset()) -> None:
    """Walk a tree without following links, for the repositories and manifests in it.

    `without` are the models of `root`, which is a repository itself: then only manifests are looked for.
    """
    for visited, (current, names, files) in enumerate(os.walk(root), 1):
        folder = Path(current)
        if visited > _MOST_DIRECTORIES:
            found.notes.append(f"{root} has more than {_MOST_DIRECTORIES:,} directories: the rest was not searched")
            return
        found.manifests += [folder / name for name in sorted(files) if _may_be_manifest(folder / name)]
        names[:] = [name for name in _visible(names) if folder != root or name not in without]
        if not without:
            names[:] = _take_repository(folder, names, found)
        if len(folder.parts) - len(root.parts) >= _DEEPEST:
            names.clear()


def _take_repository(folder: Path, names: list[str], found: Found) -> list[str]:
    """Take what is a repository's among some directories, and return those that are left to search.

    A directory of files in numbered folders is only taken for a model where there is a configuration beside it, or
    hardly anything else.
    """
    models = frozenset(name for name in names if looks_like_model(folder / name))
    if _mostly_models(models, names):
        found.repositories.append(RepositorySpec(folder, found=True))
        return [name for name in names if name not in models]
    if not any(os.path.isfile(folder / name / CONFIG) for name in models):  # noqa: PTH113  # never raises
        return names
    found.repositories.append(RepositorySpec(folder, only=models, found=True))
    return [name for name in names if name not in models]


def _may_be_manifest(path: Path) -> bool:
    if path.suffix.lower() not in {".yaml", ".yml"}:
        return False
    try:
        status = path.lstat()
        if status.st_size > _LARGEST_MANIFEST or not path.is_file() or path.is_symlink():
            return False
        return b"triton" in path.read_bytes().lower()
    except OSError:
        return False


def _merged(specs: list[RepositorySpec]) -> list[RepositorySpec]:
    """Judge no model twice when paths overlap, and models of one directory together."""
    wholes = {spec.path.resolve() for spec in specs if spec.only is None and spec.loose is None}
    kept: dict[tuple[Path, Path | None], RepositorySpec] = {}
    for spec in specs:
        where = spec.path.resolve()
        if where in wholes and spec.loose is None and spec.only is not None:
            continue
        key = (where, spec.loose or spec.given)
        other = kept.get(key)
        if other is not None and other.only is not None and spec.only is not None:
            spec = replace(other, only=other.only | spec.only)  # noqa: PLW2901  # one spec takes the other's place
        kept[key] = spec
    return list(kept.values())
