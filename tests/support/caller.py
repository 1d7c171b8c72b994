"""A client of docs/protocol.md, as a test or a benchmark needs one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

RATE = 16_000


@dataclass
class Turn:
    """What came back for one turn. Times are time.perf_counter() seconds."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    at: dict[str, float] = field(default_factory=dict)
    """When a kind of message first arrived; "stop" is when it was sent, "audio" the first sound."""
    audio: bytes = b""

    def first(self, kind: str) -> dict[str, Any]:
        return next(message for message in self.messages if message["type"] == kind)

    def ms(self, kind: str) -> float:
        """From the endpoint to the first message of a kind, in milliseconds."""
        return 1000 * (self.at[kind] - self.at["stop"])


class Caller:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._count = 0

    async def send(self, **fields: Any) -> None:
        await self.socket.send(json.dumps(fields))

    async def receive(self, kind: str = "") -> dict[str, Any]:
        """The next text message, or the next one of a kind; sound and others are passed over."""
        async with asyncio.timeout(30):
            while True:
                message = await self.socket.recv()
                if isinstance(message, str):
                    fields: dict[str, Any] = json.loads(message)
                    if not kind or fields["type"] == kind:
                        return fields

    async def hello(self, **wishes: Any) -> dict[str, Any]:
        await self.send(type="hello", **wishes)
        return await self.receive("welcome")

    async def say(
        self, pcm: bytes, *, language: str = "en", chunk_bytes: int = 1024, pace: float = 1.0, until: str = "speech_end"
    ) -> Turn:
        """Speak s16le at `pace` times real time (0: at once), and collect everything until a kind of message."""
        self._count += 1
        id, turn = f"say-{self._count}", Turn()
        await self.send(type="start", id=id, language=language)
        collecting = asyncio.create_task(self._collect(turn, id, until))
        begin = time.perf_counter()
        for start in range(0, len(pcm), chunk_bytes):
            piece = pcm[start : start + chunk_bytes]
            if pace:
                due = begin + (start + len(piece)) / 2 / RATE / pace
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await self.socket.send(piece)
        await self.send(type="stop", id=id)
        turn.at["stop"] = time.perf_counter()
        return await collecting

    async def type(self, text: str, *, language: str = "en", until: str = "speech_end") -> Turn:
        self._count += 1
        id, turn = f"type-{self._count}", Turn()
        turn.at["stop"] = time.perf_counter()
        await self.send(type="text", id=id, text=text, language=language)
        return await self._collect(turn, id, until)

    async def _collect(self, turn: Turn, id: str, until: str) -> Turn:
        pieces = []
        async with asyncio.timeout(60):
            while True:
                message = await self.socket.recv()
                now = time.perf_counter()
                if isinstance(message, bytes):
                    turn.at.setdefault("audio", now)
                    pieces.append(message)
                    continue
                fields = json.loads(message)
                if fields.get("id") not in (id, None):
                    continue
                turn.messages.append(fields)
                turn.at.setdefault(fields["type"], now)
                if fields["type"] == until:
                    turn.audio = b"".join(pieces)
                    return turn


@asynccontextmanager
async def caller(url: str, **options: Any) -> AsyncIterator[Caller]:
    """One client. Like a browser it takes in all that comes, also what nobody has asked for yet (max_queue): one that
    pauses would not see the answer to its goodbye behind a reply's sound, and wait ten seconds for it."""
    async with connect(url, compression=None, max_size=None, max_queue=None, **options) as socket:
        yield Caller(socket)
