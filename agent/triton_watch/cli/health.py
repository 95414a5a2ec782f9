"""`triton-watch health`: one question to a running agent, for containers, units and scripts."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from triton_watch.cli.agent_options import agent_at, agent_options_without_file, checked_url, own_url, usual_address
from triton_watch.cli.default_file import default_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.cli.agent_client import AgentClient
    from triton_watch.triton.http import Response

UNWELL, UNHEARD = 1, 3
_UNAVAILABLE: Final = 503
_LONGEST: Final = 400
"""Characters of what the agent says that are shown."""


@click.command("health")
@agent_options_without_file
@click.option("--ready", is_flag=True, help="Ask whether each target has been polled.")
@click.option("--serving", is_flag=True, help="Ask whether Triton serves: its canaries pass.")
def command(*, agent: str | None, ready: bool, serving: bool, **access: Any) -> None:  # noqa: ANN401 - click's
    """Ask a running agent whether it is well: its own loop, whatever Triton does. Prints one line.

    Without --agent it asks on this machine: at web.listen of triton-watch.yaml in the working directory, else at the
    address in TRITON_WATCH_LISTEN, else at 127.0.0.1:8003; over HTTPS where the agent speaks it, without a look at the
    certificate. Only --serving may want a password.

    Exit code: 0 yes; 1 no; 2 wrong usage; 3 no agent answered.

    \b
    Example:
      triton-watch health
      triton-watch health --serving --agent https://gpu-7:8003 --agent-ca ca.pem
    """
    from triton_watch.cli.agent_client import AgentError

    if ready and serving:
        raise click.UsageError("--ready and --serving are two questions: give one of them.")
    path = f"/-/{'ready' if ready else 'serving' if serving else 'healthy'}"
    try:
        response = _there(agent, access, path) if agent is not None else _here(access, path)
    except AgentError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(UNHEARD)
    click.echo(_line(response))
    sys.exit(0 if response.status == 200 else UNWELL)


def _there(agent: str, access: Mapping[str, Any], path: str) -> Response:
    with agent_at(checked_url(agent), **access) as client:
        return _verdict(client, client.answer(path))


def _here(access: Mapping[str, Any], path: str) -> Response:
    """Ask an agent of this machine. Raises AgentError, which also says what is wrong with the file, where that is."""
    from triton_watch.cli.agent_client import AgentError

    if any(value is not None for value in access.values()):
        raise click.UsageError(
            "--agent-ca, --agent-user and --agent-password-file go with --agent URL: give that, too."
        )
    address, problem = _own_address()
    try:
        return _at(address, access, path)
    except AgentError as error:
        if problem:
            raise AgentError(f"{error} The address is the usual one, for {problem}") from None
        raise


def _own_address() -> tuple[tuple[str, int], str]:
    """Return where an agent of this machine listens, and what is wrong with its file; then it is the usual address."""
    path = default_file()
    if path is None:
        return usual_address(), ""
    from triton_watch.config import ConfigError, ParseError
    from triton_watch.config.listen_file import listen_in

    try:
        return listen_in(path, os.environ), ""
    except ConfigError as error:
        return usual_address(), error.problems[0].text(error.source)
    except ParseError as error:
        raise click.UsageError(str(error)) from None


def _at(address: tuple[str, int], access: Mapping[str, Any], path: str) -> Response:
    """Ask over HTTP, and over HTTPS where the agent wants that. Raises AgentError."""
    from triton_watch.cli.agent_client import wants_tls
    from triton_watch.config.addresses import is_loopback
    from triton_watch.records import WebSettings

    web = WebSettings(*address)
    with agent_at(own_url(web), **access) as client:
        response = client.answer(path)
        if not wants_tls(response) or not is_loopback(urlsplit(client.url).hostname or ""):
            return _verdict(client, response)
    with agent_at(own_url(replace(web, tls=True)), **access, is_own=True) as client:
        return _verdict(client, client.answer(path))


def _verdict(client: AgentClient, response: Response) -> Response:
    """Return an answer that is a yes or a no. Raises AgentError for any other: the page of a proxy, nothing at all."""
    from triton_watch.triton.answers import is_html

    is_told = bool(response.body.strip()) and not is_html(response)
    if is_told and response.status in (200, _UNAVAILABLE):
        return response
    if response.status == 200:
        raise client.stranger()
    raise client.refusal(response, "health")


def _line(response: Response) -> str:
    from triton_watch.wording.text import clip

    said = "; ".join(response.body.decode(errors="replace").splitlines())
    return clip(said, _LONGEST)
