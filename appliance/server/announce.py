"""Tells the network where the page and other services are (mDNS, RFC 6762 and 6763), where no avahi does so already."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.server.names import Address

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

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
    if AVAHI.exists():  # noqa: ASYNC240 - no disk
        log.info("avahi runs here and answers for %s if this system is called so", name)
        services = [service for service in services if service.host]
    responder = await _answering(name, services, addresses) if services else None
    try:
        yield
    finally:
        if responder is not None:
            await responder.async_unregister_all_services()
            await responder.async_close()


async def _answering(name: str, services: Sequence[Service], addresses: Sequence[Address]) -> AsyncZeroconf | None:
    from zeroconf import Error, InterfaceChoice, IPVersion  # 8 MB that only this needs
    from zeroconf.asyncio import AsyncZeroconf

    responder: AsyncZeroconf | None = None
    try:
        if not addresses:
            raise OSError("there is no network")
        responder = AsyncZeroconf(
            interfaces=[str(address) for address in addresses if isinstance(address, ipaddress.IPv4Address)]
            or InterfaceChoice.Default,
            ip_version=IPVersion.V4Only,
        )
        for service in services:
            await responder.async_register_service(_service(name, service, addresses), allow_name_change=True)
    except (OSError, Error) as error:
        log.warning("%s is not announced in the network: %s", name, error)
    return responder


def _service(name: str, service: Service, addresses: Sequence[Address]) -> AsyncServiceInfo:
    from zeroconf.asyncio import AsyncServiceInfo

    host = name.removesuffix(".local")
    plain = [
        address.packed
        for address in addresses
        if isinstance(address, ipaddress.IPv4Address) or not address.is_link_local
    ]
    kind = f"{service.kind}.local."
    return AsyncServiceInfo(
        kind,
        f"Stimme {host.removeprefix('stimme-')}.{kind}",
        addresses=plain,
        port=service.port,
        server=f"{service.host or name}.",
        properties=dict(service.properties),
    )
