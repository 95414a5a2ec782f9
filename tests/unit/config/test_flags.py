"""Settings from flags: the same rules as in a file, and messages that name the flag."""

import re
from pathlib import Path
from typing import Any

import pytest

from triton_watch.config import ConfigError, from_flags
from triton_watch.records import Credentials, Settings, Target, Timeouts, TlsSettings

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "configuration.md").read_text()
ADDRESSES = re.findall(r"^\| `(http[^`]+)`[^|]*\| `(\S+)` \| `(\S+)` \| `(\S+)` \|$", GUIDE, re.MULTILINE)


def test_one_url_is_enough() -> None:
    """A URL alone gives a whole target, equal to that of the shortest file."""
    target = Target("localhost:8000", "http://localhost:8000", "http://localhost:8002/metrics", "localhost:8001")
    settings = from_flags(["http://localhost:8000"])
    assert settings == Settings(targets=(target,), slo=settings.slo)
    assert settings.slo.are_defaults


@pytest.mark.parametrize(("url", "http", "grpc", "metrics"), ADDRESSES)
def test_addresses_are_derived_as_documented(url: str, http: str, grpc: str, metrics: str) -> None:
    """The table of docs/configuration.md is what happens."""
    target = from_flags([url]).targets[0]
    shown = f"grpcs://{target.grpc_address}" if target.grpc_tls else target.grpc_address
    assert (target.http_url, shown, target.metrics_url) == (http, grpc, metrics)


def test_documented_addresses_were_found() -> None:
    """The table that the test above reads is there."""
    assert len(ADDRESSES) == 5


@pytest.mark.parametrize(
    ("url", "http"),
    [
        ("HTTP://Triton.Example:8000/", "http://triton.example:8000"),
        ("https://triton:443/a/b-c/", "https://triton:443/a/b-c"),
        ("http://[2001:db8::1]", "http://[2001:db8::1]:8000"),
        ("http://my_triton:8000", "http://my_triton:8000"),
        ("http://10.0.0.1:80", "http://10.0.0.1:80"),
    ],
)
def test_urls_are_brought_to_one_form(url: str, http: str) -> None:
    """Case, brackets, a slash at the end: the URL in use has one form."""
    assert from_flags([url]).targets[0].http_url == http


@pytest.mark.parametrize(
    ("given", "address", "tls"),
    [
        ("a:1", "a:1", False),
        ("grpc://a:1", "a:1", False),
        ("grpcs://a:1", "a:1", True),
        ("GRPCS://[::1]:1", "[::1]:1", True),
    ],
)
@pytest.mark.parametrize("url", ["http://a", "https://a"])
def test_a_given_grpc_address_says_itself_whether_it_is_tls(url: str, given: str, address: str, tls: bool) -> None:
    """Whatever the URL is, only grpcs:// is gRPC over TLS; the scheme is no part of the address."""
    target = from_flags([url], grpc=given).targets[0]
    assert (target.grpc_address, target.grpc_tls) == (address, tls)


