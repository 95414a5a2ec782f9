"""The process: supervisor, web server, signals and reload, until somebody says stop."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.config import ConfigError
from triton_watch.daemon.access.live import Access
from triton_watch.daemon.app import App
from triton_watch.daemon.exporter import Exporter
from triton_watch.daemon.logs import set_up
from triton_watch.daemon.pages import core_routes
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
        self._access = Access(settings.web.config_file)
        self._supervisor = Supervisor(settings, log=self._log, on_death=self._note_death, probes=probes, audit=audit)
        self._web = WebServer(
            settings.web, App(core_routes(self._supervisor, Exporter(self._supervisor))), self._access
        )

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until a job dies; return the exit code."""
        self._web.start()
        self._supervisor.start()
        facts = {"targets": len(self._settings.targets), "url": self._web.url}
        self._log.info("watching", extra={"facts": facts})
        self._access.tell(self._settings.web.host)
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
        if not self._web.is_alive:
            self._note_death("the web server died")
        if self._watcher is None:
            if asked_to_reload:
                self._log.info("nothing to reload: the targets were given as flags")
        elif asked_to_reload or self._watcher.due():
            self._reload(self._watcher, tell=asked_to_reload)

    def _reload(self, watcher: ConfigWatcher, *, tell: bool) -> None:
        try:
            settings = watcher.load()
        except ConfigError as error:
            self._supervisor.reload_failed()
            if watcher.is_news(error) or tell:
                self._log.error(
                    "the configuration is not good, the old one stays: %s", "; ".join(str(error).splitlines())
                )
            return
        if settings is None:
            self._supervisor.reload_kept()
            if tell:
                self._log.info("the configuration has not changed")
            return
        self._swap(settings)

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
        self._log.info("the configuration was reloaded", extra={"facts": {"targets": len(settings.targets)}})

    def _note_death(self, sentence: str) -> None:
        self._death = self._death or sentence
        os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self) -> int:
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


def _address(settings: Settings) -> tuple[str, int]:
    return settings.web.host, settings.web.port
