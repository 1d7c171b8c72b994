"""One address cannot keep the others out: not by half-open connections, not by idle ones, not by sound that waits."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack, closing

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.caller import Caller, caller
from tests.support.patience import LOOK_S, until
from tests.support.server import RunningServer, running_server

NEIGHBOUR = ("127.0.0.2", 0)
"""All of 127.0.0.0/8 is this machine: other addresses for the server."""


def half_open(server: RunningServer, count: int, data: bytes = b"") -> list[socket.socket]:
    lines = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(count)]
    for line in lines:
        line.sendall(data)
    return lines


@pytest.mark.parametrize("data", [b"", b"GET /ws HTTP/1.1\r\nHost: local"], ids=["silent", "half a head"])
async def test_half_open_connections_keep_nobody_out(data: bytes) -> None:
    with running_server() as server, ExitStack() as stack:
        for line in await asyncio.to_thread(half_open, server, 1500, data):
            stack.enter_context(closing(line))
        for source in (NEIGHBOUR, None):
            async with caller(server.url, local_addr=source) as person:
                await person.send(type="ping", timestamp=1)
                assert (await person.receive("pong"))["timestamp"] == 1
        assert server.descriptors() < 400


async def test_when_full_the_longest_idle_of_the_busiest_address_goes() -> None:
    with running_server({"MAX_CONNECTIONS": "10"}) as server:
        idle = [await connect(server.url) for _ in range(10)]
        await idle[0].send('{"type":"text","text":"what time is it"}')
        assert "answer" in str(await idle[0].recv())
        async with caller(server.url, local_addr=NEIGHBOUR) as person:
            assert "56" in (await person.type("what is seven times eight", until="answer")).first("answer")["text"]
            error = str(await idle[1].recv())
            assert '"busy"' in error
            with pytest.raises(ConnectionClosed):
                while True:
                    await idle[1].recv()
            assert idle[1].close_code == 1013
            for other in (idle[0], *idle[2:]):
                await (await other.ping())
        for other in idle:
            await other.close()


async def test_places_are_shared_evenly_and_then_the_newcomer_is_refused() -> None:
    with running_server({"MAX_CONNECTIONS": "6"}) as server:
        first = [await connect(server.url) for _ in range(6)]
        second = [await connect(server.url, local_addr=NEIGHBOUR) for _ in range(3)]
        await until(lambda: sum(one.close_code is None for one in first) == 3)
        async with caller(server.url, local_addr=NEIGHBOUR) as late:
            assert (await late.receive("error"))["code"] == "busy"
        assert all(one.close_code is None for one in second)
        for one in (*first, *second):
            await one.close()


async def test_sound_that_waits_is_bounded_for_all_together() -> None:
    async def talks_at_once(server: RunningServer) -> None:
        async with caller(server.url, ping_interval=None) as person:
            await person.send(type="start", id="1")
            for _ in range(29):
                await person.socket.send(bytes(32_000))
            await person.socket.wait_closed()  # whoever leaves is waited for no longer

    async def is_refused(person: Caller) -> bool:
        await person.send(type="start", id="2")
        while (told := await person.receive())["type"] == "queued":
            pass
        if told["type"] == "listening":
            await person.send(type="cancel", id="2")
            await person.receive("cancelled")
        return told.get("code") == "overloaded"

    with running_server({"MAX_CONNECTIONS": "400", "STT_WORKERS": "1"}) as server:
        talking = [asyncio.create_task(talks_at_once(server)) for _ in range(100)]
        async with caller(server.url) as person, asyncio.timeout(30):
            while not await is_refused(person):  # noqa: ASYNC110 - somebody has to ask
                await asyncio.sleep(LOOK_S)
        before_mb, most_mb = server.own_mb(), 0.0
        talking += [asyncio.create_task(talks_at_once(server)) for _ in range(150)]
        for _ in range(15):
            await asyncio.sleep(0.2)
            most_mb = max(most_mb, server.own_mb())
        for task in talking:
            task.cancel()
        await asyncio.wait(talking)
    assert most_mb - before_mb < 100, "150 people more × 29 s would be 139 MB of sound"
