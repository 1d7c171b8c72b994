"""The server without models: its real doors, guard, certificates, pairing and entrance, in a thread with a uvloop.

What is said over its WebSocket comes back with who the visitor is. Starts in a tenth of a second.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvloop
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from appliance.config import load
from appliance.hearing.transcript import PoolStats
from appliance.server.access import Guard, Visitor
from appliance.server.certificates import Certificates
from appliance.server.entrance import Entrance, Trust
from appliance.server.listener import Listener
from appliance.server.metrics import Metrics
from appliance.server.pairing import Pairing
from appliance.server.places import Places
from appliance.server.site import Site, find_site
from appliance.server.web import Web
from appliance.state.database import Database
from appliance.state.tokens import TokenStore

NAMES = ("stimme-ab12.local", "stimme.local")


@dataclass
class SmallServer:
    ports: dict[str, int]
    certificates: Certificates
    tokens: TokenStore
    pairing: Pairing
    shown: list[str]
    """Pairing codes, as the device showed them."""
    call: Callable[[Callable[[], Any]], Any]
    """Runs something in the server's thread and returns its result."""
    log: list[str] = field(default_factory=list)

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts this device's authority and nothing else."""
        return ssl.create_default_context(cadata=self.certificates.authority.der)

    @property
    def secure(self) -> str:
        return f"127.0.0.1:{self.ports['secure']}"


@contextmanager
def small_server(
    folder: Path,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    pairing: str = "always",
    names: Sequence[str] = NAMES,
    can_show: bool = True,
) -> Iterator[SmallServer]:
    """clock: of certificates and tokens. pairing "always": tests come from loopback, which would be free otherwise."""
    started: list[SmallServer] = []
    ready, done = threading.Event(), threading.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with Database(folder / "stimme.sqlite3") as database:
            tokens, shown = TokenStore(database, clock), list[str]()
            certificates = Certificates(
                folder / "tls", lambda: names, lambda: [ip_address("10.1.2.3"), ip_address("127.0.0.1")], clock
            )

            async def run(call: Callable[[], Any]) -> Any:
                return call()

            async with asyncio.TaskGroup() as tasks:
                places = Places(tokens, run, tasks)
                guard = Guard(NAMES, (), places.known, pairing)
                authority = certificates.authority
                trust = Trust(
                    NAMES[0],
                    lambda: certificates.names,
                    lambda: guard.port("https") or 0,
                    authority.der,
                    authority.apple_profile(NAMES[0]),
                    authority.fingerprint,
                    authority.words(),
                )
                codes = Pairing(shown.append)
                entrance = Entrance(Site(find_site()), tokens, codes, trust, run, can_show=can_show)
                guests: dict[ServerConnection, Visitor] = {}

                async def talk(connection: ServerConnection, visitor: Visitor) -> None:
                    guests[connection] = visitor
                    try:
                        async for message in connection:
                            await connection.send(json.dumps({"visitor": visitor.id, "said": str(message)[:100]}))
                    except ConnectionClosed:
                        return
                    finally:
                        del guests[connection]

                (plain, by_path), (otherwise, secure) = entrance.plain(), entrance.secure()
                listeners = [
                    Listener("page", "", "127.0.0.1", 0, plain, by_path, talk),
                    Listener("secure", "", "127.0.0.1", 0, otherwise, secure, talk, certificates.context),
                ]
                config = load(environment={"MAX_CONNECTIONS": "1000"}, env_file=None)

                async def see_off() -> None:
                    await asyncio.gather(*(guest.close() for guest in tuple(guests)))

                nothing = PoolStats(0, 0, 0, 0, 0.0, 0.0)
                web = Web(config.server, config.streaming, guard, listeners, see_off, Metrics(lambda: nothing))
                async with web.listening() as ports:

                    def call(wanted: Callable[[], Any]) -> Any:
                        async def now() -> Any:
                            return wanted()

                        return asyncio.run_coroutine_threadsafe(now(), loop).result(10)

                    started.append(SmallServer(ports, certificates, tokens, codes, shown, call))
                    ready.set()
                    while not done.is_set():  # noqa: ASYNC110 - another thread says so
                        await asyncio.sleep(0.02)

    def run_thread() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run_thread, daemon=True)
    thread.start()
    assert ready.wait(30), "the small server did not start"
    try:
        yield started[0]
    finally:
        done.set()
        thread.join(10)
        assert not thread.is_alive()
