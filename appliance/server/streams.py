"""Listeners that speak neither HTTP nor WebSocket: who may connect, how many, and that none keeps the others out."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from appliance.errors import ConfigError
from appliance.server.allowed import Allowed
from appliance.server.crowd import neighbourhood, who_must_go

log = logging.getLogger(__name__)

MOST_CALLERS = 100
PIECE_BYTES = 64 * 1024
"""Most that is read at a time, and that may wait to be written."""
STALL_S = 10.0
"""A client that takes nothing for so long has stopped reading and is dropped."""


class Caller:
    """One connection. Reads raise ConnectionError or TimeoutError, and so do writes; then it is over."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.address: str = writer.get_extra_info("peername")[0]
        self.neighbourhood = neighbourhood(self.address)
        self.idle_since: float | None = asyncio.get_running_loop().time()
        """See crowd.Guest."""

    async def read(self, within_s: float) -> bytes:
        """What has come; b"" at the end. Raises TimeoutError when nothing comes."""
        async with asyncio.timeout(within_s):
            return await self._reader.read(PIECE_BYTES)

    async def write(self, data: bytes) -> None:
        """Hand it on, waiting for room."""
        self._writer.write(data)
        async with asyncio.timeout(STALL_S):
            await self._writer.drain()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        """Once all was sent."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(STALL_S):
                await self._writer.wait_closed()


class Streams:
    """One such listener. setting: the environment's name of its port. serve: speaks with one client until it goes."""

    def __init__(
        self,
        host: str,
        port: int,
        setting: str,
        allowed: Allowed,
        serve: Callable[[Caller], Awaitable[None]],
        dropped: Callable[[str], None],
        *,
        shares_port: bool = False,
    ) -> None:
        """shares_port: other processes listen at the same one."""
        self._shares_port = shares_port
        self._host, self._port, self._setting, self._allowed = host, port, setting, allowed
        self._serve, self._dropped = serve, dropped
        self._callers: dict[Caller, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen; yields the port as bound. Ends all conversations at exit. Raises ConfigError if it is taken."""
        async with asyncio.TaskGroup() as self._tasks:
            async with self._opened() as port:
                yield port

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[int]:
        try:
            server = await asyncio.start_server(
                self._met,
                self._host,
                self._port,
                limit=PIECE_BYTES,
                family=socket.AF_INET,
                reuse_port=self._shares_port or None,
            )
        except OSError as error:
            raise ConfigError(
                f"port {self._port} on {self._host} cannot be used: {error.strerror or error}. "
                f"{self._setting} chooses another"
            ) from error
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self._callers.values():
                task.cancel()

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection was made."""
        if writer.get_extra_info("peername") is None:  # gone again already
            writer.transport.abort()
            return
        caller = Caller(reader, writer)
        if caller.address not in self._allowed:
            log.warning("%s may not connect to port %d; STIMME_CLIENTS would let it", caller.address, self._port)
            self._dropped("not_allowed")
            caller.abort()
            return
        if not self._has_room(caller):
            caller.abort()
            return
        writer.transport.set_write_buffer_limits(PIECE_BYTES)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._callers[caller] = self._tasks.create_task(self._talk(caller))

    async def _talk(self, caller: Caller) -> None:
        try:
            await self._serve(caller)
        except (TimeoutError, ConnectionError) as error:
            log.debug("a client at port %d has gone: %r", self._port, error)
            caller.abort()
        except asyncio.CancelledError:
            caller.abort()
            raise
        except Exception:
            log.exception("a connection failed")
            caller.abort()
        finally:
            del self._callers[caller]
            await caller.close()

    def _has_room(self, newcomer: Caller) -> bool:
        if len(self._callers) < MOST_CALLERS:
            return True
        self._dropped("crowded")
        other = who_must_go(self._callers, newcomer.neighbourhood, fair=False)
        if other is None:
            return False
        self._callers[other].cancel()
        return True
