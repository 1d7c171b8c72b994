"""Who may come in, and by which doors: the part of the composition root that concerns the network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from appliance.config import Config, ServerConfig
from appliance.errors import ConfigError
from appliance.language import LANGUAGES, Language
from appliance.server.access import Guard
from appliance.server.entrance import Entrance, Trust
from appliance.server.listener import Listener
from appliance.server.metrics import Metrics
from appliance.server.names import Naming, own_addresses
from appliance.server.page.people import People
from appliance.server.pairing import Pairing
from appliance.server.places import Places
from appliance.server.routes import status_routes
from appliance.server.shown import OwnersCertificate
from appliance.server.site import Site
from appliance.state.tokens import TokenStore

if TYPE_CHECKING:
    from appliance.server.certificates import Certificates

RENEWAL_S = 60.0
"""How often it is looked whether the certificate still fits names, addresses and time."""

Run = Callable[..., Awaitable[Any]]
Certified: TypeAlias = "Certificates | OwnersCertificate"


@dataclass(frozen=True)
class Household:
    """Everything that decides who comes in."""

    guard: Guard
    naming: Naming
    pairing: Pairing
    listeners: list[Listener]
    certified: Certified | None
    """What is shown over TLS; None without --lan."""
    words: tuple[str, ...] = ()
    """The fingerprint of the device's own authority, to be said; () if it has none."""
    renamed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when `naming` has changed: the certificate follows."""


async def household(
    config: Config,
    site: Site,
    tokens: TokenStore,
    places: Places,
    people: People,
    metrics: Metrics,
    ready: asyncio.Event,
    *,
    run: Run,
    show: Callable[[str], None],
    can_show: bool,
) -> Household:
    """run: for the disk. show: says and shows a pairing code at the device, if it can. Raises ConfigError."""
    server = config.server
    naming = Naming(server.names)
    guard = Guard(naming.ever(), server.origins, places.known, server.pairing)
    certified: Certified | None = None
    trust: Trust | None = None
    if server.lan:
        certified = await run(partial(_certified, server, config.state_path(), naming))
        if not isinstance(certified, OwnersCertificate):
            trust = await run(partial(_trust, certified, lambda: guard.port("https") or server.secure_port))
    pairing = Pairing(show)
    entrance = Entrance(site, tokens, pairing, trust, run, can_show=can_show, secure_port=lambda: guard.port("https"))
    status = status_routes(metrics, ready.is_set)
    otherwise, plain = entrance.plain()
    everywhere = _everywhere(server.page_port) if server.lan else server.host
    listeners = [
        Listener("page", "STIMME_PAGE_PORT", everywhere, server.page_port, otherwise, status | plain, people.talk),
        Listener("guide", "STIMME_PORT", server.host, server.port, otherwise, status | plain, people.talk),
    ]
    if certified is not None:
        otherwise, secure = entrance.secure()
        listeners.append(
            Listener(
                "secure",
                "STIMME_SECURE_PORT",
                _everywhere(server.secure_port),
                server.secure_port,
                otherwise,
                status | secure,
                people.talk,
                certified.context,
            )
        )
    return Household(guard, naming, pairing, listeners, certified, trust.words if trust is not None else ())


async def keep_certified(certified: Certified, renamed: asyncio.Event, run: Run) -> None:
    """Renew the certificate when it is time, for ever; nobody who is connected notices. renamed: look now."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(RENEWAL_S):
                await renamed.wait()
        renamed.clear()
        if await run(certified.renew):
            certified.load()


def code_texts(code: str) -> dict[Language, str]:
    """A pairing code as it is said, digit by digit."""
    digits = ", ".join(code)
    words = {"en": f"The pairing code is: {digits}.", "de": f"Der Kopplungscode ist: {digits}."}
    return {language: words.get(language, words["en"]) for language in LANGUAGES}


def _certified(server: ServerConfig, state: Path, naming: Naming) -> Certified:
    if bool(server.certificate) != bool(server.certificate_key):
        raise ConfigError("STIMME_CERTIFICATE and STIMME_CERTIFICATE_KEY belong together; one of them is empty")
    if server.certificate:
        return OwnersCertificate(server.certificate, server.certificate_key)
    from appliance.server.certificates import Certificates  # cryptography: 12 MB that only this needs

    try:
        return Certificates(state / "tls", naming.now, own_addresses, ever=naming.ever())
    except OSError as error:
        raise ConfigError(
            f"no certificate can be made in {state / 'tls'}: {error.strerror or error}. Without it there is no HTTPS; "
            "STIMME_STATE chooses another directory"
        ) from error


def _trust(certificates: Certificates, port: Callable[[], int]) -> Trust:
    authority, name = certificates.authority, certificates.names[0]
    return Trust(
        name,
        lambda: certificates.names,
        port,
        authority.der,
        authority.apple_profile(name),
        authority.fingerprint,
        authority.words(),
    )


def _everywhere(port: int) -> str | tuple[str, ...]:
    """All addresses; only those of IPv4 where a free port is wanted, as each family would get another."""
    if port == 0 or not socket.has_dualstack_ipv6():
        return "0.0.0.0"
    return ("0.0.0.0", "::")
