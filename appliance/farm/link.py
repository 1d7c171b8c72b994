"""The way to Redis: commands of all tasks share one connection and travel in batches; it comes back by itself.

The only file that knows the Redis library. Commands of Redis 7.0 and no later one, so Valkey will do as well.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, cast

from appliance.errors import ConfigError, StimmeError
from appliance.farm.address import Address

try:
    import redis
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.retry import Retry as BlockingRetry
except ImportError as error:
    raise ConfigError(
        "STIMME_REDIS is set, but Redis' library is not installed: pip install 'stimme[redis]'"
    ) from error

log = logging.getLogger(__name__)

ANSWER_S = 2.0
"""Without an answer for so long the connection is taken for dead: a cut cable says nothing."""
CONNECT_S = 1.0
AGAIN_S = 0.1
"""Between two attempts to come back."""
BLOCK_MS = 1000
"""The longest that a blocking read waits; it then reads again."""
MOST_IN_BATCH = 500
MOST_CONNECTIONS = 10_000

_LOST = (redis.ConnectionError, redis.TimeoutError, OSError)

Reply = Any
"""What Redis answers: int, bytes, None, or lists of those."""


class Lost(StimmeError):
    """Redis does not answer. What was sent last may have been carried out or not."""


class Full(StimmeError):
    """Redis takes nothing more: its memory is used up."""


Refused = redis.ResponseError
"""Redis understood, and will not; the message says why."""


class Link:
    """One process' way to Redis. Belongs to one event loop. name: who this process is, unlike any other."""

    def __init__(self, address: Address, role: str) -> None:
        self.name = f"{role}-{secrets.token_hex(6)}"
        self.times_lost = 0
        self._address = address
        self._may_connect = True
        self._client = _client(address, self.name, ANSWER_S, self._connected)
        self._reading = _client(address, self.name, BLOCK_MS / 1000 + ANSWER_S)
        self._queue: list[tuple[tuple[Any, ...], asyncio.Future[Reply]]] = []
        self._wanted = asyncio.Event()
        self._up = asyncio.Event()
        self._scripts = {file.stem: file.read_text() for file in (Path(__file__).parent / "lua").glob("*.lua")}
        self._hashes: dict[str, bytes] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def is_up(self) -> bool:
        return self._up.is_set()

    async def up(self) -> None:
        """Return once Redis answers."""
        await self._up.wait()

    def when_lost(self, told: Callable[[], None]) -> None:
        """Call `told` whenever Redis stops answering, before anybody can send again."""
        self._listeners.append(told)

    async def open(self) -> None:
        """Connect for the first time.

        Raises ConfigError if Redis refuses us, Lost if it does not answer: that may be over when we are started again.
        """
        try:
            await self._connect()
        except (redis.AuthenticationError, redis.ResponseError) as error:
            await self.close()
            raise ConfigError(
                f"STIMME_REDIS: {self._address} refuses us ({error}). STIMME_REDIS_PASSWORD_FILE names the file with "
                "the password, the user's name stands before the @, docs/farm.md lists what it must be allowed"
            ) from error
        except _LOST as error:
            await self.close()
            raise Lost(
                f"STIMME_REDIS: {self._address} does not answer ({error}); is it running, and is the network up?"
            ) from error

    async def run(self) -> None:
        """Carry commands, and come back after a loss, until cancelled."""
        try:
            while True:
                if not self.is_up:
                    await self._return()
                await self._wanted.wait()
                self._wanted.clear()
                while self._queue:
                    batch, self._queue = self._queue[:MOST_IN_BATCH], self._queue[MOST_IN_BATCH:]
                    await self._carry(batch)
        finally:
            self._fail(Lost("this process is stopping"), self._queue)

    async def call(self, *command: Any) -> Reply:
        """One command and what Redis answers. Raises Lost, Full."""
        if not self.is_up:
            raise Lost(f"{self._address} does not answer")
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._queue.append((command, future))
        self._wanted.set()
        return await future

    async def script(self, name: str, keys: list[str], *arguments: Any) -> Reply:
        """Run lua/NAME.lua. Raises as `call` does."""
        return await self.call("EVALSHA", self._hashes[name], len(keys), *keys, *arguments)

    def post(self, *command: Any) -> None:
        """A command whose answer nobody waits for; lost with Redis."""
        if self.is_up:
            future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_unheeded)
            self._queue.append((command, future))
            self._wanted.set()

    def post_script(self, name: str, keys: list[str], *arguments: Any) -> None:
        """lua/NAME.lua, whose answer nobody waits for."""
        if self.is_up:
            self.post("EVALSHA", self._hashes[name], len(keys), *keys, *arguments)

    async def read(self, *command: Any) -> Reply:
        """A command that waits for something to come, on a connection of its own. Raises Lost."""
        try:
            reply = await self._reading.execute_command(*command)  # type: ignore[no-untyped-call]
            _heed_cancellation()
            return reply
        except _LOST as error:
            _heed_cancellation()
            raise Lost(f"{self._address} does not answer") from error

    async def listen(self, *channels: str) -> AsyncGenerator[tuple[str, bytes], None]:
        """What is published, as (channel, message), until Redis is lost (Lost)."""
        async with self._reading.pubsub() as subscription:
            try:
                await subscription.subscribe(*channels)
                while True:
                    if subscription.connection is None or not subscription.connection.is_connected:
                        raise Lost(f"{self._address} does not answer")
                    message = await subscription.get_message(ignore_subscribe_messages=True, timeout=BLOCK_MS / 1000)
                    _heed_cancellation()
                    if message is not None:
                        yield message["channel"].decode(), message["data"]
            except _LOST as error:
                raise Lost(f"{self._address} does not answer") from error

    async def close(self) -> None:
        for client in (self._client, self._reading):
            with suppress(*_LOST):
                await client.aclose()

    async def _connected(self, connection: Any) -> None:
        """The library would connect anew without a word, to a Redis that may have forgotten its last second."""
        if not self._may_connect:
            raise redis.ConnectionError("Connection closed by server")
        await connection.on_connect()

    async def _connect(self) -> None:
        self._may_connect = True
        information = await self._client.info("server")
        version = str(information["redis_version"])
        if int(version.partition(".")[0]) < 7:
            raise ConfigError(f"STIMME_REDIS: {self._address} is version {version}, expected 7.0 or newer")
        for name, text in self._scripts.items():
            self._hashes[name] = (await self._client.script_load(text)).encode()
        self._may_connect = False
        self._up.set()

    async def _return(self) -> None:
        while True:
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self._connect()
                log.warning("Redis answers again")
                return
            except (*_LOST, redis.ResponseError, TimeoutError):
                await self._client.connection_pool.disconnect()
                await asyncio.sleep(AGAIN_S)

    async def _carry(self, batch: list[tuple[tuple[Any, ...], asyncio.Future[Reply]]]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for command, _ in batch:
            pipeline.execute_command(*command)
        try:
            answers = await pipeline.execute(raise_on_error=False)
            _heed_cancellation()
        except _LOST as error:
            _heed_cancellation()
            self._lose(batch, error)
            return
        except asyncio.CancelledError:
            self._fail(Lost("this process is stopping"), batch)
            raise
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, redis.OutOfMemoryError):
                future.set_exception(Full(str(answer)))
            elif isinstance(answer, _LOST):
                future.set_exception(Lost(str(answer)))
            elif isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _lose(self, batch: list[tuple[tuple[Any, ...], asyncio.Future[Reply]]], error: Exception) -> None:
        log.warning("Redis does not answer any more (%s); what was accepted is kept and sent again", error)
        self._up.clear()
        self.times_lost += 1
        for told in self._listeners:
            told()
        lost, self._queue = batch + self._queue, []
        self._fail(Lost(f"{self._address} does not answer"), lost)

    @staticmethod
    def _fail(error: Lost, entries: list[tuple[tuple[Any, ...], asyncio.Future[Reply]]]) -> None:
        for _, future in entries:
            if not future.done():
                future.set_exception(error)
                future.exception()  # its caller may be gone


