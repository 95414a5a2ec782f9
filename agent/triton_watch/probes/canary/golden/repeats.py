"""Judge, from the answers to one input sent several times, how a later answer can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.probes.canary.golden import measures
from triton_watch.probes.canary.golden.compare import difference
from triton_watch.probes.canary.golden.rules import Method, Rule, default_rule, rounded, scale_of
from triton_watch.triton.infer.messages import BYTES, FLOATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.probes.canary.golden.model import Tensors
    from triton_watch.triton.infer.messages import Tensor

MARGIN = 4.0
"""A loosened rule allows so many times the spread that was seen."""
ALIKE = 0.98
"""Answers of a lower cosine similarity have no more in common than their class."""
WIDEST = 0.5
"""Limits with a higher rtol would let anything pass."""
_DIRECTED = 8
"""Values that a vector needs at least for its direction to say something."""

_SEED = "give it a fixed seed (canary parameters), or exclude the output (method ignore)"


@dataclass(frozen=True, slots=True)
class RepeatVerdict:
    """`rules` by output. `notes` has a sentence for each rule that is not the default, `refusals` for what has none.

    Where the answers have not even the same form there are no rules at all.
    """

    rules: Mapping[str, Rule] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def judge_repeats(answers: Sequence[Sequence[Tensors]]) -> RepeatVerdict:
    """`answers` has one entry for each repeat: its responses, in order. The first repeat is the golden one."""
    refusals = _unlike_forms(answers)
    if refusals:
        return RepeatVerdict(refusals=refusals)
    rules: dict[str, Rule] = {}
    notes, refused = [], []
    for name in dict.fromkeys(name for response in answers[0] for name in response):
        rule, sentence = _judged(name, [[one[name] for one in repeat if name in one] for repeat in answers])
        if rule is None:
            refused.append(sentence)
            continue
        rules[name] = rule
        notes += [sentence] if sentence else []
    return RepeatVerdict(rules, tuple(notes), tuple(refused))


def merged(verdicts: Sequence[RepeatVerdict]) -> RepeatVerdict:
    """The verdicts on several variants of the input as one: of two rules for an output the more lenient."""
    rules: dict[str, Rule] = {}
    for name, rule in (item for verdict in verdicts for item in verdict.rules.items()):
        rules[name] = _lenient(rules[name], rule) if name in rules else rule
    notes = dict.fromkeys(note for verdict in verdicts for note in verdict.notes)
    refusals = dict.fromkeys(refusal for verdict in verdicts for refusal in verdict.refusals)
    return RepeatVerdict(rules, tuple(notes), tuple(refusals))


def _unlike_forms(answers: Sequence[Sequence[Tensors]]) -> tuple[str, ...]:
    if not answers or not answers[0]:
        return ("the model sent no response: there is nothing to record",)
    for repeat in answers[1:]:
        if len(repeat) != len(answers[0]):
            counts = f"{len(answers[0])} responses to the first request and {len(repeat)} to a repeat of it"
            return (f"the model sent {counts}: give it a fixed seed or a fixed length (canary parameters)",)
    forms = [[{name: _form(tensor) for name, tensor in one.items()} for one in repeat] for repeat in answers]
    for form in forms[1:]:
        for first, other in zip(forms[0], form, strict=True):
            for name in sorted(first.keys() | other.keys()):
                one, two = first.get(name, "absent"), other.get(name, "absent")
                if one != two:
                    return (f'output "{name}" was {one} in the first answer and {two} in a repeat: {_SEED}',)
    return ()


def _form(tensor: Tensor) -> str:
    return f"{tensor.datatype} {list(tensor.shape)}"


def _judged(name: str, repeats: Sequence[Sequence[Tensor]]) -> tuple[Rule | None, str]:
    first = repeats[0]
    datatype = first[0].datatype
    rule = default_rule(datatype, scale_of(first))
    pairs = [pair for repeat in repeats[1:] for pair in zip(first, repeat, strict=True)]
    found = _first_difference(pairs, rule)
    if not found:
        return rule, ""
    varies = f'output "{name}" varies between repeats'
    if datatype not in FLOATS:
        what = "texts" if datatype == BYTES else "values"
        return None, f"{varies}, and its {what} are compared exactly ({found}): {_SEED}"
    other = _loosened(rule, pairs) or _top1(pairs)
    if other is None:
        return None, f"{varies} by more than any comparison allows ({found}): {_SEED}"
    return other, f"{varies} ({found}): it is compared by {_in_words(other)}"


def _first_difference(pairs: Sequence[tuple[Tensor, Tensor]], rule: Rule) -> str:
    return next((text for one, other in pairs if (text := difference(one, other, rule))), "")


def _loosened(rule: Rule, pairs: Sequence[tuple[Tensor, Tensor]]) -> Rule | None:
    """Wider limits where the answers point the same way; where those would be too wide, the direction alone."""
    vectors = [(measures.numbers(one), measures.numbers(other)) for one, other in pairs]
    similarities = [measures.cosine(one, other) for one, other in vectors]
    if not all(similarity >= ALIKE for similarity in similarities):  # NaN is not
        return None
    limits = (rule.rtol, rule.atol)
    times = MARGIN * max(measures.excess(one, measures.gaps(one, other), limits) for one, other in vectors)
    wider = Rule(Method.CLOSE, rounded(rule.rtol * times), rounded(rule.atol * times))
    if wider.rtol <= WIDEST and not _first_difference(pairs, wider):
        return wider
    if all(one.size >= _DIRECTED for one, _ in vectors):
        return Rule(Method.COSINE, least=float(f"{1 - MARGIN * (1 - min(similarities)):.2f}"))
    return None


def _top1(pairs: Sequence[tuple[Tensor, Tensor]]) -> Rule | None:
    rule = Rule(Method.TOP1)
    has_classes = all(one.shape and one.shape[-1] >= 2 for one, _ in pairs)
    return rule if has_classes and not _first_difference(pairs, rule) else None


def _in_words(rule: Rule) -> str:
    if rule.method is Method.TOP1:
        return "its largest value alone"
    if rule.method is Method.COSINE:
        return f"its direction, with a cosine similarity of at least {rule.least:g}"
    return f"wider limits, rtol {rule.rtol:g} and atol {rule.atol:g}"


_LENIENCY = (Method.EXACT, Method.CLOSE, Method.COSINE, Method.TOP1)


def _lenient(one: Rule, other: Rule) -> Rule:
    if one.method is other.method:
        return Rule(one.method, max(one.rtol, other.rtol), max(one.atol, other.atol), min(one.least, other.least))
    return max(one, other, key=lambda rule: _LENIENCY.index(rule.method))
