"""All who speak docs/protocol.md with this device: lets them in up to a number, tells them all, sees them off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from appliance.dialogue.types import Memory
from appliance.errors import ProtocolError
from appliance.language import Language
from appliance.server.access import LOCAL, Role, Visitor
from appliance.server.crowd import neighbourhood, who_must_go
from appliance.server.metrics import Metrics
from appliance.server.page import encoding
from appliance.server.page.board import Board
from appliance.server.page.connection import Connection
from appliance.server.page.settings import Settings
from appliance.server.places import Places
from appliance.sessions import Sessions

log = logging.getLogger(__name__)

RING_S = 60.0
"""How long something rings at pages: as long as at the device."""

GRACE_S = 5.0
"""How long turns under way may take to finish when the device stops."""


class _Guest:
    """A client and the place it holds (crowd.Guest)."""

    def __init__(self, client: Connection, visitor: Visitor, address: str, stay: asyncio.Timeout) -> None:
        self.client, self.visitor, self.stay = client, visitor, stay
        self.neighbourhood = neighbourhood(address)
        self.sent_away = ""

    @property
    def idle_since(self) -> float | None:
        return self.client.idle_since


class People:
    """Gives every client a session and a connection to it."""

    def __init__(
        self,
        most: int,
        chunk_bytes: int,
        sessions: Sessions,
        metrics: Metrics,
        places: Places,
        board: Board,
        settings: Settings,
        page_version: str,
    ) -> None:
        """most: clients at once. chunk_bytes: for a page without a preset. page_version: see Site.version."""
        self._board, self._settings, self._page_version = board, settings, page_version
        self._most, self._chunk_bytes = most, chunk_bytes
        self._sessions, self._metrics, self._places = sessions, metrics, places
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
        address = connection.remote_address[0]
        if len(self._guests) >= self._most:
            other = who_must_go(self._guests, neighbourhood(address), fair=True)
            if other is None:
                self._metrics.refused.inc()
                await self._see_out(connection, f"{self._most} clients are connected, which is the limit.")
                return
            self._send_away(other, "crowded")
        client = Connection(
            connection,
            self._sessions,
            visitor,
            self._chunk_bytes,
            self._page_version,
            self._metrics,
            self._board,
            self._settings,
            self.greet,
        )
        language, volume = self._places.wishes(visitor)
        memory = client.session.memory
        client.session.language = language or client.session.language
        memory.volume = memory.volume if volume is None else volume
        memory.place = "" if visitor == LOCAL else visitor.name
        memory.may_configure = visitor.role >= Role.CONFIGURE
        guest: _Guest | None = None
        try:
            async with asyncio.timeout(None) as stay:
                guest = _Guest(client, visitor, address, stay)
                self._guests.add(guest)
                self._metrics.connections.set(len(self._guests))
                try:
                    await client.run()
                finally:
                    self._leave(guest)
        except TimeoutError:
            assert guest is not None
            self._metrics.client_dropped(guest.sent_away)
            if guest.sent_away == "crowded":
                await self._see_out(
                    connection, f"{self._most} clients are connected, which is the limit; yours was idle for longest."
                )
            else:
                await self._see_out(
                    connection,
                    "This place is paired no more.",
                    code="not_paired",
                    close=1008,
                    hint="Open the page and pair it again.",
                )

    def look_again(self) -> None:
        """Somebody may have been revoked: they go at once."""
        for guest in tuple(self._guests):
            if not self._places.may_stay(guest.visitor):
                self._send_away(guest, "revoked")

    async def announce(
        self,
        texts: Mapping[Language, str],
        announcement_id: str,
        kind: str,
        *,
        to: Collection[str] = (),
        but: Memory | None = None,
    ) -> bool:
        """Say something to everyone connected, each in their language; True if anybody has it.

        Where a page shows what rings, it rings there for a minute, unless somebody stops it anywhere.
        to: only at places of these names, if there are any. but: not in that conversation.
        """
        meant = [
            guest
            for guest in self._guests
            if guest.client.session.memory is not but and (not to or _called(guest.visitor) in to)
        ]
        taken = any(await asyncio.gather(*(guest.client.announce(texts, announcement_id, kind) for guest in meant)))
        if self._board.is_watched and kind != "notice":
            await asyncio.sleep(RING_S)
        return taken

    def others(self, memory: Memory) -> tuple[str, ...]:
        """What the places are called that are connected, but the one of that conversation. Any thread may ask."""
        guests = [guest for guest in tuple(self._guests) if guest.client.session.memory is not memory]
        return tuple(dict.fromkeys(_called(guest.visitor) for guest in guests))

    async def leave(self) -> None:
        """See everyone off once their turns are finished, within GRACE_S."""
        await asyncio.gather(*(guest.client.leave(GRACE_S) for guest in self._guests))

    def _send_away(self, guest: _Guest, why: str) -> None:
        guest.sent_away = why
        self._leave(guest)
        guest.stay.reschedule(0.0)

    def _leave(self, guest: _Guest) -> None:
        if guest in self._guests:
            session = guest.client.session
            self._places.remember(guest.visitor, session.language, session.memory.volume)
        self._guests.discard(guest)
        self._metrics.connections.set(len(self._guests))

    async def _see_out(
        self,
        connection: ServerConnection,
        why: str,
        *,
        code: str = "busy",
        close: int = 1013,
        hint: str = "Try again in a minute. MAX_CONNECTIONS raises the limit.",
    ) -> None:
        try:
            await connection.send(encoding.encode_error(ProtocolError(code, why, hint=hint)))
            await connection.close(close, code)
        except ConnectionClosed:
            log.debug("a refused client had left already")


def _called(visitor: Visitor) -> str:
    """A place as people call it; by its address where nobody was paired."""
    return visitor.name or visitor.id
