"""The people of a soak: they ask without end, come back when they are cut off, and tally what was lost."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from tests.soak.tally import NAMES, Span, Tally

PATIENCE_S = 60.0
"""An answer that has not come by then, over all restarts, is lost."""

LIMITS = {"busy", "overloaded", "too_many_turns"}
"""Errors that name a limit (docs/protocol.md)."""


class Refused(Exception):
    """The server named a limit, or an error that has none; the code."""


class Person:
    """Asks one thing after the other over a connection that may break at any time.

    number: which of 127.0.0.2 and following this person calls from. Rude clients and floods call from 127.0.0.1, so
    that no limit on an address may touch a person. hears: replies are spoken, and listened to.
    """

    def __init__(self, port: int, tally: Tally, number: int, *, hears: bool = False) -> None:
        self._port, self._tally, self._hears = port, tally, hears
        self._address = f"127.0.0.{2 + number}"
        self._session = ""

    async def ask(self, kind: str, say: Callable[[ClientConnection, str], Any]) -> str:
        """Ask until an answer comes, under one id; "" if none came within PATIENCE_S. kind: for the tally."""
        id, begin_s = f"soak-{secrets.token_hex(12)}", time.monotonic()
        while (left_s := begin_s + PATIENCE_S - time.monotonic()) > 0:
            async with self._counted():
                async with asyncio.timeout(left_s), self._line() as socket:
                    await say(socket, id)
                    text = str((await self._next(socket, "answer", id))["text"])
                    self._tally.waits.append(Span(kind, begin_s, time.monotonic()))
                    if self._hears:
                        await self._next(socket, "speech_end", id)
                    return text
            await asyncio.sleep(0.3)
        self._tally.lost += 1
        return ""

    async def listen(self) -> None:
        """Only hear what is announced."""
        while True:
            async with self._counted(), self._line() as socket:
                while True:
                    await self._next(socket, "goodbye")
            await asyncio.sleep(0.3)

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        """Swallow what may go wrong with a line, and tally when and how it did."""
        begin_s = time.monotonic()
        try:
            yield
        except (Refused, TimeoutError, OSError, WebSocketException) as error:
            name, limit = _cause(error)
            tally = self._tally.refusals if limit else self._tally.failures
            tally.append(Span(name, begin_s, time.monotonic()))

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[ClientConnection]:
        socket = await connect(
            f"ws://127.0.0.1:{self._port}", compression=None, open_timeout=10, local_addr=(self._address, 0)
        )
        try:
            hello = {"type": "hello", "speak": self._hears} | ({"session": self._session} if self._session else {})
            await socket.send(json.dumps(hello))
            self._session = str((await self._next(socket, "welcome"))["session"])
            yield socket
        finally:
            socket.transport.abort()

    async def _next(self, socket: ClientConnection, kind: str, id: str = "") -> dict[str, Any]:
        """The next message of a kind, of a turn if it is named. Raises Refused if the turn failed."""
        while True:
            message = await socket.recv()
            if isinstance(message, str):
                fields: dict[str, Any] = json.loads(message)
                self._tally.heard(fields)
                if fields["type"] == kind and fields.get("id", "") == id:
                    return fields
                if fields["type"] == "error":
                    raise Refused(fields["code"])


def _cause(error: Exception) -> tuple[str, bool]:
    """(what the client was told, whether that is a limit)."""
    match error:
        case Refused():
            return str(error), str(error) in LIMITS
        case InvalidStatus():
            status = error.response.status_code
            return f"HTTP {status}", status in (429, 503)
        case ConnectionClosed():
            code = error.rcvd.code if error.rcvd else 1006
            return f"closed with {code}", code == 1013
        case _:
            return type(error).__name__, False


async def types(person: Person, tally: Tally, number: int) -> None:
    count = number
    while True:
        count = count % 97 + 3

        async def say(socket: ClientConnection, id: str, text: str = f"what is {count} plus {number}") -> None:
            await socket.send(json.dumps({"type": "text", "id": id, "text": text}))

        said = await person.ask("typed", say)
        if said and not said.rstrip(".").endswith(f" {count + number}"):
            tally.wrong += 1
            tally.notes.append(said)
        await asyncio.sleep(0.1)


async def speaks(person: Person, tally: Tally, pcm: bytes, answer: str) -> None:
    async def say(socket: ClientConnection, id: str) -> None:
        await socket.send(json.dumps({"type": "start", "id": id}))
        for begin in range(0, len(pcm), 4096):
            await socket.send(pcm[begin : begin + 4096])
            await asyncio.sleep(0.02)
        await socket.send(json.dumps({"type": "stop", "id": id}))

    while True:
        said = await person.ask("spoken", say)
        if said and answer not in said:
            tally.wrong += 1
            tally.notes.append(said)
        await asyncio.sleep(0.3)


async def sets_timers(person: Person, tally: Tally, until_s: float) -> None:
    """One timer after the other under its own name, each for a few seconds, until a moment."""
    count = 0
    while time.monotonic() < until_s:
        name, seconds = NAMES[count % len(NAMES)], 3 + count % 5
        words = "three four five six seven".split()[count % 5]

        async def say(socket: ClientConnection, id: str, text: str = f"set a {name} timer for {words} seconds") -> None:
            await socket.send(json.dumps({"type": "text", "id": id, "text": text}))

        if (await person.ask("timer", say)).lower().endswith(f"{name} timer set for {words} seconds."):
            tally.set.append((name, time.monotonic() + seconds))
        count += 1
        await asyncio.sleep(2.5)
