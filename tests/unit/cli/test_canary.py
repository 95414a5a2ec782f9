"""`triton-watch canary run`, `record` and `list` on a server that answers over HTTP, well or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from support.misbehaving import Server, closes_at_once
from triton_watch.cli.canary import command
from triton_watch.probes.canary.golden.files import save
from unit.cli.canary_server import CanaryTriton
from unit.probes.canary.golden.tensors import golden, tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

COMMANDS = ("run", "record", "list")


@pytest.fixture
def triton() -> CanaryTriton:
    return CanaryTriton("good", "liar")


@pytest.fixture
def server(triton: CanaryTriton) -> Iterator[Server]:
    with Server(triton) as server:
        yield server


def call(*words: str | Path) -> Result:
    done = CliRunner().invoke(command, [str(word) for word in words], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def on(server: Server) -> list[str]:
    """The flags that name the server; nobody listens at its gRPC address, so that HTTP is spoken."""
    return ["--target", server.url, "--metrics-url", f"{server.url}/metrics", "--grpc", "localhost:1"]


def cells(done: Result) -> dict[str, list[str]]:
    """The rows of a table by their model."""
    return {words[0]: words[1:] for line in done.stdout.splitlines() if ":1" in (words := line.split() or [""])[0]}


# Usage


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_server_and_a_file_it_is_asked_which_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(name)
    assert done.exit_code == 2
    assert "which server? Give --target http://HOST:8000, or --config with a triton-watch.yaml." in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_that_make_no_sense_are_exit_code_2_in_one_sentence(name: str) -> None:
    for words in (["--target", "localhost:8000"], ["--target", "http://h", "--goldens", " "]):
        done = call(name, *words)
        assert done.exit_code == 2
        assert done.stderr.startswith("triton-watch: ")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_says_it_all(name: str, tmp_path: Path, server: Server) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(f"targets:\n  - url: {server.url}\n")
    done = call(name, "--config", file, "--target", "http://h")
    assert done.exit_code == 2
    assert "--config says it all: leave out --target" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_server_that_does_not_answer_is_exit_code_3(name: str, tmp_path: Path) -> None:
    with Server(closes_at_once) as server:
        done = call(name, *on(server), "--goldens", tmp_path)
    assert done.exit_code == 3
    host = server.url.removeprefix("http://")
    assert done.stderr.startswith(f"triton-watch: {host} could not be asked: ")
    assert done.stdout == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_models_that_are_not_ready_are_named_with_exit_code_4(name: str, server: Server, tmp_path: Path) -> None:
    done = call(name, *on(server), "--goldens", tmp_path, "good", "nope", "absent")
    assert done.exit_code == 4
    assert done.stderr == "triton-watch: not ready on the server, or not to be asked: absent, nope; see `status`.\n"
    assert set(cells(done)) == {"good:1"}, "the others are asked all the same"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_server_without_a_model_to_ask_is_exit_code_4(
    name: str, server: Server, triton: CanaryTriton, tmp_path: Path
) -> None:
    triton.models = ()
    done = call(name, *on(server), "--goldens", tmp_path)
    assert done.exit_code == 4
    assert "no model is ready, or none is to be asked" in done.stderr


# run


def test_all_models_that_pass_are_exit_code_0_with_what_triton_counted(server: Server, triton: CanaryTriton) -> None:
    done = call("run", *on(server))
    assert done.exit_code == 0, done.stderr
    rows = cells(done)
    assert rows["good:1"][0] == rows["liar:1"][0] == "passed"
    assert rows["good:1"][-4:] == ["2", "ok,", "0", "failed"]
    assert "2 models passed; the server says ready: yes" in done.stdout
    assert sorted(triton.asked) == ["good", "good", "liar", "liar"]


def test_a_model_that_fails_is_exit_code_1_and_stands_first_with_the_reason(
    server: Server, triton: CanaryTriton
) -> None:
    triton.errors["liar"] = "the weights are gone"
    done = call("run", *on(server))
    assert done.exit_code == 1
    assert list(cells(done)) == ["liar:1", "good:1"]
    assert cells(done)["liar:1"][0] == "server_error"
    assert "2 ok, 0 failed" in next(line for line in done.stdout.splitlines() if line.startswith("liar"))
    assert "the weights are gone" in done.stdout
    assert "1 of 2 models did not pass; the server says ready: yes" in done.stdout


def test_the_json_of_a_run_has_each_input_and_what_the_server_counted(server: Server, triton: CanaryTriton) -> None:
    triton.values["liar"] = [0.5]
    done = call("run", *on(server), "--json")
    data = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (data["version"], data["passed"], data["failed"]) == (1, 1, 1)
    (target,) = data["targets"]
    assert (target["url"], target["heard"], target["ready"]) == (server.url, True, True)
    good, liar = target["models"]
    assert (good["name"], good["version"], good["verdict"], good["reason"]) == ("good", "1", "passed", "ok")
    assert (liar["verdict"], liar["reason"], liar["golden"], liar["note"]) == ("failed", "wrong_shape", False, "")
    assert liar["server_counted"] == {"success": 2, "failure": 0}
    runs = sorted(liar["runs"], key=lambda run: run["input"])
    assert [run["input"] for run in runs] == [0, 1]
    first = dict(runs[0])
    assert first.pop("latency") > 0
    assert first.pop("first_response") > 0
    detail = first.pop("detail")
    assert "Y has shape [1, 1]" in detail
    assert first == {
        "input": 0, "reason": "wrong_shape", "responses": 1, "requests": 1, "golden": False, "made_up_input": True,
    }  # fmt: skip


def test_a_model_that_cannot_be_asked_has_not_passed_and_says_why(server: Server, triton: CanaryTriton) -> None:
    triton.tensors = {}
    done = call("run", *on(server))
    assert done.exit_code == 1
    assert cells(done)["good:1"][:2] == ["not", "asked"]
    assert "its configuration names no inputs" in done.stdout
    (model, _) = json.loads(call("run", *on(server), "--json").stdout)["targets"][0]["models"]
    assert (model["verdict"], model["reason"], model["runs"]) == ("skipped", "no_input", [])


def test_a_page_without_counters_leaves_what_triton_counted_unknown(server: Server, triton: CanaryTriton) -> None:
    triton.page = b"nothing of Triton\n"
    done = call("run", *on(server), "good")
    assert done.exit_code == 0
    assert cells(done)["good:1"][-2:] == ["not", "known"]


def test_the_file_in_the_working_directory_is_read_and_canaries_that_it_switches_off_are_sent_all_the_same(
    server: Server, triton: CanaryTriton, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever calls `canary run` wants canaries."""
    monkeypatch.chdir(tmp_path)
    Path("triton-watch.yaml").write_text(
        f"targets: [{{url: '{server.url}', metrics_url: '{server.url}/metrics'}}]\n"
        "canary: {enabled: false, protocol: http, models: [good]}\n"
    )
    done = call("run")
    assert done.exit_code == 0, done.stderr
    assert triton.asked == ["good", "good"]


