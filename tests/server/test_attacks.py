"""The attack table of SECURITY.md, row by row, from outside: refused, without secrets in the log, others unharmed."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from appliance.server.crowd import MOST_A_PLACE
from appliance.server.pairing import TRIES
from appliance.state.tokens import UNUSED_S
from tests.support.small_server import NAMES, SmallServer, small_server

HOST = NAMES[0]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture) -> Iterator[SmallServer]:
    caplog.set_level(logging.DEBUG)
    with small_server(tmp_path_factory.mktemp("small")) as server:
        yield server
        # Whatever was tried: it still answers, and nothing secret was written down.
        assert asked(server, "GET", "/trusted")[0] == 204
    for code in server.shown:
        assert code not in caplog.text
    assert "Traceback" not in caplog.text


def raw(server: SmallServer, data: bytes, *, secure: bool = True, source: str = "127.0.0.1") -> bytes:
    """What comes back for these bytes, until the connection ends or nothing more comes."""
    port = server.ports["secure" if secure else "page"]
    with socket.create_connection(("127.0.0.1", port), timeout=8, source_address=(source, 0)) as line:
        wrapped = server.trusting().wrap_socket(line, server_hostname=HOST) if secure else line
        with wrapped:
            answer = b""
            try:
                wrapped.sendall(data)
                while piece := wrapped.recv(65_536):
                    answer += piece
                    if b"Connection: close" not in answer and b"\r\n\r\n" in answer:
                        break
            except (TimeoutError, ConnectionError, ssl.SSLError):
                pass  # cut off is an answer too
            return answer


def asked(
    server: SmallServer,
    method: str,
    path: str,
    *,
    secure: bool = True,
    source: str = "127.0.0.1",
    body: Any = None,
    **headers: str,
) -> tuple[int, str]:
    """(status, answer) of one request, from a browser's own page unless headers say otherwise."""
    port = server.ports["secure" if secure else "page"]
    fields = {"Host": f"{HOST}:{port}", "Connection": "close"}
    if body is not None:
        fields |= {"Content-Type": "application/json", "Origin": f"https://{HOST}:{port}"}
    fields |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    if content:
        fields["Content-Length"] = str(len(content))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
    answer = raw(server, "\r\n".join(lines).encode() + content, secure=secure, source=source)
    return int(answer.split()[1]) if answer else 0, answer.decode("utf-8", "replace")


def options(server: SmallServer, token: str = "", **changes: Any) -> dict[str, Any]:
    """How our own page in a paired browser connects."""
    port = server.ports["secure"]
    headers = {"Cookie": f"__Host-stimme={token}"} if token else {}
    return {
        "uri": f"wss://{HOST}:{port}/ws",
        "host": "127.0.0.1",
        "port": port,
        "ssl": server.trusting(),
        "origin": f"https://{HOST}:{port}",
        "compression": None,
        "additional_headers": headers,
    } | changes


async def refused(server: SmallServer, **changes: Any) -> int:
    with pytest.raises(InvalidStatus) as error:
        await connect(**options(server, **changes))
    return error.value.response.status_code


def paired(server: SmallServer, name: str = "tablet", role: str = "") -> tuple[str, str]:
    """(token, id) of a browser that was paired."""
    token, place = server.call(lambda: server.tokens.add(name, "browser", role))
    return token, place.id


# Whose page it is


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://stimme-ab12.local:8443",
        "https://stimme-ab12.local",
        "https://stimme-ab12.local.evil.example:8443",
        "https://evil.example#stimme-ab12.local:8443",
        "file://",
        "",
    ],
)
async def test_another_sites_page_cannot_use_a_paired_browser(server: SmallServer, origin: str) -> None:
    token, _ = paired(server)
    assert await refused(server, token=token, origin=origin) == 403


