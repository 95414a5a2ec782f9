"""The handwritten pages: links lead somewhere, commands exist, and nothing a user meets is left undescribed."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

import click
import pytest
import yaml

from triton_watch.cli import cli
from triton_watch.config import load
from triton_watch.records import NoDataReason, Outcome, Sli

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SLIS = ROOT / "docs" / "slis.md"
OPERATIONS = ROOT / "docs" / "operations.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "alerts").rglob("*.md")])
SHELL = {"sh", "bash", "shell", "console"}

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def blocks(page: Path, languages: set[str]) -> list[str]:
    """The contents of the page's fenced blocks in one of the languages."""
    return [body for language, body in _FENCE.findall(page.read_text()) if language in languages]


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """Where the page links to inside the repository."""
    without_code = re.sub(r"`[^`\n]*`", "", prose(page))
    return [target for target in _LINK.findall(without_code) if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors of the page's headings, as GitHub and GitLab make them."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in _HEADING.findall(prose(page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def command_lines(page: Path) -> list[str]:
    """What the page's shell blocks call `triton-watch` with, pipes and comments taken off."""
    lines = (line for body in blocks(page, SHELL) for line in body.replace("\\\n", " ").splitlines())
    return [words for line in lines if (words := _call(line))]


def _call(line: str) -> str:
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words = list(lexer)
    if "triton-watch" not in words:
        return ""
    call = words[words.index("triton-watch") + 1 :]
    end = next((i for i, word in enumerate(call) if set(word) <= set("|&;<>")), len(call))
    return shlex.join(call[:end])


def parse(line: str) -> None:
    """Parse a command line as click would, without running it. Raises click's UsageError."""
    words = shlex.split(line)
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words.pop(0))
        if found is None:
            raise click.UsageError(f"no such command: triton-watch {line}")
        command = found
    try:
        command.make_context(command.name, words)
    except click.exceptions.Exit as end:  # --help and --version end here
        if end.exit_code != 0:
            raise


def commands(group: click.Group, path: str = "triton-watch") -> list[str]:
    """Every command below the group that does something itself, with its full name."""
    context = click.Context(group)
    named = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return [
        full
        for name, command in named.items()
        for full in (commands(command, f"{path} {name}") if isinstance(command, click.Group) else [f"{path} {name}"])
    ]


def test_the_pages_are_there() -> None:
    names = {page.name for page in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "slis.md", "operations.md"} <= names
    assert sum(len(links(page)) for page in PAGES) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken, f"{page.name} links to what is not there: {broken}"


@pytest.mark.parametrize("line", command_lines(README))
def test_a_command_line_of_the_readme_parses(line: str) -> None:
    parse(line)


def test_the_readme_has_command_lines_and_wrong_ones_are_noticed() -> None:
    assert len(command_lines(README)) >= 6
    for wrong in ("watch", "run --no-such-flag", "config chek x", "status --wait", "config check"):
        with pytest.raises(click.UsageError):
            parse(wrong)


@pytest.mark.parametrize("command", commands(cli))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert re.search(rf"{re.escape(command)}\b", README.read_text())


def test_the_configuration_in_the_readme_is_accepted(tmp_path: Path) -> None:
    configurations = [body for body in blocks(README, {"yaml"}) if "targets" in yaml.safe_load(body)]
    assert configurations
    for body in configurations:
        file = tmp_path / "triton-watch.yaml"
        file.write_text(body)
        assert load(file, {}).targets


@pytest.mark.parametrize("sli", Sli)
def test_every_sli_has_its_heading(sli: Sli) -> None:
    assert sli.value in anchors(SLIS)


def test_the_reasons_for_no_data_are_the_ones_that_a_user_reads() -> None:
    section = SLIS.read_text().partition("\n## No data\n")[2].partition("\n## ")[0]
    quoted = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert len(quoted) > 5
    assert set(quoted) <= {reason.value for reason in NoDataReason}


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_row(outcome: Outcome) -> None:
    assert re.search(rf"^\| `{outcome.value}` \| \S", OPERATIONS.read_text(), re.MULTILINE)