# record


def test_what_models_answer_is_recorded_and_compared_from_then_on(
    server: Server, triton: CanaryTriton, tmp_path_factory: pytest.TempPathFactory
) -> None:
    goldens = tmp_path_factory.mktemp("g")  # a short path: the table has no room for a long one
    done = call("record", *on(server), "--goldens", goldens, "good")
    assert done.exit_code == 0, done.stderr
    assert cells(done)["good:1"][:2] == ["recorded", str(goldens / "good" / "1.json")]
    assert {path.name for path in (goldens / "good").iterdir()} == {"1.json", "1.npz"}
    assert call("run", *on(server), "--goldens", goldens).exit_code == 0
    triton.values["good"] = [0.75, 0.25]
    again = call("run", *on(server), "--goldens", goldens, "--json")
    assert again.exit_code == 1
    good = json.loads(again.stdout)["targets"][0]["models"][0]
    assert (good["reason"], good["golden"], good["runs"][0]["made_up_input"]) == ("golden_mismatch", True, False)


def test_a_model_that_fails_is_not_recorded_and_the_others_are(
    server: Server, triton: CanaryTriton, tmp_path: Path
) -> None:
    triton.errors["liar"] = "the weights are gone"
    done = call("record", *on(server), "--goldens", tmp_path)
    assert done.exit_code == 1
    assert cells(done)["liar:1"][0] == "refused"
    assert cells(done)["good:1"][0] == "recorded"
    assert [path.name for path in tmp_path.iterdir()] == ["good"]


