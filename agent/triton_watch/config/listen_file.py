"""Where a configuration file says that the agent listens, without a look at the rest of it.

For `triton-watch health`, which containers start every few seconds: it is spared pydantic, and a mistake elsewhere in
the file, for which a running agent keeps what it had, does not make that agent unwell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.config.addresses import listen
from triton_watch.config.document import read
from triton_watch.config.errors import ConfigError, ParseError
from triton_watch.config.expand import expand_text
from triton_watch.config.listening import default_listen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_AT = ("web", "listen")


def listen_in(path: Path, environ: Mapping[str, str]) -> tuple[str, int]:
    """Return host and port of a file; where it says none, those of the environment, or the usual ones.

    Raises:
        ConfigUnreadableError: the file cannot be read.
        ConfigError: it is not YAML, or its web.listen is no address.
        ParseError: the environment says none that can be used.

    """
    document = read(path)
    web = document.value.get("web")
    given = web.get("listen") if isinstance(web, dict) else None
    if given is None:
        return default_listen(environ)
    try:
        return listen(expand_text(given, environ) if isinstance(given, str) else "")
    except ParseError as error:
        raise ConfigError(document.source, [document.problem(_AT, str(error))]) from None
