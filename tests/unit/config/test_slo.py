"""The `slo` section: what each setting becomes, the defaults, a file of its own, and flags over it."""

import subprocess
import sys
from pathlib import Path

import pytest

from triton_watch.config import ConfigError, ConfigUnreadableError, from_flags, load, load_slo, with_slo_flags
from triton_watch.config.windows import burn_windows
from triton_watch.records import (
    Credentials,
    Goal,
    Objective,
    Override,
    Page,
    PrometheusSettings,
    SloSettings,
    SloSli,
    Timeouts,
    TlsSettings,
)

GOOD = Path(__file__).parent / "good"
EXAMPLE = Path(__file__).parents[3] / "examples" / "slo.yaml"
DAY = 86_400.0
BOTH = (Page.PAGE, Page.TICKET)


def written(folder: Path, text: str) -> Path:
    path = folder / "slo.yaml"
    path.write_text(text)
    return path


def everything() -> SloSettings:
    return load(GOOD / "everything.yaml", {}).slo


def test_every_setting_of_an_objective_reaches_its_record() -> None:
    """Globs as one text or a list, a quantile as Triton serves it, an override that has its own."""
    assert everything().objectives[0] == Objective(
        name="queue-time",
        sli=SloSli.QUEUE_TIME,
        goal=Goal(0.995, high=0.05, quantile="0.99", min_events=5),
        period=7 * DAY,
        windows=burn_windows(7 * DAY, (Page.TICKET,)),
        models=("text_*",),
        exclude_models=("text_old", "*_canary"),
        targets=("gpu-*", "everything"),
        overrides=(Override(("text_large",), Goal(0.95, high=0.2, quantile="0.9", min_events=1)),),
        description="Typing: it must feel instant.",
        no_data_after=3600.0,
    )


def test_a_threshold_means_what_its_sli_needs() -> None:
    """The most of a time, the least of a ratio, a band with one end or two, nothing."""
    limits = {objective.name: (objective.goal.low, objective.goal.high) for objective in everything().objectives}
    assert limits == {
        "queue-time": (None, 0.05),
        "batches": (0.5, None),
        "gpu_use": (0.2, 0.9),
        "idle": (0.05, None),
        "first-token": (None, 0.5),
        "request": (None, 60.0),
        "answers": (None, None),
        "canaries": (None, None),
    }


def test_alerts_choose_the_windows() -> None:
    """Tickets alone, nothing at all, and both where nothing was said."""
    windows = {objective.name: {one.severity for one in objective.windows} for objective in everything().objectives}
    assert windows["queue-time"] == {Page.TICKET}
    assert windows["batches"] == set()
    assert windows["answers"] == {Page.PAGE, Page.TICKET}


def test_the_rest_of_the_section_reaches_its_record() -> None:
    """The state directory starts at the file; the secrets of Prometheus are read like those of a target."""
    slo = everything()
    assert (slo.state_dir, slo.flush_interval, slo.no_data_after, slo.are_defaults) == (GOOD / "state", 5, 3600, False)
    assert slo.prometheus == PrometheusSettings(
        url="https://mimir.internal/prometheus",
        timeouts=Timeouts(connect=3.0, read=30.0, total=30.0),
        credentials=Credentials("reader", "correct horse", headers=(("X-Scope-OrgID", "search"),)),
        tls=TlsSettings(ca_file=GOOD / "secrets/ca.pem"),
        selector=(("cluster", "gpu-west"),),
    )


@pytest.mark.parametrize("text", ["targets: [{host: a}]", "targets: [{host: a}]\nslo:", "slo: {flush_interval: 10s}"])
def test_without_objectives_there_are_the_defaults(text: str, tmp_path: Path) -> None:
    """Availability and queue time for everybody, batching as a ticket; and it is known that nobody asked for them."""
    slo = load_slo(written(tmp_path, text), {"HOME": "/home/ann"})
    assert slo.are_defaults
    assert slo.state_dir == Path("/home/ann/.local/state/triton-watch")
    assert slo.objectives == (
        Objective("availability", SloSli.AVAILABILITY, Goal(0.999), 30 * DAY, burn_windows(30 * DAY, BOTH)),
        Objective("queue-time", SloSli.QUEUE_TIME, Goal(0.99, high=0.05), 30 * DAY, burn_windows(30 * DAY, BOTH)),
        Objective(
            "batch-efficiency",
            SloSli.BATCH_EFFICIENCY,
            Goal(0.9, low=0.5),
            30 * DAY,
            burn_windows(30 * DAY, (Page.TICKET,)),
        ),
    )


