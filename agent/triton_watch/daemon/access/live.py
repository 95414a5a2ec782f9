"""The web configuration file in force: read again when it or a certificate changes; a bad one changes nothing."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from triton_watch.config import ConfigError, Problem, load_web_apart
from triton_watch.config.addresses import is_loopback
from triton_watch.config.web_tls import TlsProblemError, server_context
from triton_watch.conventions.sentences import joined
from triton_watch.daemon.access.passwords import Passwords
from triton_watch.records import ClientAuth

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.records import WebAccess

LOG = logging.getLogger(__name__)

Print: TypeAlias = tuple[tuple[int, ...], ...]
Seen: TypeAlias = tuple[Print, Print]
"""The state of the file, and of the certificates and keys that it names."""

_TLS: Final = "tls_server_config"


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds at one moment. Without `context` there is no TLS, without `passwords` everybody may read."""

    context: ssl.SSLContext | None = None
    allowed_sans: frozenset[str] = frozenset()
    passwords: Passwords | None = None
    headers: tuple[tuple[str, str], ...] = ()


_RETRY: Final = 60.0
"""Seconds after which a bad file is tried again, although it did not change: what was wrong may be elsewhere."""


class Access:
    """Keeps `now` as the file says, for many readers; `tend` is called by one thread, once a second or so.

    `load` reads a file, in a process of its own unless told otherwise: the daemon is spared what that needs. `clock`
    gives monotonic seconds. Raises `ConfigError` where the file is not good at the start. Whether TLS is spoken is
    settled then.
    """

    def __init__(
        self,
        path: Path | None = None,
        load: Callable[[Path], WebAccess] = load_web_apart,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.now = InForce()
        self._path = path
        self._load = load
        self._clock = clock
        self._access: WebAccess | None = None
        self._seen: Seen = ((), ())
        self._failed: Seen | None = None
        self._opening: Print = ()
        """Of a file that asks less of readers: it counts when it is still the same at the next look."""
        self._retry_at = 0.0
        self._complaint = ""
        if path is not None:
            self._take_in(path, _fingerprint([path]))

    @property
    def speaks_tls(self) -> bool:
        """Whether the file asks for TLS."""
        return self.now.context is not None

    def tell(self, host: str) -> None:
        """Say in the log what deserves to be known at the start; `host` is where the agent listens."""
        self._warn()
        if self.now.passwords is None and not is_loopback(host):
            LOG.info(
                "whoever reaches this address may read all pages: web.config_file asks for a password, see the docs"
            )
        elif self.now.passwords is not None and not self.speaks_tls and not is_loopback(host):
            LOG.warning("passwords come in over plain HTTP, which others may read: set tls_server_config, too")

    def tend(self) -> None:
        """Look whether something changed, and take it in."""
        if self._path is None:
            return
        file_print = _fingerprint([self._path])
        seen = (file_print, _fingerprint(_pem_files(self._access)))
        if seen == self._seen or (seen == self._failed and self._clock() < self._retry_at):
            return
        had_users = self.now.passwords is not None
        try:
            if not self._take_in(self._path, file_print):
                return
        except ConfigError as error:
            self._failed, self._retry_at = seen, self._clock() + _RETRY
            self._complain(joined(str(error).splitlines()))
            return
        self._complaint = ""
        LOG.info("the web configuration was read again")
        if had_users and self.now.passwords is None:
            LOG.warning("no password is asked for any more: the web configuration has no basic_auth_users now")
        self._warn()

    def _take_in(self, path: Path, file_print: Print) -> bool:
        """Load what changed; all or nothing. Raises `ConfigError`. False: look again, the file may be half written."""
        before = self._access
        access = before if before is not None and file_print == self._seen[0] else self._load(path)
        if before is not None and _opens(before, access) and self._opening != file_print:
            self._opening = file_print
            return False
        if before is not None and (access.tls is None) != (before.tls is None):
            raise ConfigError(str(path), [Problem("switches TLS on or off, which takes a restart.", _TLS)])
        # Taken before they are read: what changes after that is seen at the next look.
        pem_print = _fingerprint(_pem_files(access))
        self.now = _in_force(access, self.now, before)
        self._access, self._seen = access, (file_print, pem_print)
        return True

    def _warn(self) -> None:
        for warning in self._access.warnings if self._access is not None else ():
            LOG.warning("%s", warning)

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            LOG.error("the web configuration is not good, the old one stays: %s", text)
        self._complaint = text


def _opens(before: WebAccess, after: WebAccess) -> bool:
    """Whether no password is asked for any more, or no certificate: the first half of a file may say so."""
    asked, asks = (one.tls.client_auth if one.tls is not None else ClientAuth.NONE for one in (before, after))
    return bool(before.users and not after.users) or asks is not asked is not ClientAuth.NONE


def _in_force(access: WebAccess, old: InForce, before: WebAccess | None) -> InForce:
    """Build what holds from now on. Raises `ConfigError`."""
    same_users = before is not None and before.users == access.users
    tls = access.tls
    try:
        context = None if tls is None else server_context(tls)
    except TlsProblemError as error:
        raise ConfigError(str(access.source), [Problem(str(error), f"{_TLS}.{error.key}")]) from error
    except OSError as error:
        text = f"cannot be used at the moment ({error.strerror}): it is tried again."
        raise ConfigError(str(access.source), [Problem(text, _TLS)]) from error
    return InForce(
        context=context,
        allowed_sans=frozenset() if tls is None else frozenset(tls.allowed_sans),
        # Those whose password was found right before need not be checked anew.
        passwords=old.passwords if same_users else Passwords(dict(access.users)) if access.users else None,
        headers=access.headers,
    )


def _pem_files(access: WebAccess | None) -> list[Path]:
    """The files beside the web configuration file itself."""
    tls = access.tls if access is not None else None
    pems = (tls.certificate, tls.key, tls.client_ca) if tls is not None else ()
    return [pem.file for pem in pems if pem is not None and pem.file is not None]


def _fingerprint(paths: list[Path]) -> Print:
    """What tells one state of files from another; what a link points to counts."""
    return tuple(_stat(path) for path in paths)


def _stat(path: Path) -> tuple[int, ...]:
    try:
        status = os.stat(path)  # noqa: PTH116 - follows links, as Secret mounts need
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev)
