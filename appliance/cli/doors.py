"""By which protocols other people's programs come in: where, and who."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.config import Config


@dataclass(frozen=True)
class Door:
    """advice: empty when nothing needs to be done."""

    where: str
    protocol: str
    to_whom: str
    advice: str = ""


def doors(config: Config) -> Iterator[Door]:
    """Those that are switched on."""
    clients = config.clients
    if clients.wyoming:
        yield _by_address(config, f"tcp://%s:{clients.wyoming_port}", "Wyoming, for Home Assistant")


def _by_address(config: Config, where: str, protocol: str) -> Door:
    allowed = config.clients.allowed
    here = "" if config.server.pairing == "always" else "this machine"
    whom = ", ".join(filter(None, (here, *allowed))) or "nobody"
    everybody = any(network.endswith("/0") for network in allowed)
    return Door(
        where % ("0.0.0.0" if allowed else "127.0.0.1"), protocol, whom,
        "anybody may come; name your own network in STIMME_CLIENTS, as 192.168.1.0/24" if everybody else "")
