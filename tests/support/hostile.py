"""Clients that behave badly, each in its own way. All run until they are cancelled or dropped."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

from tests.benchmarks.peer import binary, text

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing resets the connection instead of ending it in peace (socket(7))."""


async def never_reads(port: int) -> None:
    """Asks for long replies without end and takes no byte of them."""
    async with line(port) as (raw, loop):
        while True:
            await loop.sock_sendall(raw, text(type="text", text="what can you do"))
            await asyncio.sleep(0.05)


async def sends_too_fast(port: int) -> None:
    """Sends sound at ten times real time."""
    chunk = binary(bytes(1024))
    async with line(port) as (raw, loop):
        while True:
            await loop.sock_sendall(raw, text(type="start"))
            for _ in range(600):
                await loop.sock_sendall(raw, chunk)
                await asyncio.sleep(0.0032)
            await loop.sock_sendall(raw, text(type="cancel"))


async def leaves_in_mid_word(port: int) -> None:
    """Comes, says half a word, cuts the line, and comes again."""
    while True:
        async with line(port) as (raw, loop):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            await loop.sock_sendall(raw, text(type="start") + binary(bytes(16_000)))
            await asyncio.sleep(0.05)


async def never_shakes_hands(port: int) -> None:
    """Opens the line and says nothing, until it is closed."""
    while True:
        async with line(port, shaken=False) as (raw, loop):
            await loop.sock_recv(raw, 1)


async def half_open(port: int) -> None:
    """Begins an utterance and falls silent, like a phone out of reach: not even pings are answered."""
    async with line(port) as (raw, loop):
        await loop.sock_sendall(raw, text(type="start") + binary(bytes(1024)))
        await asyncio.sleep(3600)


async def talks_garbage(port: int) -> None:
    """Random bytes before the handshake, after it, and as messages."""
    dice = random.Random(port)
    while True:
        for shaken in (False, True):
            async with line(port, shaken=shaken) as (raw, loop):
                await loop.sock_sendall(raw, dice.randbytes(500) + b"\r\n\r\n")
                await asyncio.sleep(0.02)
        async with line(port) as (raw, loop):
            for _ in range(20):
                message = dice.choice((text(type="start"), text(kind="start"), binary(dice.randbytes(99)), b"\x81\x80"))
                await loop.sock_sendall(raw, message)


KINDS: tuple[Callable[[int], Awaitable[None]], ...] = (
    never_reads,
    sends_too_fast,
    leaves_in_mid_word,
    never_shakes_hands,
    half_open,
    talks_garbage,
)


async def for_ever(kind: Callable[[int], Awaitable[None]], port: int) -> None:
    """One of them, again and again whenever it is dropped, until cancelled."""
    while True:
        with contextlib.suppress(OSError):
            await kind(port)
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def line(port: int, *, shaken: bool = True) -> AsyncIterator[tuple[socket.socket, asyncio.AbstractEventLoop]]:
    """A raw connection, after the WebSocket handshake if `shaken`."""
    loop = asyncio.get_running_loop()
    with socket.socket() as raw:
        raw.setblocking(False)
        await loop.sock_connect(raw, ("127.0.0.1", port))
        if shaken:
            await loop.sock_sendall(raw, handshake(port))
            await loop.sock_recv(raw, 1024)
        yield raw, loop


def handshake(port: int) -> bytes:
    """A request for a WebSocket."""
    return (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
