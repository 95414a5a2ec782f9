"""The process: supervisor, web server, signals and reload, until somebody says stop."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.config import ConfigError
from triton_watch.conventions.sentences import joined
from triton_watch.daemon.access.live import Access
from triton_watch.daemon.app import App
from triton_watch.daemon.exporter import Exporter
from triton_watch.daemon.logs import set_up
from triton_watch.daemon.notify import Notifier
from triton_watch.daemon.pages import BEAT_LIMIT, core_routes
from triton_watch.daemon.supervisor import Supervisor
from triton_watch.daemon.web import WebServer
from triton_watch.probes import PROBES, Probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.daemon.audits import Audit
    from triton_watch.daemon.reload import ConfigWatcher
    from triton_watch.records import Settings

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})

EXIT_OK = 0
EXIT_DIED = 3

_REFUSED = "the configuration is not good, the old one stays"
_BEAT = 1.0
_PATIENCE = 2.5
"""Seconds that running cycles get to end after SIGTERM; the promise to be out within 5 s hangs on it."""


class Service:
    """One running agent. Signals are taken synchronously, by the thread that calls `run`.

    Raises `WebError` where the address to listen on cannot be had, `ConfigError` where the web configuration file
    is not good.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        watcher: ConfigWatcher | None = None,
        probes: Mapping[str, Probe] = PROBES,
        audit: Audit | None = None,
    ) -> None:
        self._settings = settings
        self._watcher = watcher
        self._death = ""
        # Before any thread starts, so that all inherit it and none is interrupted.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._log = set_up(settings.log)
        self._manager = Notifier(os.environ, beat_limit=BEAT_LIMIT)
        self._access = Access(settings.web.config_file)
        self._supervisor = Supervisor(settings, log=self._log, on_death=self._note_death, probes=probes, audit=audit)
        self._web = WebServer(
            settings.web, App(core_routes(self._supervisor, Exporter(self._supervisor))), self._access
        )

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until a job dies; return the exit code."""
        self._web.start()
        self._supervisor.start()
        self._log.info("watching", extra={"facts": {**_counts(self._settings), "url": self._web.url}})
        self._access.tell(self._settings.web.host)
        self._manager.ready(self._status())
        while not self._death:
            received = signal.sigtimedwait(SIGNALS, _BEAT)
            if received is not None and received.si_signo != signal.SIGHUP:
                break
            self._tend(asked_to_reload=received is not None)
        return self._stop()

    def _tend(self, *, asked_to_reload: bool) -> None:
        """Do what is due each second."""
        self._supervisor.watch_clock()
        self._access.tend()
        self._manager.alive(self._supervisor.beat_age())
        if not self._web.is_alive:
            self._note_death("the web server died")
        if self._watcher is None:
            if asked_to_reload:
                self._log.info("nothing to reload: the targets were given as flags")
        elif asked_to_reload or self._watcher.due():
            self._reload(self._watcher, tell=asked_to_reload)

    def _reload(self, watcher: ConfigWatcher, *, tell: bool) -> None:
        if tell:
            self._manager.reloading()
        problem = self._load(watcher, tell=tell)
        self._manager.ready(f"{_REFUSED}: {problem}" if problem else self._status())

    def _load(self, watcher: ConfigWatcher, *, tell: bool) -> str:
        """Load the configuration and go over to it; return what is wrong with it."""
        try:
            settings = watcher.load()
        except ConfigError as error:
            problem = joined(str(error).splitlines())
            self._supervisor.reload_failed()
            if watcher.is_news(error) or tell:
                self._log.error("%s: %s", _REFUSED, problem)
            return problem
        if settings is None:
            self._supervisor.reload_kept()
            if tell:
                self._log.info("the configuration has not changed")
        else:
            self._swap(settings)
        return ""

    def _status(self) -> str:
        counts = " ".join(f"{name}={count}" for name, count in _counts(self._settings).items())
        return f"watching {counts} url={self._web.url}"

    def _swap(self, settings: Settings) -> None:
        for name, changed in (
            ("web.listen", _address(settings) != _address(self._settings)),
            ("web.config_file", settings.web.config_file != self._settings.web.config_file),
            ("poll_threads", settings.poll_threads != self._settings.poll_threads),
        ):
            if changed:
                self._log.warning("%s changed: that takes effect after a restart", name)
        set_up(settings.log)
        self._supervisor.swap(settings)
        self._settings = replace(settings, web=self._settings.web, poll_threads=self._settings.poll_threads)
        self._log.info("the configuration was reloaded", extra={"facts": _counts(settings)})

    def _note_death(self, sentence: str) -> None:
        self._death = self._death or sentence
        os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self) -> int:
        self._manager.stopping(f"giving up: {self._death}" if self._death else "stopping")
        if self._death:
            self._log.critical("giving up: %s", self._death)
        ended = self._supervisor.stop(_PATIENCE)
        self._web.close()
        self._log.info("stopped")
        code = EXIT_DIED if self._death else EXIT_OK
        if not ended:
            # A request is still hanging in a thread that the interpreter would wait for.
            logging.shutdown()
            os._exit(code)
        return code


def _counts(settings: Settings) -> dict[str, int]:
    """How many targets are configured, and where there are any, how many sources find more."""
    sources = len(settings.discovery)
    return {"targets": len(settings.targets)} | ({"sources": sources} if sources else {})


def _address(settings: Settings) -> tuple[str, int]:
    return settings.web.host, settings.web.port
