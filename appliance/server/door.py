"""One connection from its first byte: HTTP until it asks for a WebSocket, then websockets' own.

The WebSocket library makes its connections through `serve(create_connection=…)`; this subclass lets it see a
connection only once a request has passed the Guard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection
from websockets.server import ServerProtocol

from appliance.server.access import Guard, Refusal, Role, Visitor
from appliance.server.http import Exchange, Request, Response, respond
from appliance.server.listener import Listener, Route


class Door(ServerConnection):
    """A connection to `listener`. begin: runs what takes time; left: called once it is gone."""

    visitor: Visitor
    """Set before the WebSocket is opened."""

    def __init__(
        self, listener: Listener, guard: Guard, begin: Callable[[Awaitable[None]], object],
        came: Callable[[Door], None], left: Callable[[Door], None], protocol: ServerProtocol, server: Server,
        **settings: Any,
    ) -> None:
        super().__init__(protocol, server, **settings)
        self._listener, self._guard, self._begin, self._came, self._left = listener, guard, begin, came, left
        self._transport: asyncio.BaseTransport | None = None
        self._exchange: Exchange | None = None
        self.address = ""

    @property
    def exchange(self) -> Exchange | None:
        """What HTTP is spoken through; None once it is a WebSocket."""
        return self._exchange

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.address = transport.get_extra_info("peername")[0]
        self._exchange = Exchange(
            cast(asyncio.Transport, transport), self.address, self._listener.tls is not None, self._answer,
            self._upgrade, self._begin)
        self._transport = transport
        self._came(self)

    def data_received(self, data: bytes) -> None:
        if self._exchange is not None:
            self._exchange.data_received(data)
        else:
            super().data_received(data)

    def eof_received(self) -> None:
        if self._exchange is not None:
            self._exchange.eof_received()
        else:
            super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._exchange is not None:
            self._exchange.connection_lost()
        else:
            super().connection_lost(exc)
        self._left(self)

    def pause_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.pause_writing()
        else:
            super().pause_writing()

    def resume_writing(self) -> None:
        if self._exchange is not None:
            self._exchange.resume_writing()
        else:
            super().resume_writing()

    def _answer(self, request: Request) -> Response | Awaitable[Response]:
        route = self._listener.route(request)
        admitted = self._guard.admit(request, route.needs if isinstance(route, Route) else Role.ANYBODY)
        if isinstance(admitted, Refusal):
            return respond(admitted.status, admitted.words)
        return route.answer(request, admitted) if isinstance(route, Route) else route

    def _upgrade(self, request: Request, head: bytes, rest: bytes) -> Response | None:
        admitted = self._guard.admit(request, Role.TALK)
        if isinstance(admitted, Refusal):
            return respond(admitted.status, admitted.words)
        if self._listener.talk is None:
            return respond(HTTPStatus.NOT_FOUND, "There is no WebSocket here.\n")
        self.visitor = admitted
        self._exchange = None
        assert self._transport is not None, "a request came through it"
        super().connection_made(self._transport)
        super().data_received(head)
        if rest:
            self.data_received(rest)
        return None
