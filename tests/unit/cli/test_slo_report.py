"""`triton-watch slo report` from outside: its sources, exit codes, choices, and where the report goes."""

from __future__ import annotations

import json
import logging
import os
import pty
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from support.frames import facts, frame
from triton_watch.cli.slo_report import command
from triton_watch.records import Counter, Goal, ModelKey, Objective, SliTable, SloSli
from triton_watch.slo.ledger import Ledger
from triton_watch.slo.sli import compute
from triton_watch.store.keeper import StoreKeeper
from unit.cli.reports.samples import AVAILABLE, DAY, QUEUE, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from click.testing import Result

GOOD, BAD = (10_000.0, 0.0), (10_000.0, 500.0)
"""Requests that succeed and fail in each interval."""
MODELS: Mapping[str, tuple[float, float]] = {"ranker": BAD, "text_detector": GOOD}
HOUR = 3600.0
WEEKLY = Objective("weekly", SloSli.AVAILABILITY, Goal(0.9), 7 * DAY, WINDOWS[:1], targets=("rack-b",))


def tables(models: Mapping[str, tuple[float, float]], count: int = 12, every: float = 60.0) -> list[SliTable]:
    """Return what `count` cycles `every` so many seconds found, with even traffic."""
    pages = []
    for i in range(count + 1):
        counters = {
            ModelKey(name, "1"): {Counter.SUCCESS: good * i, Counter.FAIL_BACKEND: bad * i, Counter.REQUEST_US: 1.0 * i}
            for name, (good, bad) in models.items()
        }
        pages.append(frame(i * every, counters))
    return [compute(before, after, facts(after)) for before, after in pairwise(pages)]


def store(
    folder: Path,
    *,
    age: float = 0.0,
    models: Mapping[str, tuple[float, float]] = MODELS,
    objectives: Sequence[Objective] = (AVAILABLE,),
    targets: Sequence[str] = ("rack-a",),
    count: int = 12,
    silent: float = 0.0,
) -> Path:
    """Write a store as an agent does that wrote last `age` seconds ago, and return its directory.

    Its server was `silent` for the last seconds before.
    """
    written = time.time() - age
    keeper = StoreKeeper(folder, now=lambda: written, log=logging.getLogger("test"))
    keeper.open()
    keeper.save_objectives(objectives)
    keeper.flush([state for target in targets for state in _states(target, objectives, models, written, count, silent)])
    keeper.close()
    return folder


def _states(
    target: str,
    objectives: Sequence[Objective],
    models: Mapping[str, tuple[float, float]],
    written: float,
    count: int,
    silent: float = 0.0,
) -> list[Any]:
    states = []
    for period in {one.period for one in objectives}:
        own = [one for one in objectives if one.period == period and one.covers(target, "m")]
        if not own:
            continue
        began = written - silent - 60.0 * count
        ledger = Ledger(target, own, time=began)
        for i, table in enumerate(tables(models, count), 1):
            ledger.observe(table, began + 60.0 * i)
        ledger.observe(None, written)
        states.append(ledger.changes(written, full=True))
    return states


def report(*arguments: object, **environ: str) -> Result:
    name = "triton-watch slo report"
    return CliRunner().invoke(command, [str(one) for one in arguments], prog_name=name, env=environ)


def rows(*arguments: object) -> list[dict[str, Any]]:
    done = report(*arguments, "--format", "json")
    assert done.exit_code in (0, 1), done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return found


def test_a_spent_budget_is_the_first_row_and_exit_code_1(tmp_path: Path) -> None:
    done = report("--state", store(tmp_path))
    assert done.exit_code == 1
    assert done.stdout.startswith(f"1 of 2 budgets is exhausted; read from {tmp_path}, 30 d up to ")
    lines = done.stdout.splitlines()
    assert lines[3].split()[:2] == ["availability", "ranker:1"]
    assert "6,000 of 126k requests failed" in " ".join(done.stdout.split())


def test_the_rows_say_what_was_counted(tmp_path: Path) -> None:
    first, second = rows("--state", store(tmp_path))
    assert (first["good"], first["bad"], first["verdict"]) == (120_000, 6000, "exhausted")
    assert first["windows"][-1]["good"] == 120_000
    assert first["course"]["bad"][-1] == 6000
    assert (second["good"], second["bad"], second["verdict"], second["remaining"]) == (120_000, 0, "ok", 1)


def test_all_well_is_exit_code_0(tmp_path: Path) -> None:
    done = report("--state", store(tmp_path, models={"text_detector": GOOD}))
    assert (done.exit_code, done.stdout.partition(";")[0]) == (0, "The one budget holds")


