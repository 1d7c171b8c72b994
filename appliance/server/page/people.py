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
from appliance.server.metrics import Metrics
from appliance.server.page import protocol
from appliance.server.page.connection import Connection
from appliance.sessions import Sessions

log = logging.getLogger(__name__)

GRACE_S = 5.0
"""How long turns under way may take to finish when the device stops."""


class People:
    """Gives every client a session and a connection to it."""

    def __init__(self, config: Config, sessions: Sessions, metrics: Metrics) -> None:
        self._config, self._sessions, self._metrics = config, sessions, metrics
        self._clients: set[Connection] = set()
        self.greet: Callable[[Connection], None] = lambda client: None
        """Called for every client that has come."""
        metrics.backlog.set_function(lambda: sessions.backlog_s)

    @property
    def present(self) -> bool:
        """True while anyone is connected."""
        return bool(self._clients)

    async def talk(self, connection: ServerConnection, visitor: Visitor) -> None:
        """Serve one client until its WebSocket closes."""
        if len(self._clients) >= self._config.server.max_connections:
            await self._refuse(connection)
            return
        client = Connection(
            connection, self._sessions, visitor.id, self._config.streaming.chunk_size, self._metrics,
            self.greet)
        self._clients.add(client)
        self._metrics.connections.set(len(self._clients))
        try:
            await client.run()
        finally:
            self._clients.discard(client)
            self._metrics.connections.set(len(self._clients))

    async def announce(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> bool:
        """Say something to everyone connected, each in their language; True if anybody has it."""
        return any(await asyncio.gather(
            *(client.announce(texts, announcement_id, kind) for client in self._clients)))

    async def leave(self) -> None:
        """See everyone off once their turns are finished, within GRACE_S."""
        await asyncio.gather(*(client.leave(GRACE_S) for client in self._clients))

    async def _refuse(self, connection: ServerConnection) -> None:
        limit = self._config.server.max_connections
        self._metrics.refused.inc()
        error = ProtocolError(
            "busy", f"{limit} clients are connected, which is the limit.",
            hint="Try again in a minute. MAX_CONNECTIONS raises the limit.")
        try:
            await connection.send(protocol.encode_error(error))
            await connection.close(1013, "busy: try again later")
        except ConnectionClosed:
            log.debug("a refused client had left already")
