"""Whoever misuses one protocol harms nobody who uses another."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack

from appliance.server.wyoming.codec import encode
from tests.support.programs import FORM, ProgramsServer, programs_server, said, sound, wav

UPLOAD = b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"


async def abuse(server: ProgramsServer, stack: AsyncExitStack) -> None:
    """A flood, half an upload, half an event, an utterance that nobody ends, and whoever reads nothing."""
    for at, wire in (
        (server.ports["wyoming"], encode("audio-start", FORM) + sound("on and on")[0]),
        (server.ports["wyoming"], encode("describe") * 2_000),
        (server.ports["wyoming"], b"{" * 60_000),
        (server.ports["wyoming"], b'{"type":"x","payload_length":1000000}\n'),
        (server.ports["page"], UPLOAD),
        (server.ports["page"], b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300),
        (server.ports["vosk"], b"\x82" * 5_000),
    ):
        caller = stack.enter_context(socket.socket())
        caller.setblocking(False)
        await asyncio.get_running_loop().sock_connect(caller, ("127.0.0.1", at))
        caller.send(wire)  # and nothing is read


async def test_everybody_is_served_while_all_are_misused() -> None:
    async with programs_server() as server, AsyncExitStack() as stack:
        await asyncio.gather(*(abuse(server, stack) for _ in range(5)))

        async def of_wyoming() -> str:
            async with server.client() as client:
                await client.send(encode("audio-start", FORM), *sound("one"), encode("audio-stop"))
                return (await client.event("transcript")).text("text")

        async def of_vosk() -> str:
            async with server.vosk() as client:
                await client.send('{"config": {"sample_rate": 16000}}')
                await client.send(said("two"))
                await client.recv()
                await client.send('{"eof" : 1}')
                return str(json.loads(await client.recv())["text"])

        async def of_openai() -> str:
            _, body, _ = await server.form("/v1/audio/transcriptions", wav(said("three")), {"model": "x"})
            return str(json.loads(body)["text"])

        async with asyncio.timeout(20):
            for _ in range(3):
                assert tuple(await asyncio.gather(of_wyoming(), of_vosk(), of_openai())) == ("one", "two", "three")
