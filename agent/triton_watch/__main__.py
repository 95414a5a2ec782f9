"""Entry point of the `triton-watch` command."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""
UNTIL_STOPPED = frozenset({"run", "demo"})
"""Commands that go on until somebody stops them: for those Ctrl-C is no failure, however early it comes."""


def main() -> None:
    """Run the command line. `--version` alone answers before anything heavy is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from triton_watch.version import __version__

        sys.stdout.write(f"triton-watch {__version__}\n")
        return
    sys.unraisablehook = _unraisable
    try:
        code = _called()
    except BrokenPipeError:
        os._exit(1)  # whoever read has had enough
    except OSError as error:
        sys.stderr.write(f"triton-watch: the output could not be written: {error.strerror or error}\n")
        os._exit(3)  # the interpreter would try to write the rest once more
    if code == INTERRUPTED:
        _stop()
    sys.exit(code)


def _called() -> int:
    try:
        try:
            from triton_watch.cli import call

            return call(INTERRUPTED)
        finally:
            sys.stdout.flush()
    except BaseException as error:
        if not _is_interrupt(error):
            raise
        sys.stderr.write("\n")
        return INTERRUPTED


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether it is Ctrl-C, or came of it: numpy makes an ImportError of one that comes while it is imported."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _unraisable(told: sys.UnraisableHookArgs) -> None:
    """End where Python would swallow a Ctrl-C, as in a callback of its imports; tell of other errors as Python does."""
    if issubclass(told.exc_type, KeyboardInterrupt):
        sys.stderr.write("\n")
        _stop()
    sys.__unraisablehook__(told)


def _stop() -> NoReturn:
    """End at once: all was put in order while the interrupt passed, and requests that hang would be waited for."""
    if set(sys.argv[1:2]) & UNTIL_STOPPED:
        sys.stderr.write("stopped\n")
        os._exit(0)
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
