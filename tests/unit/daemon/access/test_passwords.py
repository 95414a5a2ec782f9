"""Who is let in by a password, what that costs, and what it tells."""

import base64
import threading

import bcrypt
import pytest

from support.web_access import HASH, PASSWORD
from triton_watch.daemon.access.passwords import Passwords, credentials


def basic(name: str, password: str | bytes) -> str:
    secret = password if isinstance(password, bytes) else password.encode()
    return "Basic " + base64.b64encode(name.encode() + b":" + secret).decode()


class Counting:
    """bcrypt's comparison, counted; with `costs`, by the cost of the hash."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = []

    def __call__(self, password: bytes, hashed: bytes) -> bool:
        self.hashes.append(hashed)
        return bcrypt.checkpw(password, hashed)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_the_right_password_of_a_user_is_let_in(prefix: str) -> None:
    passwords = Passwords({"müller": HASH.replace("$2b$", prefix)})
    assert passwords.admits(basic("müller", PASSWORD))
    assert not passwords.admits(basic("müller", PASSWORD + "x"))
    assert not passwords.admits(basic("meier", PASSWORD))


def test_a_password_that_was_right_is_not_computed_again_and_a_wrong_one_is() -> None:
    check = Counting()
    passwords = Passwords({"reader": HASH}, check)
    for _ in range(3):
        assert passwords.admits(basic("reader", PASSWORD))
    assert len(check.hashes) == 1
    assert passwords.is_known(basic("reader", PASSWORD))
    for _ in range(3):
        assert not passwords.admits(basic("reader", "wrong"))
    assert len(check.hashes) == 4
    assert not passwords.is_known(basic("reader", "wrong"))


def test_an_unknown_user_costs_as_much_as_a_known_one() -> None:
    """The hash that stands in is the costliest there is, and matches nobody."""
    costly = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(5)).decode()
    check = Counting()
    passwords = Passwords({"a": HASH, "b": costly}, check)
    assert not passwords.admits(basic("nobody", PASSWORD))
    assert check.hashes == [costly.encode()]


def test_one_password_is_checked_at_a_time() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def check(_password: bytes, _hashed: bytes) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1
        return False

    passwords = Passwords({"reader": HASH}, check)
    threads = [threading.Thread(target=passwords.admits, args=(basic("reader", str(n)),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_no_password_is_kept() -> None:
    passwords = Passwords({"reader": HASH})
    assert passwords.admits(basic("reader", PASSWORD))
    assert PASSWORD not in str(vars(passwords))


def test_a_password_counts_for_72_bytes_as_bcrypt_has_it() -> None:
    long = "x" * 72
    passwords = Passwords({"reader": bcrypt.hashpw(long.encode(), bcrypt.gensalt(4)).decode()})
    assert passwords.admits(basic("reader", long + "more"))
    assert not passwords.admits(basic("reader", long[:-1]))


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Bearer abc", "Basic " + base64.b64encode(b"no colon").decode(),
     "Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "Basic \u00e9", "basic\t"],
)  # fmt: skip
def test_what_is_no_user_and_password_is_refused_and_costs_nothing(header: str) -> None:
    check = Counting()
    passwords = Passwords({"reader": HASH}, check)
    assert credentials(header) is None
    assert not passwords.admits(header)
    assert not passwords.needs_work(header)
    assert check.hashes == []


def test_zeros_and_emptiness_are_no_password() -> None:
    passwords = Passwords({"reader": HASH})
    assert not passwords.admits(basic("reader", b"\0"))
    assert not passwords.admits(basic("reader", PASSWORD.encode() + b"\0x"))
    assert not passwords.admits(basic("reader", ""))
    assert not passwords.admits(basic("", PASSWORD))
