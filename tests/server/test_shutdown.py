"""SIGTERM: what is under way is finished, nobody new is taken, everyone is told, nothing durable is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.benchmarks.peer import text
from tests.support import hostile
from tests.support.caller import Caller, caller
from tests.support.server import RunningServer, running_server


@pytest.fixture
def mortal() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


async def farewell(person: Caller) -> int | None:
    """The goodbye must come; returns the close code after it."""
    goodbye = await person.receive("goodbye")
    assert goodbye["reason"] == "restart" and goodbye["reconnect_after_ms"] > 0
    with pytest.raises(ConnectionClosed):
        await person.receive()
    return person.socket.close_code


async def exit_code(server: RunningServer) -> int:
    return await asyncio.to_thread(server.process.wait, 10)


async def test_an_utterance_under_way_is_heard_and_answered_before_the_goodbye(
    mortal: RunningServer, question: bytes
) -> None:
    async with caller(mortal.url) as speaker, caller(mortal.url) as listener:
        await speaker.hello(speak=False)
        await speaker.send(type="start", id="1")
        await speaker.socket.send(question[:20_000])
        await speaker.receive("listening")
        mortal.process.send_signal(signal.SIGTERM)
        assert await farewell(listener) == 1001, "who has nothing under way is let go at once"
        await speaker.send(type="text", id="2", text="hello")
        assert (await speaker.receive("error"))["code"] == "stopping"
        with pytest.raises(OSError, match="[Cc]onnect"):
            await connect(mortal.url)
        for begin in range(20_000, len(question), 16_000):
            await speaker.socket.send(question[begin : begin + 16_000])
        await speaker.send(type="stop", id="1")
        assert (await speaker.receive("final"))["text"] == "what is seven times eight"
        assert "56" in (await speaker.receive("answer"))["text"]
        assert await farewell(speaker) == 1001
    assert await exit_code(mortal) == 0


async def test_someone_who_talks_on_is_not_waited_for_longer_than_the_grace(mortal: RunningServer) -> None:
    loop = asyncio.get_running_loop()
    async with caller(mortal.url) as speaker:
        await speaker.send(type="start", id="1")
        await speaker.receive("listening")
        begin = loop.time()
        mortal.process.send_signal(signal.SIGTERM)
        assert await farewell(speaker) == 1001
        assert 4 < loop.time() - begin < 9
    assert await exit_code(mortal) == 0


async def test_a_timer_survives_the_restart(tmp_path: Path) -> None:
    settings = {"STIMME_STATE": str(tmp_path)}
    with running_server(settings) as server:
        async with caller(server.url) as person:
            await person.type("set a timer for ten minutes", until="answer")
            server.process.send_signal(signal.SIGTERM)
            await farewell(person)
        assert await exit_code(server) == 0
    with running_server(settings) as server:
        async with caller(server.url) as person:
            turn = await person.type("how much time is left", until="answer")
            assert "Nine minutes" in turn.first("answer")["text"]


async def test_a_client_that_has_stopped_reading_does_not_keep_the_device_from_stopping(mortal: RunningServer) -> None:
    """What waits for it fills the library's buffer, but is not yet so much that it is dropped for it."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", mortal.port))
        deaf.sendall(hostile.handshake(mortal.port))
        deaf.recv(1024)
        ping = text(type="ping", timestamp="x" * 3000)
        for _ in range(80):
            await asyncio.to_thread(deaf.sendall, ping)
        async with caller(mortal.url) as other:  # the pings before it were answered
            await other.send(type="ping", timestamp=1)
            await other.receive("pong")
        mortal.process.send_signal(signal.SIGTERM)
        assert await exit_code(mortal) == 0
