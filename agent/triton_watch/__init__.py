"""triton-watch: an observability and SLO sidecar for NVIDIA Triton Inference Server."""

from triton_watch.version import __version__

__all__ = ["__version__"]
