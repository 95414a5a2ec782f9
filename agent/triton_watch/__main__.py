"""Entry point of the `triton-watch` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. `--version` alone answers before anything heavy is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from triton_watch.version import __version__

        sys.stdout.write(f"triton-watch {__version__}\n")
        return
    from triton_watch.cli import cli

    cli()


if __name__ == "__main__":
    main()
