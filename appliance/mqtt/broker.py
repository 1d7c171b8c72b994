"""The connection to the owner's MQTT broker. paho keeps it, in a thread of its own, and comes back when it was lost."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from appliance.errors import ConfigError
from appliance.mqtt.discovery import base, topic

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
"""So long after the last sign of life the broker tells everybody that the device is gone, by its will."""
RECONNECT_S = (1, 120)
"""The first and the longest wait before another try; each is twice as long as the one before."""
MOST_COMMAND_BYTES = 256
FAREWELL_S = 2.0


@dataclass(frozen=True)
class Address:
    """mqtt://USER:PASSWORD@HOST:PORT, or mqtts:// for TLS."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""


def parse(url: str) -> Address:
    """Raises ConfigError, in which the password does not stand."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == -1 or parts.path not in ("", "/"):
        raise ConfigError(
            "STIMME_MQTT: this is no address of a broker; expected mqtt://HOST, mqtts://HOST or "
            "mqtts://USER:PASSWORD@HOST:PORT"
        )
    tls = parts.scheme == "mqtts"
    return Address(
        parts.hostname,
        port or (8883 if tls else 1883),
        tls,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


class Broker:
    """Publishes a device's values and brings its commands. Made and used in one event loop.

    values: everything that is known by whole topics, for a broker or a Home Assistant that comes back. carry_out: told
    each command's topic below the device's, and its value. prefix: Home Assistant's discovery prefix. authority: PEM
    file of the broker's own certificate authority; "" for the system's.
    """

    def __init__(
        self,
        address: Address,
        id: str,
        announcement: Mapping[str, Any],
        values: Callable[[], Mapping[str, str]],
        carry_out: Callable[[str, str], bool],
        *,
        prefix: str = "homeassistant",
        authority: str = "",
    ) -> None:
        """Raises ConfigError if the authority cannot be read."""
        self._address, self._base, self._values, self._carry_out = address, base(id), values, carry_out
        self._announced = topic(id, prefix), json.dumps(announcement, ensure_ascii=False)
        self._birth = f"{prefix}/status"
        self._loop = asyncio.get_running_loop()
        self._is_lost = False
        client = self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"stimme-{id}")
        client.will_set(f"{self._base}/available", "offline", qos=1, retain=True)
        client.reconnect_delay_set(*RECONNECT_S)
        if address.user:
            client.username_pw_set(address.user, address.password)
        if address.tls:
            try:
                client.tls_set_context(ssl.create_default_context(cafile=authority or None))
            except OSError as error:
                raise ConfigError(f"STIMME_MQTT_AUTHORITY: {authority} cannot be read: {error}") from error
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_connect_fail, client.on_message = self._failed, self._came

    async def run(self) -> None:
        """Stay connected until cancelled; then say goodbye."""
        self._client.connect_async(self._address.host, self._address.port, KEEPALIVE_S)
        self._client.loop_start()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(self._leave)

    def publish(self, below: str, value: str) -> None:
        """A value that changed; nothing while there is no connection, for it will be told then."""
        if self._client.is_connected():
            self._client.publish(f"{self._base}/{below}", value, qos=1, retain=True)

    # In paho's thread

    def _connected(
        self, client: Client, userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._say_once("refuses the device: %s", reason)
            return
        self._is_lost = False
        log.info("connected to the MQTT broker at %s", self._address.host)
        client.subscribe([(f"{self._base}/+/set", 1), (self._birth, 1)])
        self._loop.call_soon_threadsafe(self._tell_all)

    def _disconnected(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._say_once("was lost: %s", reason)

    def _failed(self, client: Client, userdata: Any) -> None:
        self._say_once("cannot be reached; %s", "trying again from time to time")

    def _say_once(self, words: str, why: object) -> None:
        if not self._is_lost:
            self._is_lost = True
            log.warning(f"the MQTT broker at %s {words}", self._address.host, why)  # noqa: G004 - ours

    def _came(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        if message.retain or len(message.payload) > MOST_COMMAND_BYTES:
            return  # a command that was kept is not meant for now
        self._loop.call_soon_threadsafe(self._take, message.topic, message.payload.decode("utf-8", "replace"))

    # In the event loop

    def _take(self, topic: str, value: str) -> None:
        if topic == self._birth:
            if value == "online":
                self._tell_all()
        elif not self._carry_out(topic.removeprefix(f"{self._base}/"), value):
            log.warning("MQTT: %s cannot be %r", topic, value[:40])

    def _tell_all(self) -> None:
        """Somebody knows nothing yet."""
        name, announcement = self._announced
        for where, value in ((name, announcement), (f"{self._base}/available", "online"), *self._values().items()):
            self._client.publish(where, value, qos=1, retain=True)

    def _leave(self) -> None:
        """Blocks for a moment."""
        if self._client.is_connected():
            told = self._client.publish(f"{self._base}/available", "offline", qos=1, retain=True)
            try:
                told.wait_for_publish(FAREWELL_S)
            except (RuntimeError, ValueError) as error:  # lost at this very moment; its will says the same
                log.debug("no goodbye to the MQTT broker: %s", error)
        self._client.disconnect()
        self._client.loop_stop()
