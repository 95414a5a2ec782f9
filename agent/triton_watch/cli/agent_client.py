"""A running agent asked over HTTP(S): its answers, or in one sentence why there are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NoReturn

from triton_watch.records import Credentials, Target, Timeouts, TlsSettings
from triton_watch.triton.answers import TLS_PORT, is_html
from triton_watch.triton.errors import (
    ConnectError,
    ConnectTimeoutError,
    DnsError,
    NotHttpError,
    RefusedError,
    TlsError,
    TritonError,
    shown,
)
from triton_watch.triton.http import HttpFetcher, Response
from triton_watch.triton.peer_errors import bare, ended
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_BODY_LIMIT: Final = 64_000_000
_TIMEOUTS: Final = Timeouts(connect=2.0, read=5.0, total=10.0)
LONGEST: Final = 4000
"""Characters of a text of the agent that are shown."""
_HTTPS_HERE: Final = b"This agent speaks HTTPS"
_QUOTED: Final = 200
"""Characters that are shown of what somebody, who may be no agent, says of its refusal."""
_ITS_OWN: Final = "There is no "
"""How an agent's sentences about a name that it does not know begin; of a path it says that there is nothing."""


class AgentError(Exception):
    """The agent was not heard. The text is one sentence."""


class NotThereError(Exception):
    """The agent has nothing of that name. The text is its own sentence."""


class AgentClient:
    """Asks one agent. `url` has no slash at its end; connections are kept open until `close`."""

    def __init__(self, url: str, credentials: Credentials | None = None, tls: TlsSettings | None = None) -> None:
        self.url = url
        self._has_password = credentials is not None and credentials.username is not None
        self._fetcher = HttpFetcher(
            Target(
                "agent",
                url,
                url,
                "",
                timeouts=_TIMEOUTS,
                credentials=credentials or Credentials(),
                tls=tls or TlsSettings(),
            )
        )

    def get(self, path: str, what: str) -> bytes:
        """Return the body of a 200 at this path, which has its query; `what` is asked for: alerts, models.

        Raises AgentError, NotThereError.
        """
        response = self.answer(path)
        if response.status != 200:
            self._refused(response, what)
        return response.body

    def answer(self, path: str) -> Response:
        """Return what is answered at this path, whatever its status. Raises AgentError."""
        try:
            return self._fetcher.fetch("GET", f"{self.url}{path}", limit=_BODY_LIMIT)
        except TritonError as error:
            raise AgentError(_unheard(self.url, error)) from error

    def refusal(self, response: Response, what: str) -> AgentError:
        """Return the error for an answer that tells nothing of what was asked for."""
        try:
            self._refused(response, what)
        except (AgentError, NotThereError) as error:
            return AgentError(str(error))

    def stranger(self) -> AgentError:
        """Return the error for a 200 that no agent would have given."""
        return AgentError(f"what {shown(self.url)} answers is not what an agent of this version tells: what is it?")

    def close(self) -> None:
        """Close the connections."""
        self._fetcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refused(self, response: Response, what: str) -> NoReturn:
        status, url = response.status, shown(self.url)
        said = _own_sentence(response)
        if status == 404 and said:
            raise NotThereError(clip(said, LONGEST))
        if status == 401:
            raise AgentError(f"the agent at {url} {self._login()}.")
        if wants_tls(response):
            raise AgentError(f"what listens at {url} speaks TLS: write https:// in its URL.")
        if status == 404:
            raise AgentError(
                f"what answers at {url} is no agent of this version (HTTP 404): is the URL right, or is the agent an "
                "older one?"
            )
        said = _said(response) if status < 500 else ""
        why = f"it says {said!r}" if said else "if it is an agent, its log says why"
        raise AgentError(f"what answers at {url} tells no {what} (HTTP {status}): {why}.")

    def _login(self) -> str:
        if self._has_password:
            return "refuses this user or password (HTTP 401): check --agent-user and the password"
        return "wants a user and a password (HTTP 401): give --agent-user and --agent-password-file"


def wants_tls(response: Response) -> bool:
    """Whether this is what a port that speaks TLS answers to plain HTTP."""
    return response.status == 400 and bool(TLS_PORT.search(response.body) or _HTTPS_HERE in response.body)


def _own_sentence(response: Response) -> str:
    """Return the sentence of an agent about what it does not have; "" = it is none."""
    text = _text(response)
    return text if text.startswith(_ITS_OWN) else ""


def _said(response: Response) -> str:
    """Return what an answer says of itself, for one line; "" = nothing that a person reads, such as HTML."""
    if is_html(response):
        return ""
    return clip(" ".join(_text(response).split()), _QUOTED).rstrip(".")


def _text(response: Response) -> str:
    """Return the text of a plain answer, or of the `error` of one in JSON, which is "" where it has none."""
    body = response.body.decode(errors="replace").strip()
    try:
        said = json.loads(body)["error"]
    except (TypeError, LookupError):
        return ""
    except (ValueError, RecursionError):
        return body
    return said if isinstance(said, str) else ""


def _unheard(url: str, error: TritonError) -> str:
    """Say why there is no answer; what the fetcher says of targets is said in the words of this command."""
    if isinstance(error, TlsError):
        said = bare(error).replace("tls.ca_file", "--agent-ca")
        return ended(f"the agent at {shown(url)} {said}")
    if isinstance(error, ConnectTimeoutError) and url.startswith("https://"):
        return (
            f"the agent at {shown(url)} did not speak TLS in time: if it speaks plain HTTP, write http:// in its URL."
        )
    if isinstance(error, ConnectError) and not isinstance(error, DnsError):
        why = "nothing listens there" if isinstance(error, RefusedError) else "there is no connection"
        start = "start one with `triton-watch run --target URL`, or say with --agent URL where it is"
        return f"no agent answers at {shown(url)}, {why}: {start}."
    if isinstance(error, NotHttpError):
        return f"what listens at {shown(url)} does not speak HTTP: is the port right (an agent's is usually 8003)?"
    return ended(f"the agent at {shown(url)} {bare(error)}")
