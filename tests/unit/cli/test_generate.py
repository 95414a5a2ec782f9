"""`triton-watch generate`: printed, written or compared, for the defaults or a configuration, with its exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.cli import cli
from triton_watch.config import from_flags
from triton_watch.generate.alerts import alertmanager_yaml
from triton_watch.generate.rules.agent import agent_yaml
from triton_watch.generate.rules.options import RuleOptions
from triton_watch.generate.write import as_yaml, difference, write

if TYPE_CHECKING:
    from click.testing import Result

CONFIG = """\
targets: [{url: "http://localhost:8000"}]
alerts:
  severities: {page: critical, ticket: warning}
  external_labels: {cluster: prod}
  external_url: https://watch.example.net
  overrides:
    - {alerts: TritonGpuMemoryHigh, threshold: 0.5}
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, ["generate", *words], prog_name="triton-watch")


@pytest.mark.parametrize("kind", ["alertmanager", "rules"])
class TestBoth:
    def test_without_a_file_the_defaults_are_printed(self, kind: str) -> None:
        done = call(kind)
        assert (done.exit_code, done.stderr) == (0, "")
        settings = from_flags(["http://localhost:8000"])
        makes = {"alertmanager": alertmanager_yaml(settings), "rules": agent_yaml(settings, RuleOptions())}
        assert done.stdout == makes[kind]
        assert yaml.safe_load(done.stdout)

    def test_a_file_is_written_with_its_folder_and_left_alone_when_it_is_right(self, kind: str, tmp_path: Path) -> None:
        file = tmp_path / "made" / "here.yaml"
        assert call(kind, "--out", str(file)).stdout == f"wrote {file}\n"
        assert file.read_text() == call(kind).stdout
        before = file.stat().st_mtime_ns
        assert call(kind, "-o", str(file)).stdout == f"{file} is as it should be\n"
        assert file.stat().st_mtime_ns == before

    def test_a_check_of_a_right_file_says_nothing(self, kind: str, tmp_path: Path) -> None:
        file = tmp_path / "made.yaml"
        call(kind, "--out", str(file))
        done = call(kind, "--out", str(file), "--check")
        assert (done.exit_code, done.output) == (0, "")

    def test_a_check_of_a_stale_file_prints_how_it_differs_and_changes_nothing(self, kind: str, tmp_path: Path) -> None:
        file = tmp_path / "made.yaml"
        call(kind, "--out", str(file))
        stale = file.read_text().replace("severity", "urgency")
        file.write_text(stale)
        done = call(kind, "--out", str(file), "--check")
        assert done.exit_code == 1
        assert done.stdout.startswith(f"--- {file}\n+++ {file} (generated)\n@@ ")
        assert "\n-" in done.stdout
        assert "\n+" in done.stdout
        assert done.stderr == f"triton-watch: {file} is out of date: run the command again without --check.\n"
        assert file.read_text() == stale

    def test_a_check_of_a_missing_file_finds_it_stale(self, kind: str, tmp_path: Path) -> None:
        file = tmp_path / "made.yaml"
        assert call(kind, "--out", str(file), "--check").exit_code == 1
        assert not file.exists()

    def test_a_link_that_leads_to_itself_is_replaced(self, kind: str, tmp_path: Path) -> None:
        loop = tmp_path / "loop"
        loop.symlink_to(loop)
        assert call(kind, "--out", str(loop), "--check").exit_code == 1
        assert call(kind, "--out", str(loop)).exit_code == 0
        assert loop.read_text() == call(kind).stdout

    def test_a_check_needs_a_file(self, kind: str) -> None:
        done = call(kind, "--check")
        assert done.exit_code == 2
        assert "Give --out FILE" in done.stderr

    def test_what_cannot_be_written_or_read_is_said_in_a_sentence(self, kind: str, tmp_path: Path) -> None:
        binary = tmp_path / "binary"
        binary.write_bytes(b"\xff\xfe\x00")
        folder = f"triton-watch: {tmp_path} is a folder: name a file in it.\n"
        text = "triton-watch: binary is no UTF-8 text: delete it, or choose another --out.\n"
        for words, said in (
            ([str(tmp_path)], folder),
            ([str(tmp_path), "--check"], folder),
            (["binary", "--check"], text),
        ):
            done = call(kind, "--out", *words)
            assert (done.exit_code, done.stdout, done.stderr) == (3, "", said)

    def test_a_configuration_that_is_not_valid_is_a_usage_error(self, kind: str, tmp_path: Path) -> None:
        (tmp_path / "bad.yaml").write_text("targets: []\n")
        assert call(kind, "--config", "bad.yaml").exit_code == 2
        assert call(kind, "--config", "none.yaml").exit_code == 3

    def test_the_file_of_the_working_directory_is_taken_without_being_named(self, kind: str, tmp_path: Path) -> None:
        (tmp_path / "triton-watch.yaml").write_text(CONFIG)
        found = call(kind).stdout
        assert "critical" in found
        assert found == call(kind, "--config", "triton-watch.yaml").stdout


