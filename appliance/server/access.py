"""Who may ask for what: Host, Origin, who they are. No I/O."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
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
    """Somebody who asks. id: the same from visit to visit for one place; "local" is this machine, "" a stranger."""

    id: str
    role: Role
    name: str = ""


STRANGER = Visitor("", Role.ANYBODY)
LOCAL = Visitor("local", Role.OWNER, "this device")

COOKIE = "__Host-stimme"
"""The prefix makes browsers keep it for this host alone, and send it only over HTTPS (RFC 6265bis, 4.1.3.2)."""
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""A proxy on this machine asks for others: they are not this machine."""


@dataclass(frozen=True)
class Refusal:
    """Somebody who was not: an HTTP status, and what to do about it in plain words. Holds nothing secret."""

    status: HTTPStatus
    words: str


Known = Callable[[str], Visitor | None]
"""Whose token it is."""


class Guard:
    """Stands in front of every listener: who asks, and may they have what they ask for?

    A page elsewhere that resolves its own name to this device (DNS rebinding) fails the Host check; a page elsewhere
    that opens our WebSocket or posts a form (browsers ask nobody before either) fails the Origin check.
    names: host names of this device. origins: exact origins of the owner's own pages on other ports or hosts. known:
    finds who was paired. pairing: who must be: "network" all but this machine, "always" everybody, "off" nobody.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        origins: Iterable[str] = (),
        known: Known = lambda token: None,
        pairing: str = "network",
    ) -> None:
        self._names = {"localhost", *(name.lower() for name in names)}
        self._known, self._pairing = known, pairing
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        self._pages: set[tuple[str, int]] = set()

    def page_at(self, scheme: str, port: int) -> None:
        """Our own page is served there; its origin may come from there."""
        self._pages.add((scheme, port))

    def port(self, scheme: str) -> int | None:
        """Where our own page is served by this scheme."""
        return next((port for known, port in self._pages if known == scheme), None)

    def admit(self, request: Request, needs: Role = Role.ANYBODY) -> Visitor | Refusal:
        """Let a request in, or say why not."""
        host = request.headers.get("host")
        name = host_name(host)
        if name is None or not (name in self._names or _is_address(name)):
            return Refusal(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"This device does not answer to the name {host!r:.80}. STIMME_NAMES adds names.\n",
            )
        if (request.upgrades or request.method not in SAFE) and not self._origin_allowed(request, name):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "Only this device's own page may do this from a browser. STIMME_ORIGINS adds "
                f"pages of yours that live elsewhere; this one is at {request.headers.get('origin')!r:.80}.\n",
            )
        visitor = self._visitor(request)
        if isinstance(visitor, Refusal):
            return visitor
        if visitor.role < needs:
            if visitor == STRANGER:
                return Refusal(
                    HTTPStatus.UNAUTHORIZED,
                    "Only for those who were paired. Open the page in a browser, or let "
                    "`stimme paired add NAME` make a token and send it as Authorization: Bearer.\n",
                )
            return Refusal(HTTPStatus.FORBIDDEN, f"This is for the role {needs.name.lower()}.\n")
        return visitor

    def _visitor(self, request: Request) -> Visitor | Refusal:
        """By token, which must be right if there is one; by cookie; by being this machine."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            found = self._known(token.strip()) if scheme.lower() == "bearer" else None
            return found or Refusal(HTTPStatus.UNAUTHORIZED, "This token is not known here, or was revoked.\n")
        if request.secure and (cookie := _cookie(request.headers.get("cookie", ""))):
            # A cookie comes from a browser, and a browser says where its page is from.
            if (found := self._known(cookie)) and not (request.upgrades and "origin" not in request.headers):
                return found
        here = ipaddress.ip_address(request.address).is_loopback and not any(
            name in request.headers for name in PROXIED
        )
        if here and self._pairing != "always":
            return LOCAL
        return Visitor(request.address, Role.TALK) if self._pairing == "off" else STRANGER

    def _origin_allowed(self, request: Request, name: str) -> bool:
        """Absent (not a browser), our own page on the host it was asked from, or one of the owner's."""
        origin = request.headers.get("origin")
        if origin is None or origin.lower() in self._origins:
            return True
        match = _ORIGIN.fullmatch(origin.lower())
        if match is None or host_name(match["host"]) != name:
            return False
        port = int(match["port"] or (443 if match["scheme"] == "https" else 80))
        return match["scheme"] == ("https" if request.secure else "http") and (match["scheme"], port) in self._pages


SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing, which other sites' pages may use: they cannot read what comes back."""

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")


def host_name(host: str | None) -> str | None:
    """The lower-case name or address of a Host header (RFC 9110, 7.2), without port and brackets; or None."""
    match = _HOST.fullmatch(host.lower()) if host else None
    return match["name"].strip("[]") if match else None


def _cookie(header: str) -> str:
    """Our own of a Cookie header."""
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
