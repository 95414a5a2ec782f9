"""Where the agent listens: a file or a flag first, then TRITON_WATCH_LISTEN, then the loopback address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triton_watch.config import ConfigError, from_flags, load, masked
from triton_watch.records import WebSettings

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "TRITON_WATCH_LISTEN"
TARGETS = "targets: [{host: triton}]\n"


def web(folder: Path, text: str, **environ: str) -> WebSettings:
    file = folder / "triton-watch.yaml"
    file.write_text(TARGETS + text)
    return load(file, environ).web


@pytest.mark.parametrize("text", ["", "web:\n", "web: {}\n"])
def test_the_variable_replaces_the_default(tmp_path: Path, text: str) -> None:
    assert web(tmp_path, text, TRITON_WATCH_LISTEN="0.0.0.0:9003") == WebSettings("0.0.0.0", 9003)
    assert web(tmp_path, text, TRITON_WATCH_LISTEN="[::]:8003") == WebSettings("::", 8003)


def test_without_it_or_with_an_empty_one_the_default_stays(tmp_path: Path) -> None:
    assert web(tmp_path, "") == web(tmp_path, "", TRITON_WATCH_LISTEN="") == WebSettings("127.0.0.1", 8003)


def test_the_file_wins_even_over_a_variable_that_is_no_address(tmp_path: Path) -> None:
    assert web(tmp_path, "web: {listen: 'localhost:1'}\n", TRITON_WATCH_LISTEN="nonsense").port == 1


def test_the_flag_wins_and_the_environment_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0.0.0.0:9003")
    assert from_flags(["http://triton:8000"]).web.port == 9003
    assert from_flags(["http://triton:8000"], listen="127.0.0.1:1").web.port == 1


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("8003", '"8003" is not host:port: write it like 127.0.0.1:8003.'),
        (":8003", '":8003" has no host: write 127.0.0.1:8003 for this machine, 0.0.0.0:8003 for all.'),
        ("http://here:8003", "has a scheme: write host and port alone, such as 127.0.0.1:8003."),
        ("here:99999", "port 99999 does not exist: choose one from 0 to 65535."),
    ],
)
def test_a_value_that_is_no_address_is_told_with_the_variable_and_what_to_write(
    tmp_path: Path, value: str, why: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        web(tmp_path, "", TRITON_WATCH_LISTEN=value)
    (problem,) = caught.value.problems
    assert problem.path == "web.listen"
    assert problem.message == f"is not set, and {VARIABLE} of the environment cannot be used: {why}"


def test_with_flags_the_message_names_the_flag_that_says_it_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "8003")
    with pytest.raises(ConfigError, match=r"--listen: is not set, and TRITON_WATCH_LISTEN"):
        from_flags(["http://triton:8000"])


def test_what_is_in_effect_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "triton-watch.yaml"
    file.write_text(TARGETS)
    assert masked(load(file, {VARIABLE: "0.0.0.0:9003"}))["web"] == {"listen": "0.0.0.0:9003"}
