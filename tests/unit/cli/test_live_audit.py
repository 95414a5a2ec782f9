"""The check of a server that the agent watches: what it finds, and when it gives up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.fake_triton import FakeTriton
from support.misbehaving import Server
from triton_watch.cli.live_audit import AuditError, audit, audit_apart
from triton_watch.records import CheckSettings, Target
from triton_watch.triton.errors import TritonError

if TYPE_CHECKING:
    from pathlib import Path


def target_of(url: str, *repositories: Path) -> Target:
    return Target("t", url, f"{url}/metrics", "", model_repositories=repositories)


def test_a_live_server_is_checked_by_the_rules_of_the_check_section() -> None:
    with Server(FakeTriton()) as server:
        found = audit(target_of(server.url), CheckSettings())
        assert {one.rule[:3] for one in found} <= {"TW7", "TW8"}
        assert found, "a server of one model without health checks and the like has something to be said of it"
        rule = found[0].rule
        assert rule not in {one.rule for one in audit(target_of(server.url), CheckSettings(ignore=(rule,)))}


def test_a_server_that_does_not_answer_cannot_be_checked() -> None:
    with pytest.raises(TritonError):
        audit(target_of("http://127.0.0.1:1"), CheckSettings())


def test_a_baseline_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with Server(FakeTriton()) as server, pytest.raises(Exception, match="cannot be read"):
        audit(target_of(server.url), CheckSettings(baseline=tmp_path / "none.json"))


def test_a_child_process_finds_the_same_and_its_errors_are_sentences() -> None:
    with Server(FakeTriton()) as server:
        target = target_of(server.url)
        assert audit_apart(target, CheckSettings()) == audit(target, CheckSettings())
    with pytest.raises(AuditError, match="refused the connection"):
        audit_apart(target_of("http://127.0.0.1:1"), CheckSettings())


def test_a_repository_that_is_not_there_is_a_sentence_that_names_the_setting(tmp_path: Path) -> None:
    with Server(FakeTriton()) as server, pytest.raises(AuditError) as error:
        audit_apart(target_of(server.url, tmp_path / "models"), CheckSettings())
    assert str(error.value) == (
        f"model_repository: {tmp_path / 'models'} cannot be read (No such file or directory): "
        "mount it where the agent runs, or correct the setting"
    )
