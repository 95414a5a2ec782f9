"""axe-core on a page: what keeps people from using it who see little, or use a keyboard or a screen reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

SCRIPT: Final = Path(__file__).resolve().parents[1] / "fixtures" / "axe" / "axe.min.js"
TAGS: Final = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice")
GRAVE: Final = ("serious", "critical")
RUN: Final = """
async runOnly => {
  const rules = {'target-size': {enabled: true}};  // of WCAG 2.2, which axe leaves out by default
  const found = await axe.run(document, {runOnly, resultTypes: ['violations'], ...(runOnly.type === 'tag' && {rules})});
  return found.violations.flatMap(rule => rule.nodes.map(node => ({
    impact: node.impact, rule: rule.id, help: rule.help, selector: node.target.join(' '), html: node.html,
    why: node.any.concat(node.all, node.none).map(check => check.message).join('; '),
  })));
}
"""


class Violation(NamedTuple):
    """One element that breaks one rule. `impact` is minor, moderate, serious or critical."""

    impact: str
    text: str


def violations(page: Page, only: Sequence[str] = ()) -> list[Violation]:
    """All that axe finds in a page as it stands now, by the rules of `TAGS` or by the rules of the ids `only`."""
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))  # the page's content security policy does not see it
    rules = {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": list(TAGS)}
    return [Violation(one["impact"] or "minor", _text(one)) for one in page.evaluate(RUN, rules)]


def grave(page: Page, only: Sequence[str] = ()) -> list[str]:
    """What is serious or critical; the rest is printed for whoever reads the test's output."""
    found = violations(page, only)
    for one in found:
        if one.impact not in GRAVE:
            print(f"{page.url}: {one.text}")  # noqa: T201 - pytest shows it with `-rP`
    return [one.text for one in found if one.impact in GRAVE]


def _text(one: dict[str, Any]) -> str:
    return f"{one['impact']} {one['rule']}: {one['help']}: {one['selector']}: {one['html'][:200]} ({one['why'][:300]})"
