"""The flags that say where a running agent is and how it is asked, shared by commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from triton_watch.cli.default_file import DEFAULT_FILE, default_file
from triton_watch.cli.targets import settings_from

if TYPE_CHECKING:
    from triton_watch.cli.agent_client import AgentClient
    from triton_watch.records import Credentials, WebSettings

Function = TypeVar("Function", bound=Callable[..., Any])

PASSWORD: Final = "TRITON_WATCH_AGENT_PASSWORD"  # noqa: S105 - the name of a variable
_FILE: Final = click.Path(path_type=Path)
_AGENT: Final = click.option("--agent", metavar="URL", help="Where the agent is.  [default: http://127.0.0.1:8003]")
_CONFIG: Final = click.option(
    "--config", "-c", "config_file", type=_FILE, help=f"Its file.  [default: ./{DEFAULT_FILE}, if any]"
)
_ACCESS: Final = (
    click.option("--agent-ca", type=_FILE, metavar="FILE", help="CA certificates (PEM) for an agent with https."),
    click.option("--agent-user", metavar="NAME", help="User of an agent that wants a password."),
    click.option("--agent-password-file", type=_FILE, metavar="FILE", help=f"Its password; or set {PASSWORD}."),
)


def agent_options(function: Function) -> Function:
    """Add the flags that name an agent to a command; `agent_of` takes them."""
    return _AGENT(_CONFIG(_access_options(function)))


def agent_options_without_file(function: Function) -> Function:
    """Add the same flags but --config, for a command that reads no configuration."""
    return _AGENT(_access_options(function))


def _access_options(function: Function) -> Function:
    for option in reversed(_ACCESS):
        function = option(function)
    return function


def agent_of(
    agent: str | None,
    config_file: Path | None,
    agent_ca: Path | None,
    agent_user: str | None,
    agent_password_file: Path | None,
) -> AgentClient:
    """Return the agent that the flags name, not asked yet. Raises click.UsageError; a file that is not good ends it."""
    return agent_at(_url(agent, config_file), agent_ca, agent_user, agent_password_file)


def agent_at(
    url: str,
    agent_ca: Path | None,
    agent_user: str | None,
    agent_password_file: Path | None,
    *,
    is_own: bool = False,
) -> AgentClient:
    """Return the agent at a URL, not asked yet; one on this machine whose certificate nobody checks `is_own`.

    Raises click.UsageError.
    """
    from triton_watch.cli.agent_client import AgentClient
    from triton_watch.records import TlsSettings

    if agent_ca is not None and not url.startswith("https://"):
        raise click.UsageError(f"--agent-ca is for an agent with https, and this is {url}: give --agent https://….")
    tls = TlsSettings(ca_file=agent_ca, insecure_skip_verify=is_own)
    return AgentClient(url, _credentials(agent_user, agent_password_file), tls)


def usual_address() -> tuple[str, int]:
    """Return where an agent of this environment listens when nobody says so. Raises click.UsageError."""
    from triton_watch.config import ParseError
    from triton_watch.config.listening import default_listen

    try:
        return default_listen(os.environ)
    except ParseError as error:
        raise click.UsageError(str(error)) from None


def _url(agent: str | None, config_file: Path | None) -> str:
    from triton_watch.records import WebSettings

    if agent is not None and config_file is not None:
        raise click.UsageError("--agent and --config both say where the agent is: give one of them.")
    if agent is None:
        config_file = config_file or default_file()
        return own_url(WebSettings(*usual_address()) if config_file is None else settings_from(config_file).web)
    return checked_url(agent)


def checked_url(agent: str) -> str:
    """Return what --agent says, checked. Raises click.UsageError."""
    from triton_watch.config import ParseError
    from triton_watch.config.addresses import public_url

    try:
        return public_url(agent)
    except ParseError as error:
        raise click.UsageError(f"--agent: {error}") from None


def own_url(web: WebSettings) -> str:
    """Return the URL at which a program on this machine reaches an agent that listens there."""
    from triton_watch.config.addresses import local_url

    if web.port == 0:
        raise click.UsageError(
            "the address to listen on has port 0, any free one: give --agent URL, as its log says it."
        )
    return local_url(web.host, web.port, tls=web.tls)


def _credentials(user: str | None, file: Path | None) -> Credentials:
    """Return what is sent with each request. Raises click.UsageError."""
    from triton_watch.records import Credentials

    if user is None:
        if file is not None:
            raise click.UsageError("--agent-password-file goes with --agent-user: give both.")
        return Credentials()
    if file is None:
        if PASSWORD not in os.environ:
            raise click.UsageError(f"--agent-user wants a password: give --agent-password-file, or set {PASSWORD}.")
        return Credentials(username=user, password=os.environ[PASSWORD])
    try:
        return Credentials(username=user, password=file.read_text(encoding="utf-8").rstrip("\r\n"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise click.UsageError(f"--agent-password-file: {file} could not be read: {reason}.") from None
