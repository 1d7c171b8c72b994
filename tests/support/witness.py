"""Somebody who is connected while others misbehave, and how long they wait for their pings."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

from tests.benchmarks.load import percentile
from tests.support.caller import caller
from tests.support.server import RunningServer

GIVEN_UP_S = 15.0


@dataclass
class Seen:
    pings_ms: list[float] = field(default_factory=list)
    own_mb: list[float] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        return percentile(self.pings_ms, 99)

    @property
    def growth_mb(self) -> float:
        return max(self.own_mb) - self.own_mb[0]


async def watch(server: RunningServer, seconds: float, *, url: str = "", every_s: float = 0.05) -> Seen:
    """Send a ping each `every_s`, whether the last was answered or not; one without an answer counts as GIVEN_UP_S."""
    seen = Seen(own_mb=[server.own_mb()])
    async with caller(url or server.url, open_timeout=30) as person:

        async def listen() -> None:
            while True:
                message = json.loads(await person.socket.recv())
                if message["type"] == "pong":
                    seen.pings_ms.append(1000 * (time.perf_counter() - message["timestamp"]))

        listening = asyncio.create_task(listen())
        sent, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            await person.send(type="ping", timestamp=time.perf_counter())
            sent += 1
            seen.own_mb.append(server.own_mb())
            await asyncio.sleep(every_s)
        late = time.perf_counter() + GIVEN_UP_S
        while len(seen.pings_ms) < sent and time.perf_counter() < late and not listening.done():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        listening.cancel()
        await asyncio.wait([listening])
    seen.pings_ms += [1000 * GIVEN_UP_S] * (sent - len(seen.pings_ms))
    return seen
