"""Every route of every listener, as the assistant opens them with all switched on: who may ask, and nobody else's page.

What is listed here is what there is; a new route fails until somebody has thought about who may use it.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from appliance.config import load
from appliance.household import household
from appliance.programs import Programs
from appliance.server.access import COOKIE, SAFE, Role, Visitor
from appliance.server.certificates import Certificates
from appliance.server.listener import Listener
from appliance.server.metrics import Metrics
from appliance.server.names import own_names
from appliance.server.page.people import People
from appliance.server.places import Places
from appliance.server.site import Site, find_site
from appliance.server.web import Web
from appliance.sessions import Sessions
from appliance.state.database import Database
from appliance.state.tokens import TokenStore
from tests.support.faculties import willing
from tests.support.programs import attention

ANYBODY = {
    "/healthz", "/readyz", "/me", "/trust.json", "/ca.crt", "/ca.mobileconfig", "/trusted", "/pair", "/pair/request",
}  # fmt: skip
READ = {"/metrics", "/paired", "/v1/models", "/v1/audio/models", "/v1/audio/voices"}
"""They change nothing, so that any site may have a browser ask for them; it cannot read the answer."""
CHANGED = {
    "/pair/open": Role.CONFIGURE, "/paired/revoke": Role.OWNER, "/paired/change": Role.OWNER, "/paired/add": Role.OWNER,
    "/v1/audio/transcriptions": Role.TALK, "/v1/audio/speech": Role.TALK,
}  # fmt: skip
BOTH_KINDS = {"/pair": Role.ANYBODY, "/pair/request": Role.ANYBODY, **CHANGED}
NAME = own_names()[0]


class Nobody:
    """In place of People: the page's WebSocket, which says who came."""

    async def talk(self, connection: ServerConnection, visitor: Visitor) -> None:
        await connection.send(visitor.id)


@dataclass
class Doors:
    listeners: dict[str, Listener]
    ports: dict[str, int]
    trusting: ssl.SSLContext
    owner: str
    """An owner's token."""

    def url(self, name: str) -> str:
        scheme = "https" if self.listeners[name].tls else "http"
        return f"{scheme}://{NAME}:{self.ports[name]}"

    async def ask(self, name: str, method: str, path: str, **headers: str) -> int:
        """The status of one request, with an owner's cookie, as a browser sends it."""

        def asked() -> int:
            port = self.ports[name]
            if self.listeners[name].tls:
                line: http.client.HTTPConnection = http.client.HTTPSConnection(
                    "127.0.0.1", port, timeout=10, context=self.trusting
                )
            else:
                line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            fields = {"Host": f"{NAME}:{port}", "Cookie": f"{COOKIE}={self.owner}", "Content-Type": "text/plain"}
            body = None if method in SAFE else b"{}"
            line.request(method, path, body, fields | {key.title(): value for key, value in headers.items()})
            status = line.getresponse().status
            line.close()
            return status

        return await asyncio.to_thread(asked)


@pytest_asyncio.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    async with opened(tmp_path) as doors:
        yield doors


@asynccontextmanager
async def opened(folder: Path, **settings: str) -> AsyncIterator[Doors]:
    """Everything switched on, and what the environment says besides."""
    names = ("WYOMING", "VOSK", "OPENAI", "LAN")
    config = load(
        env_file=None,
        environment={
            **{f"STIMME_{name}": "1" for name in names},
            **{f"STIMME_{name}PORT": "0" for name in ("", "PAGE_", "SECURE_", "VOSK_", "WYOMING_")},
            "STIMME_PAIRING": "always",
            "STIMME_STATE": str(folder),
            **settings,
        },
    )
    fake, people = willing(), Nobody()
    metrics = Metrics(lambda: fake.stats)

    async def run(call: Any, *arguments: Any) -> Any:
        return call(*arguments)

    async def leave() -> None:
        """Nobody stays."""

    with Database(None) as database:
        tokens = TokenStore(database)
        async with asyncio.TaskGroup() as tasks:
            places = Places(tokens, run, tasks)
            ready = asyncio.Event()
            home = await household(
                config, Site(find_site()), tokens, places, cast(People, people), metrics, ready, run=run,
                show=lambda code: None, can_show=True,
            )  # fmt: skip
            sessions = Sessions(fake.all(), tasks, language="en", max_audio_duration_s=10)
            programs = Programs(config, sessions, metrics, tasks, attention(fake))
            listeners = programs.added(home.listeners, home.guard)
            web = Web(config.server, config.streaming, home.guard, listeners, partial(programs.leave, leave()), metrics)
            async with web.listening() as ports:
                trusting = ssl.create_default_context(cafile=str(folder / "tls" / "authority.crt"))
                trusting.check_hostname = False  # it is asked by address
                owner, _ = tokens.add("owner", "browser", "owner")
                yield Doors({one.name: one for one in listeners}, ports, trusting, owner)
            programs.close()


