"""All rules about deployment manifests, 700-779; the rest of them is in the modules beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Hit, Rule, Scope
from triton_watch.check.rules import (
    manifest_asking,
    manifest_checks,
    manifest_flags,
    manifest_metrics,
    manifest_probes,
    manifest_resources,
    manifest_serving,
    manifest_words,
)
from triton_watch.check.rules.manifest_parts import pod
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.records import Manifest
    from triton_watch.check.options import Options


def _broken(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    broken = manifest.broken
    if broken is not None:
        severity = None if broken.refused else Severity.WARNING
        yield Hit(broken.message, broken.fix, manifest.path, broken.span, manifest.text, severity=severity)


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW700",
        slug="manifest-unreadable",
        severity=Severity.ERROR,
        scope=Scope.MANIFEST,
        title="A manifest is YAML",
        problem="The file looks like a manifest of Triton and cannot be read to its end. A warning for a template that "
        "was given by name, and for a file that is only too large for this check.",
        bad=pod() + "    ports: [{containerPort: 8000}\n",
        good=pod() + "    ports: [{containerPort: 8000}]\n",
        why="Neither Kubernetes nor Compose take it, and nothing behind the fault was checked. A template, such as a "
        "Helm chart's, has to be rendered first.",
        source="YAML 1.1, as libyaml reads it",
        check=_broken,
    ),
    *manifest_probes.RULES,
    *manifest_asking.RULES,
    *manifest_checks.RULES,
    *manifest_metrics.RULES,
    *manifest_flags.RULES,
    *manifest_serving.RULES,
    *manifest_words.RULES,
    *manifest_resources.RULES,
)
