"""Places for programs that hold a WebSocket: so many, and none of them keeps the others out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode

from appliance.server.access import Visitor
from appliance.server.crowd import neighbourhood, who_must_go

MOST_SEATS = 100


class Busy(Protocol):
    """Somebody who may have nothing to do."""

    @property
    def idle_since(self) -> float | None:
        """Loop time since when nothing was asked; None while something is under way."""


class _Seated:
    def __init__(self, socket: ServerConnection, who: Busy, visitor: Visitor) -> None:
        self.socket, self.visitor, self._who = socket, visitor, who
        self.neighbourhood = neighbourhood(socket.remote_address[0])

    @property
    def idle_since(self) -> float | None:
        return self._who.idle_since


class Seats:
    """dropped: told why somebody had to go."""

    def __init__(self, dropped: Callable[[str], None], most: int = MOST_SEATS) -> None:
        self._dropped, self._most = dropped, most
        self._seated: set[_Seated] = set()

    @asynccontextmanager
    async def taken(self, socket: ServerConnection, who: Busy, visitor: Visitor) -> AsyncIterator[bool]:
        """Hold a place while the block runs; False: there was none, and the socket is closed."""
        seated = _Seated(socket, who, visitor)
        if len(self._seated) >= self._most:
            self._dropped("crowded")
            other = who_must_go(self._seated, seated.neighbourhood, fair=True)
            if other is None:
                await socket.close(
                    CloseCode.TRY_AGAIN_LATER, f"{self._most} programs are connected, which is the limit"
                )
                yield False
                return
            self._seated.discard(other)
            other.socket.transport.abort()
        self._seated.add(seated)
        try:
            yield True
        finally:
            self._seated.discard(seated)

    def look_again(self, may_stay: Callable[[Visitor], bool]) -> None:
        """Somebody may have been revoked: they go at once."""
        for seated in tuple(self._seated):
            if not may_stay(seated.visitor):
                self._dropped("revoked")
                seated.socket.transport.abort()

    async def leave(self) -> None:
        """The device stops."""
        await asyncio.gather(
            *(seated.socket.close(CloseCode.GOING_AWAY, "the device stops") for seated in tuple(self._seated))
        )