async def test_a_cookie_without_an_origin_opens_nothing(server: SmallServer) -> None:
    token, _ = paired(server)
    assert await refused(server, token=token, origin=None) == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "EVIL.EXAMPLE",
        "evil.example.",
        "[::ffff:evil]",
        "stimme-ab12.local@evil.example",
        "user@stimme-ab12.local",
        "stimme-ab12.local.evil.example",
        "stimme-ab12.local:8443:1",
        "[::1",
    ],
)
def test_a_name_that_is_not_ours_is_not_answered(server: SmallServer, host: str) -> None:
    for path in ("/", "/metrics", "/me", "/ca.crt"):
        assert asked(server, "GET", path, host=host)[0] in (400, 421)
    assert asked(
        server,
        "GET",
        "/ws",
        host=host,
        upgrade="websocket",
        connection="Upgrade",
        sec_websocket_version="13",
        sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==",
    )[0] in (400, 421)


def test_no_other_site_can_frame_the_page_or_read_what_it_asks(server: SmallServer) -> None:
    for secure in (True, False):
        answer = asked(server, "GET", "/", secure=secure)[1]
        assert "frame-ancestors 'none'" in answer and "script-src" not in answer.replace("default-src 'self'", "")
        assert "unsafe-inline" not in answer and "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize(
    "path", ["/pair", "/pair/request", "/pair/open", "/paired/revoke", "/paired/change", "/paired/add"]
)
def test_no_other_site_can_change_anything(server: SmallServer, path: str) -> None:
    token, id = paired(server)
    cookie = f"__Host-stimme={token}"
    assert asked(server, "POST", path, body={"id": id}, origin="https://evil.example", cookie=cookie)[0] == 403
    form = asked(server, "POST", path, body=b"id=1", content_type="application/x-www-form-urlencoded", cookie=cookie)
    if path not in ("/pair/request", "/pair/open"):  # these take no fields, so only the origin is checked
        assert form[0] == 415
    assert asked(server, "GET", path, cookie=cookie)[0] == 405
    assert server.tokens.has(id)


# Who it is


async def test_tokens_that_are_wrong_or_revoked_open_nothing(server: SmallServer) -> None:
    token, id = paired(server)
    async with connect(**options(server, token)):
        pass
    for wrong in ("", token[:-1], token + "A", token.lower(), "0" * 43, "../" * 20, "%00"):
        assert await refused(server, token=wrong) == 401
    server.call(lambda: server.tokens.revoke(id))
    assert await refused(server, token=token) == 401


async def test_a_cookie_that_was_kept_and_is_replayed_when_its_time_is_over_opens_nothing(tmp_path: Path) -> None:
    now = [datetime.now(UTC)]
    with small_server(tmp_path, clock=lambda: now[0]) as server:
        token, _ = paired(server)
        async with connect(**options(server, token)):
            pass
        now[0] += timedelta(seconds=UNUSED_S + 1)
        assert await refused(server, token=token) == 401
        assert asked(server, "GET", "/paired", cookie=f"__Host-stimme={token}")[0] == 401


async def test_one_token_cannot_take_everybodys_place(server: SmallServer) -> None:
    (greedy, _), (other, _) = paired(server, "greedy"), paired(server, "other")
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(connect(**options(server, greedy))) for _ in range(MOST_A_PLACE)]
        assert await refused(server, token=greedy) == 429
        async with connect(**options(server, other)):
            pass
        await opened[0].close()
        async with connect(**options(server, greedy)):
            pass
    async with connect(**options(server, greedy)):
        pass


async def test_a_token_counts_neither_in_the_address_nor_over_plain_http(server: SmallServer) -> None:
    token, _ = paired(server)
    port = server.ports["secure"]
    assert await refused(server, uri=f"wss://{HOST}:{port}/ws?token={token}") == 401
    assert asked(server, "GET", "/paired", secure=False, cookie=f"__Host-stimme={token}")[0] == 401


