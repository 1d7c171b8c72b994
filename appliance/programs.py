"""Other people's programs, and by which protocols they come in: the part of the composition root that concerns them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from appliance.config import Config
from appliance.guests import Guests
from appliance.server.allowed import Allowed
from appliance.server.announce import Service
from appliance.server.listener import Listener
from appliance.server.metrics import Metrics
from appliance.server.streams import Caller, Streams
from appliance.server.wyoming.connection import Connection as WyomingConnection
from appliance.server.wyoming.handling import Talks
from appliance.sessions import Sessions
from appliance.workers import Workers

PACKING_NICE = 10
"""Files are packed and unpacked behind everything that somebody waits for."""

log = logging.getLogger(__name__)


class Programs:
    """What is switched on for them. Raises ConfigError."""

    def __init__(self, config: Config, sessions: Sessions, metrics: Metrics, tasks: asyncio.TaskGroup) -> None:
        self._config, self._metrics = config.clients, metrics
        self._allowed = Allowed(config.clients.allowed, here=config.server.pairing != "always")
        self._guests = Guests(sessions.faculties, tasks, config.language, config.server.max_audio_duration_s)
        self._talks = Talks(sessions.open)
        self._packing = Workers(1, "pack", nice=PACKING_NICE)

    def added(self, listeners: Sequence[Listener]) -> list[Listener]:
        """The page's listeners with what programs ask for at the same ports."""
        if not self._config.openai:
            return list(listeners)
        from appliance.server.openai.routes import openai_routes  # here, because it loads libsndfile

        routes = openai_routes(self._guests, self._packing.run)
        return [replace(listener, routes={**listener.routes, **routes}) for listener in listeners]

    def close(self) -> None:
        self._packing.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[dict[str, int]]:
        """Listen where no HTTP is spoken; yields the ports as bound, by name."""
        ports: dict[str, int] = {}
        async with AsyncExitStack() as stack:
            if self._config.wyoming:
                wyoming = Streams(
                    self._host, self._config.wyoming_port, "STIMME_WYOMING_PORT", self._allowed, self._wyoming,
                    self._metrics.client_dropped)
                ports["wyoming"] = await stack.enter_async_context(wyoming.listening())
            for name, port in ports.items():
                log.info("for programs: %s at %s:%d", name, self._host, port)
            yield ports

    def services(self, name: str, ports: dict[str, int]) -> list[Service]:
        """What other machines may find. name: the device's own (stimme-….local)."""
        if "wyoming" not in ports or not self._allowed.beyond_here:
            return []
        return [Service("_wyoming._tcp", ports["wyoming"], host=f"{name.removesuffix('.local')}-wyoming.local")]

    @property
    def _host(self) -> str:
        return "0.0.0.0" if self._allowed.beyond_here else "127.0.0.1"

    async def _wyoming(self, caller: Caller) -> None:
        await WyomingConnection(caller, self._guests, self._talks).run()
