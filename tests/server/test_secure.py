"""TLS at the doors: handshakes however the bytes come, what is refused, renewal under open connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.support.small_server import NAMES, SmallServer, small_server

REQUEST = b"GET /trusted HTTP/1.1\r\nHost: stimme.local\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallServer]:
    with small_server(tmp_path_factory.mktemp("small")) as server:
        yield server


def asked(server: SmallServer, context: ssl.SSLContext, *, name: str = NAMES[0], wait_s: float = 0.0) -> bytes:
    with socket.create_connection(("127.0.0.1", server.ports["secure"]), timeout=5) as line:
        time.sleep(wait_s)
        with context.wrap_socket(line, server_hostname=name) as secured:
            secured.sendall(REQUEST)
            return secured.recv(15)


@pytest.mark.parametrize("wait_s", [0.0, 0.001, 0.05])
def test_a_handshake_succeeds_whenever_it_begins(server: SmallServer, wait_s: float) -> None:
    for _ in range(30):
        assert asked(server, server.trusting(), wait_s=wait_s) == b"HTTP/1.1 204 No"


def test_a_handshake_succeeds_byte_by_byte(server: SmallServer) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.trusting().wrap_bio(incoming, outgoing, server_hostname=NAMES[0])
    with socket.create_connection(("127.0.0.1", server.ports["secure"]), timeout=5) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    line.sendall(bytes([byte]))
                incoming.write(line.recv(65_536))
        tls.write(REQUEST)
        line.sendall(outgoing.read())
        incoming.write(line.recv(65_536))
        assert tls.read(15) == b"HTTP/1.1 204 No"


def test_whoever_does_not_trust_the_authority_is_not_connected(server: SmallServer) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        asked(server, ssl.create_default_context())
    assert asked(server, server.trusting()) == b"HTTP/1.1 204 No"


def test_another_name_is_not_vouched_for(server: SmallServer) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        asked(server, server.trusting(), name="evil.example")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(server: SmallServer, version: ssl.TLSVersion) -> None:
    context = server.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError):
        asked(server, context)


@pytest.mark.parametrize("data", [REQUEST, b"\x16\x03\x01\xff\xff" + bytes(500), b"\0", b"SSH-2.0-x\r\n"], ids=repr)
def test_plain_bytes_at_the_tls_port_end_the_connection(server: SmallServer, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.ports["secure"]), timeout=10) as line:
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(100)
        assert b"HTTP" not in answer
    assert asked(server, server.trusting()) == b"HTTP/1.1 204 No"


def test_half_open_handshakes_keep_nobody_out(server: SmallServer) -> None:
    lines = [socket.create_connection(("127.0.0.1", server.ports["secure"]), timeout=5) for _ in range(600)]
    try:
        for line in lines[::2]:
            line.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert asked(server, server.trusting()) == b"HTTP/1.1 204 No"
    finally:
        for line in lines:
            line.close()


async def test_a_certificate_is_renewed_under_a_hundred_open_connections_and_drops_none(tmp_path: Path) -> None:
    now = [datetime.now(UTC) - timedelta(days=370)]
    with small_server(tmp_path, clock=lambda: now[0]) as server:
        tokens = [server.tokens.add(name, "program")[0] for name in ("radio", "clock")]  # one may hold 64 connections
        url = f"wss://localhost:{server.ports['secure']}/ws"

        def options(token: str) -> dict[str, object]:
            return {
                "ssl": server.trusting(),
                "server_hostname": NAMES[0],
                "compression": None,
                "additional_headers": {"Authorization": f"Bearer {token}"},
            }

        people = [await connect(url, **options(tokens[number % 2])) for number in range(100)]  # type: ignore[arg-type]
        before = people[0].transport.get_extra_info("ssl_object").getpeercert()["serialNumber"]
        now[0] += timedelta(days=370)
        assert server.call(server.certificates.renew) is True
        server.call(server.certificates.load)
        for person in people:
            await person.send("still here")
            assert "still here" in str(await person.recv())
        newcomer = await connect(url, **options(tokens[0]))  # type: ignore[arg-type]
        assert newcomer.transport.get_extra_info("ssl_object").getpeercert()["serialNumber"] != before
        await asyncio.gather(*(person.close() for person in (*people, newcomer)))


async def test_a_paired_browser_talks_over_wss_and_a_stranger_does_not(server: SmallServer) -> None:
    token, place = server.tokens.add("tablet", "browser")
    async with connect(**secure_options(server, token)) as person:
        await person.send("hello")
        assert place.id in str(await person.recv())
    for stranger in ("", "x" * 43):
        with pytest.raises(InvalidStatus) as refused:
            await connect(**secure_options(server, stranger))
        assert refused.value.response.status_code == 401


def secure_options(server: SmallServer, token: str) -> dict[str, Any]:
    """How a browser with this cookie connects."""
    port = server.ports["secure"]
    return {
        "uri": f"wss://{NAMES[0]}:{port}/ws",
        "host": "127.0.0.1",
        "port": port,
        "ssl": server.trusting(),
        "origin": Origin(f"https://{NAMES[0]}:{port}"),
        "compression": None,
        "additional_headers": {"Cookie": f"__Host-stimme={token}"},
    }
