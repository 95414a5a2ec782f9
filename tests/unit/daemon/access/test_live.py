"""The web configuration file at work: what is asked of readers, and changes without a restart."""

import logging
import os
import ssl
from http import HTTPStatus
from pathlib import Path

import bcrypt
import pytest
import requests

from support.web_access import (
    PASSWORD,
    PATIENCE,
    TLS,
    USERS,
    certificate,
    client_context,
    served,
    web_file,
    write_pair,
)
from triton_watch.config import ConfigError, load_web
from triton_watch.config.addresses import is_loopback
from triton_watch.daemon.access.live import Access
from triton_watch.daemon.app import SECURITY_HEADERS, Route, plain

PATHS = ("/", "/metrics", "/-/healthy", "/-/ready", "/-/serving", "/api/v1/alerts")
ROUTES = tuple(Route(path, lambda _: plain(HTTPStatus.OK, "page")) for path in PATHS)
LOGIN = ("reader", PASSWORD)


def rewrite(path: Path, text: str) -> None:
    """Replace a file as careful people do: at once."""
    other = path.with_suffix(".new")
    other.write_text(text)
    os.replace(other, path)  # noqa: PTH105 - what it does is the point


@pytest.mark.parametrize("path", PATHS)
def test_every_page_but_two_needs_a_password(tmp_path: Path, path: str) -> None:
    """Healthy and ready are open for a kubelet; the verdict on Triton names models, and is not."""
    is_open = path in ("/-/healthy", "/-/ready")
    with served(web_file(tmp_path, USERS), ROUTES) as agent:
        assert requests.get(agent.url + path, auth=LOGIN, timeout=PATIENCE).status_code == 200
        for login in (None, ("reader", "wrong"), ("nobody", PASSWORD)):
            answer = requests.get(agent.url + path, auth=login, timeout=PATIENCE)
            assert answer.status_code == (200 if is_open else 401)


@pytest.mark.parametrize("path", ["/metrics", "/nothing", "/-/healthy/", "/-/healthy/../../metrics", "/%2d/healthyx"])
def test_who_is_not_let_in_is_asked_for_a_password_and_learns_nothing(tmp_path: Path, path: str) -> None:
    """401, the same for what there is and what there is not, for other methods and without a body for HEAD."""
    with served(web_file(tmp_path, USERS), ROUTES) as agent:
        url = agent.url + path
        answer = requests.get(url, timeout=PATIENCE)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="triton-watch", charset="UTF-8"'
        assert answer.text == "A user name and a password are needed here.\n"
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
        assert requests.head(url, timeout=PATIENCE).status_code == 401


def test_headers_of_the_file_replace_ours(tmp_path: Path) -> None:
    text = (
        "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n"
        "    Content-Security-Policy: default-src 'self'\n    Strict-Transport-Security: max-age=60\n"
    )
    with served(web_file(tmp_path, USERS + text), ROUTES) as agent:
        for answer in (
            requests.get(agent.url, auth=LOGIN, timeout=PATIENCE),
            requests.get(agent.url, timeout=PATIENCE),
        ):
            assert answer.headers["X-Frame-Options"] == "sameorigin"
            assert answer.headers["Content-Security-Policy"] == "default-src 'self'"
            assert answer.headers["Strict-Transport-Security"] == "max-age=60"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_users_change_without_a_restart(tmp_path: Path) -> None:
    path = web_file(tmp_path, USERS)
    new = bcrypt.hashpw(b"new", bcrypt.gensalt(4)).decode()
    with served(path, ROUTES) as agent:
        assert requests.get(agent.url, auth=LOGIN, timeout=PATIENCE).status_code == 200
        rewrite(path, f"basic_auth_users: {{reader: {new}}}\n")
        agent.access.tend()
        assert requests.get(agent.url, auth=LOGIN, timeout=PATIENCE).status_code == 401
        assert requests.get(agent.url, auth=("reader", "new"), timeout=PATIENCE).status_code == 200
        rewrite(path, "{}\n")
        agent.access.tend()
        agent.access.tend()
        assert requests.get(agent.url, timeout=PATIENCE).status_code == 200


def verifies(access: Access) -> bool:
    """Whether clients have to show a certificate."""
    context = access.now.context
    return context is not None and context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("half", ["{}\n", TLS])
def test_a_file_that_is_being_written_opens_no_door(tmp_path: Path, half: str) -> None:
    """Its first half is a good file, too, which asks for no password and no certificate."""
    mutual = TLS.replace("}", ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}")
    whole = USERS if half == "{}\n" else mutual
    path = web_file(tmp_path, whole)
    access = Access(path, load=load_web)
    old, mode = access.now, verifies(access)
    rewrite(path, half)
    access.tend()
    assert access.now is old
    rewrite(path, whole)
    access.tend()
    assert (access.now.passwords, verifies(access)) == (old.passwords, mode)
    rewrite(path, half)
    access.tend()
    access.tend()
    assert access.now.passwords is None
    assert not verifies(access)


def test_that_no_password_is_asked_for_any_more_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = web_file(tmp_path, USERS)
    access = Access(path, load=load_web)
    rewrite(path, "{}\n")
    access.tend()
    access.tend()
    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == [
        "no password is asked for any more: the web configuration has no basic_auth_users now"
    ]


def test_a_certificate_with_other_text_around_it_changes_nothing_for_the_agent(tmp_path: Path) -> None:
    """Whose it is, in any alphabet, or bytes that are no text, as tools write them before a certificate."""
    path = web_file(tmp_path, TLS)
    access = Access(path, load=load_web)
    old = access.now.context
    good = (tmp_path / "cert.pem").read_bytes()
    (tmp_path / "cert.pem").write_bytes("subject=CN=Müller\n".encode() + b"\xff\n" + good)
    access.tend()
    assert access.now.context is not old
    new = access.now.context
    (tmp_path / "cert.pem").write_bytes(good.replace(b"\nM", "\né".encode(), 1))
    access.tend()
    assert access.now.context is new


