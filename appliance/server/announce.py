"""Tells the network what this device is called and where its services are (mDNS, RFC 6762 and 6763).

A name that another device answers for is left to it, and the next one taken. Two that begin in the same moment find
out by what the other one announces: the one with the lower address gives way (RFC 6762, 8.2 and 9).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.server import avahi
from appliance.server.names import ALIAS, Address, Naming, own_addresses

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 60.0
"""How often it is looked whether the addresses are still the same, and a name has become free."""
PROBE_MS = 900
"""So long somebody else may take to say that a name is theirs; three questions fit (RFC 6762, 8.1)."""
ASIDE = "_device-info._tcp"
"""What the alias is a host of: a service that lists show nowhere."""


@dataclass(frozen=True)
class Service:
    """Something that can be found. kind: "_https._tcp"."""

    kind: str
    port: int
    properties: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    """A host name of its own (….local), where the device's may be answered for by avahi; else the device's."""


Services = Callable[[str], Sequence[Service]]
"""What there is to tell, by the name that the device has."""


async def keep_announced(
    naming: Naming,
    services: Services,
    renamed: Callable[[], None],
    *,
    addresses: Callable[[], Sequence[Address]] = own_addresses,
    look_again_s: float = LOOK_AGAIN_S,
) -> None:
    """Tell the network until cancelled; begin anew when the addresses change, or a name must be left to another one.

    renamed: called when `naming` has changed. Without a network nothing is told, until there is one.
    """
    from zeroconf import Error  # 8 MB that only this needs

    said = ""
    while True:
        here = tuple(addresses())
        try:
            if not here:
                raise OSError("there is no network")
            async with _round(naming, services, renamed, here) as claims:
                said = ""
                await _until_something_changes(naming, renamed, claims, here, addresses, look_again_s)
        except (OSError, Error) as error:
            if str(error) != said:
                log.warning("%s is not announced in the network: %s", naming.name, error)
            said = str(error)
            await asyncio.sleep(look_again_s)


@asynccontextmanager
async def _round(
    naming: Naming, services: Services, renamed: Callable[[], None], here: Sequence[Address]
) -> AsyncIterator[_Claims]:
    """While the block runs, names and services are answered for at these addresses. Raises OSError, zeroconf.Error."""
    responder = _responder(here)
    try:
        claims = _Claims(responder, naming, here)
        if answers := avahi.answers_for(naming.permanent):
            log.info("avahi runs here and answers for %s", naming.permanent)
            changed = await claims.as_avahi_says()
        else:
            changed = await claims.take()
        if changed:
            log.warning("this device is called %s now", naming.name)
            renamed()
        await claims.announce([one for one in services(naming.name) if one.host or not answers], alias=not answers)
        yield claims
    finally:
        await responder.async_unregister_all_services()
        await responder.async_close()


async def _until_something_changes(
    naming: Naming,
    renamed: Callable[[], None],
    claims: _Claims,
    here: Sequence[Address],
    addresses: Callable[[], Sequence[Address]],
    look_again_s: float,
) -> None:
    """Return when it is time to begin anew; defend the names until then."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(look_again_s):
                await claims.contested.wait()
        if claims.lost or set(addresses()) != set(here):
            return
        if claims.contested.is_set():
            claims.contested.clear()
            await claims.say_again()
        elif avahi.answers_for(naming.permanent):
            if await claims.as_avahi_says():
                log.warning("this device is called %s now", naming.name)
                renamed()
        elif not naming.has_alias and not await claims.others(ALIAS):
            return


