"""The real components: tritonserver from the wheel, Prometheus from Debian. A missing one is a failure."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from support.debian import tool
from triton_watch.demo import EmbeddedTriton, example_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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
