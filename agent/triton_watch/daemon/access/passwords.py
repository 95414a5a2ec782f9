"""Users and passwords of HTTP basic authentication, against bcrypt hashes."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
from typing import TYPE_CHECKING, Final

import bcrypt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_BYTES: Final = 72
"""bcrypt reads no more of a password, whoever made the hash."""


class Passwords:
    """The users who may read. `check` compares a password with a hash, and takes some 50 ms and more.

    A pair that was right is right at once from then on: its keyed digest is kept, never the password. There is one
    for each user at most, for only right ones are kept. Any number of threads may ask; one of them computes.
    """

    def __init__(self, users: Mapping[str, str], check: Callable[[bytes, bytes], bool] = bcrypt.checkpw) -> None:
        self._hashes = {name: hashed.encode() for name, hashed in users.items()}
        # For users that there are not: as costly as the costliest, so that the time tells nobody who there is.
        self._decoy = max(self._hashes.values(), key=lambda hashed: hashed[4:6])
        self._check = check
        self._secret = secrets.token_bytes(32)
        self._right: set[bytes] = set()
        self._computing = threading.Lock()

    def is_known(self, authorization: str) -> bool:
        """Whether this value of the Authorization header was found right before; takes no time."""
        found = credentials(authorization)
        return found is not None and self._digest(*found) in self._right

    def needs_work(self, authorization: str) -> bool:
        """Whether `admits` will have to compute."""
        return credentials(authorization) is not None and not self.is_known(authorization)

    def admits(self, authorization: str) -> bool:
        """Whether this value of the Authorization header is that of a user with the right password."""
        found = credentials(authorization)
        if found is None:
            return False
        digest = self._digest(*found)
        if digest in self._right:
            return True
        name, password = found
        with self._computing:
            is_right = self._compare(password, self._hashes.get(name, self._decoy))
        if not is_right or name not in self._hashes:
            return False
        self._right.add(digest)
        return True

    def _compare(self, password: bytes, hashed: bytes) -> bool:
        try:
            return self._check(password, hashed)
        except ValueError:  # bytes that bcrypt does not take, such as zeros
            return False

    def _digest(self, name: str, password: bytes) -> bytes:
        return hmac.digest(self._secret, name.encode() + b"\0" + password, "sha256")


def credentials(authorization: str) -> tuple[str, bytes] | None:
    """Name and password of `Basic …`, as much of the password as counts; None where it is something else."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
        name, colon, password = decoded.partition(b":")
        return (name.decode(), password[:_MOST_BYTES]) if colon else None
    except (binascii.Error, ValueError):
        return None