def _heed_cancellation() -> None:
    """Raise what the library swallows now and then, when an answer comes in the moment in which a task is cancelled."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _unheeded(future: asyncio.Future[Reply]) -> None:
    if not future.cancelled() and (error := future.exception()) is not None and not isinstance(error, Lost):
        log.warning("Redis refused what nobody waited for: %s", error)


async def unless_lost(link: Link, work: Callable[[], Awaitable[None]]) -> None:
    """Do it for ever, beginning again whenever Redis was lost."""
    while True:
        try:
            await link.up()
            await work()
        except Lost:
            await asyncio.sleep(AGAIN_S)


async def each(messages: AsyncGenerator[tuple[str, bytes], None], told: Callable[[str, bytes], None]) -> None:
    """Tell every message."""
    async with aclosing(messages):
        async for channel, message in messages:
            told(channel, message)


def _client(
    address: Address, name: str, timeout_s: float, connected: Callable[[Any], Awaitable[None]] | None = None
) -> redis.asyncio.Redis:
    """No retries of its own: whether something may be sent again is ours to know."""
    return redis.asyncio.Redis(
        **_options(address),
        client_name=name,
        socket_timeout=timeout_s,
        max_connections=MOST_CONNECTIONS,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=connected,
    )


class BlockingLink:
    """For worker threads: one connection, used by one thread at a time."""

    def __init__(self, address: Address, name: str) -> None:
        self._address = address
        self._client = redis.Redis(
            **_options(address), client_name=name, socket_timeout=ANSWER_S, retry=BlockingRetry(NoBackoff(), 0)
        )

    def call(self, *command: Any) -> Reply:
        """One command. Raises Lost."""
        try:
            return self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        except _LOST as error:
            raise Lost(f"{self._address} does not answer ({error})") from error
        except redis.ResponseError as error:
            raise Lost(f"{self._address} refuses: {error}") from error

    def script(self, name: str, keys: list[str], *arguments: Any) -> Reply:
        """Run lua/NAME.lua. Raises Lost."""
        text = (Path(__file__).parent / "lua" / f"{name}.lua").read_text()
        return self.call("EVAL", text, len(keys), *keys, *arguments)

    def close(self) -> None:
        self._client.close()


def _options(address: Address) -> dict[str, Any]:
    options: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "db": address.database,
        "username": address.user,
        "password": address.password,
        "socket_connect_timeout": CONNECT_S,
        "socket_keepalive": True,
        "protocol": 2,
    }
    if address.tls:
        options |= {
            "ssl": True,
            "ssl_ca_certs": address.authority,
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_min_version": _tls_1_2(),
        }
    return options


def _tls_1_2() -> Any:
    import ssl

    return cast(Any, ssl.TLSVersion.TLSv1_2)
