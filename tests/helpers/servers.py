"""Small real servers on loopback that answer, stall, break off, or lie."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from appliance.helpers.targets import Target, target

Handler = Callable[["Heard", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Heard:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass
class Server:
    to: Target
    heard: list[Heard] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """The client has closed the connection."""


def reply(body: str | bytes, status: str = "200 OK", *headers: str, kind: str = "application/json") -> Handler:
    """Answers with this."""
    content = body.encode() if isinstance(body, str) else body

    async def handle(heard: Heard, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(content)}", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)

    return handle


def events(*contents: str, done: bool = True, gate: asyncio.Event | None = None) -> Handler:
    """Answers as a chat does, one event a content. gate: what is waited for after the first."""

    async def handle(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number, content in enumerate(contents):
            if number == 1 and gate is not None:
                await gate.wait()
            data = f"data: {json.dumps({'choices': [{'delta': {'content': content}}]})}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
        if done:
            writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    return handle


async def stalls(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Takes the request and says nothing."""
    await asyncio.Event().wait()


def raw(content: bytes) -> Handler:
    async def handle(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    return handle


@asynccontextmanager
async def serving(handler: Handler, path: str = "") -> AsyncIterator[Server]:
    """A server of one kind of answer."""
    server = Server(target("it", "http://127.0.0.1:1", "test"))

    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        server.heard.append(Heard(head[0], headers, body))
        answering = asyncio.ensure_future(handler(server.heard[-1], writer))
        leaving = asyncio.ensure_future(reader.read(1))
        await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            server.left.set()
        answering.cancel()
        leaving.cancel()
        writer.close()
        await asyncio.wait([answering, leaving])

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.to = target("it", f"http://127.0.0.1:{port}{path}", "test")
    try:
        yield server
    finally:
        listening.close()
        if talking:
            await asyncio.wait(talking, timeout=5)
