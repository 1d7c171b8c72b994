"""Who is connected, by address, and who has to go when it is full: one address must not shut out the others."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Protocol, TypeVar

MOST_UNOPENED = 256
"""Connections that are no WebSocket (yet): handshakes under way, and HTTP between two requests."""

MOST_A_PLACE = 64
"""WebSockets of one token, from however many addresses: twenty tabs, and what a sleeping tablet has left behind."""


class Guest(Protocol):
    """Somebody who holds a place."""

    @property
    def neighbourhood(self) -> str: ...
    @property
    def idle_since(self) -> float | None:
        """Loop time since when nothing was asked; None while something is under way."""


G = TypeVar("G", bound=Guest)


def neighbourhood(address: str) -> str:
    """What counts as one address: an IPv4 address, or the network of an IPv6 one, in which a host may take any."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    return str(ip.ipv4_mapped) if ip.ipv4_mapped else str(ipaddress.ip_network((ip, 64), strict=False))


def who_must_go(guests: Iterable[G], newcomer: str, *, fair: bool) -> G | None:
    """The longest idle guest of the busiest address; None: nobody, so the newcomer cannot stay.

    newcomer: a neighbourhood. fair: only somebody whose neighbourhood will then still hold as many places as the
    newcomer's; else newcomers come first.
    """
    guests = tuple(guests)
    counts = Counter(guest.neighbourhood for guest in guests)
    for neighbourhood, count in counts.most_common():
        if fair and count < counts[newcomer] + 2:
            return None
        idle = [guest for guest in guests if guest.neighbourhood == neighbourhood and guest.idle_since is not None]
        if idle:
            return min(idle, key=lambda guest: guest.idle_since or 0.0)
    return None
