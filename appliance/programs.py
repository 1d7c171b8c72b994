"""Other people's programs, and by which protocols they come in: the part of the composition root that concerns them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from websockets.asyncio.server import ServerConnection

from appliance.attention import Attention
from appliance.config import Config
from appliance.errors import ModelError
from appliance.guests import Guests
from appliance.server.access import Guard, Visitor
from appliance.server.allowed import Allowed, GuardByAddress
from appliance.server.announce import Service
from appliance.server.http import respond
from appliance.server.listener import Listener, Route, Talk
from appliance.server.metrics import Metrics
from appliance.server.openai.realtime import Realtime
from appliance.server.seats import Seats
from appliance.server.streams import Caller, Streams
from appliance.server.talks import Talks
from appliance.server.vosk.connection import MOST_MESSAGE_BYTES, Vosk
from appliance.server.wyoming.connection import Connection as WyomingConnection
from appliance.server.wyoming.waking import Words
from appliance.sessions import Sessions
from appliance.workers import Workers

PACKING_NICE = 10
"""Files are packed and unpacked behind everything that somebody waits for."""

log = logging.getLogger(__name__)


class Programs:
    """What is switched on for them. Raises ConfigError."""

    def __init__(
        self, config: Config, sessions: Sessions, metrics: Metrics, tasks: asyncio.TaskGroup, attention: Attention
    ) -> None:
        self._config, self._metrics, self._shares_ports = config.clients, metrics, config.server.shares_ports
        self._allowed = Allowed(config.clients.allowed, here=config.server.pairing != "always")
        self.guests = Guests(sessions.faculties, tasks, config.language, config.server.max_audio_duration_s, attention)
        self._talks = Talks(sessions.open)
        self.words = _wake_words(attention) if config.clients.wyoming else Words()
        self._vosk = Vosk(self.guests, metrics.client_dropped)
        self._realtime: Realtime | None = None
        self._packing = Workers(1, "pack", nice=PACKING_NICE)

    def added(self, listeners: Sequence[Listener], guard: Guard) -> list[Listener]:
        """The page's listeners with what programs ask for at the same ports, and the WebSockets beside them."""
        found = list(listeners)
        if self._config.openai:
            from appliance.server.openai.routes import openai_routes  # here, because it loads libsndfile

            routes = openai_routes(self.guests, self._packing.run)
            found = [
                replace(listener, routes={**listener.routes, **routes}, talk=self._or_realtime(listener.talk))
                if listener.name != "guide"
                else listener
                for listener in found
            ]
        if self._config.vosk:
            nothing = Route(lambda request, visitor: respond(404, "Here is Vosk's WebSocket and nothing else.\n"))
            found.append(
                Listener(
                    "vosk",
                    "STIMME_VOSK_PORT",
                    self._host,
                    self._config.vosk_port,
                    nothing,
                    talk=self._vosk.talk,
                    guard=GuardByAddress(guard, self._allowed),
                    most_bytes=MOST_MESSAGE_BYTES,
                )
            )
        return found

    async def leave(self, others: Awaitable[None]) -> None:
        """See everybody off who holds a WebSocket, while others are seen off too."""
        await asyncio.gather(others, *(seats.leave() for seats in self._seats()))

    def look_again(self, may_stay: Callable[[Visitor], bool]) -> None:
        """Somebody may have been revoked."""
        for seats in self._seats():
            seats.look_again(may_stay)

    def _seats(self) -> list[Seats]:
        return [one.seats for one in (self._vosk, self._realtime) if one is not None]

    def _or_realtime(self, page: Talk | None) -> Talk:
        """The page's WebSocket is at every path but one."""
        realtime = self._realtime = self._realtime or Realtime(self.guests, self._talks, self._metrics.client_dropped)

        async def talk(socket: ServerConnection, visitor: Visitor) -> None:
            path = socket.request.path.partition("?")[0] if socket.request else ""
            if path == "/v1/realtime":
                await realtime.talk(socket, visitor)
            elif page is not None:
                await page(socket, visitor)

        return talk

    def close(self) -> None:
        self._packing.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[dict[str, int]]:
        """Listen where no HTTP is spoken; yields the ports as bound, by name."""
        ports: dict[str, int] = {}
        async with AsyncExitStack() as stack:
            if self._config.wyoming:
                wyoming = Streams(
                    self._host,
                    self._config.wyoming_port,
                    "STIMME_WYOMING_PORT",
                    self._allowed,
                    self._wyoming,
                    self._metrics.client_dropped,
                    shares_port=self._shares_ports,
                )
                ports["wyoming"] = await stack.enter_async_context(wyoming.listening())
            yield ports

    def say_where(self, ports: Mapping[str, int]) -> None:
        """One line a protocol, for the log."""
        for name in ("wyoming", "vosk"):
            if name in ports:
                log.info("for programs: %s at %s:%d", name, self._host, ports[name])

    def services(self, name: str, ports: dict[str, int]) -> list[Service]:
        """What other machines may find. name: the device's own (stimme-….local)."""
        if "wyoming" not in ports or not self._allowed.beyond_here:
            return []
        return [Service("_wyoming._tcp", ports["wyoming"], host=f"{name.removesuffix('.local')}-wyoming.local")]

    @property
    def _host(self) -> str:
        return "0.0.0.0" if self._allowed.beyond_here else "127.0.0.1"

    async def _wyoming(self, caller: Caller) -> None:
        await WyomingConnection(caller, self.guests, self._talks, self.words).run()


def _wake_words(attention: Attention) -> Words:
    """Those of the package, if it is installed."""
    from appliance.waking.micro import Spotter, available  # here: most have no use for it

    try:
        return Words(available(), Spotter, attention.run)
    except ModelError as error:
        log.debug("no wake words for programs: %s", error)
        return Words()
