"""The configuration is loaded again when it may have changed, and a bad one is complained about once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triton_watch.config import ConfigError, ConfigUnreadableError, load_apart
from triton_watch.daemon.reload import ConfigWatcher

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "targets:\n  - url: http://localhost:8000\n"
OTHER = "targets:\n  - url: http://localhost:9000\n"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "triton-watch.yaml"
    path.write_text(GOOD)
    return path


def watcher(file: Path) -> tuple[ConfigWatcher, Clock]:
    clock = Clock()
    return ConfigWatcher(file, load_apart(file), clock=clock), clock


def test_an_unchanged_file_is_not_due_and_a_changed_one_is(file: Path) -> None:
    watched, clock = watcher(file)
    clock.now = 3.0
    assert not watched.due()
    file.write_text(OTHER + "# longer\n")
    clock.now = 6.0
    assert watched.due()
    settings = watched.load()
    assert settings is not None
    assert settings.targets[0].http_url == "http://localhost:9000"
    clock.now = 9.0
    assert not watched.due()


def test_a_file_replaced_through_a_link_is_noticed_as_a_configmap_mount_needs(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    watched, clock = watcher(link)
    new = tmp_path / "new.yaml"
    new.write_text(OTHER)
    fresh = tmp_path / "fresh"
    fresh.symlink_to(new)
    fresh.replace(link)
    clock.now = 3.0
    assert watched.due()


def test_loading_what_is_in_force_already_changes_nothing(file: Path) -> None:
    watched, _ = watcher(file)
    assert watched.load() is None


def test_a_bad_file_is_an_error_that_is_news_once(file: Path) -> None:
    watched, _ = watcher(file)
    file.write_text("targets: 5\n")
    news = []
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            watched.load()
        news.append(watched.is_news(caught.value))
    assert news == [True, False]


def test_a_file_that_vanished_is_unreadable_and_comes_back_as_changed(file: Path) -> None:
    watched, clock = watcher(file)
    file.unlink()
    clock.now = 3.0
    assert watched.due()
    with pytest.raises(ConfigUnreadableError):
        watched.load()
    file.write_text(OTHER)
    clock.now = 6.0
    assert watched.due()
    assert watched.load() is not None


def test_a_secret_in_a_file_of_its_own_is_looked_at_every_few_minutes(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("one")
    file.write_text(GOOD + "    bearer_token_file: token\n")
    watched, clock = watcher(file)
    secret.write_text("two")
    clock.now = 10.0
    assert not watched.due()
    clock.now = 301.0
    assert watched.due()
    settings = watched.load()
    assert settings is not None
    assert settings.targets[0].credentials.bearer_token == "two"


def test_the_child_process_gives_back_every_problem_with_its_place(file: Path) -> None:
    file.write_text("targets:\n  - url: http://localhost:8000\n    intervall: 5s\n")
    with pytest.raises(ConfigError, match="did you mean") as caught:
        load_apart(file)
    assert caught.value.problems[0].line == 3
    assert caught.value.source == str(file)
