"""A network on loopback that delays and throttles, both ways."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random

STEP_S = 0.05
STALL_S = 0.5
WAITING_BYTES = 32 * 1024
"""What stands in a router's queue before the sender is slowed down."""


def free_port() -> int:
    """A port that nothing listened on a moment ago; for what must know it before anything listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass
class Link:
    """What the network is like at the moment; it may be changed while it is used.

    stalls: the share of pieces that come half a second late, and with them all that follows.
    """

    delay_s: float
    bytes_per_s: float
    stalls: float = 0.0


@contextmanager
def slow_link(here: int, port: int, *, delay_s: float, bytes_per_s: float, stalls: float = 0.0) -> Iterator[Link]:
    """Port `here` leads to `port`, later by delay_s each way, and no faster than bytes_per_s. See Link."""
    link, chance = Link(delay_s, bytes_per_s, stalls), Random(1)
    ready = threading.Event()
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        ends: set[asyncio.StreamWriter] = set()

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

            def waiting_s() -> float:
                """How far the queue reaches back, beyond what is merely on its way."""
                return max(0.0, free_at - loop.time())

            free_at = loop.time()

            async def take() -> None:
                nonlocal free_at
                data = b"-"
                while data:
                    data = await reader.read(max(64, min(65536, round(link.bytes_per_s * STEP_S))))
                    stall_s = STALL_S if chance.random() < link.stalls else 0.0
                    free_at = max(free_at, loop.time()) + len(data) / link.bytes_per_s + stall_s
                    await queue.put((free_at + link.delay_s, data))
                    await asyncio.sleep(max(0.0, waiting_s() - WAITING_BYTES / link.bytes_per_s))

            async def give() -> None:
                while True:
                    at, data = await queue.get()
                    await asyncio.sleep(max(0.0, at - loop.time()))
                    if not data:
                        return writer.close()
                    writer.write(data)
                    await writer.drain()

            with suppress(ConnectionError):
                await asyncio.gather(take(), give())

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, onward = await asyncio.open_connection("127.0.0.1", port, limit=4096)
            ends.update((writer, onward))
            with suppress(ConnectionError):
                await asyncio.gather(carry(reader, onward), carry(there, writer))
            for end in (writer, onward):
                end.close()

        server = await asyncio.start_server(connect, "127.0.0.1", here, limit=4096)
        stops.append((loop, stop))
        ready.set()
        await stop.wait()
        server.close()
        for end in ends:
            end.transport.abort()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait()
    try:
        yield link
    finally:
        for loop, stop in stops:
            loop.call_soon_threadsafe(stop.set)
        thread.join()
