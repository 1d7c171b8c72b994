"""Who may use what cannot carry a token: by address, as the owner wrote it down."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from appliance.errors import ConfigError
from appliance.server.access import PROXIED, Guard, Refusal, Role, Visitor
from appliance.server.http import Request


class Allowed:
    """Addresses and networks ("192.168.1.20", "192.168.1.0/24"), and this machine unless it must be paired too.

    Raises ConfigError for what is none.
    """

    def __init__(self, networks: Iterable[str], *, here: bool = True) -> None:
        self._here = here
        try:
            self._networks = tuple(ipaddress.ip_network(network.strip(), strict=False) for network in networks)
        except ValueError as error:
            raise ConfigError(
                f"STIMME_CLIENTS: {error}; expected addresses or networks, as 192.168.1.20 or 192.168.1.0/24"
            ) from None

    @property
    def beyond_here(self) -> bool:
        """Whether any other machine may come."""
        return any(not network.is_loopback for network in self._networks)

    def __contains__(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return (self._here and ip.is_loopback) or any(ip in network for network in self._networks)


class GuardByAddress:
    """Lets in who comes from an allowed address and is no browser; everybody else has to pass the other guard.

    A page of another site can make a browser in the house connect, and that browser says where the page is from.
    """

    def __init__(self, guard: Guard, allowed: Allowed) -> None:
        self._guard, self._allowed = guard, allowed

    def admit(self, request: Request, needs: Role = Role.ANYBODY) -> Visitor | Refusal:
        """See Guard.admit."""
        plain = "origin" not in request.headers and not any(name in request.headers for name in PROXIED)
        if plain and needs <= Role.TALK and request.address in self._allowed:
            return Visitor(request.address, Role.TALK)
        return self._guard.admit(request, needs)