def test_roles_hold(server: SmallServer) -> None:
    owner, _ = paired(server, "owner")
    talker, id = paired(server, "talker")
    configurer, _ = paired(server, "configurer", "configure")
    for token, path, allowed in (
        (talker, "/pair/open", False),
        (configurer, "/pair/open", True),
        (talker, "/paired/add", False),
        (configurer, "/paired/add", False),
        (owner, "/paired/add", True),
    ):
        status = asked(server, "POST", path, body={"name": "x"}, cookie=f"__Host-stimme={token}")[0]
        assert status == (200 if allowed else 403), path
    mine = asked(server, "POST", "/paired/change", body={"id": id, "role": "owner"}, cookie=f"__Host-stimme={talker}")
    assert mine[0] == 403, "nobody makes themselves owner"


async def test_what_is_said_comes_back_to_who_said_it(server: SmallServer) -> None:
    (one, one_id), (other, other_id) = paired(server, "one"), paired(server, "other")
    async with connect(**options(server, one)) as first, connect(**options(server, other)) as second:
        await first.send("mine")
        await second.send("yours")
        assert json.loads(await first.recv()) == {"visitor": one_id, "said": "mine"}
        assert json.loads(await second.recv()) == {"visitor": other_id, "said": "yours"}


# Guessing the code


@pytest.mark.parametrize("spread", [False, True], ids=["one address", "many addresses"])
def test_the_code_cannot_be_guessed(server: SmallServer, spread: bool) -> None:
    code = server.call(lambda: server.pairing.open(time.monotonic()))
    wrong = "000000" if code != "000000" else "000001"
    statuses = [
        asked(
            server,
            "POST",
            "/pair",
            body={"code": wrong, "name": "thief"},
            source=f"127.0.0.{number + 2}" if spread else "127.0.0.1",
        )[0]
        for number in range(TRIES + 3)
    ]
    assert statuses == [403] * (TRIES - 1) + [429] * 4
    assert asked(server, "POST", "/pair", body={"code": code, "name": "thief"})[0] == 429, "even the right one"
    assert server.tokens.places() == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"code":123456}',
        b'{"code":null}',
        b'{"code":["1"]}',
        b'{"code":' + b"[" * 2000,
        b"\xff\xfe",
        b'{"code":"1","code":"2"}',
    ],
    ids=repr,
)
def test_odd_bodies_pair_nobody(server: SmallServer, body: bytes) -> None:
    server.call(lambda: server.pairing.open(time.monotonic()))
    assert asked(server, "POST", "/pair", body=body or b" ")[0] in (400, 403)
    assert server.tokens.places() == ()


def test_a_code_pairs_one_browser_only(server: SmallServer) -> None:
    code = server.call(lambda: server.pairing.open(time.monotonic()))
    status, answer = asked(server, "POST", "/pair", body={"code": code, "name": "first"})
    assert status == 200 and "__Host-stimme=" in answer
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in answer
    assert asked(server, "POST", "/pair", body={"code": code, "name": "second"})[0] == 403
    assert [place.name for place in server.tokens.places()] == ["first"]


# Wearing it down


