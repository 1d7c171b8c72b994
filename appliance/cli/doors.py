"""By which protocols other people's programs come in: where, and who."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance.config import Config

HERE = ("127.0.0.1", "::1", "localhost")


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

    if clients.vosk:
        yield _by_address(config, f"ws://%s:{clients.vosk_port}", "Vosk's WebSocket")
    if clients.openai:
        yield from _by_token(config, "/v1", "OpenAI's audio API")
    if clients.mqtt:
        host = urlsplit(clients.mqtt).hostname
        yield Door(
            f"{host} (nothing listens here)",
            "MQTT, outbound",
            "whoever may read that broker" + (", what is said too" if clients.mqtt_words else ""),
            ""
            if clients.mqtt.startswith("mqtts:") or host in HERE
            else "unencrypted: whoever is in between reads all and the password too; mqtts:// is not",
        )


def _by_token(config: Config, path: str, protocol: str) -> Iterator[Door]:
    """At the page's port, behind the page's guard."""
    server = config.server
    paired = "those who send a token of `stimme paired add`"
    whom = {"network": f"this machine, and {paired}", "always": paired, "off": "everybody who reaches it"}
    host = "0.0.0.0" if server.lan else server.host
    yield Door(
        f"http://{host}:{server.page_port}{path}",
        protocol,
        whom[server.pairing],
        "STIMME_PAIRING=network lets only paired programs in" if server.pairing == "off" else "",
    )
    if server.lan:
        yield Door(f"https://…:{server.secure_port}{path}", protocol, paired)


def _by_address(config: Config, where: str, protocol: str) -> Door:
    allowed = config.clients.allowed
    here = "" if config.server.pairing == "always" else "this machine"
    whom = ", ".join(filter(None, (here, *allowed))) or "nobody"
    everybody = any(network.endswith("/0") for network in allowed)
    return Door(
        where % ("0.0.0.0" if allowed else "127.0.0.1"),
        protocol,
        whom,
        "anybody may come; name your own network in STIMME_CLIENTS, as 192.168.1.0/24" if everybody else "",
    )
