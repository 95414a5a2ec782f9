"""Reasons of the core: ensembles, shapes and configurations, each with what it means and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """`pattern` is searched for in the reason, case ignored; its groups may be used in `meaning` and `fix`.

    It is compiled when it is first needed: all of them take 25 ms, which a check without a server need not wait for.
    """

    kind: str
    pattern: str
    meaning: str
    fix: str


def reasons(kind: str, *rows: tuple[str, str, str]) -> tuple[Explanation, ...]:
    """Return explanations of one kind from rows of pattern, meaning and fix."""
    return tuple(Explanation(kind, *row) for row in rows)


MEMBERS = reasons(
    "ensemble",
    (
        r"depends on '(?P<who>[^']+)' which has no loaded version",
        "its member {who} is not loaded",
        "mend {who} first, then load the ensemble again",
    ),
    (r"depends on '(?P<who>[^']+)' which is not valid", "its member {who} is refused itself", "mend {who} first"),
    (
        r"depends on '(?P<who>[^']+)' whose required version (?P<n>-?\d+) is not loaded",
        "a step asks for version {n} of {who}, which is not served",
        "model_version: -1 takes the newest (left out it means 0), or load that version",
    ),
    (
        r"not available or ambiguous: (?P<who>[^;]+)",
        "a member is missing, refused, or there twice: {who}",
        "put {who} into the repository once, and see why it is refused: the log says `Poll failed`",
    ),
    (r"circular dependency", "ensembles depend on each other in a circle", "take one of the steps out"),
    (
        r"allows maximum batch size (?P<n>\d+), but it contains model (?P<who>\S+) which only allows \D*(?P<m>\d+)",
        "it takes batches of {n}, its member {who} only of {m}",
        "max_batch_size: {m} in the ensemble, or raise it in {who}",
    ),
    (
        r"(mapping to|mapped from) non-existing",
        "a step maps a tensor that its model does not have",
        "compare input_map and output_map with the member's inputs and outputs",
    ),
    (
        r"input (?P<what>\S+) in model (?P<who>\S+) is not mapped",
        "{who} needs an input {what}, which no step gives it",
        "add {what} to the input_map of that step",
    ),
    (r"different decoupled models", "a step joins answers of decoupled models", "join them outside of the ensemble"),
)
SHAPES = reasons(
    "shape",
    (
        r"inconsistent (data type|shape)",
        "two models of the ensemble disagree about a tensor between them",
        "make data_type and dims of both ends equal",
    ),
    (
        r"the model expects \d+ dimensions|unexpected shape|shape mismatch|expected shape|invalid dimensions|"
        r"configuration specifies dimensions|doesn't match the size of|has different size for dims and reshape|"
        r"different number of variable-size|dim(ension)?s? .* (does not|doesn't) match|"
        r"shape .* (does not|doesn't) match",
        "the dims of the configuration are not those of the model",
        "write the model's dims; with max_batch_size above 0 leave the first one, the batch, out",
    ),
    (
        r"unable to autofill|autofill failed|support batching|first dimension.*(variable|-1|batch)|"
        r"max_batch_size .* (but|not).* model",
        "the model has no batch dimension, or another than max_batch_size says",
        "max_batch_size: 0 and all dims of the model, or export it with a variable first dimension",
    ),
    (
        r"configuration expects (?P<n>\d+) (?P<what>inputs?|outputs?), model provides (at most )?(?P<m>\d+)",
        "the configuration has {n} {what}, the model {m}",
        "list exactly the model's {what}",
    ),
    (
        r"unexpected inference (input|output) '(?P<what>[^']*)', allowed (inputs|outputs) are: (?P<all>.*)",
        "the model has no tensor called {what}",
        "use one of its names: {all}",
    ),
    (
        r"unexpected datatype|data-?type .* (does not|doesn't) match|datatype mismatch",
        "a data_type of the configuration is not the model's",
        "write the model's types",
    ),
)
CONFIGS = reasons(
    "config",
    (r"model configuration is not provided", "auto-complete is off, and it has no config.pbtxt", "write one"),
    (
        r"appears in two or more repositories|not unique across",
        "several repositories have a model of this name",
        "keep one, or start the server with --model-namespacing=true",
    ),
    (
        r"warm-?up|\[request id: <id_unknown>\]",
        "its warm-up does not fit its inputs",
        "correct model_warmup: shapes, types and files of each input",
    ),
    (r"initial_state|sequence", "its sequence batching is refused", "correct sequence_batching as the reason says"),
    (
        r"rate.?limiter|Resource \"|Resource count",
        "its rate limiter asks for more than there is",
        "raise --rate-limit-resource, or lower the instance group's resources",
    ),
    (r"instance group", "its instance_group is refused", "correct it as the reason says"),
    (
        r"must specify|must be integer|cannot have empty reshape|NHWC|reshape|shape tensors|"
        r"non-linear IO|batch (input|output)|"
        r"unknown (source|target)|target output name|Incorrect value for|unable to parse|in ensemble|for ensemble|stoi",
        "its configuration is refused",
        "correct config.pbtxt as the reason says; `triton-watch check` on the repository shows the line",
    ),
)
