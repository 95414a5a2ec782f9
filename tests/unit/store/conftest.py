"""A state directory and a daemon's keeper on it, for each test anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.file_modes import public_folder
from unit.store.daemons import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder() -> Iterator[Path]:
    with public_folder() as folder:
        yield folder


@pytest.fixture
def daemon(folder: Path) -> Iterator[Daemon]:
    daemon = Daemon(folder / "state")
    yield daemon
    daemon.keeper.close()
