"""One connected page or program: docs/protocol.md on one side, a session on the other. A codec and a socket."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed

from appliance import turns
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.backlog import LOOK_S, MOST_OWN_WAITING_S
from appliance.errors import ProtocolError
from appliance.language import LANGUAGES, Language
from appliance.server.access import Visitor
from appliance.server.budget import MESSAGE_BURST, MESSAGES_PER_S, REAL_TIME_LIMIT, UNREAD_LIMIT_BYTES, Pace
from appliance.server.metrics import Metrics
from appliance.server.page import encoding, messages, protocol
from appliance.server.page.board import Board
from appliance.server.page.settings import Settings
from appliance.server.page.sink import PIECE_BYTES, ConnectionSink
from appliance.session import Session
from appliance.sessions import Sessions

log = logging.getLogger(__name__)

TAKEN_S = 10.0
"""A client that does not answer a ping behind an announcement within this time has not heard it."""

RECEIVED_EVERY_S = 1.0
"""How often a client that speaks is told how much has arrived: a sign of life where pongs wait behind sound."""

RECONNECT_AFTER_MS = 2000
"""When a client may come back after a goodbye."""

CLOSING_S = 2.0
"""A client that is seen off has so long to take what was sent to it."""


class Connection:
    """Speaks with one socket until it closes.

    visitor: who is there. chunk_size: what a page is advised to send at a time, in bytes.
    page_version: of the page that this device serves. arrived: called once, after
    the client's first message.
    """

    def __init__(
        self,
        socket: ServerConnection,
        sessions: Sessions,
        visitor: Visitor,
        chunk_size: int,
        page_version: str,
        metrics: Metrics,
        board: Board,
        settings: Settings,
        arrived: Callable[[Connection], None],
    ) -> None:
        self._arrived: Callable[[Connection], None] | None = arrived
        self._socket, self._sessions, self._visitor, self._metrics = socket, sessions, visitor, metrics
        self._chunk_size, self._page_version = chunk_size, page_version
        self._board, self._settings = board, settings
        self.session: Session = sessions.open(visitor.id)
        self._sink: ConnectionSink | None = ConnectionSink(socket, RATE, metrics)
        self._ends_by_itself = False
        """The open utterance's client leaves its end to the device too."""
        self._received_told_at = 0.0
        self._pace = Pace(time.monotonic(), REAL_TIME_LIMIT, sessions.max_audio_duration_s)
        self._message_pace = Pace(time.monotonic(), MESSAGES_PER_S, MESSAGE_BURST)
        self._asked_at = asyncio.get_running_loop().time()

    @property
    def idle_since(self) -> float | None:
        """Loop time since when nothing was asked; None while something is being said."""
        return None if self.session.open_id else self._asked_at

    async def run(self) -> None:
        """Serve until the socket closes. What was asked by then is carried out."""
        self.session.attach(self, self._sink)
        try:
            while True:
                await self._receive(await self._socket.recv())
        except ConnectionClosed as error:
            log.debug("a client has gone: %s", error)
        finally:
            self._board.leave(self)
            self._settings.leave(self)
            self.session.detach(self)

    async def leave(self, grace_s: float) -> None:
        """Let what is under way finish within `grace_s`, ask the client to come back, and close."""
        if not await self.session.settled(grace_s):
            log.info("a turn was not finished after %g s", grace_s)
        self.send(encoding.encode_goodbye("restart", RECONNECT_AFTER_MS))
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._socket.close(1001, "the device stops")
        except TimeoutError:  # it takes nothing any more: the library would wait for room until TCP gives up
            self._socket.transport.abort()

    async def announce(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> bool:
        """Say it; True once the client has all of it: it answers a ping that was sent behind."""
        language = self.session.language if self.session.language in texts else next(iter(texts))
        announcement = turns.Announcement(announcement_id, language, texts[language], kind)  # type: ignore[arg-type]
        await asyncio.wait([self.session.announce(announcement)])
        try:
            async with asyncio.timeout(TAKEN_S):
                await (await self._socket.ping())
        except (ConnectionClosed, TimeoutError):
            return False
        return True

    # What the session tells (session.Place)

    def tell(self, event: turns.Event) -> None:
        """Send an event. Partial transcripts are left out for a client that is behind."""
        if isinstance(event, turns.PartialHeard | turns.Queued | turns.Paused) and self._unread() > PIECE_BYTES:
            return
        if isinstance(event, turns.Endpoint) and not self._ends_by_itself:
            self.send(encoding.encode_error(self._too_long(event.id)))
        else:
            self.send(encoding.encode(event))

    def displaced(self) -> None:
        """The client came back by another connection, so nobody is here any more."""
        self._socket.transport.abort()

    def send(self, text: str) -> None:
        """Hand a text message to the transport without waiting."""
        broadcast((self._socket,), text)
        if self._unread() > UNREAD_LIMIT_BYTES:
            self._metrics.client_dropped("unread")
            self._socket.transport.abort()

    def _unread(self) -> int:
        return self._socket.transport.get_write_buffer_size()

    def _too_long(self, id: str) -> ProtocolError:
        return ProtocolError(
            "audio_too_long",
            f"an utterance lasts at most {self._sessions.max_audio_duration_s:g} s; "
            "what was heard until then is being answered",
            hint="MAX_AUDIO_DURATION sets the limit, in seconds.",
            id=id,
        )

    # What the client sends

    async def _receive(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            with self._refusals():
                self.session.audio(message)
            self._tell_received()
            await _pause(self._pace.delay(len(message) / SAMPLE_BYTES / RATE, time.monotonic()))
            while self._sessions.is_overloaded and self.session.backlog_s > MOST_OWN_WAITING_S:  # noqa: ASYNC110
                await _pause(LOOK_S)
        else:
            await _pause(self._message_pace.delay(1, time.monotonic()))
            with self._refusals():
                asked = protocol.parse(message)
                if isinstance(asked, messages.Hello) and asked.session:
                    await self._sessions.fetch(asked.session, self._visitor.id)
                self._control(asked)
            if self._arrived is not None:
                self._arrived(self)
                self._arrived = None

    def _tell_received(self) -> None:
        session, now = self.session, asyncio.get_running_loop().time()
        if session.open_id and now >= self._received_told_at + RECEIVED_EVERY_S:
            self._received_told_at = now
            self.send(encoding.encode_received(session.open_id, session.open_audio_s))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """What cannot be done is told to the client; the connection goes on."""
        try:
            yield
        except ProtocolError as error:
            self.send(encoding.encode_error(error))

    def _control(self, message: messages.Message) -> None:
        session = self.session
        if isinstance(message, messages.Start | messages.Text):
            self._asked_at = asyncio.get_running_loop().time()
        match message:
            case messages.Ping():
                self.send(encoding.encode_pong(message, time.time()))
            case messages.Start():
                self._start(message)
            case messages.Stop(id):
                session.end(id or "")
            case messages.Cancel(id):
                session.cancel(id or "")
            case messages.Text(id, language, text):
                session.text(text, id or "", language)
            case messages.Interrupt():
                session.interrupt()
            case messages.Hello():
                self._hello(message)
            case messages.Follow():
                self._board.follow(self, self.send)
            case messages.ShowSettings():
                self._settings.show(self, self._visitor, session.memory, session.language, self.send)
            case messages.Set():
                self._settings.change(message, self, self._visitor, session.memory, session.language, self.send)
            case messages.ChangeTimer() | messages.ChangeItem():
                self._board.change(message, lambda error: self.send(encoding.encode_error(error)))

    def _start(self, start: messages.Start) -> None:
        endpointer = self.session.by_itself() if start.endpoint == "auto" else None
        if start.id and start.id == self.session.open_id:
            self.session.endpoint(endpointer)
        else:
            self.session.begin(start.id or "", start.language, endpointer, lingers=start.lingers)
        self._ends_by_itself = endpointer is not None
        self._received_told_at = asyncio.get_running_loop().time()

    def _hello(self, hello: messages.Hello) -> None:
        before = self._sessions.resume(hello.session, self._visitor.id) if hello.session else None
        if before is not None and before is not self.session and self.session.is_fresh:
            self.session.detach(self)
            self.session = before
            before.attach(self, self._sink)
        session = self.session
        session.language = hello.language or session.language
        rate = hello.reply_rate or (self._sink.rate if self._sink else RATE)
        speak = hello.speak if hello.speak is not None else self._sink is not None
        session.sink = self._sink = ConnectionSink(self._socket, rate, self._metrics) if speak else None
        ears, mouth = self._sessions.faculties.ears, self._sessions.faculties.mouth
        self.send(
            encoding.encode_welcome(
                language=session.language,
                languages=list(LANGUAGES),
                reply_rate=rate,
                chunk_size=self._chunk_size,
                max_audio_duration_s=self._sessions.max_audio_duration_s,
                recognizer=ears.names.get(session.language, ""),
                voice=mouth.names.get(session.language, ""),
                volume=session.memory.volume,
                spoken={language: language in ears.languages for language in LANGUAGES},
                session=session.secret,
                page_version=self._page_version,
            )
        )


async def _pause(delay_s: float) -> None:
    """Read nothing from this client for a while; TCP slows it down."""
    if delay_s > 0:
        await asyncio.sleep(delay_s)
