"""One connected client: its messages in, its conversation, its events and sound out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed

from appliance import turns
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.audio.utterance import Utterance
from appliance.config import Config
from appliance.conversation import Conversation, Faculties
from appliance.errors import ProtocolError
from appliance.language import LANGUAGES, Language
from appliance.server.access import MESSAGE_BURST, MESSAGES_PER_S, REAL_TIME_LIMIT, Pace
from appliance.server.metrics import Metrics
from appliance.server.page import protocol
from appliance.server.page.answered import AnsweredTurns
from appliance.server.page.sink import PIECE_BYTES, ConnectionSink

log = logging.getLogger(__name__)

UNREAD_LIMIT_BYTES = 256 * 1024
"""A client that lets this much pile up without any sound being sent has stopped reading and is dropped."""

RECONNECT_AFTER_MS = 2000
"""When a client may come back after a goodbye."""

MOST_TURNS = 16
"""Of one client under way at once: nobody may fill the queues that all share."""

OVERDUE_S = 5.0
"""An utterance may stay open for so much longer than the sound it may hold."""


@dataclass(frozen=True)
class Facts:
    """What a client is told about this device. The mappings hold only languages that work."""

    recognizers: Mapping[Language, str]
    voices: Mapping[Language, str]


class Client:
    """Speaks docs/protocol.md with one socket until it closes."""

    def __init__(
        self, socket: ServerConnection, config: Config, faculties: Faculties, facts: Facts, metrics: Metrics,
        answered: AnsweredTurns,
    ) -> None:
        self._socket, self._config, self._faculties, self._facts = socket, config, faculties, facts
        self._metrics, self._answered = metrics, answered
        self.language: Language = config.language
        self._sink: ConnectionSink | None = ConnectionSink(socket, RATE, metrics)
        self._pace = Pace(time.monotonic(), REAL_TIME_LIMIT, config.server.max_audio_duration_s)
        self._message_pace = Pace(time.monotonic(), MESSAGES_PER_S, MESSAGE_BURST)
        self._limit = round(config.server.max_audio_duration_s * RATE)
        self._conversation: Conversation | None = None
        self._utterance: Utterance | None = None
        self._utterance_id = ""
        self._utterance_turn: asyncio.Task[None] | None = None
        self._utterances: set[Utterance] = set()  # those that may hold sound
        self._overdue: asyncio.TimerHandle | None = None
        self._open_turns = 0
        self._count = 0
        self._strays_told = False
        self._quiet: asyncio.Event | None = None
        """Set once nothing is under way; only while leaving."""

    async def run(self) -> None:
        """Serve until the socket closes. What was asked by then is carried out."""
        try:
            async with asyncio.TaskGroup() as tasks:
                conversation = self._conversation = Conversation(self._faculties, self._sink, self.tell, tasks)
                try:
                    while True:
                        await self._receive(await self._socket.recv())
                except ConnectionClosed:
                    await conversation.wind_up()
        finally:
            self._conversation = None
            self._close_utterance()

    async def leave(self, grace_s: float) -> None:
        """Finish what is under way within `grace_s`, take up nothing new, ask the client to come back, and close."""
        self._quiet = asyncio.Event()
        if self._open_turns:
            try:
                async with asyncio.timeout(grace_s):
                    await self._quiet.wait()
            except TimeoutError:
                log.info("a turn was not finished after %g s", grace_s)
        self.send(protocol.encode_goodbye("restart", RECONNECT_AFTER_MS))
        await self._socket.close(1001, "the device stops")

    def tell(self, event: turns.Event) -> None:
        """Send an event. Partial transcripts are left out for a client that is behind."""
        if isinstance(event, turns.PartialHeard | turns.Queued) and self._unread() > PIECE_BYTES:
            return
        self._metrics.event(event)
        self._answered.note(event)
        self.send(protocol.encode(event))

    def send(self, text: str) -> None:
        """Hand a text message to the transport without waiting."""
        broadcast((self._socket,), text)
        if self._unread() > UNREAD_LIMIT_BYTES:
            self._metrics.client_dropped("unread")
            self._socket.transport.abort()

    def announce(self, announcement: turns.Announcement) -> None:
        if self._conversation is not None:
            self._begin(announcement)

    @property
    def backlog_s(self) -> float:
        """Sound that has arrived and was not decoded yet."""
        return sum(utterance.waiting for utterance in self._utterances) / RATE

    def _unread(self) -> int:
        return self._socket.transport.get_write_buffer_size()

    async def _receive(self, message: str | bytes) -> None:
        try:
            if isinstance(message, bytes):
                await self._audio(message)
            else:
                await self._pause(self._message_pace.delay(1, time.monotonic()))
                self._control(protocol.parse(message))
        except ProtocolError as error:
            if isinstance(message, bytes):
                error.id = self._utterance_id or None
            self.send(protocol.encode_error(error))

    def _control(self, message: protocol.Message) -> None:
        match message:
            case protocol.Ping():
                self.send(protocol.encode_pong(message, time.time()))
            case protocol.Start():
                self._start(message)
            case protocol.Stop():
                self._stop(message)
            case protocol.Cancel():
                self._cancel(message)
            case protocol.Text(id, language, text):
                self._type(id or self._next_id(), language or self.language, text)
            case protocol.Interrupt():
                self._talk().interrupt()
            case protocol.Hello():
                self._hello(message)

    def _talk(self) -> Conversation:
        assert self._conversation is not None, "messages are only received while the conversation is open"
        return self._conversation

    def _hello(self, hello: protocol.Hello) -> None:
        self.language = hello.language or self.language
        rate = hello.reply_rate or (self._sink.rate if self._sink else RATE)
        speak = hello.speak if hello.speak is not None else self._sink is not None
        self._sink = ConnectionSink(self._socket, rate, self._metrics) if speak else None
        self._talk().sink = self._sink
        self.send(protocol.encode_welcome(
            language=self.language, languages=list(LANGUAGES), reply_rate=rate,
            chunk_size=self._config.streaming.chunk_size,
            max_audio_duration_s=self._config.server.max_audio_duration_s,
            recognizer=self._facts.recognizers.get(self.language, ""),
            voice=self._facts.voices.get(self.language, ""), volume=self._talk().volume,
            spoken={language: language in self._facts.recognizers for language in LANGUAGES}))

    def _refuse_if_full(self, id: str | None) -> None:
        if self._quiet is not None:
            raise ProtocolError("stopping", "The device is stopping.", hint="It tells you when to come back.", id=id)
        if self._open_turns >= MOST_TURNS:
            raise ProtocolError(
                "too_many_turns", f"{self._open_turns} turns are under way, which is the limit.",
                hint="Wait for their answers.", id=id)

    def _type(self, id: str, language: Language, text: str) -> None:
        self._refuse_if_full(id)
        before = self._answered.again(id)
        self._begin(turns.Again(id, None, *before) if before else turns.Typed(id, language, text))

    def _start(self, start: protocol.Start) -> None:
        self._refuse_if_full(start.id)
        if self._utterance is not None:
            raise ProtocolError(
                "already_started", "an utterance is open already; send stop or cancel first", id=start.id)
        language = start.language or self.language
        if language not in self._facts.recognizers:
            raise ProtocolError(
                "no_recognizer", f"There is no recognizer for {language!r} on this device.",
                hint="Typed text works. `stimme models list` names the recognizers that can be fetched.", id=start.id)
        self._strays_told = False
        id = self._utterance_id = start.id or self._next_id()
        utterance = self._utterance = Utterance(self._limit)
        self.tell(turns.Listening(id))
        before = self._answered.again(id)
        self._utterance_turn = self._begin(
            turns.Again(id, utterance, *before) if before else turns.Spoken(id, language, utterance))
        self._overdue = asyncio.get_running_loop().call_later(
            self._config.server.max_audio_duration_s + OVERDUE_S, self._end_overdue)
        self._utterances.add(utterance)
        self._utterance_turn.add_done_callback(lambda _: self._utterances.discard(utterance))

    async def _audio(self, pcm: bytes) -> None:
        if self._utterance is None:
            self._metrics.frame_dropped("not_started")
            if not self._strays_told:
                self._strays_told = True
                raise ProtocolError("not_started", "sound arrived without start, or after stop; it was not used")
            return
        if len(pcm) % SAMPLE_BYTES:
            self._metrics.frame_dropped("odd_bytes")
            raise ProtocolError(
                "odd_bytes", f"{len(pcm)} bytes of sound, expected an even number (s16le); the message was not used")
        self._utterance.write(pcm)
        if self._utterance.truncated:
            self._metrics.frame_dropped("audio_too_long")
            self._close_utterance()
            self._strays_told = True
            raise self._too_long()
        await self._pause(self._pace.delay(len(pcm) / SAMPLE_BYTES / RATE, time.monotonic()))

    @staticmethod
    async def _pause(delay_s: float) -> None:
        """Read nothing from this client for a while; TCP slows it down."""
        if delay_s > 0:
            await asyncio.sleep(delay_s)

    def _stop(self, stop: protocol.Stop) -> None:
        if self._utterance is None or stop.id not in (None, self._utterance_id):
            if self._strays_told and stop.id in (None, self._utterance_id):
                return  # the utterance ended at its limit a moment ago, and the client knows
            raise ProtocolError("not_started", "stop without start; nothing was being listened to", id=stop.id)
        self._close_utterance()

    def _cancel(self, cancel: protocol.Cancel) -> None:
        if self._utterance is None or cancel.id not in (None, self._utterance_id):
            raise ProtocolError("not_started", "cancel without start; nothing was being listened to", id=cancel.id)
        audio_s = self._utterance.samples / RATE
        self._close_utterance()
        if self._utterance_turn is not None:
            self._utterance_turn.cancel()
        self.tell(turns.Cancelled(self._utterance_id, audio_s))

    def _end_overdue(self) -> None:
        """Someone who began to talk and then neither talks nor stops would keep a recognizer for ever."""
        self._close_utterance()
        self._strays_told = True
        self.send(protocol.encode_error(self._too_long()))

    def _too_long(self) -> ProtocolError:
        return ProtocolError(
            "audio_too_long", f"an utterance lasts at most {self._config.server.max_audio_duration_s:g} s; "
            "what was heard until then is being answered", hint="MAX_AUDIO_DURATION sets the limit, in seconds.",
            id=self._utterance_id)

    def _close_utterance(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        if self._utterance is not None:
            self._utterance.end()
            self._utterance = None

    def _begin(self, request: turns.Request) -> asyncio.Task[None]:
        task = self._talk().begin(request)
        self._open_turns += 1
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open_turns -= 1
        if self._quiet is not None and not self._open_turns:
            self._quiet.set()

    def _next_id(self) -> str:
        self._count += 1
        return str(self._count)
