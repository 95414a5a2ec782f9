"""The real components: tritonserver from the wheel, Prometheus from Debian. A missing one is a failure."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from support.debian import tool
from triton_watch.demo import EmbeddedTriton, example_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BESIDE: Final = frozenset(
    (
        "alertmanager",
        "amtool",
        "annotations",
        "check_differential",
        "check_fix",
        "check_live",
        "client_real",
        "dashboards_ha_pair",
        "dashboards_promtool",
        "gpu_queries",
        "history_prometheus",
        "history_prometheus_access",
        "history_prometheus_objectives",
        "infer_http",
        "promtool",
        "rules_agent",
        "rules_lint",
        "rules_triton",
        "slo_check",
        "store_processes",
    )
)
"""Modules that mostly wait and measure no time: `make test` runs them beside one another."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of these modules."""
    for item in items:
        if item.path.stem.removeprefix("test_") in BESIDE:
            item.add_marker("beside")


@pytest.fixture(scope="session")
def triton() -> Iterator[EmbeddedTriton]:
    """One server with the example models, shared by all tests: leave its models loaded and alive."""
    with EmbeddedTriton(example_repository()) as server:
        yield server


@pytest.fixture
def triton_factory(tmp_path: Path) -> Iterator[Callable[..., EmbeddedTriton]]:
    """Starts servers of a test's own; its options are those of `EmbeddedTriton`. All end with the test."""
    with ExitStack() as stack:

        def start(repository: Path | None = None, **options: Any) -> EmbeddedTriton:
            server = EmbeddedTriton(repository or example_repository(), workdir=tmp_path, **options)
            return stack.enter_context(server)

        yield start


def _required(name: str) -> Path:
    found = tool(name)
    if found is None:
        pytest.fail(f"{name} is missing: python tests/support/debian.py prometheus (or `make test`) gets it")
    return found


@pytest.fixture(scope="session")
def prometheus_bin() -> Path:
    """Debian's Prometheus server."""
    return _required("prometheus")


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Debian's promtool."""
    return _required("promtool")
