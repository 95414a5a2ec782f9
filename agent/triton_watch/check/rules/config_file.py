"""Rules 110-119: what Triton's parser refuses in config.pbtxt, a rule a kind of problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.options import Release
from triton_watch.check.pbtxt import ProblemKind
from triton_watch.check.pbtxt.versions import NEWER_FIELDS
from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.records import Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt import Problem

    Check = Callable[[Model, Options], Iterator[Hit]]

_MEASURED = Release(24, 10)
"""The release that the facts of these rules were measured on; newer fields are worth a word."""
_PARSER = "tritonserver 2.51.0 (measured); protobuf's src/google/protobuf/text_format.cc"
_FIXES = {
    ProblemKind.SYNTAX: "write `{}` here",
    ProblemKind.UNKNOWN_FIELD: "did you mean `{}`?",
    ProblemKind.UNKNOWN_ENUM: "write {}, without quotes",
}


def _problems(*kinds: ProblemKind) -> Check:
    """Make the check that reports problems of some kinds; those that Triton takes are warnings."""

    def check(model: Model, _options: Options) -> Iterator[Hit]:
        config = model.config
        for problem in () if config is None else config.problems:
            if problem.kind in kinds:
                yield _hit(model, problem)

    return check


def _hit(model: Model, problem: Problem, severity: Severity | None = None) -> Hit:
    fix = problem.advice or (
        problem.suggestion and _FIXES.get(problem.kind, "write {}").format(clip(problem.suggestion))
    )
    accepted = Severity.INFO if problem.kind is ProblemKind.TOO_MANY else Severity.WARNING
    return Hit(
        clip(problem.message, 500),
        clip(fix, 200) if fix else None,
        model.config_path,
        problem.place,
        model.config.text if model.config else None,
        model.name,
        severity=severity or (None if problem.refused else accepted),
    )


def _newer(model: Model, options: Options) -> Iterator[Hit]:
    for problem in () if model.config is None else model.config.problems:
        if problem.kind is not ProblemKind.NEWER_FIELD or problem.suggestion is None:
            continue
        since = Release(*map(int, problem.suggestion.split(".")))
        severity = _severity(since, options.triton, known=problem.suggestion not in NEWER_FIELDS.values())
        if severity is not None:
            hit = _hit(model, problem, severity)
            fix = f"run Triton {since} or newer, or remove the field"
            yield Hit(hit.message, fix, hit.file, hit.span, hit.text, hit.model, severity=severity)


def _severity(since: Release, server: Release | None, *, known: bool) -> Severity | None:
    """Weigh a field that came with a release; `known` is one of the schema that the file was read with."""
    if server is not None:
        return Severity.ERROR if server < since else None
    if since <= _MEASURED:
        return None
    return Severity.INFO if known else Severity.WARNING


def _rule(  # noqa: PLR0913  # the fields of a rule, each by its name
    number: int,
    slug: str,
    check: Check,
    title: str,
    problem: str,
    bad: str,
    good: str,
    why: str,
    *,
    fixable: bool = False,
) -> Rule:
    return Rule(
        id=f"TW{number}",
        slug=slug,
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title=title,
        problem=problem,
        bad=bad,
        good=good,
        why=why,
        source=_PARSER,
        check=check,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
        fixable=fixable,
    )


_REFUSED = "Triton refuses the whole file, and the model with it"
_GOOD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'

RULES: tuple[Rule, ...] = (
    _rule(
        110,
        "config-syntax",
        _problems(
            ProblemKind.SYNTAX, ProblemKind.TOO_DEEP, ProblemKind.TOO_LARGE, ProblemKind.TOO_MANY, ProblemKind.TEMPLATE
        ),
        "config.pbtxt is valid text protobuf",
        problem="A bracket, colon or comma is missing or too many, a quote is open, a comment begins with `//`, or "
        "the file is a template whose placeholders (`${…}`, `{{ … }}`) were not filled in.",
        bad='backend: "onnxruntime"\ninput [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] }, ]\n',
        good='backend: "onnxruntime"\ninput [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]\n',
        why=f"{_REFUSED}. Unlike in Python, no comma may stand behind a list's last element.",
        fixable=True,
    ),
    _rule(
        111,
        "unknown-field",
        _problems(ProblemKind.UNKNOWN_FIELD),
        "Every field is one that Triton knows at this place",
        problem="A field's name is misspelt, or the field belongs into another block.",
        bad='backend: "onnxruntime"\nmax_batchsize: 8\n',
        good=_GOOD,
        why=f"{_REFUSED}: no field is passed over.",
    ),
    _rule(
        112,
        "unknown-enum-value",
        _problems(ProblemKind.UNKNOWN_ENUM),
        "Every value of an enumeration is one that Triton knows",
        problem="A data type, an instance's kind or the like is not a name that Triton knows: FP32 for TYPE_FP32.",
        bad='backend: "onnxruntime"\ninput { name: "x" data_type: FP32 dims: [ 1 ] }\n',
        good='backend: "onnxruntime"\ninput { name: "x" data_type: TYPE_FP32 dims: [ 1 ] }\n',
        why=f"{_REFUSED}.",
        fixable=True,
    ),
    _rule(
        113,
        "field-given-twice",
        _problems(ProblemKind.REPEATED_SCALAR),
        "A field that has one value is given once",
        problem=(
            "A field is given twice in one block. A warning where the first value is the default, which Triton takes."
        ),
        bad='backend: "onnxruntime"\nmax_batch_size: 8\nmax_batch_size: 16\n',
        good=_GOOD,
        why=f"{_REFUSED}, also where both values are the same.",
    ),
    _rule(
        114,
        "exclusive-fields",
        _problems(ProblemKind.ONEOF),
        "Of fields that exclude each other one is given",
        problem="Two schedulers, two version policies or two sequence strategies are configured.",
        bad='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { }\nsequence_batching { }\n',
        good=f"{_GOOD}dynamic_batching {{ }}\n",
        why=f"{_REFUSED}. dynamic_batching, sequence_batching and ensemble_scheduling exclude each other.",
    ),
    _rule(
        115,
        "number-out-of-range",
        _problems(ProblemKind.OUT_OF_RANGE),
        "Numbers fit into their fields",
        problem="A number is too large or too small for its field, or negative where none may be.",
        bad='backend: "onnxruntime"\nmax_batch_size: 9999999999\n',
        good=_GOOD,
        why=f"{_REFUSED}.",
    ),
    _rule(
        116,
        "wrong-type",
        _problems(ProblemKind.WRONG_TYPE),
        "Every value is of its field's type",
        problem="A number stands in quotes, a text without, a block where a value belongs, or the like.",
        bad='backend: "onnxruntime"\nmax_batch_size: "8"\n',
        good=_GOOD,
        why=f"{_REFUSED}.",
        fixable=True,
    ),
    _rule(
        117,
        "duplicate-map-key",
        _problems(ProblemKind.DUPLICATE_KEY),
        "Every key of a map is given once",
        problem="Two entries of `parameters`, `input_map` or another map have the same key.",
        bad=(
            'backend: "python"\nparameters { key: "a" value { string_value: "1" } }\n'
            'parameters { key: "a" value { string_value: "2" } }\n'
        ),
        good='backend: "python"\nparameters { key: "a" value { string_value: "1" } }\n',
        why="Triton takes the last one without a word.",
    ),
    _rule(
        118,
        "config-encoding",
        _problems(ProblemKind.BOM, ProblemKind.ENCODING),
        "config.pbtxt is UTF-8 without byte order mark",
        problem="The file begins with a byte order mark, is UTF-16, or has bytes that are no UTF-8.",
        bad=f"--- ranker/config.pbtxt\nhex: efbbbf{_GOOD.encode().hex()}\n--- ranker/1/model.onnx\na model\n",
        good=_GOOD,
        why=f"{_REFUSED}. Editors on Windows write the mark.",
        fixable=True,
    ),
    _rule(
        119,
        "newer-field",
        _newer,
        "The server knows every field",
        problem="A field came with a newer Triton than the one given, or than this checker knows.",
        bad='backend: "onnxruntime"\nmodel_metrics { }\n',
        good=_GOOD,
        why=(
            f"Where the server is older, {_REFUSED[0].lower()}{_REFUSED[1:]}. Where its version is not given, it is "
            "only told."
        ),
    ),
)
