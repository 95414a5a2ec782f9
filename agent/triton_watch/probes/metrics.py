"""The metrics page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from triton_watch.records import Outcome
from triton_watch.triton.exposition import ExpositionError, TruncatedPageError
from triton_watch.triton.scrape import NotTritonPageError

if TYPE_CHECKING:
    from triton_watch.probes.watch import Watch


def metrics(watch: Watch, deadline: float) -> tuple[Outcome, str]:
    """Fetch and read the metrics page. The page's time is when it had arrived."""
    body = watch.client.metrics(deadline=deadline)
    url = watch.target.metrics_url
    try:
        watch.frame = watch.reader.read(body, time.monotonic())
    except TruncatedPageError as error:
        return Outcome.TRUNCATED, f"{url}: {error}"
    except ExpositionError as error:
        if body.lstrip()[:1] == b"<":
            return Outcome.NOT_TRITON, f"{url} answers with a web page: is this Triton's metrics port (8002)?"
        return Outcome.GARBAGE, f"{url}: {error}"
    except NotTritonPageError as error:
        return Outcome.NOT_TRITON, f"{url}: {error}"
    return Outcome.OK, ""
