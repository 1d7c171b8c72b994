"""A client that stops reading while it is spoken to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedOK

from appliance.server.page.sink import PIECE_BYTES, ConnectionSink


class Socket:
    """A WebSocket whose client reads or does not."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.sent: list[bytes] = []
        self.aborted = self.closed = False
        self.transport = self

    async def send(self, data: bytes) -> None:
        if self.closed:
            raise ConnectionClosedOK(None, None)
        await self.reads.wait()
        self.sent.append(data)

    def abort(self) -> None:
        self.aborted = True


class Counts:
    def __init__(self) -> None:
        self.dropped: list[str] = []

    def client_dropped(self, reason: str) -> None:
        self.dropped.append(reason)


def sink(socket: Any, counts: Any) -> ConnectionSink:
    return ConnectionSink(socket, 16_000, counts)


async def test_a_reply_is_sent_in_small_pieces_and_whole() -> None:
    socket = Socket()
    socket.reads.set()
    pcm = bytes(range(256)) * 100
    await sink(socket, Counts()).write(pcm)
    assert b"".join(socket.sent) == pcm
    assert {len(piece) for piece in socket.sent[:-1]} == {PIECE_BYTES}


async def test_a_client_that_takes_no_byte_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.server.page.sink.STALL_S", 0.01)
    socket, counts = Socket(), Counts()
    await sink(socket, counts).write(bytes(10 * PIECE_BYTES))
    assert (socket.aborted, socket.sent, counts.dropped) == (True, [], ["stalled"])


async def test_a_client_that_has_left_is_no_error() -> None:
    socket = Socket()
    socket.closed = True
    await sink(socket, Counts()).write(bytes(100))
    assert not socket.aborted
