"""The `canary` section: what each setting becomes, what stands where none was given, overrides and flags over it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from triton_watch.config import ConfigError, from_flags, load, with_canary_flags
from triton_watch.config.apart import load_apart
from triton_watch.records import CanaryOptions, CanarySettings, GivenInput, GivenTensor, Protocol, Settings

GOOD = Path(__file__).parent / "good"
INPUTS = GOOD / "inputs"
EXAMPLE = Path(__file__).parents[3] / "examples" / "triton-watch.yaml"
PARAMETERS = (("priority", 1), ("user", "on"), ("stream", True), ("temperature", 0.5))


def canary(folder: Path, *lines: str) -> CanarySettings:
    path = folder / "triton-watch.yaml"
    path.write_text("\n".join(("targets: [{host: a}]", "canary:", *(f"  {line}" for line in lines))))
    return load(path, {}).canary


def everything() -> CanarySettings:
    return load(GOOD / "everything.yaml", {}).canary


def test_every_option_reaches_its_record() -> None:
    """The options that the section and its overrides share."""
    assert everything().options == CanaryOptions(
        enabled=False,
        interval=20.0,
        timeout=4.0,
        start_delay=60.0,
        max_latency=0.5,
        max_pending=0,
        dynamic_size=16,
        batch_size=2,
        optional_inputs=True,
        allow_non_finite=True,
        min_responses=2,
        max_responses=100,
        parameters=PARAMETERS,
    )


def test_parameters_keep_their_types() -> None:
    """A truth value is no 1 on the way, and a text stays one."""
    assert [type(value) for _, value in everything().options.parameters] == [int, str, bool, float]


def test_the_rest_of_the_section_reaches_its_record() -> None:
    """Globs as one text or a list; the folder of recorded answers starts at the file and need not be there."""
    found = everything()
    assert (found.models, found.exclude_models) == (("chat*", "ranker", "vision"), ("*_old",))
    assert (found.protocol, found.concurrency, found.jitter) == (Protocol.GRPC, 8, 0.25)
    assert (found.failures, found.window) == (3, 5)
    assert found.goldens == GOOD / "absent/goldens"


def test_inputs_reach_their_records() -> None:
    """Values in place, with a shape or without, files of one tensor and of whole inputs."""
    (globs, options) = everything().overrides[0]
    assert globs == ("ranker",)
    assert options.inputs == (
        GivenInput(
            (
                GivenTensor("FEATURES", ((0.1, 0.2), (3, -4))),
                GivenTensor("TEXT", file=INPUTS / "text.npy"),
                GivenTensor("FLAG", values=True),
            )
        ),
        GivenInput(
            (
                GivenTensor("PIXELS", (1, 2, 3), shape=(1, 3)),
                GivenTensor("FILLED", 0, shape=(1, 2)),
                GivenTensor("LINE", file=INPUTS / "text.npy", shape=(1, 1)),
            )
        ),
        GivenInput(file=INPUTS / "recorded.npz"),
        GivenInput(file=INPUTS / "recorded.json"),
        GivenInput((GivenTensor("file", "a text"),)),
        GivenInput((GivenTensor("file", ("a text",)),)),
        GivenInput((GivenTensor("file", "a text"), GivenTensor("OTHER", "2024-01-01"))),
    )


def test_an_override_starts_from_the_section() -> None:
    """What it gives replaces what the section gives, parameters whole; the rest is as there."""
    section, ranker, others = everything().options, *(options for _, options in everything().overrides)
    assert (ranker.enabled, ranker.interval, ranker.parameters) == (True, 300.0, ())
    assert (ranker.timeout, ranker.max_latency, ranker.max_responses) == (4.0, 0.5, 100)
    assert others.min_responses == 0
    assert (others.enabled, others.interval, others.parameters) == (False, 20.0, section.parameters)
    assert not section.inputs
    assert not others.inputs


@pytest.mark.parametrize("text", ["", "canary:", "canary: {}", "canary: {exclude_models: [], overrides: []}"])
def test_nothing_need_be_configured(text: str, tmp_path: Path) -> None:
    """Without a section, or with an empty one, the settings are the defaults of the records."""
    path = tmp_path / "triton-watch.yaml"
    path.write_text(f"targets: [{{host: a}}]\n{text}\n")
    assert load(path, {}).canary == CanarySettings()


@pytest.mark.parametrize(
    ("interval", "timeout"), [("30s", 5.0), ("10s", 5.0), ("8s", 4.0), ("1s", 0.5), ("1s1ms", 0.5), ("1d", 5.0)]
)
def test_the_timeout_that_nobody_gave_fits_the_interval(interval: str, timeout: float, tmp_path: Path) -> None:
    """It is half of a short interval, be it that of the section or that of an override."""
    found = canary(tmp_path, f"interval: {interval}", "overrides:", f"- {{models: a, interval: {interval}}}")
    assert found.options.timeout == timeout
    assert found.overrides[0][1].timeout == timeout


def test_a_timeout_of_the_section_does_not_hide_that_an_override_is_too_fast_for_it(tmp_path: Path) -> None:
    """The problem is told once, where the interval was changed."""
    with pytest.raises(ConfigError) as caught:
        canary(tmp_path, "timeout: 4s", "overrides:", "- {models: a, interval: 2s}", "- {models: b, batch_size: 2}")
    assert [problem.path for problem in caught.value.problems] == ["canary.overrides[0].timeout"]


def test_a_clash_in_the_section_is_not_told_for_each_override_again(tmp_path: Path) -> None:
    """An override that leaves both settings alone is none of the trouble."""
    with pytest.raises(ConfigError) as caught:
        canary(tmp_path, "timeout: 1m", "overrides:", "- {models: b, batch_size: 2}")
    assert [problem.path for problem in caught.value.problems] == ["canary.timeout"]


def test_a_window_of_one_needs_one_failure(tmp_path: Path) -> None:
    """Who wants to hear of each failure writes the window alone."""
    found = canary(tmp_path, "window: 1")
    assert (found.failures, found.window) == (1, 1)


@pytest.mark.parametrize(("text", "ratio"), [("0%", 0.0), ("50%", 0.5), ("0.125", 0.125), ("0", 0.0)])
def test_jitter_is_a_share_from_none_to_a_half(text: str, ratio: float, tmp_path: Path) -> None:
    """A percentage or a ratio; none at all is not taken for the default."""
    assert canary(tmp_path, f"jitter: {text}").jitter == ratio


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[]", ()),
        ("[[], []]", ((), ())),
        ("0", 0),
        ("hello", "hello"),
        ("[yes, 'no']", None),
        ("['yes', 'no']", ("yes", "no")),
        ("[1, 0.5]", (1, 0.5)),
        ("[-9223372036854775808, 18446744073709551615]", (-(2**63), 2**64 - 1)),
        ("[[[true]], [[false]]]", (((True,),), ((False,),))),
        ("[" * 32 + "1" + "]" * 32, "deep"),
    ],
)
def test_values_of_one_kind_and_shape_are_taken(text: str, values: Any, tmp_path: Path) -> None:
    """Scalars and lists up to 32 deep, empty ones too; what YAML reads as a truth value is no text."""
    lines = ("overrides:", "- models: a", f"  inputs: [{{X: {text}}}]")
    if values is None:
        with pytest.raises(ConfigError, match="mixes text with true or false"):
            canary(tmp_path, *lines)
        return
    (tensor,) = canary(tmp_path, *lines).overrides[0][1].inputs[0].tensors
    assert values == "deep" or (tensor.values == values and tensor.shape is None)


def test_a_file_called_with_a_control_character_is_a_problem_like_any_other(tmp_path: Path) -> None:
    """No name of a file makes loading fail in another way than by a sentence."""
    with pytest.raises(ConfigError, match=r"inputs\[0\].file: has a control character"):
        canary(tmp_path, "overrides:", "- models: a", '  inputs: [{file: "a\\0.npz"}]')


def test_a_child_process_hands_the_settings_over_whole() -> None:
    """The daemon loads in a child: it gets the same records, inputs included."""
    assert load_apart(GOOD / "everything.yaml").canary == everything()


def test_the_example_has_canaries() -> None:
    """It shows what most need: a pace, models left out, an input for one."""
    found = load(EXAMPLE, {}).canary
    assert found.options_of("archive_1") is None
    ranker = found.options_of("ranker")
    assert ranker is not None
    assert ranker.inputs[0].tensors[0].name == "FEATURES"


def asked(settings: Settings) -> list[str]:
    return [name for name in ("ranker", "chat1", "vision") if settings.canary.options_of(name) is not None]


def test_a_flag_switches_all_canaries_off() -> None:
    """Those of an override that is on by itself, too, whatever the section says."""
    settings = load(GOOD / "everything.yaml", {})
    assert asked(settings) == ["ranker"]
    assert asked(with_canary_flags(settings, enabled=False, goldens=None)) == []


def test_a_flag_switches_on_what_the_section_switched_off() -> None:
    """Overrides that are off with the section come on with it."""
    settings = with_canary_flags(load(GOOD / "everything.yaml", {}), enabled=True, goldens=None)
    assert asked(settings) == ["ranker", "chat1", "vision"]


def test_a_flag_does_not_switch_on_what_an_override_switched_off(tmp_path: Path) -> None:
    """Where the section is on already, somebody meant it."""
    path = tmp_path / "triton-watch.yaml"
    path.write_text("targets: [{host: a}]\ncanary: {overrides: [{models: ranker, enabled: false}]}")
    settings = load(path, {})
    assert with_canary_flags(settings, enabled=True, goldens=None) == settings
    assert asked(settings) == ["chat1", "vision"]


def test_flags_that_are_not_given_change_nothing() -> None:
    """Neither a file's settings nor the defaults."""
    for settings in (from_flags(["http://a"]), load(GOOD / "everything.yaml", {})):
        assert with_canary_flags(settings, enabled=None, goldens=None) == settings


