"""Fuzz targets of JSON bodies and of what helpers answer: pairing, speech to be made, HTTP from the other side."""

from __future__ import annotations

import asyncio
import atexit
from functools import cache
from http import HTTPStatus
from typing import cast

from appliance.errors import ProtocolError
from appliance.helpers.http import _READ_BYTES, MOST_BYTES, Away, _Exchange
from appliance.helpers.targets import Target
from appliance.server import entrance
from appliance.server.http import Body, HttpError, Request, respond
from appliance.server.openai import speech
from appliance.server.pairing import Pairing

CODE = 424242


class _Whole:
    """A request's body that is there already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def whole(self, most: int) -> bytes:
        return self._data


def body(data: bytes) -> None:
    """What is posted is read or refused in words that can be sent; only the code itself pairs anybody."""
    pairing = Pairing(digits=lambda: CODE)
    pairing.open(0.0)
    request = Request("POST", "/pair", {"content-type": "application/json"}, body=cast(Body, _Whole(data)))
    reading = entrance._fields(request)
    try:
        reading.send(None)
    except StopIteration as stop:
        try:
            code = entrance._text(stop.value, "code")
            entrance._text(stop.value, "name")
        except HttpError as error:
            respond(HTTPStatus.BAD_REQUEST, str(error))
        else:
            assert pairing.attempt(code, 1.0) is not True or code.strip() == str(CODE)
    except HttpError as error:
        respond(HTTPStatus.BAD_REQUEST, str(error))
    try:
        fields = speech._fields(data)
        speech._text(fields), speech._kind(fields), speech._speed(fields)
    except ProtocolError as error:
        str(error).encode()


class _Pieces:
    """A connection on which these bytes come, and then its end."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step = data, step

    async def read(self, most: int) -> bytes:
        piece, self._data = self._data[: self._step], self._data[self._step :]
        return piece


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop


def helper(data: bytes) -> None:
    """What a helper's server sends is an answer of bounded size, or none for a reason that can be told."""
    reader = cast(asyncio.StreamReader, _Pieces(data[1:], 1 + 16 * (data[0] if data else 0)))

    async def asked() -> str:
        exchange = _Exchange(Target("lamp", "http", "lamp.home.arpa", 80), reader, 10.0)
        exchange.request("GET", "/", None, {})
        return await (await exchange.begun()).text()

    try:
        assert len(_loop().run_until_complete(asked())) <= MOST_BYTES + _READ_BYTES
    except Away as error:
        assert error.kind in ("away", "denied", "wrong") and str(error).encode()
    except Exception as error:
        if type(error).__module__.split(".")[0] != "h11":  # `asked` makes an Away of these
            raise


TARGETS = {"body": body, "helper": helper}
SEEDS: dict[str, tuple[bytes, ...]] = {
    "body": (
        b'{"code":"424242","name":"kitchen"}',
        b'{"input":"hello","voice":"alloy","response_format":"wav","speed":1.5}',
        b'{"code":123456,"name":null}',
    ),
    "helper": (
        b"\x10HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        b"\x02HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"\x00HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\n\r\n",
        b"\xffHTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\n\r\n",
    ),
}
