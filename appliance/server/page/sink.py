"""A client's loudspeaker, behind its socket."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from appliance.server.metrics import Metrics

STALL_S = 10.0
"""A client that takes no byte for this long has stopped reading and is dropped."""

PIECE_BYTES = 8 * 1024
"""Most reply sound in one message: 85 ms at 48 kHz, so that little is under way when the person interrupts."""


class ConnectionSink:
    """A Sink. The client itself silences what it has already got."""

    def __init__(self, socket: ServerConnection, rate: int, metrics: Metrics) -> None:
        self.rate = rate
        self._socket = socket
        self._metrics = metrics

    async def write(self, pcm: bytes) -> None:
        try:
            for start in range(0, len(pcm), PIECE_BYTES):
                async with asyncio.timeout(STALL_S):
                    await self._socket.send(pcm[start : start + PIECE_BYTES])
        except TimeoutError:
            self._metrics.client_dropped("stalled")
            self._socket.transport.abort()
        except ConnectionClosed:
            pass  # the receiving side ends the conversation

    async def drain(self) -> None:
        """Everything was handed to the transport."""

    def flush(self) -> None:
        """Nothing is kept here."""
