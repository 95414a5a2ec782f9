"""docs/recorded.md: every series that the generated rules record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.conventions.recorded import RECORDED
from triton_watch.conventions.recorded_slo import RECORDED_SLO

if TYPE_CHECKING:
    from triton_watch.conventions.recorded import Recorded

_HEAD: Final = """\
# Recorded series

<!-- Generated from agent/triton_watch/conventions/recorded*.py by `make generate`. -->

What the rules of `triton-watch generate rules` record, for dashboards and alerts of your own: the names say level,
metric and operation, as Prometheus's own practice has it. `{window}` stands for one series for each window, such as
`1h`. What is not known is absent. What `--selector` names is a label of each series, too.

Series with `triton_watch` in their names are in [alerts/rules.yaml](../alerts/rules.yaml) and need an agent; those of
servers that run with `--model-namespacing` have the label `model_namespace`, too. All others are in
[alerts/triton.yaml](../alerts/triton.yaml) and need none. [prometheus.md](prometheus.md) says how to load them.

Objectives have the same names in both, but for `triton_watch` and `triton`, and for `target` and `instance`. Mind the
level: `slo_target_model` and `slo_instance_model` are a model version of one server, `slo_model` is a model over all of
its servers.
"""


def render() -> str:
    """Return the page."""
    every = (*RECORDED_SLO, *RECORDED)
    groups = dict.fromkeys(one.group for one in every)
    return "\n".join([_HEAD, *(_group(name, [one for one in every if one.group == name]) for name in groups)])


def _group(name: str, recorded: list[Recorded]) -> str:
    rows = [f"| `{one.name}` | {_words(one)} | {one.unit} | {_labels(one)} |" for one in recorded]
    return "\n".join([f"## {name}", "", "| series | meaning | unit | labels |", "| --- | --- | --- | --- |", *rows, ""])


def _words(one: Recorded) -> str:
    return f"{one.meaning} {one.notes}".rstrip()


def _labels(one: Recorded) -> str:
    return ", ".join(f"`{label}`" for label in one.labels)
