"""One connection from its first byte: HTTP until it asks for a WebSocket, then websockets' own.

The WebSocket library makes its connections through `serve(create_connection=…)`; this subclass lets it see a
connection only once a request has passed the Guard.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Coroutine
from http import HTTPStatus
from typing import Any, Protocol, cast

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import CloseCode
from websockets.server import ServerProtocol

from appliance.server.access import Guard, Refusal, Role, Visitor
from appliance.server.budget import UNREAD_LIMIT_BYTES, Valve
from appliance.server.crowd import neighbourhood
from appliance.server.exchange import HEAD_S, LINGER_S, Exchange
from appliance.server.http import Request, Response, respond
from appliance.server.listener import Admits, Listener, Route

log = logging.getLogger(__name__)


class House(Protocol):
    """What all doors of a device share."""

    guard: Guard

    def came(self, door: Door) -> bool:
        """A connection was made; False if there is no room for it."""

    def left(self, door: Door) -> None:
        """It has gone, or has become a WebSocket."""

    def enters(self, visitor: Visitor) -> bool:
        """It becomes a WebSocket; False if this visitor has too many already."""

    def leaves(self, visitor: Visitor) -> None:
        """A WebSocket that had entered has gone."""

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run what takes time."""

    def dropped(self, reason: str) -> None:
        """A client was dropped; to be counted."""