@pytest.mark.parametrize(("limit", "verdict"), [(60.0, "no_data"), (3600.0, "exhausted")])
def test_a_budget_that_was_spent_when_data_ended_stays_exit_code_1(tmp_path: Path, limit: float, verdict: str) -> None:
    """How long a silence is "no data" is the agent's setting, kept with its objectives: 15 minutes are, or are not."""
    objectives = [replace(AVAILABLE, no_data_after=limit)]
    folder = store(tmp_path, models={"ranker": BAD}, objectives=objectives, silent=900.0)
    (row,) = rows("--state", folder)
    assert (row["verdict"], row["silence"]) == (verdict, 900.0)
    done = report("--state", folder)
    assert done.exit_code == 1
    if verdict == "no_data":
        said = " ".join(done.stdout.split())
        assert "no data for 15 min, which is not counted as good; before that the budget of 30 d is spent" in said


def test_no_data_alone_is_said_and_no_failure(tmp_path: Path) -> None:
    done = report("--state", store(tmp_path, models={"idle": (0.0, 0.0)}))
    assert done.exit_code == 0
    assert "1 of 1 budget has no data" in done.stdout


@pytest.mark.parametrize("age", [3 * HOUR, -3 * HOUR])
def test_a_store_that_is_old_or_of_the_future_says_so(tmp_path: Path, age: float) -> None:
    text = " ".join(report("--state", store(tmp_path, age=age)).stdout.split())
    assert ("was written 3 h ago" in text) == (age > 0)
    assert ("in the future: compare this clock" in text) == (age < 0)
    assert "1 of 2 budgets is exhausted" in text


def test_a_fresh_store_does_not_tell_its_age(tmp_path: Path) -> None:
    assert "Warning" not in report("--state", store(tmp_path, age=40.0)).stdout


def test_targets_are_added_up_or_apart(tmp_path: Path) -> None:
    store(tmp_path, targets=("rack-a", "rack-b"))
    together, *_ = rows("--state", tmp_path)
    assert (together["targets"], together["bad"], together["course"]["bad"][-1]) == (
        ["rack-a", "rack-b"],
        12_000,
        12_000,
    )
    apart = rows("--state", tmp_path, "--per-target")
    assert [(one["targets"], one["bad"]) for one in apart[:2]] == [(["rack-a"], 6000), (["rack-b"], 6000)]


def test_targets_with_different_objectives_and_periods_are_in_one_report(tmp_path: Path) -> None:
    only_b = replace(AVAILABLE, name="only-b", targets=("rack-b",), windows=WINDOWS[1:2])
    few = replace(AVAILABLE, windows=WINDOWS[:1])
    store(tmp_path, targets=("rack-a", "rack-b"), objectives=(few, only_b, WEEKLY))
    found = {(one["slo"], one["model"]): one for one in rows("--state", tmp_path)}
    assert found["availability", "ranker"]["bad"] == 12_000
    assert [one["window"] for one in found["availability", "ranker"]["windows"]] == [300, 3600, 30 * DAY]
    assert found["only-b", "ranker"]["bad"] == found["weekly", "ranker"]["bad"] == 6000
    assert found["weekly", "ranker"]["targets"] == ["rack-b"]


def test_a_target_that_is_no_longer_watched_has_been_silent_since(tmp_path: Path) -> None:
    written = time.time()
    keeper = StoreKeeper(tmp_path, now=lambda: written, log=logging.getLogger("test"))
    keeper.open()
    keeper.save_objectives((AVAILABLE,))
    gone = _states("gone", (AVAILABLE,), MODELS, written - 2 * HOUR, 12)
    keeper.flush([*gone, *_states("here", (AVAILABLE,), MODELS, written, 12)])
    keeper.close()
    found = {one["targets"][0]: one for one in rows("--state", tmp_path, "--per-target", "--model", "ranker")}
    assert (found["here"]["verdict"], found["gone"]["verdict"]) == ("exhausted", "no_data")
    assert found["gone"]["silence"] == pytest.approx(2 * HOUR)
    assert found["gone"]["windows"][2]["bad"] == 0, "nothing in the last hour"


def test_objectives_and_models_can_be_chosen(tmp_path: Path) -> None:
    store(tmp_path, objectives=(AVAILABLE, replace(AVAILABLE, name="second")))
    assert {one["slo"] for one in rows("--state", tmp_path, "--slo", "second")} == {"second"}
    assert {one["model"] for one in rows("--state", tmp_path, "--model", "text_*")} == {"text_detector"}


