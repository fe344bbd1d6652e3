"""Which Host headers are answered: no page may reach Clary by a name of its own that points here."""

from __future__ import annotations

import re

from clary.core.errors import AccessDenied
from clary.core.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_HOST = re.compile(r"(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,255}))(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
"""An address in brackets or a name, and a port; nothing before it, such as a user, and no second host."""


class HostCheck:
    """Accepts loopback names, the listening address, the names in the settings, and sub-domains of them (buckets)."""

    def __init__(self, settings: Settings) -> None:
        self._names = frozenset((*LOOPBACK, settings.host.lower(), *settings.host_names))
        self._domains = tuple(f".{name}" for name in self._names if name[0].isalpha())
        self._accepted: set[str] = set()

    def check(self, host: str) -> None:
        """Raise ``AccessDenied`` for a Host header that is not ours."""
        if host in self._accepted:
            return
        name = _name(host)
        if name not in self._names and not name.endswith(self._domains):
            asked = (name or host)[:64]
            raise AccessDenied(
                f"The host name {asked!r} is not served here. Use {self._shown()}, or add it to the setting hosts."
            )
        if len(self._accepted) < 1024:
            self._accepted.add(host)

    def _shown(self) -> str:
        return " or ".join(sorted(self._names)[:4])


def _name(host: str) -> str:
    match = _HOST.fullmatch(host)
    return (match[1] or match[2].rstrip(".")).lower() if match else ""