def test_rules_have_the_thresholds_and_links_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    text = call("rules", "--config", "c.yaml").stdout
    assert "triton_watch_gpu_memory_used_ratio > 0.5" in text
    assert "runbook_url: https://watch.example.net/runbooks/TritonTargetDown" in text
    other = call("rules", "-c", "c.yaml", "--external-url", "https://other.example", "--job", "watchers").stdout
    assert "runbook_url: https://other.example/runbooks/TritonTargetDown" in other
    assert 'up{job="watchers"} == 0' in other


def test_rules_without_an_address_lead_to_the_agent_that_prometheus_scrapes() -> None:
    assert "runbook_url: http://{{ $labels.instance }}/runbooks/TritonTargetDown" in call("rules").stdout


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--external-url", "watch"), '--external-url: "watch" has no scheme: write it like https://'),
        (("--external-url", ""), '--external-url: "" has no scheme'),
        (("--external-url", "http://bob:hunter2@a"), "--external-url: has a user name or password in it"),
        (("--job", ""), "--job: is empty: give the name of the job in Prometheus's configuration."),
        (("--job", " "), "--job: is empty: "),
    ],
)
def test_flags_of_rules_that_lead_nowhere_are_usage_errors(words: tuple[str, ...], text: str) -> None:
    done = call("rules", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert text in done.stderr


def test_a_file_is_replaced_whole_and_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    """Who reads it at that moment goes on reading the old text."""
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    with file.open() as reader:
        assert write(link, "new")
        assert reader.read() == "old"
    assert (file.read_text(), file.stat().st_mode & 0o777, link.is_symlink()) == ("new", 0o640, True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "link"]


def test_what_is_no_file_is_written_into_and_stays_what_it_is() -> None:
    null = Path("/dev/null")
    assert write(null, "text")
    assert null.is_char_device()


VALUES = st.recursive(
    st.text(max_size=10) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES)
def test_yaml_says_what_it_was_made_of(value: object) -> None:
    assert yaml.safe_load(as_yaml(value, "a head", "", "of lines")) == value


def test_yaml_has_long_texts_as_blocks_and_no_references() -> None:
    same = ["x"]
    assert as_yaml({"b": "one\ntwo\n", "a": [same, same]}) == "b: |\n  one\n  two\na:\n- - x\n- - x\n"


@given(st.text(alphabet="ab\n\r\u2028"), st.text(alphabet="ab\n\r\u2028"))
def test_texts_differ_exactly_when_the_difference_says_so(
    tmp_path_factory: pytest.TempPathFactory, old: str, new: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "difference.txt"
    file.write_bytes(old.encode())
    assert bool(difference(file, new)) is (old != new)
    assert write(file, new) is (old != new)
    assert (difference(file, new), write(file, new)) == ("", False)


def test_a_missing_end_of_line_shows(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a")
    assert difference(file, "a\n").endswith("-a\n\\ No newline at end of file\n+a\n")
