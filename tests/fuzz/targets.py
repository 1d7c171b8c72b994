"""What is fuzzed: all that reads strangers' bytes. Each target takes bytes and raises if a promise is broken."""

from __future__ import annotations

import asyncio
import json
from asyncio.events import _set_running_loop
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, cast

from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from appliance.errors import ProtocolError
from appliance.server.access import Guard, Refusal, Role, Visitor
from appliance.server.budget import SLICE, Frames
from appliance.server.exchange import Exchange
from appliance.server.http import Request, Response, respond
from appliance.server.page import encoding, messages, protocol
from tests.fuzz import bodies, programs


def decoder(data: bytes) -> None:
    """A text message is understood or refused with a code that can be sent back."""
    try:
        message = protocol.parse(data.decode("utf-8", "replace"))
    except ProtocolError as error:
        json.loads(encoding.encode_error(error))
        return
    if isinstance(message, messages.Ping):
        json.loads(encoding.encode_pong(message, 1.0))


def frames(data: bytes) -> None:
    """Frames are cut where the WebSocket library finds their ends, and it never falls over them."""
    cutter, library, waiting = Frames(), ServerProtocol(state=OPEN, max_size=32_768), bytearray()
    step = 1 + data[0] if data else 1
    for begin in range(1, len(data), step):
        waiting += data[begin : begin + step]
        while True:
            size, count = cutter.cut(waiting, SLICE)
            assert 0 <= size <= len(waiting) and 0 <= count <= SLICE
            if not size:
                break
            library.receive_data(bytes(waiting[:size]))
            library.events_received()
            library.data_to_send()
            del waiting[:size]
        assert len(waiting) < 14, "only a part of a header may be kept back"


class _Handle:
    def cancel(self) -> None: ...


class _Loop:
    """Just enough of an event loop: what is to be done soon is done at once afterwards, timers never ring."""

    def __init__(self) -> None:
        self.soon: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    def time(self) -> float:
        return 0.0

    def call_later(self, delay: float, call: Callable[..., object], *arguments: Any) -> _Handle:
        return _Handle()

    def call_soon(self, call: Callable[..., object], *arguments: Any) -> _Handle:
        self.soon.append((call, arguments))
        return _Handle()


class _Transport:
    def __init__(self) -> None:
        self.sent = bytearray()
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


_GUARD = Guard(("stimme.local",), ("https://panel.example",), lambda token: None, "network")


def http(data: bytes) -> None:
    """Requests, however they are cut, get well-formed answers; nothing raises, nothing grows."""
    loop, transport = _Loop(), _Transport()
    _set_running_loop(cast(asyncio.AbstractEventLoop, loop))
    try:

        def answer(request: Request) -> Response:
            admitted = _GUARD.admit(request, Role.TALK)
            return respond(HTTPStatus.OK if isinstance(admitted, Visitor) else admitted.status, "words\n")

        def begin(work: Coroutine[Any, Any, None]) -> None:
            work.close()

        exchange = Exchange(
            cast(asyncio.Transport, transport),
            "192.168.1.7",
            True,
            answer,
            lambda request, head, rest: respond(HTTPStatus.FORBIDDEN, ""),
            begin,
        )
        step = 1 + data[0] * 4 if data else 1
        for place in range(1, len(data), step):
            exchange.data_received(data[place : place + step])
            rounds = 0
            while loop.soon and rounds < 10_000:
                call, arguments = loop.soon.pop(0)
                call(*arguments)
                rounds += 1
            assert rounds < 10_000, "it must come to rest"
            if transport.closed:
                break
        assert not transport.sent or transport.sent.startswith(b"HTTP/1.1 ")
        assert len(transport.sent) < 4096 + 2048 * (1 + data.count(b"HTTP/1."))
        exchange.connection_lost()
    finally:
        _set_running_loop(None)


def guard(data: bytes) -> None:
    """Whatever headers say: a visitor or a refusal that can be sent; never more than a stranger without a token."""
    parts = data.decode("latin-1").split("\n")
    names = ("host", "origin", "cookie", "authorization", "upgrade", "x-forwarded-for")
    headers = dict(zip(names, parts, strict=False))
    admitted = _GUARD.admit(Request("GET", "/", headers, "192.168.1.7", True))
    if isinstance(admitted, Refusal):
        respond(admitted.status, admitted.words)
    else:
        assert admitted.role == Role.ANYBODY


TARGETS: dict[str, Callable[[bytes], None]] = {
    "decoder": decoder,
    "frames": frames,
    "http": http,
    "guard": guard,
    **bodies.TARGETS,
    **programs.TARGETS,
}

SEEDS: dict[str, tuple[bytes, ...]] = {
    "decoder": (
        b'{"type":"start","id":"1","language":"en","sample_rate":16000}',
        b'{"type":"ping","timestamp":1e3}',
        b'{"type":"text","text":"what time is it","language":"de"}',
        b'{"type":"hello","reply_rate":48000}',
    ),
    "frames": (
        b"\x05\x82\x80\0\0\0\0",
        b"\x03\x81\x85\1\2\3\4abcde",
        b"\x01\x89\x80\0\0\0\0\x8a\x80\0\0\0\0",
        b"\x09\x82\xfe\x01\x00\0\0\0\0" + bytes(256),
        b"\x07\x02\x80\0\0\0\0\x80\x80\0\0\0\0\x88\x80\0\0\0\0",
    ),
    "http": (
        b"\x20GET / HTTP/1.1\r\nHost: stimme.local\r\n\r\n",
        b"\x10POST / HTTP/1.1\r\nHost: stimme.local\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x40POST / HTTP/1.1\r\nHost: stimme.local\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"\x08GET /ws HTTP/1.1\r\nHost: stimme.local\r\nUpgrade: websocket\r\nOrigin: https://stimme.local\r\n\r\n",
    ),
    "guard": (
        b"stimme.local:8443\nhttps://stimme.local:8443\n__Host-stimme=abc\nBearer abc\nwebsocket\n",
        b"[::1]\nnull\n\n\n\n",
        b"127.0.0.1:80\nhttps://panel.example",
    ),
    **bodies.SEEDS,
    **programs.SEEDS,
}
