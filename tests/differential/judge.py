"""The real tritonserver's verdict about cases.

One server in EXPLICIT mode judges all cases that need no flags of their own: a case's models are written into its
repository, the judged one is loaded by name and everything is unloaded and removed again. What was refused
at poll is only in the log. A case with `alone` gets a server that starts on its repository.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from differential.case import Case, Verdict, write_models
from support.stand_ins import write_backends
from triton_watch.demo import EmbeddedTriton, EmbeddedTritonError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

DEADLINE_SECONDS = 15.0
"""For one model to load. Without Python's processes it takes 2 ms; a hang lasts 200 seconds and more."""
STOP_SECONDS = 10.0
LOST_SECONDS = 3.0
HUNG = f"no answer in {DEADLINE_SECONDS:g} seconds"
EXPLICIT = ("--model-control-mode=explicit",)
NOT_POLLED = "failed to poll from model repository"
_POLL = re.compile(r'"Poll failed for model directory \'(?P<model>.*?)\': (?P<reason>.*)"$', re.MULTILINE)
_PROTOBUF = re.compile(r"^\[libprotobuf ERROR \S+\] (?P<words>.*)$", re.MULTILINE)
_FURTHER = re.compile(r";\s*version \S+ is at UNAVAILABLE state: .*|\n\s*At:\n.*", re.DOTALL)
_ERROR = re.compile(r'^E\d.*?\] "(.*)"$', re.MULTILINE)
_LAST_WORDS = re.compile(r"^(?:terminate called.*|  what\(\):.*|Signal .*)$", re.MULTILINE)
_AT_LOAD = re.compile(r"^version \S+ is at UNAVAILABLE state: ")


class Judge:
    """Gives verdicts as long as its `with` block lasts."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="triton-watch-judge-"))
        self._backends = write_backends(self._root / "backends")
        self._servers: dict[tuple[str, ...], EmbeddedTriton] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.stop(STOP_SECONDS)
        shutil.rmtree(self._root)

    def judge(self, cases: Iterable[Case]) -> dict[str, Verdict]:
        """The verdicts by name of case. Cases with the same flags share a server; only one runs at a time."""
        verdicts: dict[str, Verdict] = {}
        for case in sorted(cases, key=lambda case: (case.alone, case.flags)):
            verdict = self._verdict(case)
            if verdict.stage == "crash":  # a fresh server tells whether it was this case or an earlier one
                verdict = self._verdict(case)
            verdicts[case.name] = verdict
        return verdicts

    def _verdict(self, case: Case) -> Verdict:
        return self._judge_alone(case) if case.alone else self._judge_loading(case)

    def _judge_loading(self, case: Case) -> Verdict:
        server = self._server(case.flags)
        before = server.log_file.stat().st_size
        write_models(case.repositories[0], server.repository)
        try:
            answer = _post(server, f"models/{case.judge}/load")
            log = _text(server.log_file, before)
            return _of_load(case, answer.get("error", ""), log)
        except TimeoutError:
            return self._lost(case, "hang", before)
        except (OSError, http.client.HTTPException):
            return self._lost(case, "crash", before)
        finally:
            self._forget(case, server)

    def _forget(self, case: Case, server: EmbeddedTriton) -> None:
        """Unload and remove everything of a case."""
        for name in (case.judge, *case.repositories[0]):
            if case.flags in self._servers:
                with suppress(OSError, http.client.HTTPException):
                    _post(server, f"models/{name}/unload")
        for name in case.repositories[0]:
            shutil.rmtree(server.repository / name)

    def _server(self, flags: tuple[str, ...]) -> EmbeddedTriton:
        """The one running server, started with these flags."""
        if flags not in self._servers:
            for other in [*self._servers]:
                self._servers.pop(other).stop(STOP_SECONDS)
            repository = Path(tempfile.mkdtemp(prefix="models-", dir=self._root))
            self._servers[flags] = self._start(repository, (*EXPLICIT, *flags))
        return self._servers[flags]

    def _start(self, repository: Path, flags: tuple[str, ...]) -> EmbeddedTriton:
        server = EmbeddedTriton(
            repository,
            extra_args=[*self._backends, *flags],
            log_file=self._root / f"{repository.name}.log",
            workdir=self._root,
            strict_readiness=False,
        )
        return server.start(DEADLINE_SECONDS)

    def _lost(self, case: Case, stage: str, before: int) -> Verdict:
        """Give up a server that hangs or has died."""
        server = self._servers.pop(case.flags)
        deadline = time.monotonic() + LOST_SECONDS
        while stage == "crash" and server.running and time.monotonic() < deadline:
            time.sleep(0.05)  # its keeper cleans up; a stop in the middle of a death makes it fail
        server.stop(LOST_SECONDS)
        log = _text(server.log_file, before)
        return Verdict(True, stage, _last_words(log) if stage == "crash" else HUNG, log)

    def _judge_alone(self, case: Case) -> Verdict:
        folders = [Path(tempfile.mkdtemp(prefix="repository-", dir=self._root)) for _ in case.repositories]
        for models, folder in zip(case.repositories, folders, strict=True):
            write_models(models, folder)
        more = tuple(f"--model-repository={folder}" for folder in folders[1:])
        log = self._root / f"{folders[0].name}.log"
        try:
            server = self._start(folders[0], (*more, *case.flags))
        except EmbeddedTritonError as error:
            hangs = str(error).startswith("not live")
            text = _text(log, 0)
            return Verdict(True, "hang" if hangs else "crash", HUNG if hangs else _last_words(text), text)
        try:
            index: list[dict[str, str]] = _post(server, "index")
        finally:
            server.stop(STOP_SECONDS)
        states = [row for row in index if row["name"] == case.judge]
        return _of_index(case, states, _text(log, 0))


def _of_load(case: Case, error: str, log: str) -> Verdict:
    """The verdict in the answer to a load request, or in the log for what was refused at poll."""
    if not error:
        return Verdict(False, log=log)
    if NOT_POLLED in error:
        return Verdict(True, "poll", _clean(case, _poll_failure(case.judge, log) or error), log)
    reason = error.removeprefix(f"load failed for model '{case.judge}': ")
    return Verdict(True, _stage(reason), _clean(case, _AT_LOAD.sub("", reason)), log)


def _of_index(case: Case, states: list[dict[str, str]], log: str) -> Verdict:
    """The verdict in the repository's index."""
    ready = [row for row in states if row.get("state") == "READY"]
    if ready:
        return Verdict(False, log=log)
    if polled := _poll_failure(case.judge, log):
        return Verdict(True, "poll", _clean(case, polled), log)
    reasons = [row["reason"] for row in states if "reason" in row]
    if reasons:
        return Verdict(True, _stage(f"version 1 is at UNAVAILABLE state: {reasons[0]}"), _clean(case, reasons[0]), log)
    words = [line for line in _ERROR.findall(log) if re.search(rf"(?<!\w){re.escape(case.judge)}(?!\w)", line)]
    reason = words[-1] if words else "no reason given"
    reason = reason.removeprefix(f"failed to load model '{case.judge}': ").removeprefix("Invalid argument: ")
    return Verdict(True, _stage(reason), _clean(case, reason), log)


