"""Who may ask for what: Host, Origin, who they are. No I/O."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus

from appliance.server.http import Request


class Role(IntEnum):
    """What somebody may do; each may also do what stands above it."""

    ANYBODY = 0
    """Read the page's files."""
    TALK = 1
    CONFIGURE = 2
    OWNER = 3


@dataclass(frozen=True)
class Visitor:
    """Somebody who was let in. id: stays the same from visit to visit for one place; "local" is this device itself."""

    id: str
    role: Role


@dataclass(frozen=True)
class Refusal:
    """Somebody who was not: an HTTP status, and what to do about it in plain words. Holds nothing secret."""

    status: HTTPStatus
    words: str


class Guard:
    """Stands in front of every listener: who asks, and may they have what they ask for?

    A page elsewhere that resolves its own name to this device (DNS rebinding) fails the Host check; a page elsewhere
    that opens our WebSocket or posts a form (browsers ask nobody before either) fails the Origin check.
    names: further host names of this device. origins: exact origins of the owner's own pages on other ports or hosts.
    """

    def __init__(self, names: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", *(name.lower() for name in names)}
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        self._pages: set[tuple[str, int]] = set()

    def page_at(self, scheme: str, port: int) -> None:
        """Our own page is served there; its origin may come from there."""
        self._pages.add((scheme, port))

    def admit(self, request: Request, needs: Role = Role.ANYBODY) -> Visitor | Refusal:
        """Let a request in, or say why not."""
        host = request.headers.get("host")
        name = _host_name(host)
        if name is None or not (name in self._names or _is_address(name)):
            return Refusal(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"This device does not answer to the name {host!r:.80}. STIMME_NAMES adds names.\n")
        if (request.upgrades or request.method not in SAFE) and not self._origin_allowed(request, name):
            return Refusal(
                HTTPStatus.FORBIDDEN, "Only this device's own page may do this from a browser. STIMME_ORIGINS adds "
                f"pages of yours that live elsewhere; this one is at {request.headers.get('origin')!r:.80}.\n")
        here = ipaddress.ip_address(request.address).is_loopback
        visitor = Visitor("local", Role.OWNER) if here else Visitor(request.address, Role.TALK)
        if visitor.role < needs:
            return Refusal(HTTPStatus.FORBIDDEN, "This is for programs on this device only.\n")
        return visitor

    def _origin_allowed(self, request: Request, name: str) -> bool:
        """Absent (not a browser), our own page on the host it was asked from, or one of the owner's."""
        origin = request.headers.get("origin")
        if origin is None or origin.lower() in self._origins:
            return True
        match = _ORIGIN.fullmatch(origin.lower())
        if match is None or _host_name(match["host"]) != name:
            return False
        port = int(match["port"] or (443 if match["scheme"] == "https" else 80))
        return (match["scheme"], port) in self._pages


SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing, which other sites' pages may use: they cannot read what comes back."""

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")


def _host_name(host: str | None) -> str | None:
    """The lower-case name or address of a Host header (RFC 9110, 7.2), without port and brackets; or None."""
    match = _HOST.fullmatch(host.lower()) if host else None
    return match["name"].strip("[]") if match else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