def test_each_input_is_sent_as_often_as_asked_and_an_output_can_be_left_out(
    server: Server, triton: CanaryTriton, tmp_path: Path
) -> None:
    words: list[str | Path] = ["record", *on(server), "--goldens", tmp_path, "good", "--json"]
    done = call(*words, "--repeats", "3")
    assert len(triton.asked) == 6
    (model,) = json.loads(done.stdout)["models"]
    assert (model["name"], model["recorded"], model["refusal"]) == ("good", True, "")
    assert set(model["compare"]) == {"Y"}
    assert model["file"] == str(tmp_path / "good" / "1.json")
    ignored = json.loads(call(*words, "--ignore", "Y").stdout)["models"][0]
    assert ignored["compare"] == {}


def test_a_folder_that_cannot_be_written_is_a_refusal_and_no_traceback(server: Server, tmp_path: Path) -> None:
    (tmp_path / "good").write_text("a file where a folder would be")
    done = call("record", *on(server), "--goldens", tmp_path, "good")
    assert done.exit_code == 1
    assert cells(done)["good:1"][0] == "refused"


# list


def test_each_canary_is_listed_and_nothing_is_sent(server: Server, triton: CanaryTriton) -> None:
    done = call("list", *on(server))
    assert done.exit_code == 0, done.stderr
    assert triton.asked == []
    assert cells(done)["good:1"][:5] == ["unary", "30", "s", "made", "up"]
    rows = json.loads(call("list", *on(server), "--json").stdout)["canaries"]
    (good,) = (row for row in rows if row["name"] == "good")
    assert good == {
        "target": server.url.removeprefix("http://"), "name": "good", "version": "1", "kind": "unary",
        "interval": 30.0, "input": "made up", "inputs": [{"X": "FP32[1, 2]"}] * 2, "compared": None, "note": "",
    }  # fmt: skip


def test_a_golden_that_is_unusable_is_exit_code_1_and_told_in_the_row_of_its_model(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "1.json").write_text("{")
    done = call("list", *on(server), "--goldens", tmp_path)
    assert done.exit_code == 1
    assert "1.json" in next(line for line in done.stdout.splitlines() if line.startswith("good"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Goldens of two models."""
    answers = tensor([1.0, 2.0]), tensor([3.0, 4.0])
    save(tmp_path, golden(*answers, recorded_at="2026-01-02T03:04:05Z"))
    save(tmp_path, golden(*answers, model="ranker"))
    return tmp_path


def test_goldens_of_a_folder_are_listed_without_any_server(folder: Path) -> None:
    done = call("list", "--goldens", folder)
    assert (done.exit_code, done.stderr) == (0, "")
    assert cells(done)["resnet:1"][0] == "2026-01-02T03:04:05Z"
    assert set(cells(done)) == {"resnet:1", "ranker:1"}
    assert "y close (rtol 0.01, atol 0.001)" in done.stdout
    assert set(cells(call("list", "--goldens", folder, "ranker"))) == {"ranker:1"}


def test_broken_goldens_are_told_each_in_a_sentence_beside_the_good_ones(folder: Path) -> None:
    (folder / "ranker" / "1.json").write_text("{")
    (folder / "resnet" / "2.json").write_text("[]")
    done = call("list", "--goldens", folder, "--json")
    assert done.exit_code == 1
    data = json.loads(done.stdout)
    assert [(one["name"], one["version"]) for one in data["goldens"]] == [("resnet", "1")]
    assert len(data["problems"]) == len(done.stderr.splitlines()) == 2
    assert all(line.startswith("triton-watch: ") for line in done.stderr.splitlines())
    assert set(data["goldens"][0]) == {"name", "version", "recorded_at", "inputs", "compared"}


def test_a_folder_without_goldens_is_exit_code_4_and_no_folder_is_1(tmp_path: Path) -> None:
    for folder, code in ((tmp_path, 4), (tmp_path / "absent", 1)):
        done = call("list", "--goldens", folder)
        assert done.exit_code == code
        assert str(folder) in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_same_answers_to_both_inputs_are_worth_a_word(tmp_path: Path) -> None:
    save(tmp_path, golden(tensor([1.0]), tensor([1.0])))
    assert "so a swapped one would not show" in " ".join(call("list", "--goldens", tmp_path).stdout.split())
