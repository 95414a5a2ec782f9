"""What a look-up found."""

from __future__ import annotations


class Hosts(tuple[tuple[str, int], ...]):  # noqa: SLOT001 - slots of a tuple must be empty, and this has a reason
    """Hosts and ports; where there is none, `why` says in a few words what the DNS servers answered."""

    why: str = ""

    @classmethod
    def none(cls, why: str) -> Hosts:
        """No host, for this reason."""
        hosts = cls()
        hosts.why = why
        return hosts
