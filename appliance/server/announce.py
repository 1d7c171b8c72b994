"""Tells the network where the page and other services are (mDNS, RFC 6762 and 6763), where no avahi does so already."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from zeroconf import Error, InterfaceChoice, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from appliance.server.names import Address

log = logging.getLogger(__name__)

AVAHI = Path("/run/avahi-daemon/socket")


@dataclass(frozen=True)
class Service:
    """Something that can be found. kind: "_https._tcp"."""

    kind: str
    port: int
    properties: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    """A host name of its own (….local), where the device's may be answered for by avahi; else the device's."""


@asynccontextmanager
async def announced(name: str, services: Sequence[Service], addresses: Sequence[Address]) -> AsyncIterator[None]:
    """While the block runs, `name` (stimme-….local) has these addresses, and the services are known.

    A second service of the same name gets a number; the host name is unique by itself. Without a network nothing is
    announced, which is no reason not to start.
    """
    responder: AsyncZeroconf | None = None
    if AVAHI.exists():  # noqa: ASYNC240 - no disk
        log.info("avahi runs here and answers for %s if this system is called so", name)
        services = [service for service in services if service.host]
    try:
        if services and not addresses:
            raise OSError("there is no network")
        if services:
            responder = AsyncZeroconf(
                interfaces=[str(address) for address in addresses if isinstance(address, ipaddress.IPv4Address)]
                or InterfaceChoice.Default, ip_version=IPVersion.V4Only)
        for service in services:
            assert responder is not None
            await responder.async_register_service(_service(name, service, addresses), allow_name_change=True)
    except (OSError, Error) as error:
        log.warning("%s is not announced in the network: %s", name, error)
    try:
        yield
    finally:
        if responder is not None:
            await responder.async_unregister_all_services()
            await responder.async_close()


def _service(name: str, service: Service, addresses: Sequence[Address]) -> AsyncServiceInfo:
    host = name.removesuffix(".local")
    plain = [address.packed for address in addresses
             if isinstance(address, ipaddress.IPv4Address) or not address.is_link_local]
    kind = f"{service.kind}.local."
    return AsyncServiceInfo(
        kind, f"Stimme {host.removeprefix('stimme-')}.{kind}", addresses=plain, port=service.port,
        server=f"{service.host or name}.", properties=dict(service.properties))
