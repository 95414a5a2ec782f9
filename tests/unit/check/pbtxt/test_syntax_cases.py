"""What the real server refuses is refused, at its place; what it reads is read. The cases were put to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from triton_watch.check.pbtxt import ParsedConfig, Problem, ProblemKind, parse_config
from triton_watch.check.pbtxt.scanner import Scanner

CASES = yaml.safe_load(Path(__file__).with_name("syntax_cases.yaml").read_text(encoding="utf-8"))


def _data(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["hex"]) if "hex" in case else str(case["config"]).encode()


def _offset(data: bytes, line: int, column: int) -> int:
    """The character at the server's line and column, which count bytes and go over tabs by eight."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    before, position = sum(len(text) + 1 for text in lines[: line - 1]), 0
    for index, char in enumerate(lines[line - 1]):
        if position >= column - 1:
            return before + index
        position += 8 - position % 8 if char == "\t" else len(char.encode("utf-8", "surrogateescape"))
    return before + len(lines[line - 1])


def _token_after(text: str, end: int) -> int:
    return Scanner(text, lambda *_: None, lambda *_: None, end).start


def _explains(problem: Problem, parsed: ParsedConfig, offset: int) -> bool:
    """The server names the token at which it noticed, which for a name is the one behind it."""
    return problem.place.start <= offset <= _token_after(parsed.text, problem.place.end)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_parser_refuses_what_the_server_refuses(case: dict[str, Any]) -> None:
    problems = parse_config(_data(case)).problems
    newer = any(problem.kind is ProblemKind.NEWER_FIELD for problem in problems)
    assert case["refused"] == (newer or any(problem.refused for problem in problems)), problems


@pytest.mark.parametrize("case", [case for case in CASES if case["refused"]], ids=lambda case: case["name"])
def test_a_problem_stands_where_the_server_noticed_it(case: dict[str, Any]) -> None:
    data = _data(case)
    parsed = parse_config(data)
    if parsed.problems[0].kind is ProblemKind.ENCODING:
        return  # UTF-16 is not read at all
    offset = _offset(data, case["line"], case["column"])
    assert any(_explains(problem, parsed, offset) for problem in parsed.problems), parsed.problems


def test_the_cases_are_of_both_sorts_and_have_a_name_each() -> None:
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names)
    assert {case["refused"] for case in CASES} == {True, False}
