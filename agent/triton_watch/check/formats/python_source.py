"""A model.py for the Python backend, by its syntax tree: nothing of it is run or imported."""

from __future__ import annotations

import ast
import warnings
from collections import deque
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import FormatError, PythonModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_LARGEST: Final = 1 << 20
"""Bytes; what one read of a source gives."""
_PUNCTUATION: Final = b".,;:()[]{}+-*/=<>@%&|^~\n"
_MOST_PUNCTUATION: Final = 50_000
"""Bounds depth and size of the tree: Python 3.10 dies (SIGSEGV) of `x.a.a.a…` with 250 000 dots, not with 100 000."""
_BLANKS: Final = b" \t\f\r"
_MOST_BLANKS: Final = 200_000
"""Bounds a tree that needs no punctuation (`a in a in a …`), as above: about 100 MB and a second."""
_CLASS: Final = "TritonPythonModel"
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def read_python(source: Source, path: Path) -> PythonModel:
    """Return what a model.py defines. Raises FormatError when it cannot be looked at, OSError."""
    if source.size == 0:
        return PythonModel(path, problem="is empty")
    if source.size > _LARGEST:
        raise FormatError(f"is too large to be looked at: {source.size:,} bytes")
    data = source.read(0, _LARGEST)
    if b"\0" in data:
        return PythonModel(path, problem="holds a zero byte, so it is no Python source")
    if _count(data, _PUNCTUATION) > _MOST_PUNCTUATION or _count(data, _BLANKS) > _MOST_BLANKS:
        raise FormatError("is too complex to be looked at")
    try:
        tree = _tree(data)
    except SyntaxError as error:
        return PythonModel(path, syntax_error=(error.lineno or 1, error.offset or 1, error.msg))
    except (RecursionError, MemoryError):
        raise FormatError("is nested too deeply to be looked at") from None
    except (ValueError, LookupError) as error:
        return PythonModel(path, problem=f"cannot be decoded: {error}"[:200])
    return _model(path, tree)


def _count(data: bytes, characters: bytes) -> int:
    return len(data) - len(data.translate(None, characters))


def _tree(data: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an invalid escape, say; it would be written to standard error
        return ast.parse(data)


def _model(path: Path, tree: ast.Module) -> PythonModel:
    at_top = list(_statements(tree.body))
    classes = {node.name: node for node in at_top if isinstance(node, ast.ClassDef)}
    lineage, complete = _lineage(classes)
    methods = {name: node for cls in reversed(lineage) for name, node in _methods(cls)}
    calls = {_called(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    certain, guarded = _imports(tree)
    return PythonModel(
        path,
        has_class=_CLASS in classes or any(_binds(node) for node in at_top),
        has_execute="execute" in methods or (False if complete else None),
        bases_seen=complete,
        has_auto_complete="auto_complete_config" in methods,
        has_initialize="initialize" in methods,
        has_finalize="finalize" in methods,
        uses_response_sender="get_response_sender" in calls,
        sets_decoupled="set_model_transaction_policy" in calls,
        async_execute=isinstance(methods.get("execute"), ast.AsyncFunctionDef),
        imports=certain,
        guarded_imports=guarded,
    )


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements that run when the module is imported, in order, those in if, try and with blocks too."""
    waiting = deque(body)
    while waiting:
        node = waiting.popleft()
        yield node
        if not isinstance(node, (ast.ClassDef, *_FUNCTIONS)):
            blocks = (getattr(node, name, None) for name in ("body", "handlers", "orelse", "finalbody"))
            inner = [statement for block in blocks if isinstance(block, list) for statement in block]
            waiting.extendleft(reversed(inner))


def _lineage(classes: dict[str, ast.ClassDef]) -> tuple[list[ast.ClassDef], bool]:
    """Return the model's class and its bases, as far as they are in this file, and whether those are all."""
    found: dict[str, ast.ClassDef] = {}
    waiting = deque([_CLASS])
    complete = True
    while waiting:
        name = waiting.popleft()
        cls = classes.get(name)
        complete &= cls is not None and not cls.decorator_list and not cls.keywords
        if cls is not None and name not in found:
            found[name] = cls
            bases = [base.id if isinstance(base, ast.Name) else "" for base in cls.bases]
            waiting.extend(base for base in bases if base != "object")
    return list(found.values()), complete


def _methods(cls: ast.ClassDef) -> Iterator[tuple[str, ast.stmt]]:
    for node in _statements(cls.body):
        if isinstance(node, _FUNCTIONS):
            yield node.name, node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            yield from ((name, node) for name in _targets(node))


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _binds(node: ast.stmt) -> bool:
    """Whether a statement may give the model's class its name other than by defining it."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return _CLASS in _targets(node)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return any((alias.asname or alias.name) in (_CLASS, "*") for alias in node.names)
    return False


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _imports(tree: ast.Module) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return packages whose import must work, and those that are imported elsewhere."""
    certain = {name for node in tree.body for name in _imported(node)}
    every = {name for node in ast.walk(tree) for name in _imported(node)}
    return tuple(sorted(certain)), tuple(sorted(every - certain))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        name = "." * node.level + (node.module or "").partition(".")[0]
        return [] if name == "__future__" else [name]
    return []
