"""The real components: tritonserver from the wheel, Prometheus from Debian. A missing one is a failure."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from support.needed import needed
from triton_watch.demo import EmbeddedTriton, example_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

EXIT_SOON: Final = ("--exit-timeout-secs=3",)
"""A server waits for requests that a dead model never answers: by default for 30 s."""
LONG: Final = (
    "check_differential",
    "slo_parity",
    "deploy_end_to_end",
    "canary_run",
    "expressions",
    "check_fix",
    "alerts",
    "pages",
    "slo_fleet",
    "rules_triton",
    "pages_hostile",
)
"""Of `BESIDE`, those that begin first, so that no processor is idle at the end: three take three minutes and more."""
BESIDE: Final = frozenset(
    (
        *LONG,
        "alertmanager",
        "amtool",
        "annotations",
        "canary_access",
        "check_live",
        "client_real",
        "dashboards_ha_pair",
        "dashboards_promtool",
        "deploy_configs",
        "deploy_docs",
        "deploy_systemd",
        "deploy_helm",
        "deploy_helm_kustomize",
        "deploy_helm_values",
        "deploy_helm_words",
        "discovery",
        "deploy_sandbox",
        "embedded_triton",
        "gpu_queries",
        "history_prometheus",
        "history_prometheus_access",
        "history_prometheus_objectives",
        "infer_http",
        "promtool",
        "rules_agent",
        "rules_lint",
        "slo_check",
        "store_processes",
    )
)
"""Modules that mostly wait and measure no speed: `make test` runs them beside one another."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of these modules, and put the long ones first."""
    for item in items:
        if _module(item) in BESIDE:
            item.add_marker("beside")
    items.sort(key=lambda item: LONG.index(_module(item)) if _module(item) in LONG else len(LONG))


def _module(item: pytest.Item) -> str:
    return item.path.stem.removeprefix("test_")


@pytest.fixture(scope="session")
def triton() -> Iterator[EmbeddedTriton]:
    """One server with the example models, shared by all tests: leave its models loaded and alive."""
    with EmbeddedTriton(example_repository(), extra_args=EXIT_SOON) as server:
        yield server


@pytest.fixture
def triton_factory(tmp_path: Path) -> Iterator[Callable[..., EmbeddedTriton]]:
    """Starts servers of a test's own; its options are those of `EmbeddedTriton`. All end with the test."""
    with ExitStack() as stack:

        def start(repository: Path | None = None, *, extra_args: Sequence[str] = (), **options: Any) -> EmbeddedTriton:
            flags = (*EXIT_SOON, *extra_args)
            server = EmbeddedTriton(repository or example_repository(), workdir=tmp_path, extra_args=flags, **options)
            return stack.enter_context(server)

        yield start


@pytest.fixture(scope="session")
def prometheus_bin() -> Path:
    """Debian's Prometheus server."""
    return needed("prometheus")


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Debian's promtool."""
    return needed("promtool")
