"""Everything that listens: opens the listeners, counts who is there, and closes in order."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket as sockets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve

from appliance.config import ServerConfig, StreamingConfig
from appliance.errors import ConfigError
from appliance.server.access import LOCAL, Guard, Visitor
from appliance.server.crowd import MOST_A_PLACE, MOST_UNOPENED, who_must_go
from appliance.server.door import Door
from appliance.server.listener import Listener
from appliance.server.metrics import Metrics
from appliance.server.seldom import seldom

log = logging.getLogger(__name__)

SEND_BUFFER_BYTES = 64 * 1024
"""The kernel's send buffer a client: under a second of reply, so that a slow one never hears stale sound."""

NOT_SENT_BYTES = 16 * 1024
"""… of which so much may wait unsent."""

OTHER_DESCRIPTORS = 256
"""Files, models, devices, and connections that are being refused; each client takes one more."""

MOST_QUEUED = 4
"""Frames of one client between the library and us."""

BACKLOG = 1024
"""Connections that may wait to be accepted: everybody comes back at once after a restart."""


class Web:
    """The listeners of a device, behind one Guard."""

    def __init__(
        self,
        config: ServerConfig,
        streaming: StreamingConfig,
        guard: Guard,
        listeners: Sequence[Listener],
        see_off: Callable[[], Awaitable[None]],
        metrics: Metrics,
    ) -> None:
        """see_off: ends what is under way over WebSockets, once nobody new is taken."""
        self._config, self._streaming = config, streaming
        self.guard, self._listeners, self._see_off = guard, listeners, see_off
        self._metrics = metrics
        self._tasks: asyncio.TaskGroup | None = None
        self._unopened: set[Door] = set()
        """Connections that are no WebSocket."""
        self._inside: Counter[str] = Counter()
        """WebSockets by visitor."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[dict[str, int]]:
        """Listen; yields the ports as bound, by the listeners' names. Stops gracefully at exit.

        Raises ConfigError if a port is taken.
        """
        allow_descriptors(self._config.max_connections + MOST_UNOPENED + BACKLOG + OTHER_DESCRIPTORS)
        servers: list[Server] = []
        with seldom():
            async with asyncio.TaskGroup() as self._tasks:
                try:
                    ports = {}
                    for listener in self._listeners:
                        server = await self._listen(listener)
                        servers.append(server)
                        ports[listener.name] = server.sockets[0].getsockname()[1]
                        if listener.talk is not None and listener.guard is None:
                            self.guard.page_at("https" if listener.tls else "http", ports[listener.name])
                    yield ports
                finally:
                    for server in servers:
                        server.close(close_connections=False)  # nobody new
                    await self._see_off()
                    for door in tuple(self._unopened):
                        door.close_if_idle()
                    for server in servers:
                        await server.wait_closed()

    # What doors ask of their house

    def came(self, door: Door) -> bool:
        if len(self._unopened) >= MOST_UNOPENED:
            other = who_must_go(self._unopened, door.neighbourhood, fair=False)
            self.dropped("crowded")
            if other is None:
                return False
            self._unopened.discard(other)
            other.abort()
        self._unopened.add(door)
        return True

    def left(self, door: Door) -> None:
        self._unopened.discard(door)

    def enters(self, visitor: Visitor) -> bool:
        named = visitor != LOCAL and visitor.name  # a proxy's address may stand for a whole school
        if named and self._inside[visitor.id] >= MOST_A_PLACE:
            self.dropped("crowded")
            return False
        self._inside[visitor.id] += 1
        return True

    def leaves(self, visitor: Visitor) -> None:
        self._inside -= Counter((visitor.id,))  # and forget whose count is 0

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._tasks is not None, "there are connections only while it listens"
        self._tasks.create_task(_unharmed(work))

    def dropped(self, reason: str) -> None:
        self._metrics.client_dropped(reason)

    async def _listen(self, listener: Listener) -> Server:
        settings, streaming = self._config, self._streaming

        async def talk(connection: ServerConnection) -> None:
            assert listener.talk is not None, "a door without a WebSocket refuses it"
            _tune(connection, settings.ping_interval_s + settings.ping_timeout_s)
            await listener.talk(connection, cast(Door, connection).visitor)

        try:
            return await serve(
                talk,
                cast(str, listener.host),
                listener.port,  # or several addresses
                create_connection=partial(Door, listener, self),  # type: ignore[arg-type]
                compression=None,
                max_size=listener.most_bytes,
                max_queue=MOST_QUEUED,
                write_limit=streaming.chunk_size * streaming.max_chunk_buffer,
                ping_interval=settings.ping_interval_s,
                ping_timeout=settings.ping_timeout_s,
                open_timeout=5,
                close_timeout=2,
                server_header=None,
                backlog=BACKLOG,
                reuse_port=settings.shares_ports or None,
            )
        except OSError as error:
            reason = error.strerror or error
            if error.errno == errno.EADDRINUSE:
                advice = f"Is Stimme running already? Stop it, or choose another port with {listener.setting}"
            else:
                advice = f"STIMME_HOST chooses the address, {listener.setting} the port"
            raise ConfigError(f"port {listener.port} on {listener.host} cannot be used: {reason}. {advice}") from error


async def _unharmed(work: Coroutine[Any, Any, None]) -> None:
    """A bug in one connection costs that connection, not everybody's."""
    try:
        await work
    except Exception:
        log.exception("a connection failed")


def allow_descriptors(count: int) -> None:
    """Raise this process's limit of open files to `count`, as far as the system lets it (getrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tune(connection: ServerConnection, patience_s: float) -> None:
    """Small buffers and no Nagle: sound that waits in a buffer is stale sound.

    patience_s: after so long without taking a byte the kernel drops the client (tcp(7)); a ping that cannot be sent
    would never time out.
    """
    raw = connection.transport.get_extra_info("socket")
    raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER_BYTES)
    raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NOTSENT_LOWAT, NOT_SENT_BYTES)
    raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, round(1000 * patience_s))
