"""Tells the network where the page is (mDNS, RFC 6762 and 6763), where no avahi does so already."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from zeroconf import Error, InterfaceChoice, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from appliance.server.names import Address

log = logging.getLogger(__name__)

AVAHI = Path("/run/avahi-daemon/socket")
SERVICE = "_https._tcp.local."


@asynccontextmanager
async def announced(name: str, port: int, addresses: Sequence[Address]) -> AsyncIterator[None]:
    """While the block runs, `name` (stimme-….local) has these addresses, and the page's service is known.

    A second service of the same name gets a number; the host name is unique by itself. Without a network nothing is
    announced, which is no reason not to start.
    """
    responder: AsyncZeroconf | None = None
    if AVAHI.exists():  # noqa: ASYNC240 - no disk
        log.info("avahi runs here and answers for %s if this system is called so", name)
    else:
        try:
            if not addresses:
                raise OSError("there is no network")
            responder = AsyncZeroconf(
                interfaces=[str(address) for address in addresses if isinstance(address, ipaddress.IPv4Address)]
                or InterfaceChoice.Default, ip_version=IPVersion.V4Only)
            await responder.async_register_service(_service(name, port, addresses), allow_name_change=True)
        except (OSError, Error) as error:
            log.warning("%s is not announced in the network: %s", name, error)
    try:
        yield
    finally:
        if responder is not None:
            await responder.async_unregister_all_services()
            await responder.async_close()


def _service(name: str, port: int, addresses: Sequence[Address]) -> AsyncServiceInfo:
    host = name.removesuffix(".local")
    plain = [address.packed for address in addresses
             if isinstance(address, ipaddress.IPv4Address) or not address.is_link_local]
    return AsyncServiceInfo(
        SERVICE, f"Stimme {host.removeprefix('stimme-')}.{SERVICE}", addresses=plain, port=port, server=f"{name}.",
        properties={"path": "/"})