async def test_a_slow_request_is_ended_and_keeps_nobody_waiting(server: SmallServer) -> None:
    async def slow() -> bytes:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.ports["secure"], ssl=server.trusting(), server_hostname=HOST
        )
        try:
            for byte in b"GET / HTTP/1.1\r\nHost: stimme.local\r\nX-Slow: yes":
                writer.write(bytes([byte]))
                await asyncio.sleep(0.25)
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    lorises = [asyncio.create_task(slow()) for _ in range(50)]
    for _ in range(5):
        assert (await asyncio.to_thread(asked, server, "GET", "/trusted"))[0] == 204
        await asyncio.sleep(0.2)
    async with asyncio.timeout(15):
        answers = await asyncio.gather(*lorises)
    assert all(answer == b"" or b" 408 " in answer.split(b"\r\n")[0] for answer in answers)


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        (b"GET / HTTP/1.1\r\nHost: stimme.local\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", {431}),
        (b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\nHost: stimme.local\r\n\r\n", {431}),
        (b"GET / HTTP/1.1\r\nHost: stimme.local\r\n" + b"X: y\r\n" * 5000 + b"\r\n", {431}),
        (
            b"POST /pair HTTP/1.1\r\nHost: stimme.local\r\nContent-Type: application/json\r\n"
            + b"Content-Length: 99999999\r\n\r\n"
            + b"x" * 200_000,
            {413},
        ),
        (
            b"POST /pair HTTP/1.1\r\nHost: stimme.local\r\nContent-Type: application/json\r\n"
            + b"Transfer-Encoding: chunked\r\n"
            + b"\r\n"
            + b"ffff\r\n"
            + b"x" * 65_535
            + b"\r\n",
            {413},
        ),
    ],
)
def test_too_much_is_refused(server: SmallServer, head: bytes, statuses: set[int]) -> None:
    answer = raw(server, head)
    assert answer == b"" or int(answer.split()[1]) in statuses


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /me HTTP/1.1\r\nHost: stimme.local\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"Content-Length: +5\r\n\r\nabcde",
        b"Content-Length: 5, 6\r\n\r\nabcdef",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n",
        b"X: a\rY: b\r\nContent-Length: 0\r\n\r\n",
        b"Content-Length: 5\x00\r\n\r\nabcde",
    ],
    ids=repr,
)
def test_smuggling_shapes_get_one_answer_and_the_connection_ends(server: SmallServer, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.ports["page"]), timeout=5) as line:
        line.sendall(b"POST /pair/request HTTP/1.1\r\nHost: stimme.local\r\n" + head)
        answer = b""
        try:
            while piece := line.recv(65_536):
                answer += piece
        except (TimeoutError, ConnectionError):
            pass
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert answer == b"" or answer.split()[1] in (b"400", b"404", b"405", b"501")


async def test_compression_is_not_spoken_so_there_are_no_bombs(server: SmallServer) -> None:
    token, _ = paired(server)
    async with connect(**options(server, token, compression="deflate")) as person:
        assert "Sec-WebSocket-Extensions" not in (person.response.headers if person.response else {})
    status, answer = asked(server, "POST", "/pair", body=b"\x1f\x8b\x08" + bytes(100), content_encoding="gzip")
    assert status == 400 and "JSON" in answer


async def test_a_message_that_is_too_long_ends_its_connection(server: SmallServer) -> None:
    token, _ = paired(server)
    async with connect(**options(server, token)) as person, connect(**options(server, token)) as other:
        await person.send(b"x" * 33_000)
        with pytest.raises(ConnectionClosed):
            await person.recv()
        assert person.close_code == 1009
        await other.send("fine")
        assert "fine" in str(await other.recv())


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/entrance/../../setup.py",
        "//etc/passwd",
        "/\\..\\..\\etc\\passwd",
        "/.%00./etc/passwd",
        "/entrance/%2e%2e/app.js",
        "/~0/../../app.py",
    ],
)
def test_no_path_leads_out_of_the_page(server: SmallServer, path: str) -> None:
    token, _ = paired(server)
    for secure in (True, False):
        status, answer = asked(server, "GET", path, secure=secure, cookie=f"__Host-stimme={token}")
        assert status in (400, 404) and "root:" not in answer and "setuptools" not in answer


def test_the_way_to_https_shows_nothing_else(server: SmallServer) -> None:
    """Over plain HTTP a stranger gets the explanation and the certificate, and not one key."""
    status, answer = asked(server, "GET", "/trust.json", secure=False)
    assert status == 200 and "PRIVATE" not in answer
    assert "PRIVATE KEY" not in asked(server, "GET", "/ca.crt", secure=False)[1]
    for path in ("/app.js", "/core/connection.js", "/authority.key", "/tls/authority.key", "/paired", "/metrics"):
        assert asked(server, "GET", path, secure=False)[0] in (401, 404)
