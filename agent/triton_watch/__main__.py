"""Entry point of the `triton-watch` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line. `--version` alone answers before anything heavy is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from triton_watch.version import __version__

        sys.stdout.write(f"triton-watch {__version__}\n")
        return
    from triton_watch.cli import cli

    try:
        try:
            cli()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os._exit(1)  # whoever read has had enough
    except OSError as error:
        sys.stderr.write(f"triton-watch: the output could not be written: {error.strerror or error}\n")
        os._exit(3)  # the interpreter would try to write the rest once more


if __name__ == "__main__":
    main()
