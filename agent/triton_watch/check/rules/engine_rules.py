"""0xx: what the check finds about itself, and about the comments that silence it."""

from __future__ import annotations

from triton_watch.check.rule import Rule, Scope, found_by_engine
from triton_watch.records import Severity

_OURS = "triton-watch itself; Triton ignores comments."
_GOOD = """\
# triton-watch: ignore=no-dynamic-batching the clients send whole batches
name: "ranker"
backend: "onnxruntime"
max_batch_size: 8
"""

CRASHED = Rule(
    id="TW001",
    slug="rule-crashed",
    severity=Severity.WARNING,
    scope=Scope.ENGINE,
    title="Every rule runs to its end",
    problem="A rule stopped with an error of its own. Its other findings about this model, repository or file may be "
    "missing; all other rules ran.",
    bad="A file that no author of the rule thought of.",
    good="The same file, and a triton-watch in which the rule is mended.",
    why="A defect in a linter must not hide what its other rules find, and must not look like a clean result either.",
    source=_OURS,
    check=found_by_engine,
)

UNUSED = Rule(
    id="TW002",
    slug="unused-suppression",
    severity=Severity.WARNING,
    scope=Scope.ENGINE,
    title="A suppression silences something",
    problem="A comment `# triton-watch: ignore=…` names a rule that finds nothing where the comment counts. On a line "
    "of its own outside of any block it counts for the whole model; at the end of a line, for that line; on a line of "
    "its own inside a block, for the field below it.",
    bad="""\
# triton-watch: ignore=no-dynamic-batching the clients send whole batches
name: "ranker"
backend: "onnxruntime"
max_batch_size: 8
dynamic_batching { }
""",
    good=_GOOD,
    why="What it once excused is mended, or stands in another place. Left alone, it silences the next real finding.",
    source=_OURS,
    check=found_by_engine,
)

UNKNOWN_RULE = Rule(
    id="TW003",
    slug="unknown-rule-in-suppression",
    severity=Severity.WARNING,
    scope=Scope.ENGINE,
    title="A suppression names rules that exist",
    problem="A comment `# triton-watch: ignore=…` names a rule that does not exist, by its id or its slug.",
    bad="""\
# triton-watch: ignore=no-dynamic-baching the clients send whole batches
name: "ranker"
backend: "onnxruntime"
max_batch_size: 8
""",
    good=_GOOD,
    why="It silences nothing: the finding is still there, or the rule that was meant has another name by now.",
    source=_OURS,
    check=found_by_engine,
)

NO_REASON = Rule(
    id="TW004",
    slug="suppression-without-reason",
    severity=Severity.INFO,
    scope=Scope.ENGINE,
    title="A suppression says why",
    problem="A comment `# triton-watch: ignore=…` ends behind the names of the rules.",
    bad="""\
# triton-watch: ignore=no-dynamic-batching
name: "ranker"
backend: "onnxruntime"
max_batch_size: 8
""",
    good=_GOOD,
    why="Whoever reads it later cannot tell whether it still holds.",
    source=_OURS,
    check=found_by_engine,
)

MALFORMED = Rule(
    id="TW005",
    slug="malformed-suppression",
    severity=Severity.WARNING,
    scope=Scope.ENGINE,
    title="A suppression can be read",
    problem="A comment begins like a suppression, but is none. Its form is `# triton-watch: ignore=TW403,TW311 why`.",
    bad="""\
# triton-watch: ignore no-dynamic-batching the clients send whole batches
name: "ranker"
backend: "onnxruntime"
max_batch_size: 8
""",
    good=_GOOD,
    why="It silences nothing, and nobody would notice.",
    source=_OURS,
    check=found_by_engine,
)

RULES: tuple[Rule, ...] = (CRASHED, UNUSED, UNKNOWN_RULE, NO_REASON, MALFORMED)
