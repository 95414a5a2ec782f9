"""`triton-watch slo`: objectives in words, what a server has of them, and OpenSLO there and back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from support.fake_triton import LATER_PAGE, FakeTriton
from support.misbehaving import Server, http_answer
from triton_watch.cli.slo import command
from triton_watch.config import load_slo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

    from support.misbehaving import Connection

EXAMPLE = Path(__file__).parents[3] / "examples" / "slo.yaml"


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], prog_name="triton-watch slo")


def written(folder: Path, *objectives: str, more: str = "") -> Path:
    path = folder / "slo.yaml"
    path.write_text("\n".join([more, "slo:", "  objectives:", *(f"    - {{{one}}}" for one in objectives)]))
    return path


@pytest.fixture
def server() -> Iterator[Server]:
    """A healthy Triton that served some requests of its one model between two polls."""
    with Server(FakeTriton()) as running:
        yield running


def test_the_example_reads_like_a_promise() -> None:
    done = call("check", EXAMPLE)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:5] == [
        "availability",
        "  99.9% of requests to every model are answered without an error over 30 days: 43.2 min of budget.",
        "  Pages when the budget burns 14.4x over 1h and 5m, or 6x over 6h and 30m.",
        "  Makes a ticket when the budget burns 3x over 1d and 2h, or 1x over 3d and 6h.",
        "  What every caller is promised.",
    ]
    assert "  For text_large: 95% of requests wait under 200 ms, 1.5 d of budget." in lines
    assert lines[-1] == f"{EXAMPLE}: ok, 6 objectives"


def test_a_configuration_without_objectives_shows_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "triton-watch.yaml"
    path.write_text("targets: [{host: a}]\n")
    lines = call("check", path).stdout.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "availability",
        "queue-time",
        "batch-efficiency",
        f"{path}: the default objectives, as it has none",
    ]


def test_odd_objectives_are_noted_and_no_error(tmp_path: Path) -> None:
    done = call("check", written(tmp_path, "name: a, sli: availability, objective: 99%, alerts: []"))
    assert done.exit_code == 0
    assert "note: a alerts nobody: its alerts are empty, so that only reports show it." in done.stdout.splitlines()


def test_what_is_wrong_is_on_stderr_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "name: a, sli: availability, objective: 100%")
    done = call("check", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{path}:4: slo.objectives[0].objective: 100% leaves no error budget")


def test_an_unreadable_file_is_exit_code_3(tmp_path: Path) -> None:
    for name in ("check", "export", "import"):
        done = call(name, tmp_path / "absent.yaml")
        assert (done.exit_code, done.stdout) == (3, "")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("check", "--live"),
        ("check", EXAMPLE, "--live", "--target", "http://a"),
        ("check", EXAMPLE, "--timeout", "1s"),
        ("import",),
        ("export", EXAMPLE, "--service", "My Service"),
    ],
)
def test_wrong_usage_is_exit_code_2(words: tuple[str | Path, ...]) -> None:
    done = call(*words)
    assert done.exit_code == 2
    assert done.stdout == ""


def test_json_has_settings_sentence_and_windows() -> None:
    data = json.loads(call("check", EXAMPLE, "--json").stdout)
    first = data["objectives"][0]
    assert (data["version"], data["are_defaults"], data["warnings"], data["notes"]) == (1, False, [], [])
    assert (first["name"], first["objective"], first["budget_seconds"]) == ("availability", "99.9%", 2592.0)
    assert first["windows"][0] == {
        "severity": "page",
        "factor": 14.4,
        "long_seconds": 3600.0,
        "short_seconds": 300.0,
        "hold_seconds": 120.0,
    }
    assert "models_covered" not in first


def test_a_server_that_has_everything_is_good(tmp_path: Path) -> None:
    """Between the two polls the page becomes a later one, so that there is traffic to see."""
    triton = FakeTriton()

    def busy(connection: Connection) -> None:
        if triton.asked["/metrics"]:
            triton.change("metrics", http_answer(LATER_PAGE))
        triton(connection)

    path = written(
        tmp_path,
        "name: answers, sli: availability, objective: 99%",
        "name: batches, sli: batch_efficiency, threshold: 0.5, objective: 90%",
        "name: waits, sli: queue_time, threshold: 50ms, objective: 99%",
    )
    with Server(busy) as running:
        done = call("check", path, "-t", running.url, "--metrics-url", f"{running.url}/metrics", "--json")
    data = json.loads(done.stdout)
    assert (done.exit_code, data["warnings"]) == (0, [])
    covered = {one["name"]: one["models_covered"] for one in data["objectives"]}
    assert covered["answers"] == [
        {"target": f"localhost:{running.port}", "model": "matmul", "version": "1", "value": 1.0}
    ]
    assert all(covered[name][0]["value"] > 0 for name in ("batches", "waits"))


def test_what_a_server_lacks_is_a_warning_and_exit_code_1(server: Server, tmp_path: Path) -> None:
    """The page stands still: no traffic is shown and is no warning, what can never be measured is one."""
    path = written(
        tmp_path,
        "name: answers, sli: availability, objective: 99%",
        "name: other, sli: availability, objective: 99.9%, models: 'rank*'",
        "name: elsewhere, sli: availability, objective: 98%, targets: gpu-*",
        "name: p99, sli: request_time, quantile: 0.77, threshold: 1s, objective: 99%",
        "name: token, sli: ttft, threshold: 1s, objective: 99%",
    )
    done = call("check", path, "-t", server.url, "--metrics-url", f"{server.url}/metrics")
    name = f"localhost:{server.port}"
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert f"  {name}: matmul v1 (no traffic)" in lines
    text = " ".join(done.stdout.partition("warning: ")[2].partition(f"{path}: ok")[0].split())  # long ones are wrapped
    assert [warning.rstrip(" .") for warning in text.split("warning: ")] == [
        f"other covers no model on {name}: check its models (rank*)",
        f"elsewhere covers no model on {name}: check its targets (gpu-*)",
        f"p99 has no data for matmul on {name}: its quantile is not served: start Triton with --metrics-config "
        "summary_latencies=true (a model with a response cache has no request quantiles)",
        f"token has no data for matmul on {name}: the server does not serve the first-response histogram "
        "(Triton 24.11, histogram_latencies=true)",
    ]
    assert lines[-1] == f"{path}: ok, 5 objectives; 1 of 1 servers answered, 4 warnings"


def test_live_asks_the_targets_of_the_file(server: Server, tmp_path: Path) -> None:
    """One that answers and one that does not: the silent one is a warning."""
    targets = (
        f"targets: [{{name: gpu-0, url: '{server.url}', metrics_url: '{server.url}/metrics'}},\n"
        "  {name: gpu-1, url: 'http://localhost:1'}]"
    )
    path = written(tmp_path, "name: a, sli: availability, objective: 99%, targets: gpu-0", more=targets)
    done = call("check", path, "--live")
    assert done.exit_code == 1
    assert "  gpu-0: matmul v1 (no traffic)" in done.stdout.splitlines()
    assert "warning: gpu-1 did not answer as Triton does: " in done.stdout
    assert done.stdout.rstrip().endswith("ok, 1 objective; 1 of 2 servers answered, 1 warning")


def test_no_server_at_all_is_exit_code_3(tmp_path: Path) -> None:
    path = written(tmp_path, "name: a, sli: availability, objective: 99%")
    done = call("check", path, "--target", "http://localhost:1")
    assert done.exit_code == 3
    assert "0 of 1 servers answered" in done.stdout


def test_an_export_imports_to_the_same_objectives(tmp_path: Path) -> None:
    """By files in a folder, as other tools want them."""
    done = call("export", EXAMPLE, "--out", tmp_path / "openslo")
    files = sorted((tmp_path / "openslo").glob("*.yaml"))
    assert done.exit_code == 0
    assert len(files) == len(done.stdout.splitlines()) == 6
    again = tmp_path / "again.yaml"
    imported = call("import", *files)
    assert (imported.exit_code, imported.stderr) == (0, "")
    again.write_text(imported.stdout)
    assert _by_name(again) == _by_name(EXAMPLE)


def _by_name(path: Path) -> dict[str, Any]:
    return {objective.name: objective for objective in load_slo(path, {}).objectives}


def test_an_export_is_printed_unless_it_has_a_place(tmp_path: Path) -> None:
    done = call("export", EXAMPLE)
    assert done.stdout.count("apiVersion: openslo/v1") == 6
    (tmp_path / "file").touch()
    refused = call("export", EXAMPLE, "--out", tmp_path / "file")
    assert refused.exit_code == 3
    assert refused.stderr.startswith(f"triton-watch: {tmp_path}/file cannot be written (")


def test_what_is_no_objective_is_named_and_nothing_printed(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text("{apiVersion: openslo/v1, kind: Service, metadata: {name: search}}")
    done = call("import", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{path}: Service search is not read: only SLO and SLI are.",
        "triton-watch: there is no document of kind SLO: nothing to import.",
    ]


def test_a_document_that_is_not_understood_is_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text("{apiVersion: openslo/v1, kind: SLO, metadata: {name: a}, spec: {objectives: [{target: 0.9}]}}")
    done = call("import", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"{path}: SLO a: spec.indicatorRef: is missing.\n"


def test_a_dollar_goes_through_import_and_check_unchanged(tmp_path: Path) -> None:
    """What looks like a variable in a document is text, and stays it in the printed section."""
    path = written(tmp_path, "name: a, sli: availability, objective: 99%, description: 'costs $${HOME} $5 $$$$'")
    exported, printed = tmp_path / "openslo.yaml", tmp_path / "printed.yaml"
    exported.write_text(call("export", path).stdout)
    printed.write_text(call("import", exported).stdout)
    assert load_slo(path, {}).objectives == load_slo(printed, {}).objectives
    assert load_slo(printed, {}).objectives[0].description == "costs ${HOME} $5 $$"


@pytest.mark.parametrize("heavy", ["pydantic", "yaml", "rich", "numpy", "requests"])
def test_help_imports_nothing_heavy(heavy: str) -> None:
    code = (
        "import sys, triton_watch.cli.slo, triton_watch.cli.slo_check, triton_watch.cli.slo_export, "
        f"triton_watch.cli.slo_import; sys.exit({heavy!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
