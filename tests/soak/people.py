"""The people of a soak: they ask without end, come back when they are cut off, and know what was lost."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

PATIENCE_S = 60.0
"""An answer that has not come by then, over all restarts, is lost."""

NAMES = "egg tea pizza pasta rice soup bread cake potato lasagne chicken laundry coffee salad turkey".split()


@dataclass
class Tally:
    """What all of them together saw."""

    answered: int = 0
    wrong: int = 0
    lost: int = 0
    drops: int = 0
    set: list[tuple[str, float]] = field(default_factory=list)
    """Timers that were confirmed as saved: what they are called, and when they are due (time.monotonic)."""
    rang: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Announcements by their id: what was called, and when somebody first heard it."""
    waits_s: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def heard(self, fields: dict[str, Any]) -> None:
        if fields["type"] == "announce":
            name = next((name for name in NAMES if f"{name} timer" in fields["text"].lower()), "")
            self.rang.setdefault(fields["id"], (name, time.monotonic()))

    def timers(self) -> tuple[int, list[float]]:
        """(how many of the timers nobody ever heard, how late the others were in seconds)."""
        silent, late_s = 0, []
        for name in NAMES:
            due = sorted(at for called, at in self.set if called == name)
            rang = sorted(at for called, at in self.rang.values() if called == name)
            silent += max(0, len(due) - len(rang))
            late_s += [max(0.0, heard - at) for at, heard in zip(due, rang, strict=False)]
        return silent, late_s


class Person:
    """Asks one thing after the other over a connection that may break at any time."""

    def __init__(self, port: int, tally: Tally) -> None:
        self._port, self._tally = port, tally
        self._session = ""

    async def ask(self, say: Callable[[ClientConnection, str], Any]) -> str:
        """Ask until an answer comes, under one id; "" if none came within PATIENCE_S."""
        id, begin = f"soak-{secrets.token_hex(12)}", time.monotonic()
        while (left_s := begin + PATIENCE_S - time.monotonic()) > 0:
            with suppress(TimeoutError, OSError, WebSocketException):
                async with asyncio.timeout(left_s), self._line() as socket:
                    await say(socket, id)
                    while True:
                        fields = await self._next(socket)
                        if fields["type"] == "answer" and fields["id"] == id:
                            self._tally.answered += 1
                            self._tally.waits_s.append(time.monotonic() - begin)
                            return str(fields["text"])
            self._tally.drops += 1
            await asyncio.sleep(0.3)
        self._tally.lost += 1
        return ""

    async def listen(self) -> None:
        """Only hear what is announced."""
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):
                async with self._line() as socket:
                    while True:
                        await self._next(socket)
            await asyncio.sleep(0.3)

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[ClientConnection]:
        try:
            socket = await connect(f"ws://127.0.0.1:{self._port}", compression=None, open_timeout=10)
        except InvalidHandshake as error:
            raise OSError(error) from error
        try:
            hello = {"type": "hello", "speak": False} | ({"session": self._session} if self._session else {})
            await socket.send(json.dumps(hello))
            self._session = str((await self._next(socket, "welcome"))["session"])
            yield socket
        finally:
            socket.transport.abort()

    async def _next(self, socket: ClientConnection, kind: str = "") -> dict[str, Any]:
        while True:
            message = await socket.recv()
            if isinstance(message, str):
                fields: dict[str, Any] = json.loads(message)
                self._tally.heard(fields)
                if not kind or fields["type"] == kind:
                    return fields


async def types(port: int, tally: Tally, number: int) -> None:
    person, count = Person(port, tally), number
    while True:
        count = count % 97 + 3

        async def say(socket: ClientConnection, id: str, text: str = f"what is {count} plus {number}") -> None:
            await socket.send(json.dumps({"type": "text", "id": id, "text": text}))

        said = await person.ask(say)
        if said and not said.rstrip(".").endswith(f" {count + number}"):
            tally.wrong += 1
            tally.notes.append(said)
        await asyncio.sleep(0.1)


async def speaks(port: int, tally: Tally, pcm: bytes, answer: str) -> None:
    person = Person(port, tally)

    async def say(socket: ClientConnection, id: str) -> None:
        await socket.send(json.dumps({"type": "start", "id": id}))
        for begin in range(0, len(pcm), 4096):
            await socket.send(pcm[begin : begin + 4096])
            await asyncio.sleep(0.02)
        await socket.send(json.dumps({"type": "stop", "id": id}))

    while True:
        said = await person.ask(say)
        if said and answer not in said:
            tally.wrong += 1
            tally.notes.append(said)
        await asyncio.sleep(0.3)


async def sets_timers(port: int, tally: Tally, until: float) -> None:
    """One timer after the other under its own name, each for a few seconds, until a moment."""
    person, count = Person(port, tally), 0
    while time.monotonic() < until:
        name, seconds = NAMES[count % len(NAMES)], 3 + count % 5
        words = "three four five six seven".split()[count % 5]

        async def say(socket: ClientConnection, id: str, text: str = f"set a {name} timer for {words} seconds") -> None:
            await socket.send(json.dumps({"type": "text", "id": id, "text": text}))

        if (await person.ask(say)).lower().endswith(f"{name} timer set for {words} seconds."):
            tally.set.append((name, time.monotonic() + seconds))
        count += 1
        await asyncio.sleep(2.5)