def test_an_empty_list_is_no_objective(tmp_path: Path) -> None:
    """Somebody who wants none gets none."""
    slo = load_slo(written(tmp_path, "slo: {objectives: [], state_dir: none}"), {})
    assert (slo.objectives, slo.are_defaults, slo.state_dir) == ((), False, None)


def test_variables_are_replaced_in_the_section(tmp_path: Path) -> None:
    """Ratios, quantiles and whole numbers can come from the environment as texts."""
    text = (
        "slo: {objectives: [{name: a, sli: batch_efficiency, threshold: '${R}', objective: 90%},\n"
        "  {name: b, sli: queue_time, threshold: '${T}', quantile: '${Q}', objective: 90%, min_events: '${N}'}]}"
    )
    environ = {"R": "0.25", "T": "10ms", "Q": "0.5", "N": "7"}
    first, second = load_slo(written(tmp_path, text), environ).objectives
    assert first.goal.low == 0.25
    assert second.goal == Goal(0.9, high=0.01, quantile="0.5", min_events=7)


def test_other_sections_are_not_looked_at(tmp_path: Path) -> None:
    """A whole configuration is good for `slo check` where its secrets are not at hand."""
    text = "targets: [{host: a, bearer_token_file: absent}]\nslo: {objectives: []}"
    assert load_slo(written(tmp_path, text), {}).objectives == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log: {level: debug}", ":1: slo: is missing: write objectives under it, or give a whole configuration."),
        ("slos: {}", ":1: slos: is not a known setting: did you mean slo?"),
        ("slo: {objectives: [{}]}", ":1: slo.objectives[0].name: is missing: add it."),
        (
            "slo: {objectives: [{name: a, sli: queue_time, objective: 99%}]}",
            ":1: slo.objectives[0].threshold: is missing: write the longest time that is good, such as 50ms.",
        ),
        ("slo: {state_dir: '${NO}'}", ":1: slo.state_dir: needs the environment variable NO, which is unset: set it"),
    ],
)
def test_a_file_of_objectives_alone_is_checked_as_strictly(text: str, message: str, tmp_path: Path) -> None:
    """Each problem has its place, and a misspelt section is no absent one."""
    with pytest.raises(ConfigError) as caught:
        load_slo(written(tmp_path, text), {})
    assert message in str(caught.value)


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    """Told apart from one that is wrong."""
    with pytest.raises(ConfigUnreadableError):
        load_slo(tmp_path / "absent.yaml", {})


def test_the_example_is_good() -> None:
    """As it stands, without a variable set, alone and with one objective for each thing that it shows."""
    assert [objective.name for objective in load_slo(EXAMPLE, {}).objectives] == [
        "availability",
        "canaries",
        "text-queue",
        "ranker-p99",
        "batching",
        "gpu-band",
    ]


def test_flags_go_over_a_file() -> None:
    """The directory and the URL are the flags'; what lets us into the file's Prometheus is told to no other."""
    settings = load(GOOD / "everything.yaml", {})
    changed = with_slo_flags(settings, "/elsewhere", "prometheus=http://other:9090").slo
    assert changed.state_dir == Path("/elsewhere")
    assert changed.prometheus is not None
    assert settings.slo.prometheus is not None
    assert changed.prometheus.url == "http://other:9090"
    assert changed.prometheus.credentials == Credentials()
    same = with_slo_flags(settings, None, f"prometheus={settings.slo.prometheus.url}").slo
    assert same.prometheus == settings.slo.prometheus
    assert changed.objectives == settings.slo.objectives


def test_flags_that_are_not_given_change_nothing() -> None:
    """Neither a file's settings nor the defaults."""
    settings = from_flags(["http://a"])
    assert with_slo_flags(settings, None, None) == settings


def test_a_flag_can_name_a_prometheus_where_the_file_has_none() -> None:
    """It is then asked without credentials."""
    prometheus = with_slo_flags(from_flags(["http://a"]), None, "prometheus=https://p/mimir/").slo.prometheus
    assert prometheus == PrometheusSettings(
        "https://p/mimir", Timeouts(connect=3.0, read=10.0, total=10.0), Credentials(), TlsSettings()
    )


def test_putting_flags_over_settings_imports_no_pydantic() -> None:
    """The daemon does it in its own process, whose memory is capped."""
    code = (
        "import sys, triton_watch.config as c, triton_watch.records as r; "
        "c.with_slo_flags(r.Settings(()), 'x', 'prometheus=http://p'); "
        "print([m for m in ('pydantic', 'yaml') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