def test_an_objective_without_events_is_a_warning(tmp_path: Path) -> None:
    text = " ".join(report("--state", store(tmp_path, objectives=(AVAILABLE, QUEUE))).stdout.split())
    assert "Warning: queue-time matches no model that has its indicator" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--slo", "latency"], 'is called "latency": there is availability.'),
        (["--model", "nothing*"], "has no events of a model that matches nothing*."),
    ],
)
def test_nothing_found_is_exit_code_4(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = report("--state", store(tmp_path), *arguments)
    assert done.exit_code == 4
    assert done.stderr.endswith(f"{said}\n")


def test_a_directory_without_a_store_is_exit_code_3_in_one_sentence(tmp_path: Path) -> None:
    done = report("--state", tmp_path / "none")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert str(tmp_path / "none") in done.stderr


def test_a_prometheus_that_is_not_there_is_exit_code_3_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = report("--prometheus", url)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert f"Prometheus at {url}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--state", "x", "--prometheus", "http://h"], "two sources"),
        (["--prometheus", "h:9090"], "--prometheus: "),
        (["--format", "pdf"], "is not one of"),
    ],
)
def test_a_wrong_use_is_exit_code_2(arguments: list[str], said: str) -> None:
    done = report(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_the_default_is_the_state_directory_of_the_system(tmp_path: Path) -> None:
    assert report(STATE_DIRECTORY=str(store(tmp_path))).exit_code == 1


def test_the_configuration_names_the_state_directory(tmp_path: Path) -> None:
    store(tmp_path / "kept")
    config = tmp_path / "triton-watch.yaml"
    config.write_text("targets: [{url: http://localhost:8000}]\nslo: {state_dir: kept}\n")
    assert report("--config", config).exit_code == 1
    config.write_text("targets: [{url: http://localhost:8000}]\nslo: {state_dir: none}\n")
    assert "in memory only" in report("--config", config).stderr


def test_the_prometheus_of_the_configuration_is_asked_unless_a_directory_is_given(tmp_path: Path) -> None:
    config = tmp_path / "triton-watch.yaml"
    config.write_text("targets: [{url: http://localhost:8000}]\nslo: {prometheus: {url: http://127.0.0.1:9}}\n")
    asked = report("--config", config)
    assert (asked.exit_code, asked.stderr.split(" refused")[0]) == (3, "triton-watch: Prometheus at http://127.0.0.1:9")
    assert report("--config", config, "--state", store(tmp_path / "kept")).exit_code == 1


def test_credentials_of_the_configuration_go_to_its_own_prometheus_only(tmp_path: Path) -> None:
    config = tmp_path / "triton-watch.yaml"
    for secret in (True, False):
        with answering() as (url, heard):
            own = url if secret else "http://127.0.0.1:9"
            config.write_text(
                "targets: [{url: http://localhost:8000}]\n"
                f"slo: {{prometheus: {{url: '{own}', headers: {{X-Scope-OrgID: 'team-7'}}}}}}\n"
            )
            assert report("--config", config, "--prometheus", url).exit_code == 3
        assert (b"team-7" in heard[0]) == secret


@contextmanager
def answering() -> Iterator[tuple[str, list[bytes]]]:
    """Answer one request with 404, and keep what was heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(timeout=10)


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_a_file_gets_what_would_be_printed(tmp_path: Path, form: str) -> None:
    folder, out = store(tmp_path / "state"), tmp_path / "report"
    done = report("--state", folder, "--format", form, "--out", out)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("triton-watch: 1 of 2 budgets is exhausted; ")
    assert out.read_text() == report("--state", folder, "--format", form).stdout


def test_a_file_that_cannot_be_written_is_exit_code_3(tmp_path: Path) -> None:
    done = report("--state", store(tmp_path), "--out", tmp_path / "no" / "report")
    assert done.exit_code == 3
    assert "cannot be written (No such file or directory): check the path." in done.stderr


def run(folder: Path, **environ: str) -> bytes:
    code = "from triton_watch.cli.slo_report import command; command()"
    arguments = [sys.executable, "-c", code, "--state", str(folder)]
    return subprocess.run(arguments, capture_output=True, check=False, env={**os.environ, **environ}).stdout


def test_a_pipe_gets_no_escape_codes_and_any_encoding_works(tmp_path: Path) -> None:
    store(tmp_path, models={"ranker": BAD, "日本語": GOOD})
    assert b"\x1b" not in run(tmp_path)
    assert b"ranker:1" in run(tmp_path, PYTHONIOENCODING="ascii", COLUMNS="80")


def test_on_a_terminal_there_are_colours_unless_NO_COLOR_is_set(tmp_path: Path) -> None:  # noqa: N802 - its name
    store(tmp_path)
    assert b"\x1b[1;31m" in on_a_terminal(tmp_path)
    assert b"31m" not in on_a_terminal(tmp_path, NO_COLOR="1")


def on_a_terminal(folder: Path, **environ: str) -> bytes:
    main, side = pty.openpty()
    code = "from triton_watch.cli.slo_report import command; command()"
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    arguments = [sys.executable, "-c", code, "--state", str(folder)]
    with subprocess.Popen(arguments, stdout=side, stderr=side, env={**kept, "TERM": "xterm", **environ}):
        os.close(side)
        found = b""
        try:
            while piece := os.read(main, 65536):
                found += piece
        except OSError:  # Linux says so at the end of a pseudo terminal
            pass
        finally:
            os.close(main)
    return found


def test_help_fits_a_screen_and_shows_an_example() -> None:
    done = CliRunner().invoke(command, ["--help"], prog_name="triton-watch slo report", terminal_width=80)
    assert len(done.output.splitlines()) <= 40
    assert "  Example:" in done.output.splitlines()
