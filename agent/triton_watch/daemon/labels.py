"""Label sets in the form in which they stand on a metrics page, escaped once and used on many lines."""

from __future__ import annotations

from functools import lru_cache


class LabelSet:
    """Labels of a series: `text` as exposed, `{a="x",b="y"}`, and its parts in `pairs`, both sorted by name.

    `suffix` follows the metric's name: `_bucket` and the like of a histogram. It begins `text`.
    """

    __slots__ = ("pairs", "suffix", "text")

    def __init__(self, **values: str) -> None:
        """Clean and escape `values`: a name on a Triton server may hold any character."""
        self.pairs = tuple(_pair(name, values[name]) for name in sorted(values))
        self.text = _text(self.pairs)
        self.suffix = ""

    @property
    def values(self) -> dict[str, str]:
        """The clean values by name."""
        return {name: value for name, value, _ in self.pairs}

    def plus(self, name: str, value: str) -> LabelSet:
        """These labels and one more; what was cleaned and escaped already is not again."""
        more = LabelSet.__new__(LabelSet)
        more.pairs = tuple(sorted((*self.pairs, _pair(name, value))))
        more.text = _text(more.pairs)
        more.suffix = ""
        return more

    def on(self, suffix: str) -> LabelSet:
        """These labels on the metric with a suffix."""
        one = LabelSet.__new__(LabelSet)
        one.pairs, one.suffix, one.text = self.pairs, suffix, suffix + self.text
        return one


def _text(pairs: tuple[tuple[str, str, str], ...]) -> str:
    return f"{{{','.join([text for _, _, text in pairs])}}}" if pairs else ""


@lru_cache(maxsize=256)
def _pair(name: str, value: str) -> tuple[str, str, str]:
    """(name, clean value, `name="escaped value"`); labels that thousands of series share cost a look-up."""
    clean = _clean(value)
    return name, clean, f'{name}="{_escape(clean)}"'


def _clean(value: str) -> str:
    """`value` with what a page cannot carry replaced: lone surrogates, and NUL, which ends a parse."""
    if value.isascii() and "\0" not in value:
        return value
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
