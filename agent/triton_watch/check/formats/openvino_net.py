"""The elements of an OpenVINO IR that matter, taken as expat comes by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_ELEMENTS: Final = 1_000_000
_MOST_KEPT: Final = 200_000
_DEEPEST: Final = 64


@dataclass(slots=True)
class Layer:
    """A Parameter or Result of the outermost graph, as the document writes it."""

    id: str
    name: str
    names: str = ""
    """Names of its tensor, with commas between them; may be empty."""
    dtype: str = ""
    shape: str | None = None
    dims: list[str] = field(default_factory=list)


class Net:
    """Collects the layers of a document. Paths of elements decide, so graphs inside of layers are left out."""

    def __init__(self) -> None:
        self.version = ""
        self.layers = 0
        self.weights = 0
        """Bytes that the constants need of the .bin file."""
        self.parameters: list[Layer] = []
        self.results: list[Layer] = []
        self._path: list[str] = []
        self._elements = 0
        self._layer: Layer | None = None
        self._id = ""
        self._ports: dict[tuple[str, str], str] = {}
        self._sources: dict[str, tuple[str, str]] = {}
        self._names: dict[str, str] = {}
        self._starts: Mapping[str, Callable[[Mapping[str, str]], None]] = {
            "net": self._start_net,
            "net/layers/layer": self._start_layer,
            "net/layers/layer/data": self._start_data,
            "net/layers/layer/input/port": self._start_input,
            "net/layers/layer/output/port": self._start_output,
            "net/edges/edge": self._start_edge,
        }

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element. Raises FormatError when there are too many."""
        self._path.append(tag)
        self._elements += 1
        kept = len(self._ports) + len(self._sources) + len(self._names)
        if self._elements > _MOST_ELEMENTS or kept > _MOST_KEPT or len(self._path) > _DEEPEST:
            raise FormatError("has more parts than any known model")
        if tag == "data" and "offset" in attributes:
            self.weights = max(self.weights, _number(attributes["offset"]) + _number(attributes.get("size", "")))
        if len(self._path) < 6:
            act = self._starts.get("/".join(self._path))
            if act is not None:
                act(attributes)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self._path.pop()
        if tag == "layer" and len(self._path) == 2:
            self._layer = None

    def text(self, data: str) -> None:
        """Take text: the sizes of a Result's dimensions."""
        if self._layer and self._path[-1] == "dim" and len(self._path) == 6 and len(self._layer.dims) < _DEEPEST:
            self._layer.dims.append(data[:20])

    def names_of(self, result: Layer) -> str:
        """Return the names of the tensor that a Result takes; of old IRs, the name of the layer that makes it."""
        source = self._sources.get(result.id, ("", ""))
        return result.names or self._ports.get(source, "") or self._names.get(source[0], "") or result.name

    def _start_net(self, attributes: Mapping[str, str]) -> None:
        self.version = attributes.get("version", "")

    def _start_layer(self, attributes: Mapping[str, str]) -> None:
        self.layers += 1
        kind, self._id, name = (attributes.get(key, "") for key in ("type", "id", "name"))
        self._names[self._id] = name
        if kind == "Result":
            self._layer = Layer(self._id, name, attributes.get("output_names", ""))
            self.results.append(self._layer)
        elif kind == "Parameter":
            self._layer = Layer(self._id, name)
            self.parameters.append(self._layer)

    def _start_data(self, attributes: Mapping[str, str]) -> None:
        if self._layer:
            self._layer.dtype = attributes.get("element_type", "")
            self._layer.shape = attributes.get("shape")

    def _start_input(self, attributes: Mapping[str, str]) -> None:
        if self._layer:
            self._layer.dtype = attributes.get("precision", "")

    def _start_output(self, attributes: Mapping[str, str]) -> None:
        names = attributes.get("names", "")
        if names:
            self._ports[self._id, attributes.get("id", "")] = names
        if self._layer:
            self._layer.names = names

    def _start_edge(self, attributes: Mapping[str, str]) -> None:
        source = (attributes.get("from-layer", ""), attributes.get("from-port", ""))
        self._sources[attributes.get("to-layer", "")] = source


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
