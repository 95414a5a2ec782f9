"""`triton-watch config` as a user calls it: a real process, its output, errors and exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.web_access import HASH

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[2] / "examples" / "triton-watch.yaml"


def config(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triton_watch", "config", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_check_of_the_example_says_ok() -> None:
    """The example is good as it stands, without a variable set, and one line says so."""
    result = config("check", EXAMPLE)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{EXAMPLE}: ok, 3 targets\n", "")


def test_check_counts_one_target_as_one() -> None:
    """The line reads right for a single target."""
    assert config("check", "minimal.yaml", cwd=HERE / "good").stdout == "minimal.yaml: ok, 1 target\n"


@pytest.mark.parametrize("command", ["check", "show"])
def test_invalid_file_is_exit_code_1_with_all_problems_on_stderr(command: str) -> None:
    """Nothing is on standard output, and each problem is a line on standard error."""
    result = config(command, "several_problems.yaml", cwd=HERE / "bad")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (HERE / "bad" / "several_problems.txt").read_text()


@pytest.mark.parametrize("command", ["check", "show"])
def test_unreadable_file_is_exit_code_3(command: str, tmp_path: Path) -> None:
    """A file that is not there could not be checked: that is not a finding."""
    result = config(command, "absent.yaml", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == "absent.yaml: does not exist: give the path of the configuration file.\n"


def test_check_takes_in_the_web_configuration(tmp_path: Path) -> None:
    """What it asks for in vain is a warning, what is wrong with it an error; a hash is shown by none."""
    (tmp_path / "triton-watch.yaml").write_text("targets: [{host: a}]\nweb: {config_file: web.yml}\n")
    (tmp_path / "web.yml").write_text(f"http_server_config: {{http2: true}}\nbasic_auth_users: {{reader: {HASH}}}\n")
    good = config("check", "triton-watch.yaml", cwd=tmp_path)
    assert (good.returncode, good.stdout) == (0, "triton-watch.yaml: ok, 1 target\n")
    assert good.stderr.startswith("web.yml: warning: http_server_config.http2: the agent speaks HTTP/1.1 alone")
    shown = config("show", cwd=tmp_path).stdout
    assert "config_file: web.yml" in shown
    assert "$2" not in shown
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{reader: {HASH[:-1]}}}\n")
    bad = config("check", "triton-watch.yaml", cwd=tmp_path)
    assert bad.returncode == 1
    assert bad.stderr.startswith("triton-watch.yaml:2: web.config_file: web.yml:1: basic_auth_users.reader: is not a ")
    assert "$2" not in bad.stderr


def test_wrong_usage_is_exit_code_2() -> None:
    """No file given."""
    assert config("check").returncode == 2


def test_show_reads_the_file_of_the_working_directory(tmp_path: Path) -> None:
    """Without FILE it is triton-watch.yaml, and the output is YAML with the secrets masked."""
    (tmp_path / "triton-watch.yaml").write_text("targets: [{host: a, bearer_token: hunter2}]\n")
    result = config("show", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("targets:\n- name: a:8000\n")
    assert "bearer_token: <secret>" in result.stdout
    assert "hunter2" not in result.stdout


def test_schema_is_printed_as_json() -> None:
    """What an editor is given is JSON."""
    assert json.loads(config("schema").stdout)["title"] == "triton-watch.yaml"


@pytest.mark.parametrize("command", [(), ("check",), ("show",), ("schema",)])
def test_help_fits_a_screen_and_has_an_example(command: tuple[str, ...]) -> None:
    """At most 24 lines of 100 characters, with a command to copy."""
    lines = config(*command, "--help").stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert "  Example:" in lines


def test_importing_the_command_imports_no_pydantic() -> None:
    """Start-up stays fast: the schema and YAML are imported only when a command needs them."""
    code = "import sys, triton_watch.cli.config; print([m for m in ('pydantic', 'yaml') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_importing_the_configuration_imports_nothing_heavy() -> None:
    """The daemon's memory is capped: loading a configuration costs pydantic and yaml, nothing more."""
    code = (
        "import sys, triton_watch.config as c; c.from_flags(['http://a']); "
        "print([m for m in ('requests', 'rich', 'jinja2', 'grpc', 'jsonschema', 'apscheduler', 'click') "
        "if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
