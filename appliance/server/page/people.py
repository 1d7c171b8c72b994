"""All who speak docs/protocol.md with this device: lets them in up to a number, tells them all, sees them off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from appliance.config import Config
from appliance.errors import ProtocolError
from appliance.language import Language
from appliance.server.access import Visitor
from appliance.server.crowd import neighbourhood, who_must_go
from appliance.server.metrics import Metrics
from appliance.server.page import protocol
from appliance.server.page.connection import Connection
from appliance.sessions import Sessions

log = logging.getLogger(__name__)

GRACE_S = 5.0
"""How long turns under way may take to finish when the device stops."""


class _Guest:
    """A client and the place it holds (crowd.Guest)."""

    def __init__(self, client: Connection, address: str, stay: asyncio.Timeout) -> None:
        self.client, self.neighbourhood, self.stay = client, neighbourhood(address), stay

    @property
    def idle_since(self) -> float | None:
        return self.client.idle_since


class People:
    """Gives every client a session and a connection to it."""

    def __init__(self, config: Config, sessions: Sessions, metrics: Metrics, page_version: str) -> None:
        """page_version: see Site.version."""
        self._page_version = page_version
        self._config, self._sessions, self._metrics = config, sessions, metrics
        self._guests: set[_Guest] = set()
        self.greet: Callable[[Connection], None] = lambda client: None
        """Called for every client that has come."""
        metrics.backlog.set_function(lambda: sessions.backlog_s)

    @property
    def present(self) -> bool:
        """True while anyone is connected."""
        return bool(self._guests)

    async def talk(self, connection: ServerConnection, visitor: Visitor) -> None:
        """Serve one client until its WebSocket closes."""
        address, most = connection.remote_address[0], self._config.server.max_connections
        if len(self._guests) >= most:
            other = who_must_go(self._guests, neighbourhood(address), fair=True)
            if other is None:
                self._metrics.refused.inc()
                await self._see_out(connection, f"{most} clients are connected, which is the limit.")
                return
            self._leave(other)
            other.stay.reschedule(0.0)
        client = Connection(
            connection, self._sessions, visitor.id, self._config.streaming.chunk_size, self._page_version,
            self._metrics, self.greet)
        try:
            async with asyncio.timeout(None) as stay:
                guest = _Guest(client, address, stay)
                self._guests.add(guest)
                self._metrics.connections.set(len(self._guests))
                try:
                    await client.run()
                finally:
                    self._leave(guest)
        except TimeoutError:
            self._metrics.client_dropped("crowded")
            await self._see_out(
                connection, f"{most} clients are connected, which is the limit; yours was idle for longest.")

    async def announce(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> bool:
        """Say something to everyone connected, each in their language; True if anybody has it."""
        return any(await asyncio.gather(
            *(guest.client.announce(texts, announcement_id, kind) for guest in self._guests)))

    async def leave(self) -> None:
        """See everyone off once their turns are finished, within GRACE_S."""
        await asyncio.gather(*(guest.client.leave(GRACE_S) for guest in self._guests))

    def _leave(self, guest: _Guest) -> None:
        self._guests.discard(guest)
        self._metrics.connections.set(len(self._guests))

    async def _see_out(self, connection: ServerConnection, why: str) -> None:
        error = ProtocolError("busy", why, hint="Try again in a minute. MAX_CONNECTIONS raises the limit.")
        try:
            await connection.send(protocol.encode_error(error))
            await connection.close(1013, "busy: try again later")
        except ConnectionClosed:
            log.debug("a refused client had left already")
