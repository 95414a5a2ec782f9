"""triton-watch.yaml of the working directory: found, not there, or out of reach of the user who runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_CALL = """
import ctypes, os, sys
os.chdir(sys.argv[1])
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: without them modes bind root, too
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP, as of the next exec
os.chmod(".", int(sys.argv[2], 8))
if os.geteuid() == 0:
    os.chown(".", 65534, 65534)
os.execv(sys.executable, [sys.executable, "-m", "triton_watch", *sys.argv[3:]])
"""
"""Closes the folder when it is in it, as a container runtime enters a WORKDIR before it becomes the user."""


def called(folder: Path, mode: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Call triton-watch in a folder that somebody else owns, where the tests run as root; else in one of this user."""
    command = [sys.executable, "-c", _CALL, str(folder), mode, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("config", "check", "triton-watch.yaml"),
        ("alerts", "list"),
        ("alerts", "test"),
        ("check", "."),
        ("canary", "list"),
        ("generate", "rules"),
        ("top", "--once"),
    ],
    ids=" ".join,
)
def test_a_working_directory_that_may_not_be_read_is_said_as_config_check_says_it(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "triton-watch.yaml").write_text("targets: [{url: 'http://localhost:8000'}]\n")
    done = called(folder, "0700" if os.geteuid() == 0 else "0000", *words)
    folder.chmod(0o755)
    sentence = "triton-watch.yaml: may not be read by this user: change its owner or mode.\n"
    assert (done.returncode, done.stderr.removeprefix("triton-watch: ")) == (3, sentence)


def test_where_nothing_says_what_to_watch_the_folder_is_named_that_was_looked_in(tmp_path: Path) -> None:
    done = called(tmp_path, "0755", "run")
    assert done.returncode == 2
    assert f"give --target URL, --config FILE, or put triton-watch.yaml into {tmp_path}." in done.stderr