class _Claims:
    """The names that this device answers for at its addresses, and who else does."""

    def __init__(self, responder: AsyncZeroconf, naming: Naming, here: Sequence[Address]) -> None:
        self._responder, self._naming, self._here = responder, naming, frozenset(here)
        self._infos: list[AsyncServiceInfo] = []
        self.contested = asyncio.Event()
        """Set when another one says that one of our names is theirs."""
        self.lost = False
        """Whether we are to give way."""

    async def take(self) -> bool:
        """Keep the name or take the first that nobody has, and the alias if it is free; whether anything changes."""
        before = self._naming.now()
        for name in dict.fromkeys((self._naming.name, *self._naming.candidates)):
            if not (others := await self.others(name)):
                break
            log.warning("%s is the name of %s already", name, ", ".join(map(str, others)))
        self._naming.name = name
        self._naming.has_alias = not await self.others(ALIAS)
        return self._naming.now() != before

    async def as_avahi_says(self) -> bool:
        """Be called what avahi calls this host, which gives way by itself; whether that changes anything."""
        before = self._naming.now()
        called = [name for address in self._here if (name := await avahi.called(address))]
        if known := [name for name in self._naming.candidates if name in called]:
            self._naming.name = known[0]
        self._naming.has_alias = not await self.others(ALIAS)
        return self._naming.now() != before

    async def others(self, name: str) -> tuple[Address, ...]:
        """Who else answers to a name."""
        from zeroconf import AddressResolver, IPVersion  # type: ignore[attr-defined]

        asked = AddressResolver(f"{name}.")
        await asked.async_request(self._responder.zeroconf, PROBE_MS)
        found = (ipaddress.ip_address(str(one)) for one in asked.ip_addresses_by_version(IPVersion.All))
        return tuple(address for address in found if address not in self._here)

    async def announce(self, services: Sequence[Service], *, alias: bool) -> None:
        """Answer for names and services from now on. A second service of the same name gets a number."""
        if alias and self._naming.has_alias:
            services = [*services, Service(ASIDE, 0, host=ALIAS)]
        self._infos = [_info(self._naming.name, service, sorted(self._here, key=_rank)) for service in services]
        self._watch()
        for info in self._infos:
            await self._responder.async_register_service(info, allow_name_change=True)

    async def say_again(self) -> None:
        """Tell everybody what is ours."""
        for info in self._infos:
            await self._responder.async_update_service(info)

    def _watch(self) -> None:
        """Notice whenever somebody else says that one of our names is theirs."""
        from zeroconf import DNSAddress, RecordUpdate, RecordUpdateListener, Zeroconf  # type: ignore[attr-defined]

        ours, claims = {info.server.lower() for info in self._infos if info.server}, self

        class Watch(RecordUpdateListener):
            def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
                for update in records:
                    record = update.new
                    if isinstance(record, DNSAddress) and record.ttl and record.name.lower() in ours:
                        claims.heard(ipaddress.ip_address(record.address))

        self._responder.zeroconf.async_add_listener(Watch(), None)

    def heard(self, address: Address) -> None:
        """Somebody answers to one of our names at an address."""
        if address not in self._here:
            mine = [own.packed for own in self._here if own.version == address.version]
            self.lost |= address.packed > max(mine, default=b"")
            self.contested.set()


def _responder(here: Sequence[Address]) -> AsyncZeroconf:
    from zeroconf import InterfaceChoice, IPVersion
    from zeroconf.asyncio import AsyncZeroconf

    return AsyncZeroconf(
        interfaces=[str(address) for address in here if isinstance(address, ipaddress.IPv4Address)]
        or InterfaceChoice.Default,
        ip_version=IPVersion.V4Only,
    )


def _rank(address: Address) -> tuple[int, bytes]:
    return address.version, address.packed


def _info(name: str, service: Service, addresses: Sequence[Address]) -> AsyncServiceInfo:
    from zeroconf.asyncio import AsyncServiceInfo

    plain = [
        address.packed
        for address in addresses
        if isinstance(address, ipaddress.IPv4Address) or not address.is_link_local
    ]
    kind = f"{service.kind}.local."
    return AsyncServiceInfo(
        kind,
        f"Stimme {name.removesuffix('.local').removeprefix('stimme-')}.{kind}",
        addresses=plain,
        port=service.port,
        server=f"{service.host or name}.",
        properties=dict(service.properties),
    )
