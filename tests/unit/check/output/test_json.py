"""The JSON contract: exactly these names, the same bytes for the same findings, whatever is in them."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.check_reports import BATCHING, FINDINGS, HOSTILE, PROBE, report, written
from triton_watch.check.output import write

if TYPE_CHECKING:
    import random


class Nowhere:
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)

    def writelines(self, lines: object) -> None:
        for _ in lines:  # type: ignore[attr-defined]
            pass


def test_it_is_the_contract_to_the_letter() -> None:
    assert json.loads(written("json", report([BATCHING], suppressed=2, baselined=1))) == {
        "version": 1,
        "findings": [
            {
                "rule": "TW402",
                "slug": "no-dynamic-batching",
                "severity": "warning",
                "confidence": "high",
                "model": "ranker",
                "file": "models/ranker/config.pbtxt",
                "line": 3,
                "column": 1,
                "message": BATCHING.message,
                "fix": "add `dynamic_batching { }`",
                "red_line": True,
            }
        ],
        "checklist": [
            {"item": "Model repository structured correctly", "state": "ok", "rules": [], "note": ""},
            {"item": "Dynamic batching configured", "state": "failed", "rules": ["TW402"], "note": "in 1 model"},
            {"item": "Instance groups allocate GPUs", "state": "ok", "rules": [], "note": ""},
            {"item": "Health endpoints monitored", "state": "ok", "rules": [], "note": ""},
            {
                "item": "Metrics exported to Prometheus",
                "state": "not checked",
                "rules": [],
                "note": "none of its rules ran",
            },
            {"item": "Input/output shapes validated", "state": "ok", "rules": [], "note": ""},
        ],
        "summary": {
            "errors": 0,
            "warnings": 1,
            "infos": 0,
            "red_lines": 1,
            "models": 3,
            "repositories": 1,
            "manifests": 1,
            "live": 0,
            "suppressed": 2,
            "baselined": 1,
        },
    }


def test_what_is_not_known_is_null_and_a_red_line_is_a_boolean() -> None:
    (found,) = json.loads(written("json", report([replace(PROBE, line=None, column=None)])))["findings"]
    assert found["model"] is found["line"] is found["column"] is found["fix"] is None
    assert found["red_line"] is False


def test_nothing_found_is_an_empty_list() -> None:
    assert json.loads(written("json", report([])))["findings"] == []


@given(st.lists(HOSTILE, max_size=8), st.randoms())
def test_the_same_findings_in_any_order_and_time_give_the_same_ascii(found: list, rng: random.Random) -> None:  # type: ignore[type-arg]
    shuffled = rng.sample(found, len(found))
    text = written("json", report(found, seconds=1.0))
    assert text == written("json", report(shuffled, seconds=2.0))
    assert text.isascii()
    json.dumps(json.loads(text), ensure_ascii=False).encode()


@pytest.mark.parametrize("name", ["json", "github"])
def test_many_findings_are_written_as_they_go(name: str) -> None:
    many = report([replace(one, message=f"{one.message} {i}") for i in range(500) for one in FINDINGS])
    size = len(written(name, many))
    tracemalloc.start()
    try:
        write(many, name, Nowhere())  # type: ignore[arg-type]
        assert tracemalloc.get_traced_memory()[1] < size / 4
    finally:
        tracemalloc.stop()