def _poll_failure(model: str, log: str) -> str:
    """Why a model was refused at poll, the parser's own words included."""
    found = next((match for match in _POLL.finditer(log) if match["model"] == model), None)
    if found is None:
        return ""
    # The parser's complaint is on the lines just before; members of an ensemble may have others further up.
    parser = _PROTOBUF.findall(log[: found.start()].rpartition("Poll failed")[2])
    return f"{found['reason']}: {'; '.join(parser)}" if "text proto" in found["reason"] else found["reason"]


def _last_words(log: str) -> str:
    """What the C++ runtime says of its end."""
    return " ".join(" ".join(_LAST_WORDS.findall(log)).split()) or "the server ended without a word"


def _stage(reason: str) -> str:
    if reason.startswith("at least one version must be available"):
        return "versions"
    return "load" if _AT_LOAD.match(reason) else "dependency"


def _clean(case: Case, words: str) -> str:
    """Triton's words on one line, without the folders of this machine, with CASE for the case's name.

    Cut off are what differs from run to run (which ensembles of a cycle are named) or between versions of Python
    (tracebacks), and the same words again for further versions of the model.
    """
    words = re.sub(r"\S*/triton-watch-\S*?/(?:models|backends)/", "", words.strip().rstrip(";"))
    words = _FURTHER.sub("", words)
    words = re.sub(r"(circular dependency between ensembles): .*", r"\1", " ".join(words.split()))
    return words.replace(case.token, "CASE")


def _text(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")


def _post(server: EmbeddedTriton, path: str) -> Any:
    """The answer of the repository API, an empty object where it says nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", server.ports.http, timeout=DEADLINE_SECONDS)
    try:
        connection.request("POST", f"/v2/repository/{quote(path)}", body=b"{}")
        content = connection.getresponse().read()
        return json.loads(content) if content else {}
    finally:
        connection.close()
