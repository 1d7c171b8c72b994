"""Requests that no browser sends get a clear answer, no traceback, and a log line a minute; nobody else notices."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Iterator

import pytest

from tests.support.caller import caller
from tests.support.patience import until
from tests.support.server import RunningServer, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


def status(port: int, request: bytes) -> int:
    """Of the answer to raw bytes; 0 if the connection ends without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as line:
        line.sendall(request)
        answer = b""
        while b"\r\n" not in answer and (piece := line.recv(4096)):
            answer += piece
    return int(answer.split()[1]) if answer else 0


UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
HOST = b"Host: localhost\r\n"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\n" + HOST, 404),
        (b"GET /" + b"a/" * 2000 + b" HTTP/1.1\r\n" + HOST, 404),
        (b"GET /%00 HTTP/1.1\r\n" + HOST, 404),
        (b"GET /a\0b HTTP/1.1\r\n" + HOST, 400),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST, 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Origin: http://a\r\nOrigin: http://b\r\n", 400),
        (b"GET /ws HTTP/1.1\r\n" + HOST + UPGRADE + UPGRADE + KEY, 400),
        (b"GET /ws HTTP/1.1\r\n" + HOST + UPGRADE + KEY + KEY, 400),
        (b"GET /ws HTTP/1.1\r\n" + HOST + UPGRADE, 400),
        (b"GET /ws HTTP/1.0\r\n" + HOST + UPGRADE + KEY, 505),
        (b"POST /ws HTTP/1.1\r\n" + HOST + UPGRADE + KEY, 405),
        (b"POST / HTTP/1.1\r\n" + HOST, 405),
        (b"GET / HTTP/1.1\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 70_000 + b"\r\n", 431),
        (b"GET http://evil.example/ HTTP/1.1\r\n" + HOST, 404),
        (b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST, 405),
        (b"GET / HTTP/2.0\r\n" + HOST, 505),
    ],
    ids=str,
)
def test_a_strange_request_gets_a_clear_status(server: RunningServer, head: bytes, expected: int) -> None:
    for port in (server.port, server.page_port):
        assert status(port, head + b"\r\n") == expected
    assert "Traceback" not in server.log.read_text()


async def test_when_descriptors_run_out_the_others_stay_and_the_log_stays_short() -> None:
    def few_descriptors() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    with running_server(before=few_descriptors) as server:
        async with caller(server.url) as person:
            lines = []
            for _ in range(400):
                line = socket.create_connection(("127.0.0.1", server.port), timeout=5)
                lines.append(line)
            await asyncio.sleep(3)  # time to fill a log in
            await person.send(type="ping", timestamp=1)
            assert (await person.receive("pong"))["timestamp"] == 1
            for line in lines:
                line.close()
            await until(lambda: server.descriptors() < 100)
            async with caller(server.url) as newcomer:
                await newcomer.send(type="ping", timestamp=2)
                assert (await newcomer.receive("pong"))["timestamp"] == 2
        assert len(server.log.read_text()) < 10_000
