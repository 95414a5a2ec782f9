"""The `alerts` section: what each setting becomes, what stands where none was given, and the flag over it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from triton_watch.config import (
    ConfigError,
    format_duration,
    from_flags,
    load,
    masked,
    masked_yaml,
    schema,
    with_alert_flags,
)
from triton_watch.config.apart import from_flags_apart, load_apart
from triton_watch.config.expand import escaped
from triton_watch.conventions.alerts import (
    ALERT_NAMES,
    ALERT_PREFIX,
    MODEL_ALERTS,
    OTHER_THRESHOLD_ALERTS,
    RATIO_ALERTS,
    RESERVED_LABELS,
)
from triton_watch.records import (
    Alertmanager,
    AlertMode,
    AlertOverride,
    AlertSettings,
    AlertSeverity,
    Credentials,
    Timeouts,
    TlsSettings,
)

GOOD = Path(__file__).parent / "good"
EXAMPLE = Path(__file__).parents[3] / "examples" / "triton-watch.yaml"


def alerts(folder: Path, *lines: str) -> AlertSettings:
    path = folder / "triton-watch.yaml"
    path.write_text("\n".join(("targets: [{host: a}]", "alerts:", *(f"  {line}" for line in lines))))
    return load(path, {}).alerts


def everything() -> AlertSettings:
    return load(GOOD / "everything.yaml", {}).alerts


def test_every_setting_of_the_section_reaches_its_record() -> None:
    found = everything()
    assert (found.mode, found.resend_interval, found.watchdog) == (AlertMode.PROMETHEUS, 30.0, True)
    assert found.external_labels == (("area", "1"), ("cluster", "prod"))
    assert found.severities == {
        AlertSeverity.PAGE: "critical",
        AlertSeverity.TICKET: "warning",
        AlertSeverity.INFO: "none",
    }
    assert found.severity_label(AlertSeverity.TICKET) == "warning"


def test_urls_lose_their_slash_and_templates_stay_as_they_are_written() -> None:
    """A board or a runbook may need a query or a fragment."""
    found = everything()
    assert found.external_url == "https://watch.example.net:443/triton"
    assert found.runbook_url == "https://wiki.example.net/run?book={alert}#top"
    assert found.dashboard_url == "https://grafana.example.net/d/{dashboard}?orgId=1"


@pytest.mark.parametrize(
    "url", ["https://wiki.example.net", "http://wiki:80/@team/{alert}", "https://w/{alert}/{alert}"]
)
def test_a_template_need_not_be_one(url: str, tmp_path: Path) -> None:
    """One page for all alerts is a page, and what stands after the host is the user's own."""
    assert alerts(tmp_path, f'runbook_url: "{url}"').runbook_url == url


def test_every_alertmanager_has_its_own_deadlines_secrets_and_tls() -> None:
    pem = GOOD / "secrets/ca.pem"
    assert everything().alertmanagers == (
        Alertmanager("http://alertmanager-0:9093"),
        Alertmanager(
            "https://proxy/alertmanager",
            Timeouts(connect=1.0, read=1.0, total=1.0),
            Credentials(username="teller", password="correct horse", headers=(("X-Team", "plain"),)),
            TlsSettings(ca_file=pem, insecure_skip_verify=True),
        ),
        Alertmanager("http://alertmanager-2:9093", credentials=Credentials(bearer_token="key-of-file")),
    )


def test_every_setting_of_an_override_reaches_its_record() -> None:
    """A time of 0s is one, a percentage is a ratio, and what is not said is None."""
    queue, gpus, memory = everything().overrides
    assert queue == AlertOverride(
        alerts=("TritonQueueGrowing",),
        targets=("gpu-*",),
        models=("ranker*", "chat"),
        severity=AlertSeverity.PAGE,
        hold=0.0,
        keep=120.0,
        failures=3,
        window=5,
        threshold=4.0,
        labels=(("_x1", "größe"), ("team", "ranking")),
    )
    assert gpus == AlertOverride(alerts=("TritonGpu*", "TritonNotBatching"), enabled=False)
    assert memory == AlertOverride(alerts=("TritonGpuMemoryHigh",), threshold=0.975)


@pytest.mark.parametrize("text", ["", "alerts:", "alerts: {}", "alerts: {alertmanagers: [], overrides: []}"])
def test_without_a_setting_alerts_are_evaluated_and_nobody_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "triton-watch.yaml"
    path.write_text(f"targets: [{{host: a}}]\n{text}\n")
    found = load(path, {}).alerts
    assert found == AlertSettings()
    assert (found.mode, found.alertmanagers) == (AlertMode.AGENT, ())


