"""What can go wrong with the embedded Triton."""


class EmbeddedTritonError(RuntimeError):
    """The embedded Triton cannot run. The text says what is missing and what to do, in one sentence."""
