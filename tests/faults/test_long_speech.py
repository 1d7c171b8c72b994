"""A short text that becomes minutes of sound costs its own listener patience, and nobody else anything."""

from __future__ import annotations

import asyncio

from tests.support.caller import RATE, caller
from tests.support.server import running_server

LONG = "remind me to " + "買" * 400 + " tomorrow at noon"


async def test_four_hundred_foreign_characters_cost_little_memory_and_delay_nobody_for_long() -> None:
    with running_server() as server:
        async with caller(server.url) as one, caller(server.url) as other:
            await one.hello(reply_rate=RATE, speak=True)
            await other.hello(reply_rate=RATE, speak=True)
            await other.type("what is two plus two")
            before_mb = server.own_mb()
            speaking = asyncio.create_task(one.type(LONG))
            turn = await other.type("what is three plus three")
            assert turn.audio
            assert not speaking.done()  # the other one's answer was complete long before
            long = await speaking
            assert 30 < len(long.audio) / 2 / RATE < 50
            assert server.own_mb() - before_mb < 20