async def test_all_routes_are_known_and_need_what_they_should(doors: Doors) -> None:
    assert set(doors.listeners) == {"page", "guide", "secure", "vosk"}
    needs, methods = dict[str, Role](), dict[str, set[str]]()
    for listener in doors.listeners.values():
        assert set(listener.otherwise.methods) <= SAFE
        for path, route in listener.routes.items():
            assert needs.setdefault(path, route.needs) == route.needs, "the same at every door"
            methods.setdefault(path, set()).update(route.methods)
    assert {path for path, role in needs.items() if role == Role.ANYBODY} == ANYBODY
    changing = {path for path in needs if methods[path] - SAFE}
    assert {path: needs[path] for path in changing} == BOTH_KINDS
    assert set(needs) - changing - ANYBODY == READ
    assert all(needs[path] >= Role.TALK for path in READ)


async def test_no_other_sites_page_changes_anything_by_any_route(doors: Doors) -> None:
    for name, listener in doors.listeners.items():
        for path, route in listener.routes.items():
            for method in set(route.methods) - SAFE:
                for origin in ("https://evil.example", "null", "", doors.url(name).replace("://", "://evil.")):
                    assert await doors.ask(name, method, path, origin=origin) == 403, (name, method, path, origin)
            for method in {"POST", "PUT", "DELETE", "PATCH"} - set(route.methods):
                assert await doors.ask(name, method, path, origin="https://evil.example") == 403, (name, method, path)


async def test_our_own_page_gets_as_far_as_the_route(doors: Doors) -> None:
    """What was refused above was refused for where it came from."""
    for path in BOTH_KINDS:
        status = await doors.ask("secure", "POST", path, origin=doors.url("secure"))
        assert status not in (401, 403, 404, 405), (path, status)
        assert await doors.ask("secure", "PUT", path, origin=doors.url("secure")) == 405


async def test_a_stranger_gets_nothing_that_is_for_those_who_were_paired(doors: Doors) -> None:
    for name, listener in doors.listeners.items():
        for path, route in listener.routes.items():
            if route.needs > Role.ANYBODY:
                assert await doors.ask(name, route.methods[0], path, cookie="") == 401, (name, path)


async def test_no_other_sites_page_opens_a_websocket_anywhere(doors: Doors) -> None:
    for name, port in doors.ports.items():
        secure = doors.listeners[name].tls is not None
        for path in ("/ws", "/v1/realtime?model=x", "/"):
            ours = 403 if name == "vosk" else 0 if secure else 401  # a cookie is for HTTPS; Vosk's port has no page
            for origin, expected in (("https://evil.example", 403), ("null", 403), (doors.url(name), ours)):
                try:
                    async with connect(
                        f"{'wss' if secure else 'ws'}://{NAME}:{port}{path}",
                        host="127.0.0.1",
                        ssl=doors.trusting if secure else None,
                        origin=Origin(origin),
                        compression=None,
                        additional_headers={"Cookie": f"{COOKIE}={doors.owner}"},
                    ):
                        status = 0
                except InvalidStatus as error:
                    status = error.response.status_code
                assert status == expected, (name, path, origin)


async def test_a_certificate_of_the_owners_own_is_shown_and_plain_http_leads_to_it(tmp_path: Path) -> None:
    tls, name = tmp_path / "tls", "panel.home.arpa"
    Certificates(tls, lambda: [name], lambda: [])  # somebody else's authority, as far as the device knows
    own = {"STIMME_CERTIFICATE": str(tls / "server.crt"), "STIMME_CERTIFICATE_KEY": str(tls / "server.key")}
    async with opened(tmp_path, STIMME_NAMES=name, **own) as doors:
        secure = doors.ports["secure"]

        def asked() -> tuple[int, http.client.HTTPResponse, int]:
            trusting = ssl.create_default_context(cafile=str(tls / "authority.crt"))
            with trusting.wrap_socket(socket.create_connection(("127.0.0.1", secure)), server_hostname=name) as line:
                line.sendall(f"GET /trusted HTTP/1.1\r\nHost: {name}:{secure}\r\nConnection: close\r\n\r\n".encode())
                status = int(line.recv(100).split()[1])
            with closing(http.client.HTTPConnection("127.0.0.1", doors.ports["page"], timeout=10)) as plain:
                plain.request("GET", "/", headers={"Host": f"{name}:8080"})
                answer = plain.getresponse()
                answer.read()
                plain.request("GET", "/ca.crt", headers={"Host": name})
                authority = plain.getresponse()
                authority.read()
            return status, answer, authority.status

        trusted, led, authority = await asyncio.to_thread(asked)
        assert trusted == 204
        assert (led.status, led.headers["Location"]) == (307, f"https://{name}:{secure}/")
        assert authority == 404, "there is none to be trusted"
