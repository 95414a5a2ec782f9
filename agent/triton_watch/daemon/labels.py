"""Label sets in the form in which they stand on a metrics page, escaped once and used on many lines."""

from __future__ import annotations

from functools import lru_cache


class LabelSet:
    """Labels of a series: `values` by name, and `text` as exposed, `{a="x",b="y"}`, sorted by name."""

    __slots__ = ("text", "values")

    def __init__(self, **values: str) -> None:
        """Clean and escape `values`: a name on a Triton server may hold any character."""
        pairs = [_pair(name, values[name]) for name in sorted(values)]
        self.values = {name: value for name, value, _ in pairs}
        self.text = f"{{{','.join([text for _, _, text in pairs])}}}" if pairs else ""


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
