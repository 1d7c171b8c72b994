"""A real mosquitto, with TLS and a password: birth and will, what is kept there, commands, and coming back."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from appliance.mqtt.broker import Address, Broker
from appliance.mqtt.discovery import announcement, base, topic
from appliance.server.certificates import Certificates
from tests.support.patience import until, until_now

pytestmark = pytest.mark.whole

ID = "stimme-ab12"
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") or "mosquitto"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Mosquitto:
    """One that can be stopped and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        Certificates(folder, lambda: ["localhost"], lambda: [ip_address("127.0.0.1")])
        self.authority = folder / "authority.crt"
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(folder / "passwords"), "me", "p@ss"], check=True)
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text(
            f"listener {self.port} 127.0.0.1\ncertfile {folder / 'server.crt'}\nkeyfile {folder / 'server.key'}\n"
            f"password_file {folder / 'passwords'}\nallow_anonymous false\nuser root\n"
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        process = subprocess.Popen([MOSQUITTO, "-c", str(self._settings)], stderr=subprocess.DEVNULL)
        try:
            until_now(self._listens)
            yield
        finally:
            process.terminate()
            process.wait(10)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Watcher:
    """Somebody else at the broker, who sees all."""

    def __init__(self, mosquitto: Mosquitto) -> None:
        self.seen: dict[str, str] = {}
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set("me", "p@ss")
        self.client.tls_set_context(ssl.create_default_context(cafile=str(mosquitto.authority)))
        self.client.on_message = lambda client, userdata, message: self.seen.update(
            {message.topic: message.payload.decode()}
        )
        self.client.on_connect = lambda client, *rest: client.subscribe("#", 1)
        self.client.connect("localhost", mosquitto.port)
        self.client.loop_start()

    async def sees(self, topic: str, value: str) -> None:
        await until(lambda: self.seen.get(topic) == value, lambda: f"{topic} never became {value}: {self.seen}")

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@asynccontextmanager
async def connected(mosquitto: Mosquitto, commands: list[tuple[str, str]]) -> AsyncIterator[Broker]:
    def carry_out(below: str, value: str) -> bool:
        commands.append((below, value))
        return True

    broker = Broker(
        Address("localhost", mosquitto.port, True, "me", "p@ss"),
        ID,
        announcement(ID, has_device=True, tells_words=False),
        lambda: {f"{base(ID)}/state": "idle"},
        carry_out,
        authority=str(mosquitto.authority),
    )
    running = asyncio.ensure_future(broker.run())
    try:
        yield broker
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_broker_is_told_everything_asks_and_is_found_again(tmp_path: Path) -> None:
    mosquitto, commands = Mosquitto(tmp_path), list[tuple[str, str]]()
    available = f"{base(ID)}/available"
    with mosquitto.running():
        async with connected(mosquitto, commands) as broker:
            watcher = Watcher(mosquitto)
            await watcher.sees(available, "online")
            await watcher.sees(f"{base(ID)}/state", "idle")
            assert json.loads(watcher.seen[topic(ID, "homeassistant")])["components"]["stop"]
            broker.publish("state", "listening")
            await watcher.sees(f"{base(ID)}/state", "listening")
            watcher.client.publish(f"{base(ID)}/volume/set", "30", qos=1)
            await until(lambda: ("volume/set", "30") in commands, lambda: f"only these commands came: {commands}")
            watcher.client.publish("homeassistant/status", "online", qos=1)  # it has started again
            await watcher.sees(f"{base(ID)}/state", "idle")
            broker._client.socket().shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
            await watcher.sees(available, "offline")  # its will
            await watcher.sees(available, "online")
            watcher.close()
    with mosquitto.running():
        async with connected(mosquitto, commands):
            watcher = Watcher(mosquitto)
            await watcher.sees(available, "online")
            assert topic(ID, "homeassistant") in watcher.seen
        await watcher.sees(available, "offline")
        watcher.close()