class Door(ServerConnection):
    """A connection to `listener`."""

    visitor: Visitor
    """Set before the WebSocket is opened."""
    neighbourhood: str
    """Where it comes from (crowd.py)."""

    def __init__(
        self, listener: Listener, house: House, protocol: ServerProtocol, server: Server, **settings: Any
    ) -> None:
        super().__init__(protocol, server, **settings)
        self._listener, self._house = listener, house
        self._guard: Admits = listener.guard or house.guard
        self._came_at = 0.0
        self._address = ""
        self._early = bytearray()
        """What came before TLS was ready for it."""
        self._bare: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        """What HTTP is spoken through; None once it is a WebSocket."""
        self._valve: Valve | None = None
        """What a WebSocket's frames come through."""
        self._heard_at = 0.0
        """Loop time when anything last came."""

    @property
    def idle_since(self) -> float | None:
        """While it is no WebSocket: see crowd.Guest."""
        return self._exchange.idle_since if self._exchange is not None else self._came_at

    def close_if_idle(self) -> None:
        """Close it unless a request is being answered or it is a WebSocket."""
        if self._exchange is not None:
            self._exchange.close()

    def abort(self) -> None:
        if self._bare is not None:
            self._bare.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._bare = cast(asyncio.Transport, transport)
        self._came_at = self.loop.time()
        peer = transport.get_extra_info("peername")
        if peer is None:  # gone again already
            self.abort()
            return
        self._address = peer[0]
        self.neighbourhood = neighbourhood(self._address)
        if not self._house.came(self):
            self.abort()
        elif self._listener.tls is None:
            self._speak_http(self._bare)
        else:
            self._bare.pause_reading()
            self._house.begin(self._secure(self._bare, self._listener.tls))

    async def _secure(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        """The TLS handshake, here and not in the listening socket, so that unfinished ones are counted like others."""
        shaking = self.loop.create_task(
            self.loop.start_tls(
                transport, self, tls, server_side=True, ssl_handshake_timeout=HEAD_S, ssl_shutdown_timeout=LINGER_S
            )
        )
        # uvloop reads before one can tell it not to. start_tls takes one round of the loop to put a protocol of its own
        # in our place and one to make it ready; before anything more is read it gets what came until then.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        early, self._early = memoryview(self._early), bytearray()
        protocol = cast(asyncio.BufferedProtocol, transport.get_protocol())  # what it is, if not by name
        while early and not transport.is_closing():
            room = memoryview(protocol.get_buffer(len(early)))
            size = min(len(early), len(room))
            room[:size], early = early[:size], early[size:]
            protocol.buffer_updated(size)
        try:
            secured = await shaking
        except (OSError, ssl.SSLError) as error:  # includes timeouts; scanners and distrusting browsers do that all day
            log.debug("no TLS with %s: %s", self.neighbourhood, error)
            self._house.dropped("tls")
            self._house.left(self)
            transport.abort()
            return
        if secured is not None:
            self._bare = secured
            self._speak_http(secured)
            if self._early and self._exchange is not None:
                self._exchange.data_received(bytes(self._early))  # what came behind the handshake

    def _speak_http(self, transport: asyncio.Transport) -> None:
        self._exchange = Exchange(
            transport, self._address, self._listener.tls is not None, self._answer, self._upgrade, self._house.begin
        )

    def data_received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._exchange.data_received(data)
        elif self._valve is not None:
            self._heard_at = self.loop.time()
            self._valve.put(data)
        else:
            self._early += data

    def eof_received(self) -> None:
        if self._exchange is not None:
            self._exchange.eof_received()
        elif self._valve is not None:
            super().eof_received()
        else:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._valve is not None:
            self._valve.close()
            self._house.leaves(self.visitor)
            super().connection_lost(exc)
        elif self._exchange is not None:
            self._exchange.connection_lost()
        self._house.left(self)
        self._exchange = self._bare = None  # they know this door: thousands would wait for the garbage collector

    def pause_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.pause_writing()
        elif self._valve is not None:
            super().pause_writing()

    def resume_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.resume_writing()
        elif self._valve is not None:
            super().resume_writing()

    async def keepalive(self) -> None:
        """Ask for a sign of life every ping_interval; drop a client of which nothing at all comes within ping_timeout.

        The library waits for the pong alone, which on a thin link stands behind seconds of sound.
        """
        assert self.ping_interval is not None and self.ping_timeout is not None, "Web sets both"
        while True:
            await asyncio.sleep(self.ping_interval)
            asked_at = self.loop.time()
            await self.ping()
            await asyncio.sleep(self.ping_timeout)
            if self._heard_at < asked_at:
                async with self.send_context():
                    self.protocol.fail(CloseCode.INTERNAL_ERROR, "no answer to a ping")

    def _answer(self, request: Request) -> Response | Awaitable[Response]:
        route = self._listener.route(request)
        admitted = self._guard.admit(request, route.needs if isinstance(route, Route) else Role.ANYBODY)
        if isinstance(admitted, Refusal):
            return (route.refuse if isinstance(route, Route) else respond)(admitted.status, admitted.words)
        return route.answer(request, admitted) if isinstance(route, Route) else route

    def _upgrade(self, request: Request, head: bytes, rest: bytes) -> Response | None:
        admitted = self._guard.admit(request, Role.TALK)
        if isinstance(admitted, Refusal):
            return respond(admitted.status, admitted.words)
        if self._listener.talk is None:
            return respond(HTTPStatus.NOT_FOUND, "There is no WebSocket here.\n")
        if not self._house.enters(admitted):
            return respond(
                HTTPStatus.TOO_MANY_REQUESTS, "This place has too many connections open. Close some of them.\n"
            )
        self.visitor = admitted
        self._exchange = None
        self._house.left(self)
        assert self._bare is not None, "a request came through it"
        super().connection_made(self._bare)
        self._valve = Valve(self._bare, self._give, lambda: self.recv_messages.paused)
        # The library would start and stop reading by itself, past the valve.
        self.recv_messages.pause, self.recv_messages.resume = lambda: None, self._valve.open
        super().data_received(head)
        if rest:
            self._valve.put(rest)
        return None

    def _give(self, frames: bytes) -> None:
        super().data_received(frames)
        if self.transport.get_write_buffer_size() > UNREAD_LIMIT_BYTES:  # pongs, which the library sends by itself
            self._house.dropped("unread")
            self.transport.abort()
