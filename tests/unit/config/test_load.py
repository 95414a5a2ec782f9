"""Loading good configurations: what each setting becomes, and what stands where none was given."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.config import ConfigError, format_duration, load
from triton_watch.records import (
    AlertMode,
    Credentials,
    GivenInput,
    GivenTensor,
    Settings,
    Target,
    Timeouts,
    TlsSettings,
    WebSettings,
)

GOOD = Path(__file__).parent / "good"


def load_text(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    path = folder / "triton-watch.yaml"
    path.write_text(text)
    return load(path, environ or {})


def test_host_alone_is_a_server_on_tritons_ports() -> None:
    """The shortest configuration gives a whole target, with the defaults of the records."""
    target = Target("triton:8000", "http://triton:8000", "http://triton:8002/metrics", "triton:8001")
    settings = load(GOOD / "minimal.yaml", {})
    assert settings == Settings(targets=(target,), slo=settings.slo)


def test_every_setting_reaches_its_record() -> None:
    """A configuration with every setting, where the target's own settings replace those of defaults."""
    settings = load(GOOD / "everything.yaml", {})
    pem = GOOD / "secrets/ca.pem"
    assert settings.targets[0] == Target(
        name="everything",
        http_url="https://proxy/triton",
        metrics_url="http://triton:8002/metrics",
        grpc_address="[fe80::1]:8001",
        grpc_tls=True,
        interval=30.0,
        timeouts=Timeouts(connect=0.5, read=1.5, total=2.0),
        body_limit=512,
        credentials=Credentials(
            bearer_token="key-of-file",
            headers=(("X-Api-Key", "key-of-file"), ("X-Plain", "plain")),
            restricted_header=("other-key", "given"),
        ),
        tls=TlsSettings(cert_file=pem, key_file=pem, insecure_skip_verify=True),
        model_repositories=(GOOD / "models", Path("/srv/models")),
        expected_models=("ranker", "1", "2024-01-01"),
        gpus=("GPU-8d3f2a1b-7c6e-4f5a-9b8c-0d1e2f3a4b5c",),
    )
    web = WebSettings("::1", 0, GOOD / "web.yml")
    assert (settings.web, settings.log.level, settings.log.format) == (web, "debug", "json")
    assert settings.poll_threads == 4


def test_defaults_hold_for_a_target_without_its_own() -> None:
    """What stands under defaults, secrets included, is what a bare target gets."""
    target = load(GOOD / "everything.yaml", {}).targets[1]
    assert (target.name, target.http_url, target.grpc_address) == (
        "[::1]:8000",
        "http://[::1]:8000",
        "[::1]:8001",
    )
    assert (target.interval, target.body_limit) == (60.0, 20 * 2**20)
    assert target.timeouts == Timeouts(connect=0.5, read=1.5, total=4.0)
    assert target.tls == TlsSettings(ca_file=GOOD / "secrets/ca.pem")
    assert target.credentials == Credentials(
        username="watcher",
        password="correct horse",
        headers=(("X-Tenant", "search"),),
        restricted_header=("admin-key", "key-of-file"),
    )


def test_anchors_and_merges_are_followed() -> None:
    """YAML's own way to repeat less works, and sections with nothing under them are as good as absent."""
    targets = load(GOOD / "anchors.yaml", {}).targets
    assert [(target.name, target.http_url, target.interval) for target in targets] == [
        ("a", "http://a:8000", 5.0),
        ("b", "http://b:8000", 5.0),
        ("c", "http://a:8000", 10.0),
    ]


def test_variables_are_replaced_in_every_kind_of_value() -> None:
    """Text, durations, whole numbers and truth values can come from the environment."""
    environ = {
        "NAME": "a b",
        "INTERVAL": "7s",
        "TOKEN": "a:[b",
        "TRUTH": "true",
        "THREADS": "3",
        "EMPTY": "",
        "MODE": "off",
    }
    settings = load(GOOD / "variables.yaml", environ)
    target = settings.targets[0]
    assert (target.name, target.http_url, target.interval) == ("pre-a b-post", "http://localhost:8000", 7.0)
    assert target.credentials == Credentials(bearer_token="a:[b", headers=(("X-Price", "$5 $6 none"),))
    assert target.tls.insecure_skip_verify is True
    assert settings.poll_threads == 3
    assert (settings.canary.options.interval, settings.canary.concurrency) == (7.0, 3)
    assert settings.canary.options.parameters == (("user", "a b"),)
    alerts, (override,) = settings.alerts, settings.alerts.overrides
    assert (alerts.mode, alerts.config_check, alerts.watchdog) == (AlertMode.OFF, None, True)
    assert alerts.alertmanagers[0].credentials == Credentials(bearer_token="a:[b")
    assert (override.hold, override.window, override.threshold) == (7.0, 3, 3.0)
    (globs, options) = settings.canary.overrides[0]
    assert globs == ("a b",)
    assert options.inputs == (
        GivenInput((GivenTensor("TEXT", ("a:[b",)), GivenTensor("PIXELS", (1, 2, 3), shape=(3,)))),
    )


