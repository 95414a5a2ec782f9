"""The real tritonserver on this machine, example models and a load: for `triton-watch demo` and the tests."""

from triton_watch.demo.embedded import EmbeddedTriton
from triton_watch.demo.errors import EmbeddedTritonError
from triton_watch.demo.repository import example_repository

__all__ = ["EmbeddedTriton", "EmbeddedTritonError", "example_repository"]
