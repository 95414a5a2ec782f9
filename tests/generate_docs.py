"""Write generated files: docs/, alerts/, dashboards/, deploy/; with --check, only show how they differ (exit 1)."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from support import helm_chart, helm_schema
from triton_watch.check import rules_docs
from triton_watch.config import docs as configuration_docs
from triton_watch.config import from_flags
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.daemon import metrics_docs
from triton_watch.daemon.api import openapi
from triton_watch.generate import pages, recorded_docs, write
from triton_watch.generate.dashboards import Context
from triton_watch.generate.files import all_files
from triton_watch.generate.kubernetes import ObjectOptions
from triton_watch.generate.rules.options import RuleOptions

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
ALERTS = ROOT / "alerts"
DEFAULTS = from_flags(["http://localhost:8000"])
"""Of the generated files that depend on a configuration the default one is committed."""
MONITORING = all_files(Context(DEFAULTS), RuleOptions(), ObjectOptions())
"""What `triton-watch generate all --out .` writes here."""
CHART_FILES = helm_chart.chart_files(MONITORING)


def _alerts_page() -> str:
    path = ROOT / "docs" / "alerts.md"
    return pages.with_table(path.read_text(), DEFAULTS.slo.objectives)


GENERATED: list[tuple[Path, Callable[[], str]]] = [
    (ROOT / "docs" / "metrics.md", metrics_docs.render),
    (ROOT / "docs" / "configuration.md", configuration_docs.render),
    (ROOT / "docs" / "rules.md", rules_docs.render),
    (ROOT / "docs" / "alerts.md", _alerts_page),
    (ROOT / "docs" / "recorded.md", recorded_docs.render),
    (ROOT / "agent" / "triton_watch" / "daemon" / "api" / "openapi.json", openapi.render),
    *((ROOT / path, partial(str, text)) for path, text in MONITORING.items()),
    *((path, partial(str, text)) for path, text in CHART_FILES.items()),
    (helm_chart.CHART / "README.md", helm_chart.readme),
    (helm_schema.FILE, helm_schema.render),
    *((ALERTS / "runbooks" / f"{name}.md", partial(pages.page, name, DEFAULTS.slo.objectives)) for name in ALERT_NAMES),
]


def outdated() -> list[Path]:
    """The generated pages whose text in the working tree is not what their renderer makes."""
    return [path for path, render in GENERATED if not path.exists() or path.read_text() != render()]


def left_over() -> list[Path]:
    """Files that nothing makes any more, in the folders of generated ones."""
    made = {path for path, _ in GENERATED}
    runbooks = [path for path in sorted((ALERTS / "runbooks").glob("*.md")) if path not in made]
    return [*runbooks, *write.left_over(ROOT, MONITORING), *helm_chart.left_over(CHART_FILES)]


def main() -> int:
    """Write or check; return the exit status."""
    stale, others, renderers = outdated(), left_over(), dict(GENERATED)
    if "--check" in sys.argv[1:]:
        for path in stale:
            sys.stdout.write(write.difference(path, renderers[path]()))
        for path in (*stale, *others):
            sys.stderr.write(f"{path.relative_to(ROOT)} is out of date: run `make generate`.\n")
        return 1 if stale or others else 0
    for path in others:
        path.unlink()
        sys.stdout.write(f"removed {path.relative_to(ROOT)}\n")
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(renderers[path]())
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