def test_environment_of_the_process_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an environment of its own, loading looks variables up in that of the process."""
    monkeypatch.setenv("TRITON_WATCH_TEST_HOST", "from-environment")
    path = tmp_path / "triton-watch.yaml"
    path.write_text("targets:\n  - host: ${TRITON_WATCH_TEST_HOST}\n")
    assert load(path).targets[0].http_url == "http://from-environment:8000"


def test_a_variable_cannot_become_structure(tmp_path: Path) -> None:
    """The content of a variable is one value, whatever YAML it may look like."""
    text = "targets:\n  - host: a\n    name: ${NAME}\n"
    assert load_text(tmp_path, text, {"NAME": "x, interval: 1s"}).targets[0].name == "x, interval: 1s"


def test_quoted_number_is_no_number_unless_from_the_environment(tmp_path: Path) -> None:
    """A variable may spell a number; one that does not is refused."""
    with pytest.raises(ConfigError, match=r"poll_threads \(from the environment variable N\): is text where"):
        load_text(tmp_path, "targets: [{host: a}]\npoll_threads: ${N}\n", {"N": "many"})


def test_secrets_are_read_at_each_load(tmp_path: Path) -> None:
    """A rotated secret is there after the next load."""
    secret = tmp_path / "token"
    text = "targets:\n  - host: a\n    bearer_token_file: token\n"
    tokens = []
    for token in ("old", "new"):
        secret.write_text(token + "\n")
        tokens.append(load_text(tmp_path, text).targets[0].credentials.bearer_token)
    assert tokens == ["old", "new"]


def test_dollar_in_a_secret_file_is_kept(tmp_path: Path) -> None:
    """The content of secret files is taken as it is: no variables in it."""
    (tmp_path / "password").write_text("a${HOME}$$b")
    text = "targets: [{host: a, basic_auth: {username: b, password_file: password}}]\n"
    assert load_text(tmp_path, text).targets[0].credentials.password == "a${HOME}$$b"


def test_own_login_replaces_that_of_defaults_whatever_its_kind(tmp_path: Path) -> None:
    """A target with a bearer token does not send the user name of defaults too, nor the reverse."""
    text = (
        "defaults: {basic_auth: {username: a, password: b}}\n"
        "targets: [{host: a, bearer_token: c}, {host: b},\n"
        "  {host: c, basic_auth: {username: d, password: e}}]\n"
    )
    logins = [
        (target.credentials.username, target.credentials.bearer_token) for target in load_text(tmp_path, text).targets
    ]
    assert logins == [(None, "c"), ("a", None), ("d", None)]


def test_secrets_are_not_in_the_repr_of_settings() -> None:
    """Logging settings by mistake shows no secret."""
    shown = repr(load(GOOD / "everything.yaml", {}))
    assert not [secret for secret in ("correct horse", "key-of-file", "given", "plain") if secret in shown]


@given(st.integers(100, 86_400_000))
def test_default_timeouts_fit_any_interval(tmp_path_factory: pytest.TempPathFactory, milliseconds: int) -> None:
    """Whatever the interval, the timeouts that nobody gave are above 0 and shorter than it."""
    interval = format_duration(milliseconds / 1000)
    folder = tmp_path_factory.getbasetemp()
    settings = load_text(folder, f"targets: [{{host: a, interval: {interval}}}]")
    timeouts = settings.targets[0].timeouts
    assert 0 < timeouts.connect <= timeouts.total < settings.targets[0].interval
    assert 0 < timeouts.read <= timeouts.total


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    """A file saved by an editor of Windows, with its mark and line ends, is read like any other."""
    path = tmp_path / "triton-watch.yaml"
    path.write_bytes(b"\xef\xbb\xbftargets:\r\n  - host: a\r\n")
    assert load(path, {}).targets[0].name == "a:8000"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("${HERE}", "targets[0].url (from the environment variable HERE): "),
        ("${A}${HERE}", "targets[0].url (from the environment variables A, HERE): "),
        ("${NONE:-foo}", "targets[0].url: "),
        ("${NONE:-foo}${HERE}", "targets[0].url (from the environment variable HERE): "),
        ("foo", "targets[0].url: "),
    ],
)
def test_of_a_value_that_came_from_variables_it_is_said_from_which(tmp_path: Path, written: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(tmp_path, f"targets:\n  - url: {written}\n", {"HERE": "foo", "A": "a"})
    (problem,) = caught.value.problems
    assert problem.text("f").startswith(f"f:2: {told}")


def test_a_variable_that_is_unset_is_not_said_to_be_where_a_value_came_from(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"targets\[0\]\.url: needs the environment variable NONE"):
        load_text(tmp_path, "targets:\n  - url: ${HERE}${NONE}\n", {"HERE": "foo"})
