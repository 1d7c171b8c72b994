"""What this device is called on its network: names for certificates, announcements and the Host check."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from collections.abc import Iterable
from pathlib import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SERIAL = Path("/proc/device-tree/serial-number")
MACHINE_ID = Path("/etc/machine-id")

ALIAS = "stimme.local"
"""Also answered to where nobody else has it."""

MOST_OF_A_NAME = 9
"""Devices of one name that may be in a network; two of a household's are one in 65,536 to have the same four digits."""


def unique_name(serial: Path = SERIAL, machine_id: Path = MACHINE_ID) -> str:
    """`stimme-<4 hex>.local`: the end of a Raspberry Pi's serial number, else of what the system is known by.

    The machine-id itself must not be shown to others (machine-id(5)), so a hash of it is.
    """
    if serial.exists():
        return f"stimme-{serial.read_text().strip(chr(0)).strip().lower()[-4:]}.local"
    known_by = machine_id.read_text().strip() if machine_id.exists() else socket.gethostname()
    return f"stimme-{hashlib.sha256(f'stimme {known_by}'.encode()).hexdigest()[:4]}.local"


def own_names(further: Iterable[str] = ()) -> tuple[str, ...]:
    """All names, the permanent one first."""
    host = socket.gethostname().lower().removesuffix(".local")
    names = (unique_name(), ALIAS, f"{host}.local", host, *(name.lower().rstrip(".") for name in further))
    return tuple(dict.fromkeys(name for name in names if name and name != "localhost" and not is_address(name)))


class Naming:
    """What this device is called now: another one in the network may have had its name first (RFC 6762, 9).

    further: names that the owner gave it. permanent: what it is called unless somebody else is.
    """

    def __init__(self, further: Iterable[str] = (), permanent: str = "") -> None:
        first, *others = own_names(further)
        self.permanent = permanent or first
        self._others = tuple(name for name in others if name != ALIAS)
        self.name = self.permanent
        self.has_alias = True

    @property
    def candidates(self) -> tuple[str, ...]:
        """What it may be called: stimme-ab12.local, stimme-ab12-2.local, …"""
        stem = self.permanent.removesuffix(".local")
        return (self.permanent, *(f"{stem}-{number}.local" for number in range(2, MOST_OF_A_NAME + 1)))

    def now(self) -> tuple[str, ...]:
        """The names that it has, the one of its own first."""
        return tuple(dict.fromkeys((self.name, *((ALIAS,) if self.has_alias else ()), *self._others)))

    def ever(self) -> tuple[str, ...]:
        """All names that it may have one day."""
        return tuple(dict.fromkeys((*self.candidates, ALIAS, *self._others)))


def own_addresses() -> tuple[Address, ...]:
    """The addresses of this machine at the moment, but loopback; without asking any name server."""
    found: dict[Address, None] = {}
    for address in _interface_addresses():
        if not address.is_loopback:
            found[address] = None
    return tuple(found)


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _interface_addresses() -> Iterable[Address]:
    import ifaddr  # zeroconf's own way to find them

    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            yield ipaddress.ip_address(text.partition("%")[0])
