"""A farm on one machine: a real redis-server, workers as processes of their own, web nodes of the test's own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from appliance.farm.address import Address
from appliance.farm.node import Node
from tests.support.patience import until_now
from tests.support.server import MODELS, ROOT


class RedisServer:
    """A redis-server with an append-only file, in a folder of its own. May be killed and started again."""

    def __init__(self, folder: Path, *options: str, tls: bool = False) -> None:
        self.folder, self._options, self._tls = folder, options, tls
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.address = Address("127.0.0.1", self.port)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was not started"
        return self._process

    def start(self) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "redis-server is missing; `make setup-test` installs it"
        ports = ("--port", "0", "--tls-port", str(self.port)) if self._tls else ("--port", str(self.port))
        self._process = subprocess.Popen(
            [
                program,
                *ports,
                "--bind",
                "127.0.0.1",
                "--dir",
                str(self.folder),
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
                "--save",
                "",
                "--maxmemory-policy",
                "noeviction",
                *self._options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until_now(self._answers, lambda: "redis-server did not start", seconds=20)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "redis-server did not start"
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                if self._tls:
                    # else nobody listens yet, and TCP has met itself: the system chose the same port for this end
                    return bool(connection.getsockname() != connection.getpeername())
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def kill(self) -> None:
        """As a power cut does, but for what the kernel holds for the disk."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)


@contextmanager
def redis_server(*options: str, tls: bool = False) -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="stimme-redis-") as folder:
        server = RedisServer(Path(folder), *options, tls=tls)
        try:
            server.start()
            yield server
        finally:
            server.stop()


class WorkerProcess:
    """`stimme worker`, as a user starts it."""

    def __init__(self, redis: RedisServer, folder: Path, *arguments: str) -> None:
        self._environment = {
            **os.environ,
            "STIMME_REDIS": redis.url,
            "STIMME_STATE": str(folder),
            "STIMME_MODELS": str(MODELS),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        self._arguments, self._folder = arguments, folder
        self.log = folder / f"worker-{id(self)}.txt"
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("a") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "appliance", "worker", *self._arguments],
                env=self._environment,
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self, timeout_s: float = 60) -> None:
        until_now(self._is_ready, self.log.read_text, seconds=timeout_s)

    def _is_ready(self) -> bool:
        said = self.log.read_text()
        assert self.process.poll() is None, said
        return "ready: hears" in said

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()
        return self.process.wait(30)

    def again(self) -> None:
        """After it was killed: start it anew."""
        self.log.write_text("")
        self.process = self._start()


@contextmanager
def workers(redis: RedisServer, count: int, *arguments: str) -> Iterator[list[WorkerProcess]]:
    """So many, ready."""
    with tempfile.TemporaryDirectory(prefix="stimme-workers-") as folder:
        started = [WorkerProcess(redis, Path(folder), *arguments) for _ in range(count)]
        try:
            for worker in started:
                worker.wait_until_ready()
            yield started
        finally:
            for worker in started:
                worker.stop()


class Cable:
    """The network between a node and Redis, which can be pulled out: then nothing arrives, and nobody is told."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self._plugged = asyncio.Event()
        self._plugged.set()
        self.address = redis.address

    def pull(self) -> None:
        self._plugged.clear()

    def plug(self) -> None:
        self._plugged.set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    there, back = await asyncio.open_connection("127.0.0.1", self._redis.port)
                except OSError:
                    writer.close()
                    return
                await asyncio.wait(
                    [tasks.create_task(self._carry(reader, back)), tasks.create_task(self._carry(there, writer))],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                writer.close()
                back.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            self.address = replace(self._redis.address, port=server.sockets[0].getsockname()[1])
            yield
            self.plug()
            server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._plugged.wait()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def web_node(address: Address) -> AsyncIterator[Node]:
    """This process as a web node."""
    node = Node(address)
    await node.open()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(node.run())
        await node.here.wait()
        try:
            yield node
        finally:
            running.cancel()


def everything_in(redis: RedisServer, *command: str) -> Sequence[str]:
    """Run one command of redis-cli, line by line."""
    output = subprocess.run(
        ["redis-cli", "-p", str(redis.port), *command], capture_output=True, text=True, check=True
    ).stdout
    return output.splitlines()