@pytest.mark.parametrize("off", ["off", "'off'", "false", "OFF"])
def test_off_needs_no_quotes(off: str, tmp_path: Path) -> None:
    """YAML takes the bare word for false."""
    found = alerts(tmp_path, f"mode: {off}", f"config_check: {off}")
    assert (found.mode, found.config_check) == (AlertMode.OFF, None)


@pytest.mark.parametrize("glob", [*ALERT_NAMES, "*", "Triton*", "TritonGpu*", "Triton?otReady", "Triton[GN]*"])
def test_an_override_may_name_every_alert_or_several(glob: str, tmp_path: Path) -> None:
    assert alerts(tmp_path, f"overrides: [{{alerts: '{glob}', enabled: false}}]").overrides[0].alerts == (glob,)


@pytest.mark.parametrize(
    ("name", "text", "threshold"),
    [
        ("TritonGpuMemoryHigh", "95%", 0.95),
        ("TritonNotBatching", "1", 1.0),
        ("TritonQueueGrowing", "95", 95.0),
        ("'*'", "90%", 0.9),
    ],
)
def test_a_threshold_that_some_alert_can_have_is_taken(name: str, text: str, threshold: float, tmp_path: Path) -> None:
    (found,) = alerts(tmp_path, f"overrides: [{{alerts: {name}, threshold: {text}}}]").overrides
    assert found.threshold == threshold


@pytest.mark.parametrize("models", ["'*'", "[ranker]"])
def test_models_may_be_named_where_one_of_the_alerts_is_about_a_model(models: str, tmp_path: Path) -> None:
    names = "TritonNotReady" if models == "'*'" else "TritonNot*"
    assert alerts(tmp_path, f"overrides: [{{alerts: {names}, models: {models}, enabled: false}}]").overrides


def test_each_alert_has_one_name_with_the_prefix() -> None:
    assert len(set(ALERT_NAMES)) == len(ALERT_NAMES) == 19
    assert all(name.startswith(ALERT_PREFIX) and name.isalnum() for name in ALERT_NAMES)


