"""Who may ask for what: Host and Origin checks, and how fast one client may send sound. No I/O."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

REAL_TIME_LIMIT = 1.5
"""A client may send sound this much faster than it is spoken, once it has sent one longest utterance at once: a page
that was cut off sends again what was said meanwhile."""


class Names:
    """The host names under which this device may be addressed.

    A page elsewhere that resolves its own name to this device (DNS rebinding) fails the Host check; a page elsewhere
    that opens our WebSocket (cross-site hijacking; browsers apply no CORS to it) fails the Origin check.
    """

    def __init__(self, page_port: int, further: Iterable[str] = ()) -> None:
        own = socket.gethostname().lower()
        self._page_port = page_port
        self._names = {"localhost", own, f"{own}.local", *(name.lower() for name in further)}

    def host_allowed(self, host: str | None) -> bool:
        """`host` is the Host header: one of our names, or a bare IP address, with any port."""
        name = _split(f"//{host}")[0] if host else None
        return name is not None and (name in self._names or _is_address(name))

    def origin_allowed(self, origin: str | None, host: str) -> bool:
        """`origin` is the Origin header: absent (not a browser), or our own page on the host it was asked from."""
        if origin is None:
            return True
        name, port = _split(origin)
        return name is not None and name == _split(f"//{host}")[0] and port in (self._page_port, _split(f"//{host}")[1])


def _split(url: str) -> tuple[str | None, int | None]:
    """(lower-case host name, port) of a URL; (None, None) if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        return (parts.hostname, port)
    except ValueError:
        return (None, None)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


MESSAGES_PER_S = 50.0
MESSAGE_BURST = 200.0
"""So many text messages may come at once, and so many a second after that."""


class Pace:
    """A token bucket over seconds of sound, or over messages. Time is passed in, in seconds."""

    def __init__(self, now: float, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, now

    def delay(self, amount: float, now: float) -> float:
        """Account for what has come; returns how long to wait, in seconds, before more may be read."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - amount
        self._at = now
        return max(0.0, -self._left / self._rate)
