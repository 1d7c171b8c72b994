"""The two listeners: page with /ws on one port, the migration guide's plain WebSocket on the other."""

from __future__ import annotations

import asyncio
import errno
import http
import ipaddress
import logging
import resource
import socket as sockets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from appliance.config import Config
from appliance.errors import ConfigError, ProtocolError
from appliance.language import Language
from appliance.server.access import Names
from appliance.server.metrics import CONTENT_TYPE, Metrics
from appliance.server.page import protocol
from appliance.server.page.connection import Connection
from appliance.server.site import Site, find_site, respond
from appliance.session import Sessions

log = logging.getLogger(__name__)

GRACE_S = 5.0
"""How long turns under way may take to finish when the device stops."""

SEND_BUFFER_BYTES = 64 * 1024
"""The kernel's send buffer a client: under a second of reply, so that a slow one never hears stale sound."""

NOT_SENT_BYTES = 16 * 1024
"""… of which so much may wait unsent."""

OTHER_DESCRIPTORS = 256
"""Files, models, devices, and connections that are being refused; each client takes one more."""

BACKLOG = 1024
"""Connections that may wait to be accepted: everybody comes back at once after a restart."""


class WebServer:
    """Listens, checks who asks, and gives every client a session."""

    def __init__(self, config: Config, sessions: Sessions, metrics: Metrics) -> None:
        self._config, self._sessions, self._metrics = config, sessions, metrics
        self._site = Site(find_site())
        self._names = Names(config.server.page_port, config.server.names)
        self._clients: set[Connection] = set()
        metrics.backlog.set_function(lambda: sessions.backlog_s)
        self.greet: Callable[[Connection], None] = lambda client: None
        """Called for every client that has come."""
        self.ready = False
        """True once the models are warm; /readyz answers by it."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[tuple[int, int]]:
        """Listen on (page port, WebSocket port), yielded as bound; stops gracefully at exit.

        Raises ConfigError if a port is taken.
        """
        allow_descriptors(self._config.server.max_connections + OTHER_DESCRIPTORS)
        servers: list[Server] = []
        try:
            for name, port in (("STIMME_PAGE_PORT", self._config.server.page_port),
                               ("STIMME_PORT", self._config.server.port)):
                servers.append(await self._listen(name, port))
            ports = [server.sockets[0].getsockname()[1] for server in servers]
            self._names = Names(ports[0], self._config.server.names)
            yield ports[0], ports[1]
        finally:
            self.ready = False
            for server in servers:
                server.close(close_connections=False)  # nobody new
            await asyncio.gather(*(client.leave(GRACE_S) for client in self._clients))
            for server in servers:
                await server.wait_closed()

    @property
    def occupied(self) -> bool:
        """True while anyone is connected."""
        return bool(self._clients)

    async def announce(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> bool:
        """Say something to everyone connected, each in their language; True if anybody has it."""
        return any(await asyncio.gather(
            *(client.announce(texts, announcement_id, kind) for client in self._clients)))

    async def _listen(self, name: str, port: int) -> Server:
        settings = self._config
        try:
            return await serve(
                self._serve, settings.server.host, port,
                process_request=self._answer_http, compression=None, max_size=protocol.MAX_MESSAGE_BYTES,
                write_limit=settings.streaming.chunk_size * settings.streaming.max_chunk_buffer,
                ping_interval=settings.server.ping_interval_s, ping_timeout=settings.server.ping_timeout_s,
                open_timeout=5, close_timeout=2, server_header=None, backlog=BACKLOG)
        except OSError as error:
            host, reason = settings.server.host, error.strerror or error
            if error.errno == errno.EADDRINUSE:
                advice = f"Is Stimme running already? Stop it, or choose another port with {name}"
            else:
                advice = f"STIMME_HOST chooses the address, {name} the port"
            raise ConfigError(f"port {port} on {host} cannot be used: {reason}. {advice}") from error

    def _answer_http(self, connection: ServerConnection, request: Request) -> Response | None:
        """Everything before an upgrade: checks, then the page's files; None lets a WebSocket through."""
        host = request.headers.get("Host")
        if host is None or not self._names.host_allowed(host):
            return respond(
                http.HTTPStatus.MISDIRECTED_REQUEST,
                f"This device does not answer to the name {host!r}. STIMME_NAMES adds names.\n")
        if request.method != "GET":
            return respond(http.HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not answered here, only GET.\n")
        path = request.path.partition("?")[0]
        if request.headers.get("Upgrade", "").lower() == "websocket":
            if not self._names.origin_allowed(request.headers.get("Origin"), host):
                return respond(
                    http.HTTPStatus.FORBIDDEN, "Only this device's own page may open a connection from a browser.\n")
            return None
        if path == "/metrics":
            if not ipaddress.ip_address(connection.remote_address[0]).is_loopback:
                return respond(http.HTTPStatus.FORBIDDEN, "Metrics are for programs on this device only.\n")
            return respond(http.HTTPStatus.OK, self._metrics.text(), CONTENT_TYPE)
        if path == "/healthz":
            return respond(http.HTTPStatus.OK, "alive\n")
        if path == "/readyz":
            status = http.HTTPStatus.OK if self.ready else http.HTTPStatus.SERVICE_UNAVAILABLE
            return respond(status, "ready\n" if self.ready else "loading\n")
        return self._site.respond(path)

    async def _serve(self, connection: ServerConnection) -> None:
        _tune(connection, self._config.server.ping_interval_s + self._config.server.ping_timeout_s)
        if len(self._clients) >= self._config.server.max_connections:
            await self._refuse(connection)
            return
        client = Connection(
            connection, self._sessions, "", self._config.streaming.chunk_size, self._metrics, self.greet)
        self._clients.add(client)
        self._metrics.connections.set(len(self._clients))
        try:
            await client.run()
        finally:
            self._clients.discard(client)
            self._metrics.connections.set(len(self._clients))

    async def _refuse(self, connection: ServerConnection) -> None:
        limit = self._config.server.max_connections
        self._metrics.refused.inc()
        error = ProtocolError(
            "busy", f"{limit} clients are connected, which is the limit.",
            hint="Try again in a minute. MAX_CONNECTIONS raises the limit.")
        try:
            await connection.send(protocol.encode_error(error))
            await connection.close(1013, "busy: try again later")
        except ConnectionClosed:
            log.debug("a refused client had left already")


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