@pytest.mark.parametrize("place", ["external_labels: {%s: x}", "overrides: [{alerts: '*', labels: {%s: x}}]"])
@pytest.mark.parametrize("name", RESERVED_LABELS)
def test_a_label_that_says_which_alert_it_is_cannot_be_added(place: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{name}: is a label that alerts have themselves: choose another name"):
        alerts(tmp_path, place % name)


@pytest.mark.parametrize("window", ["failures: 5", "window: 2"])
def test_failures_and_window_are_compared_only_where_both_are_given(window: str, tmp_path: Path) -> None:
    """The alert's own other half is not known here."""
    assert alerts(tmp_path, f"overrides: [{{alerts: TritonNotReady, {window}}}]").overrides


def test_a_child_process_hands_the_settings_over_whole() -> None:
    """The daemon loads in a child: what it gets can be sent between processes."""
    assert load_apart(GOOD / "everything.yaml").alerts == everything()
    assert from_flags_apart(targets=["http://a"]).alerts == AlertSettings()


def test_the_example_shows_an_override_and_tells_nobody() -> None:
    """It must run as it stands, where there is no Alertmanager."""
    found = load(EXAMPLE, {}).alerts
    assert found.alertmanagers == ()
    assert found.overrides[0].alerts == ("TritonQueueGrowing",)


# The flag


def test_the_flag_tells_these_alertmanagers_and_no_others() -> None:
    for base in (from_flags(["http://a"]), load(GOOD / "everything.yaml", {})):
        found = with_alert_flags(base, ["http://one:9093", "HTTPS://Two/prefix/"]).alerts
        assert found.alertmanagers == (Alertmanager("http://one:9093"), Alertmanager("https://two/prefix"))
        assert found.overrides == base.alerts.overrides


def test_a_url_of_the_file_keeps_its_secrets() -> None:
    """Another URL gets none of them."""
    base = load(GOOD / "everything.yaml", {})
    found = with_alert_flags(base, ["https://proxy/alertmanager/"]).alerts
    assert found.alertmanagers == (base.alerts.alertmanagers[1],)


def test_without_the_flag_nothing_changes() -> None:
    base = load(GOOD / "everything.yaml", {})
    assert with_alert_flags(base, ()) is base


@pytest.mark.parametrize(
    ("urls", "text"),
    [
        (["alertmanager:9093"], '"alertmanager:9093" has no scheme: write it like http://alertmanager:9093.'),
        (
            ["http://bob:hunter2@a:9093"],
            "has a user name or password in it: move them to basic_auth and password_file.",
        ),
        (["http://a:9093", "http://A:9093/"], "gives http://a:9093 twice: keep one."),
        ([""], '"" has no scheme: write it like http://alertmanager:9093.'),
    ],
)
def test_a_flag_that_names_no_alertmanager_is_refused_by_its_name(urls: list[str], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_alert_flags(from_flags(["http://a"]), urls)
    assert str(caught.value) == f"command line: --alertmanager: {text}"


def test_putting_the_flag_over_settings_imports_no_pydantic() -> None:
    """The daemon does it in its own process, whose memory is capped."""
    code = (
        "import sys, triton_watch.config as c, triton_watch.records as r; "
        "c.with_alert_flags(r.Settings(()), ['http://a:9093']); "
        "print([m for m in ('pydantic', 'yaml') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


# Whatever it says


VALIDATOR = jsonschema.Draft202012Validator(schema())
TEXTS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=8)
GLOBS = TEXTS | st.lists(TEXTS, min_size=1, max_size=3)
NAMES = st.from_regex(r"[a-z]{1,3}_[A-Z0-9]{1,3}", fullmatch=True)
LABELS = st.dictionaries(NAMES, TEXTS.filter(lambda text: "{{" not in text), max_size=3)


def durations(least: int, most: int) -> st.SearchStrategy[str]:
    return st.integers(least, most).map(lambda milliseconds: format_duration(milliseconds / 1000))


def fitting(override: dict[str, Any]) -> dict[str, Any]:
    """Without what the alerts of the override cannot have."""
    name, threshold = override["alerts"], override.get("threshold")
    globs = name if isinstance(name, list) else [name]
    is_ratio = any(one in RATIO_ALERTS or "*" in one for one in globs)
    has_any = is_ratio or name in OTHER_THRESHOLD_ALERTS
    unfit = set()
    if not has_any or (is_ratio and isinstance(threshold, (int, float)) and threshold > 1):
        unfit.add("threshold")
    if not any(one in MODEL_ALERTS or one == "*" for one in globs):
        unfit.add("models")
    return {key: value for key, value in override.items() if key not in unfit}


OVERRIDES = st.fixed_dictionaries(
    {"alerts": st.sampled_from([*ALERT_NAMES, "*", ["TritonGpu*", "TritonNotReady"]]), "enabled": st.booleans()},
    optional={
        "targets": GLOBS,
        "models": GLOBS,
        "severity": st.sampled_from(["page", "ticket", "info"]),
        "for": durations(0, 86_400_000),
        "keep_firing_for": durations(0, 86_400_000),
        "failures": st.integers(1, 10),
        "window": st.integers(10, 100),
        "threshold": st.floats(0, 1e15) | st.integers(0, 10**15) | st.sampled_from(["0%", "99.999%", "100%"]),
        "labels": LABELS,
    },
).map(fitting)
SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["agent", "prometheus", "off", False]),
        "alertmanagers": st.lists(
            st.fixed_dictionaries(
                {"url": st.sampled_from(["http://a:9093", "https://b/c"])}, optional={"timeout": durations(1, 60_000)}
            ),
            max_size=2,
            unique_by=lambda peer: peer["url"],
        ),
        "external_url": st.sampled_from(["http://a", "https://a/b/"]),
        "runbook_url": st.sampled_from(["http://a/{alert}", "https://a/?b=${alert}"]),
        "dashboard_url": st.sampled_from(["http://a/{dashboard}", "https://a/#c"]),
        "external_labels": LABELS,
        "severities": st.fixed_dictionaries({}, optional={"page": st.just("p1"), "ticket": TEXTS.map("t{}".format)}),
        "resend_interval": durations(1000, 3_600_000),
        "watchdog": st.booleans(),
        "config_check": st.just("off") | st.just(False) | durations(10_000, 86_400_000),
        "overrides": st.lists(OVERRIDES, max_size=3),
    },
)


@given(SECTIONS)
@settings(deadline=None, max_examples=60)
def test_what_is_shown_loads_to_the_same_settings(tmp_path_factory: Any, section: dict[str, Any]) -> None:
    """The schema takes the section as it was written and as it is shown; both load, and to the same settings."""
    path = tmp_path_factory.getbasetemp() / "alerts.yaml"
    whole = {"targets": [{"host": "a"}], "alerts": section}
    path.write_text(yaml.safe_dump(escaped(whole), allow_unicode=True))
    loaded = load(path, {})
    path.write_text(masked_yaml(loaded))
    VALIDATOR.validate(whole)
    VALIDATOR.validate(masked(loaded))
    assert load(path, {}).alerts == loaded.alerts
