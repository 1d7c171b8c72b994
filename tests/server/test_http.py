"""Requests over a real socket to an Exchange of its own: bodies, streams, limits, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.server import exchange, http
from appliance.server.exchange import Exchange
from appliance.server.http import HttpError, Request, Response, respond


async def answer_later(request: Request) -> Response:
    if request.path == "/echo":
        return respond(200, await request.body.whole(100_000))
    if request.path == "/fails":
        raise ZeroDivisionError
    if request.path == "/refuses":
        raise HttpError(409, "not now\n")

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0)
            yield f"data: {number}\n\n".encode()

    return Response(200, pieces(), "text/event-stream")


def answer(request: Request) -> Response | Awaitable[Response]:
    if request.path == "/now":
        return respond(200, f"{request.method} {request.query}")
    return answer_later(request)


class Protocol(asyncio.Protocol):
    def __init__(self, tasks: set[asyncio.Task[None]]) -> None:
        self.tasks = tasks

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.add(asyncio.get_running_loop().create_task(work))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.exchange = Exchange(transport, "127.0.0.1", False, answer, lambda *_: respond(403, "no\n"), self.begin)
        self.data_received, self.eof_received = self.exchange.data_received, self.exchange.eof_received  # type: ignore[method-assign]

    def connection_lost(self, exc: Exception | None) -> None:
        self.exchange.connection_lost()


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    tasks: set[asyncio.Task[None]] = set()
    server = await asyncio.get_running_loop().create_server(lambda: Protocol(tasks), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        async with asyncio.timeout(20):
            yield reader, writer
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def asked(data: bytes) -> bytes:
    """Everything that comes back until the connection ends."""
    async with opened() as (reader, writer):
        writer.write(data)
        return await reader.read()


LAST = b"Host: x\r\nConnection: close\r\n\r\n"


async def test_a_body_arrives_whole_however_it_is_sent() -> None:
    body = bytes(range(256)) * 300
    plain = b"POST /echo HTTP/1.1\r\nContent-Length: %d\r\n" % len(body) + LAST + body
    chunked = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + LAST
    chunked += b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:7], body[7:])) + b"0\r\n\r\n"
    for data in (plain, chunked):
        assert (await asked(data)).endswith(b"\r\n\r\n" + body)


async def test_requests_in_one_go_are_answered_in_order_on_one_connection() -> None:
    got = await asked(
        b"GET /now?1 HTTP/1.1\r\nHost: x\r\n\r\n"
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        b"HEAD /now?2 HTTP/1.1\r\nHost: x\r\n\r\nGET /now?3 HTTP/1.1\r\n" + LAST
    )
    assert got.count(b"HTTP/1.1 200") == 4
    assert got.index(b"GET 1") < got.index(b"abc") < got.index(b"GET 3") and b"HEAD 2" not in got


async def test_nonsense_after_a_look_at_the_head_is_answered_as_nonsense() -> None:
    """Found by fuzzing: the answer was counted as one to HEAD, which has no body, and the connection fell over."""
    got = await asked(b"HEAD /now HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTT.\r\n\r\n")
    assert got.count(b"HTTP/1.1 ") == 2 and b"HTTP/1.1 400" in got and b"not HTTP/1.1" in got


async def test_an_answer_can_come_in_pieces() -> None:
    got = await asked(b"GET /events HTTP/1.1\r\n" + LAST)
    assert b"text/event-stream" in got and b"Transfer-Encoding: chunked" in got
    assert got.count(b"data: ") == 3 and got.endswith(b"0\r\n\r\n")


async def test_who_asks_before_sending_a_body_is_told_to_go_on() -> None:
    async with opened() as (reader, writer):
        writer.write(b"POST /echo HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n" + LAST)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert (await reader.read()).endswith(b"ok")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\nOrigin: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n", 400),
        (b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"\r\n" * 20_000, 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000), 413),
        (b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", 403),
        (b"GET /fails HTTP/1.1\r\n" + LAST, 500),
        (b"GET /refuses HTTP/1.1\r\n" + LAST, 409),
    ],
)
async def test_what_cannot_be_answered_gets_a_clear_status(request_bytes: bytes, status: int) -> None:
    got = await asked(request_bytes)
    assert got.startswith(b"HTTP/1.1 %d" % status), got[:300]
    assert b"Traceback" not in got


async def test_who_takes_too_long_for_a_head_or_a_body_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "HEAD_S", 0.1)
    monkeypatch.setattr(http, "BODY_S", 0.1)
    assert (await asked(b"GET / HT")).startswith(b"HTTP/1.1 408")
    assert await asked(b"") == b"", "who says nothing at all is let go without a word"
    late = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"
    assert (await asked(late)).startswith(b"HTTP/1.1 408")


async def test_a_long_body_that_nobody_reads_yet_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    body = http.Body(lambda: None)
    for _ in range(10):
        body.put(bytes(1000))
    body.end()
    assert body.waiting_bytes == 10_000
    with pytest.raises(HttpError) as refused:
        await body.whole(9_999)
    assert refused.value.status == 413