def test_a_flag_names_the_folder_of_goldens(tmp_path: Path) -> None:
    """It need not be there, and wins over the file's."""
    settings = load(GOOD / "everything.yaml", {})
    folder = tmp_path / "goldens"
    assert with_canary_flags(settings, enabled=None, goldens=str(folder)).canary.goldens == folder


@pytest.mark.parametrize("name", ["", " ", "a\0b", __file__, f"{__file__}/goldens"])
def test_a_flag_that_names_no_folder_is_refused(name: str) -> None:
    """By the name of the flag; a path through a file is left to whoever uses the folder."""
    settings = from_flags(["http://a"])
    if name.endswith("/goldens"):
        assert with_canary_flags(settings, enabled=None, goldens=name).canary.goldens == Path(name)
        return
    text = f"{name} is a file: give the path of a folder." if name == __file__ else "is no folder: give its path."
    with pytest.raises(ConfigError) as caught:
        with_canary_flags(settings, enabled=None, goldens=name)
    assert str(caught.value) == f"command line: --goldens: {text}"


def test_putting_flags_over_settings_imports_no_pydantic() -> None:
    """The daemon does it in its own process, whose memory is capped."""
    code = (
        "import sys, triton_watch.config as c, triton_watch.records as r; "
        "c.with_canary_flags(r.Settings(()), enabled=False, goldens='x'); "
        "print([m for m in ('pydantic', 'yaml') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
