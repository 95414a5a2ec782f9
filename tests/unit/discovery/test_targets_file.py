"""A targets file is read as Prometheus reads it, and whatever is wrong with one is said with its place."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.config import ConfigError
from triton_watch.discovery.targets_file import MAX_BYTES, parse
from triton_watch.records import Target
from triton_watch.records.discovery import NOWHERE

TEMPLATE = Target("", "", "", "", interval=5.0, expected_models=("ranker",))


def read(text: str | bytes, source: str = "t.yaml") -> tuple[Target, ...]:
    return parse(text.encode() if isinstance(text, str) else text, source, TEMPLATE)


def refusal(text: str | bytes, source: str = "t.yaml") -> str:
    with pytest.raises(ConfigError) as caught:
        read(text, source)
    return str(caught.value)


def test_an_address_becomes_a_target_with_the_settings_of_its_source() -> None:
    (target,) = read('- targets: ["gpu-1:8000"]\n  labels: {team: search}\n')
    assert target == Target(
        "gpu-1:8000",
        "http://gpu-1:8000",
        "http://gpu-1:8002/metrics",
        "gpu-1:8001",
        interval=5.0,
        expected_models=("ranker",),
    )


def test_a_url_may_have_tls_and_the_path_of_a_proxy_which_tells_two_names_apart() -> None:
    first, second = read('[{"targets": ["https://proxy:443/a", "https://proxy:443/b"]}]', "t.json")
    assert (first.name, second.name) == ("proxy:443/a", "proxy:443/b")
    assert first.grpc_tls
    assert first.http_url == "https://proxy:443/a"


def test_labels_name_the_only_target_of_a_group_and_its_other_ports() -> None:
    labels = "{target: search-0, __grpc__: 'h:9001', __metrics_url__: 'http://h:9002/metrics', region: 7}"
    (target,) = read(f"- targets: ['10.0.0.7:31000']\n  labels: {labels}\n")
    assert (target.name, target.grpc_address, target.metrics_url) == ("search-0", "h:9001", "http://h:9002/metrics")


def test_ipv6_addresses_stand_in_brackets() -> None:
    (target,) = read('- targets: ["[fd00::7]:8000"]\n')
    assert (target.name, target.grpc_address) == ("[fd00::7]:8000", "[fd00::7]:8001")


@pytest.mark.parametrize("text", ["[]", "- targets: []\n"])
def test_an_emptied_list_is_no_targets(text: str) -> None:
    assert read(text) == ()


CASES = (
    ("", "t.yaml: says nothing: write [] for no targets."),
    ("# none\n", "t.yaml: says nothing: write [] for no targets."),
    ("targets: [a:1]", "t.yaml: is not a list: begin each group of targets with a dash (in JSON: write [ ... ])."),
    ("- a:8000\n", "t.yaml:1: [0]: is not a group: write targets, and the addresses as a list under it."),
    ("- target: [a:1]\n", "t.yaml:1: [0].target: is not known here: a group has targets and labels."),
    ("- labels: {}\n", "t.yaml:1: [0].targets: is missing: write addresses such as [gpu-1:8000]."),
    ("- targets: a:1\n", "t.yaml:1: [0].targets: is not a list: write addresses such as [gpu-1:8000]."),
    ("- targets:\n  - 8000\n", "t.yaml:2: [0].targets[0]: is not an address: write host:port in quotes."),
    ("- targets: [gpu-1]\n", 't.yaml:1: [0].targets[0]: "gpu-1" has no port: write it like gpu-1:8000.'),
    (
        "- targets: ['a:99999']\n",
        "t.yaml:1: [0].targets[0]: port 99999 does not exist: choose one from 1 to 65535.",
    ),
    (
        "- targets: ['a:65535']\n",
        "t.yaml:1: [0].targets[0]: the ports after 65535 cannot be those of gRPC and metrics: "
        "set grpc and metrics_url.",
    ),
    (
        "- targets: ['http://u:hunter2@a:1']\n",
        "t.yaml:1: [0].targets[0]: has a user name or password in it: move them to basic_auth and password_file.",
    ),
    ("- targets: []\n  labels: [a]\n", "t.yaml:2: [0].labels: is not a mapping: write names with a colon and a value."),
    (
        "- targets: ['a:1', 'b:1']\n  labels: {target: x}\n",
        "t.yaml:2: [0].labels.target: is about one target, and the group has 2 of them: make a group for each.",
    ),
    ("- targets: ['a:1']\n  labels: {target: 7}\n", "t.yaml:2: [0].labels.target: is not text: put it in quotes."),
    ("- targets: ['a:1'\n", "t.yaml:2:1: is not valid YAML (expected ',' or ']', but got '<stream end>'): "
     "look at the indentation, quotes and colons here and on the line above."),
)  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), CASES)
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(text: str, sentence: str) -> None:
    assert sentence in refusal(text).splitlines()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[{]", "t.json:1:3: is not valid JSON"),
        ('[{"targets": [], "targets": []}]', 't.json: has "targets" twice in one mapping: keep one.'),
        ("[" * 100_000, "t.json: is no list of targets"),
    ],
)
def test_json_that_is_none_is_said_to_be_none(text: str, sentence: str) -> None:
    assert refusal(text, "t.json").startswith(sentence)


def test_a_file_that_is_no_text_or_far_too_large_is_refused() -> None:
    assert "is not UTF-8" in refusal(b"- targets: [\xff]")
    assert "is over 4 MB" in refusal(b"#" * (MAX_BYTES + 1))


hosts = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
addresses = st.builds("{}:{}".format, hosts, st.integers(1, 65533))
labels = st.just({"job": "triton"})
groups = st.lists(
    st.fixed_dictionaries({"targets": st.lists(addresses, max_size=4)}, optional={"labels": labels}),
    max_size=5,
)


@given(groups)
def test_yaml_and_json_say_the_same_and_every_address_is_a_target(found: list[dict[str, object]]) -> None:
    wanted = [address for group in found for address in group["targets"]]  # type: ignore[attr-defined] # a list of texts
    of_json = parse(json.dumps(found).encode(), "t.json", NOWHERE)
    of_yaml = parse(yaml.safe_dump(found).encode(), "t.yaml", NOWHERE)
    assert of_json == of_yaml
    assert [target.name for target in of_json] == wanted


@given(st.binary(max_size=200), st.sampled_from(["t.json", "t.yaml"]))
def test_any_content_is_targets_or_a_refusal_of_one_sentence_a_line(content: bytes, source: str) -> None:
    assert all(line.startswith(source) and line.endswith(".") for line in refused(content, source))


def refused(content: bytes, source: str) -> list[str]:
    try:
        parse(content, source, NOWHERE)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def test_a_large_file_with_a_name_that_is_there_twice_is_refused_at_once() -> None:
    names = ", ".join(f'"n{number}": 0' for number in range(200_000))
    began = time.monotonic()
    (said,) = refused(f'[{{"labels": {{{names}, "n199999": 1}}}}]'.encode(), "t.json")
    assert 'has "n199999" twice' in said
    assert time.monotonic() - began < 10.0


def test_a_label_that_looks_misspelt_is_warned_of_once_and_prometheus_own_are_not() -> None:
    text = (
        "- targets: ['a:1']\n  labels: {__grcp__: 'a:2', __grpc__: 'a:3', team: x}\n"
        "- targets: ['b:1']\n  labels: {__grcp__: 'b:2', __meta_x: a, __param_y: b, __scheme__: http}\n"
        "- targets: ['c:1']\n  labels: {__metrics_path__: /m, __scrape_interval__: 5s, __tmp_z: c}\n"
    )
    told: list[str] = []
    parse(text.encode(), "t.yaml", NOWHERE, told.append)
    assert told == [
        "t.yaml:2: [0].labels.__grcp__: is a label that is not looked at: "
        "those that are are target, __grpc__ and __metrics_url__."
    ]