def test_a_bad_file_keeps_the_old_one_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is half written, or gone for a moment, opens nothing."""
    path = web_file(tmp_path, USERS)
    with served(path, ROUTES) as agent, caplog.at_level(logging.INFO):
        for text in ("", "basic_auth_users: {reader: ", "basic_auth_users: {reader: plain}\n"):
            rewrite(path, text)
            agent.access.tend()
            agent.access.tend()
            assert requests.get(agent.url, timeout=PATIENCE).status_code == 401
        path.unlink()
        agent.access.tend()
        assert requests.get(agent.url, timeout=PATIENCE).status_code == 401
        assert requests.get(agent.url, auth=LOGIN, timeout=PATIENCE).status_code == 200
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4
    assert all(line.startswith(f"the web configuration is not good, the old one stays: {path}") for line in said)
    assert "basic_auth_users.reader: is not a bcrypt hash" in said[2]
    assert "plain" not in said[2]


def test_a_certificate_is_changed_without_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """New connections see the new one, open ones go on; the file is not read again for that."""
    path = web_file(tmp_path, TLS)
    with served(path, ROUTES) as agent, caplog.at_level(logging.INFO):
        context = client_context(tmp_path)
        with context.wrap_socket(agent.connect(), server_hostname="localhost") as old:
            write_pair(tmp_path, certificate("other.example"))
            agent.access.tend()
            with context.wrap_socket(agent.connect(), server_hostname="other.example") as new:
                assert new.getpeercert() != old.getpeercert()
            old.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert old.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert [record.getMessage() for record in caplog.records] == ["the web configuration was read again"]


def test_a_bad_pair_keeps_the_old_one_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A new certificate whose key has not come yet: the next look finds both."""
    with served(web_file(tmp_path, TLS), ROUTES) as agent, caplog.at_level(logging.INFO):
        key = (tmp_path / "key.pem").read_bytes()
        write_pair(tmp_path, certificate("localhost", "new.example"))
        new_key = (tmp_path / "key.pem").read_bytes()
        (tmp_path / "key.pem").write_bytes(key)
        for _ in range(3):
            agent.access.tend()
        assert requests.get(agent.url, verify=str(tmp_path / "ca.pem"), timeout=PATIENCE).status_code == 200
        (tmp_path / "key.pem").write_bytes(new_key)
        agent.access.tend()
        context = client_context(tmp_path)
        with context.wrap_socket(agent.connect(), server_hostname="new.example"):
            pass
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "key_file: is not the key of the certificate in cert_file" in said[0]
    assert said[1] == "the web configuration was read again"


def test_a_bad_file_is_tried_again_after_a_minute_for_the_fault_may_be_elsewhere(tmp_path: Path) -> None:
    """Such as a certificate that a new file names, and that came a little later than it."""
    now = 0.0
    path = web_file(tmp_path, TLS)
    access = Access(path, load=load_web, clock=lambda: now)
    before = access.now.context
    rewrite(path, TLS.replace("cert.pem", "late.pem"))
    access.tend()
    assert access.now.context is before
    (tmp_path / "late.pem").write_bytes((tmp_path / "cert.pem").read_bytes())
    access.tend()
    assert access.now.context is before
    now = 61.0
    access.tend()
    assert access.now.context is not before


@pytest.mark.parametrize(("before", "after"), [(TLS, USERS), (USERS, TLS + USERS)])
def test_tls_is_not_switched_on_or_off_on_the_way(
    tmp_path: Path, before: str, after: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Passwords never go over a line that has just become a plain one."""
    path = web_file(tmp_path, before)
    access = Access(path, load=load_web)
    spoken, passwords = access.speaks_tls, access.now.passwords
    rewrite(path, after)
    access.tend()
    assert (access.speaks_tls, access.now.passwords) == (spoken, passwords)
    assert "tls_server_config: switches TLS on or off, which takes a restart." in caplog.text


def test_a_bad_file_at_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        Access(tmp_path / "absent.yml")


def test_readers_keep_their_login_when_only_something_else_changes(tmp_path: Path) -> None:
    path = web_file(tmp_path, USERS)
    access = Access(path, load=load_web)
    before = access.now.passwords
    rewrite(path, USERS + "http_server_config: {http2: true}\n")
    access.tend()
    assert access.now.passwords is before


@pytest.mark.parametrize(
    ("host", "text", "level", "part"),
    [
        ("127.0.0.1", "{}\n", None, ""),
        ("localhost", USERS, None, ""),
        ("::1", "{}\n", None, ""),
        ("0.0.0.0", "{}\n", "INFO", "whoever reaches this address may read all pages"),
        ("0.0.0.0", TLS, "INFO", "whoever reaches this address may read all pages"),
        ("agent.example", USERS, "WARNING", "passwords come in over plain HTTP"),
        ("::", TLS + USERS, None, ""),
    ],
)
def test_what_is_open_to_the_network_is_told_at_the_start(
    tmp_path: Path, host: str, text: str, level: str | None, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        Access(web_file(tmp_path, text), load=load_web).tell(host)
    assert [record.levelname for record in caplog.records] == ([] if level is None else [level])
    assert part in caplog.text


def test_what_the_file_asks_for_in_vain_is_told_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Access(web_file(tmp_path, "http_server_config: {http2: true}\n"), load=load_web).tell("127.0.0.1")
    assert "http_server_config.http2: the agent speaks HTTP/1.1 alone" in caplog.text


def test_loopback_is_told_from_other_addresses() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "agent.example"))