def test_every_flag_reaches_its_setting(tmp_path: Path) -> None:
    """Each flag does what its name says."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    settings = from_flags(
        ["http://a:9000"],
        name="x",
        grpc="a:1",
        metrics_url="http://b:2/m",
        headers=["X-Key: a:b", "X-More:c"],
        username="bob",
        password_file=str(secret),
        ca_file=str(secret),
        insecure_skip_verify=True,
        interval="10s",
        timeout="4s",
        expected_models=["m"],
        listen="0.0.0.0:9",
        log_level="debug",
        log_format="json",
        state="none",
        history="prometheus=http://prometheus:9090/",
        canary=False,
    )
    assert settings.targets[0] == Target(
        name="x",
        http_url="http://a:9000",
        metrics_url="http://b:2/m",
        grpc_address="a:1",
        interval=10.0,
        timeouts=Timeouts(connect=1.0, read=2.0, total=4.0),
        credentials=Credentials("bob", "hunter2", headers=(("X-Key", "a:b"), ("X-More", "c"))),
        tls=TlsSettings(ca_file=secret, insecure_skip_verify=True),
        expected_models=("m",),
    )
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 9)
    assert (settings.log.level, settings.log.format) == ("debug", "json")
    assert settings.slo.state_dir is None
    assert settings.slo.prometheus is not None
    assert settings.slo.prometheus.url == "http://prometheus:9090"
    assert not settings.canary.options.enabled
    bearer = from_flags(["http://a"], bearer_token_file=str(secret)).targets[0].credentials
    assert bearer == Credentials(bearer_token=secret.read_text().strip())


def test_a_dollar_in_a_flag_is_a_dollar() -> None:
    """The shell has replaced variables already; nothing is replaced again."""
    assert from_flags(["http://a"], headers=["X: ${HOME}$$"]).targets[0].credentials.headers == (("X", "${HOME}$$"),)


TWO = ["http://a", "http://b"]
RENAME = "delete one of the two, or give it another name."
UNITS = "(d, h, m, s, ms, in this order), such as 15s, 250ms or 1m30s."
A_SINGLE = "goes with a single --target: write several servers into a configuration file."


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"targets": []}, "--target: is missing: give the URL of a server, such as http://localhost:8000."),
        (
            {"targets": ["localhost:8000"]},
            '--target: "localhost:8000" has no scheme: write it like http://localhost:8000.',
        ),
        (
            {"targets": ["http://bob:hunter2@a"]},
            "--target: has a user name or password in it: move them to basic_auth and password_file.",
        ),
        (
            {"targets": ["http://a", "http://a:8000"]},
            "--target: the name a:8000 (from the address) is already that of targets[0]: " + RENAME,
        ),
        ({"targets": TWO, "name": "x"}, f"--name: {A_SINGLE}"),
        ({"targets": TWO, "grpc": "a:1"}, f"--grpc: {A_SINGLE}"),
        ({"targets": TWO, "metrics_url": "http://a"}, f"--metrics-url: {A_SINGLE}"),
        (
            {"interval": "5"},
            '--interval: "5" is not a duration: write numbers with units ' + UNITS,
        ),
        (
            {"targets": TWO, "timeout": "20s"},
            "--timeout: is 20s, not shorter than the interval of 15s: lower it or raise that.",
        ),
        ({"headers": ["hunter2"]}, '--header: has no colon: write "Name: value".'),
        ({"headers": ["X: a", "X: b"]}, "--header: gives X twice: keep one."),
        ({"headers": ["X Y: a"]}, "--header: is not the name of a header: use letters, digits and dashes."),
        ({"username": "bob"}, "--username: and --password-file go together: give both."),
        ({"password_file": "x"}, "--username: and --password-file go together: give both."),
        ({"bearer_token_file": "/no/file"}, "--bearer-token-file: /no/file does not exist: check the path."),
        ({"ca_file": "/no/file"}, "--ca-file: /no/file does not exist: check the path."),
        (
            {"grpc": "http://a:1"},
            '--grpc: "http://a:1" is not a gRPC address: write host:port, and grpcs:// before it for TLS.',
        ),
        (
            {"metrics_url": "a"},
            '--metrics-url: "a" has no scheme: write it like http://localhost:8002/metrics.',
        ),
        (
            {"listen": ":1"},
            '--listen: ":1" has no host: write 127.0.0.1:1 for this machine, 0.0.0.0:1 for all.',
        ),
        ({"log_level": "loud"}, '--log-level: "loud" is not one of debug, info, warning, error.'),
        ({"log_format": "xml"}, '--log-format: "xml" is not one of text, json.'),
        ({"state": " "}, "--state: is no directory: give its path, or none to keep events in memory only."),
        (
            {"history": "http://prometheus:9090"},
            "--history: is not of the form prometheus=URL: write it like prometheus=http://prometheus:9090.",
        ),
        (
            {"history": "prometheus=prometheus:9090"},
            '--history: "prometheus:9090" has no scheme: write it like http://prometheus:9090.',
        ),
        ({"expected_models": ["a", "a"]}, "--expect-model: a is in the list twice: keep one."),
    ],
)
def test_message_names_the_flag(flags: dict[str, Any], text: str) -> None:
    """Each mistake is told once, by the name of the flag that has it."""
    with pytest.raises(ConfigError) as caught:
        from_flags(**{"targets": ["http://a"], **flags})
    assert str(caught.value) == f"command line: {text}"
