"""The real tritonserver on this machine, example models and a load: for `triton-watch demo` and the tests."""

from triton_watch.demo.embedded import EmbeddedTriton
from triton_watch.demo.errors import EmbeddedTritonError
from triton_watch.demo.load_process import Load
from triton_watch.demo.repository import example_repository
from triton_watch.demo.tally import ClientView

__all__ = ["ClientView", "EmbeddedTriton", "EmbeddedTritonError", "Load", "example_repository"]
