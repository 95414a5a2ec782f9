"""`triton-watch health`: asked of real servers, over HTTP and TLS, and of ports where nobody is."""

from __future__ import annotations

import socket
import subprocess
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from support.misbehaving import Server, answers, http_answer
from support.web_access import PASSWORD, TLS, USERS, served, web_file
from triton_watch.cli import cli
from triton_watch.daemon.app import Route, plain

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from triton_watch.daemon.app import Request, Response

WELL = HTTPStatus.OK
ILL = HTTPStatus.SERVICE_UNAVAILABLE


def routes(healthy: HTTPStatus = WELL, ready: HTTPStatus = WELL, serving: HTTPStatus = WELL) -> list[Route]:
    def route(path: str, status: HTTPStatus, *lines: str) -> Route:
        def answer(_request: Request) -> Response:
            return plain(status, "\n".join(lines))

        return Route(path, answer, "a page")

    return [
        route("/-/healthy", healthy, "healthy" if healthy is WELL else "The loop stands still."),
        route("/-/ready", ready, "ready" if ready is WELL else "Not yet."),
        route("/-/serving", serving, *(("serving",) if serving is WELL else ("not serving", "a: down", "b: wrong"))),
    ]


def health(*words: str | Path, listen: str = "", **environ: str) -> Result:
    environ = {"TRITON_WATCH_LISTEN": listen, **environ}
    done = CliRunner().invoke(cli, ["health", *map(str, words)], env=environ)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def address(url: str) -> str:
    return url.partition("://")[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_a_healthy_agent_is_0_and_one_word() -> None:
    with served(None, routes()) as agent:
        done = health(listen=address(agent.url))
    assert (done.exit_code, done.stdout, done.stderr) == (0, "healthy\n", "")


def test_an_agent_whose_loop_stands_still_is_1_and_says_so() -> None:
    with served(None, routes(healthy=ILL)) as agent:
        done = health(listen=address(agent.url))
    assert (done.exit_code, done.stdout) == (1, "The loop stands still.\n")


@pytest.mark.parametrize(
    ("flag", "said"), [("--ready", "Not yet.\n"), ("--serving", "not serving; a: down; b: wrong\n")]
)
def test_the_other_questions_have_answers_of_their_own_on_one_line(flag: str, said: str) -> None:
    with served(None, routes(ready=ILL, serving=ILL)) as agent:
        done = health(flag, listen=address(agent.url))
        assert (done.exit_code, done.stdout) == (1, said)
        assert health(listen=address(agent.url)).exit_code == 0
    with served(None, routes()) as agent:
        assert health(flag, listen=address(agent.url)).exit_code == 0


def test_all_interfaces_are_asked_at_the_loopback_address() -> None:
    with served(None, routes()) as agent:
        port = address(agent.url).rpartition(":")[2]
        assert health(listen=f"0.0.0.0:{port}").exit_code == 0


def test_an_agent_named_by_its_url_is_asked_whatever_the_environment_says() -> None:
    with served(None, routes()) as agent:
        assert health("--agent", agent.url, listen="nonsense").exit_code == 0


def test_nobody_there_is_3_and_one_sentence() -> None:
    done = health(listen=f"127.0.0.1:{free_port()}")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("triton-watch: no agent answers at http://127.0.0.1:")
    assert done.stderr.count("\n") == 1


def test_somebody_else_there_is_3() -> None:
    for status in ("404 Not Found", "401 Unauthorized"):
        with Server(answers(http_answer(b"no", status=status))) as stranger:
            assert health("--agent", stranger.url).exit_code == 3


@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
@pytest.mark.parametrize("body", [b"<html><body>It works!</body></html>", b""])
def test_the_page_of_a_proxy_or_no_page_at_all_is_no_answer_of_an_agent(body: bytes, status: str) -> None:
    """Triton's own port for metrics says 200 and nothing to every path."""
    with Server(answers(http_answer(body, status=status))) as stranger:
        done = health("--agent", stranger.url)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1


def test_on_this_machine_an_agent_with_tls_is_asked_without_a_look_at_its_certificate(tmp_path: Path) -> None:
    """The health check of a container knows no certificate, and asks nobody but itself."""
    with served(web_file(tmp_path, TLS + USERS), routes(ready=ILL)) as agent:
        listen = address(agent.url)
        assert (health(listen=listen).exit_code, health("--ready", listen=listen).exit_code) == (0, 1)


def test_an_agent_named_by_its_url_has_its_certificate_verified(tmp_path: Path) -> None:
    with served(web_file(tmp_path, TLS), routes()) as agent:
        refused = health("--agent", agent.url)
        assert refused.exit_code == 3
        assert "--agent-ca" in refused.stderr
        assert health("--agent", agent.url, "--agent-ca", tmp_path / "ca.pem").exit_code == 0
        plain_http = health("--agent", agent.url.replace("https", "http"))
        assert plain_http.exit_code == 3
        assert "write https://" in plain_http.stderr


def test_whether_triton_serves_is_told_to_those_who_may_read_it(tmp_path: Path) -> None:
    with served(web_file(tmp_path, USERS), routes()) as agent:
        stranger = health("--serving", listen=address(agent.url))
        assert stranger.exit_code == 3
        assert "--agent-user" in stranger.stderr
        words = ("--serving", "--agent", agent.url, "--agent-user", "reader")
        assert health(*words, TRITON_WATCH_AGENT_PASSWORD=PASSWORD).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ready", "--serving"], "two questions"),
        (["--agent-user", "reader"], "--agent URL"),
        (["--agent", "nonsense"], "--agent: "),
        (["now"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_do(words: list[str], said: str) -> None:
    done = health(*words)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(("listen", "said"), [("nonsense", "TRITON_WATCH_LISTEN"), ("127.0.0.1:0", "any free one")])
def test_a_variable_that_names_no_address_is_wrong_usage(listen: str, said: str) -> None:
    done = health(listen=listen)
    assert done.exit_code == 2
    assert said in done.stderr


def test_it_imports_nothing_heavy() -> None:
    """A container asks it every 15 seconds."""
    code = (
        "import sys, triton_watch.cli.health, triton_watch.cli.agent_client, triton_watch.config.listening\n"
        "sys.exit(', '.join({'numpy', 'pydantic', 'yaml', 'rich', 'grpc', 'tritonclient'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def beside_file(folder: Path, text: str, listen: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "triton-watch.yaml").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "triton_watch", "health"],
        cwd=folder, env={"PATH": "/nowhere", "TRITON_WATCH_LISTEN": listen, "PORT": listen.rpartition(":")[2]},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_file_of_the_working_directory_says_where_to_ask_before_the_environment_does(tmp_path: Path) -> None:
    with served(None, routes()) as agent, served(None, routes(healthy=ILL)) as other:
        text = f"web: {{listen: '{address(agent.url)}'}}\n"
        assert beside_file(tmp_path, text, address(other.url)).stdout == "healthy\n"
        assert beside_file(tmp_path, "web:\n", address(agent.url)).stdout == "healthy\n"
        assert beside_file(tmp_path, "web: {listen: '127.0.0.1:${PORT}'}\n", address(agent.url)).returncode == 0


def test_a_mistake_elsewhere_in_the_file_does_not_keep_it_from_asking(tmp_path: Path) -> None:
    with served(None, routes()) as agent:
        done = beside_file(tmp_path, f"tarjets: [5]\nweb: {{listen: '{address(agent.url)}'}}\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "healthy\n", "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("web: {listen: nowhere}\n", 'triton-watch.yaml:1: web.listen: "nowhere" is not host:port'),
        ("web: {listen: 8003}\n", 'triton-watch.yaml:1: web.listen: "" is not host:port'),
        ("web: [\n", "triton-watch.yaml:2:1: is not valid YAML"),
    ],
)
def test_of_a_file_that_does_not_say_it_the_usual_address_is_asked_and_else_both_are_told(
    tmp_path: Path, text: str, problem: str
) -> None:
    with served(None, routes()) as agent:
        assert beside_file(tmp_path, text, address(agent.url)).returncode == 0
    done = beside_file(tmp_path, text, f"127.0.0.1:{free_port()}")
    assert done.returncode == 3
    assert "no agent answers" in done.stderr
    assert problem in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_beside_it_is_read_without_the_loader_of_configurations(tmp_path: Path) -> None:
    (tmp_path / "triton-watch.yaml").write_text("web: {listen: '127.0.0.1:1'}\n")
    code = "import sys; from triton_watch.cli import cli; cli.main(['health'], standalone_mode=False)\n"
    code = f"import atexit, sys; atexit.register(lambda: print('pydantic' in sys.modules)); {code}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "False\n"
