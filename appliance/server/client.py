"""One connected client: its messages in, its conversation, its events and sound out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed

from appliance import turns
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.audio.utterance import Utterance
from appliance.config import Config
from appliance.conversation import Conversation, Faculties
from appliance.dialogue.types import LANGUAGES, Language
from appliance.errors import ProtocolError
from appliance.server import protocol
from appliance.server.access import Pace

STALL_S = 10.0
"""A client that takes no byte for this long has stopped reading and is dropped."""

UNREAD_LIMIT_BYTES = 256 * 1024
"""… and so is one that lets this much pile up without any sound being sent."""

PIECE_BYTES = 8 * 1024
"""Most reply sound in one message: 85 ms at 48 kHz, so that little is under way when the person interrupts."""


@dataclass(frozen=True)
class Facts:
    """What a client is told about this device. The mappings hold only languages that work."""

    recognizers: Mapping[Language, str]
    voices: Mapping[Language, str]


class ConnectionSink:
    """The client's loudspeaker, behind its socket. The client itself silences what it has already got."""

    def __init__(self, socket: ServerConnection, rate: int) -> None:
        self.rate = rate
        self._socket = socket

    async def write(self, pcm: bytes) -> None:
        try:
            for start in range(0, len(pcm), PIECE_BYTES):
                async with asyncio.timeout(STALL_S):
                    await self._socket.send(pcm[start : start + PIECE_BYTES])
        except TimeoutError:
            self._socket.transport.abort()
        except ConnectionClosed:
            pass  # the receiving side ends the conversation

    async def drain(self) -> None:
        """Everything was handed to the transport."""

    def flush(self) -> None:
        """Nothing is kept here."""


class Client:
    """Speaks docs/protocol.md with one socket until it closes."""

    def __init__(
        self, socket: ServerConnection, config: Config, faculties: Faculties, facts: Facts,
        on_event: Callable[[turns.Event], None] = lambda event: None,
    ) -> None:
        self._socket, self._config, self._faculties, self._facts = socket, config, faculties, facts
        self._on_event = on_event
        self.language: Language = config.language
        self._sink: ConnectionSink | None = ConnectionSink(socket, RATE)
        self._pace = Pace(time.monotonic())
        self._limit = round(config.server.max_audio_duration_s * RATE)
        self._conversation: Conversation | None = None
        self._utterance: Utterance | None = None
        self._utterance_id = ""
        self._utterance_turn: asyncio.Task[None] | None = None
        self._open_turns = 0
        self._count = 0
        self._strays_told = False

    async def run(self) -> None:
        """Serve until the socket closes. Turns under way end with it."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._conversation = Conversation(self._faculties, self._sink, self.tell, tasks)
                while True:
                    await self._receive(await self._socket.recv())
        except* ConnectionClosed:
            pass
        finally:
            self._conversation = None

    @property
    def busy(self) -> bool:
        """True while someone speaks or waits for an answer."""
        return self._open_turns > 0

    def tell(self, event: turns.Event) -> None:
        """Send an event. Partial transcripts are left out for a client that is behind."""
        if isinstance(event, turns.PartialHeard | turns.Queued) and self._unread() > PIECE_BYTES:
            return
        self._on_event(event)
        self.send(protocol.encode(event))

    def send(self, text: str) -> None:
        """Hand a text message to the transport without waiting."""
        broadcast((self._socket,), text)
        if self._unread() > UNREAD_LIMIT_BYTES:
            self._socket.transport.abort()

    def announce(self, announcement: turns.Announcement) -> None:
        if self._conversation is not None:
            self._begin(announcement)

    def _unread(self) -> int:
        return self._socket.transport.get_write_buffer_size()

    async def _receive(self, message: str | bytes) -> None:
        try:
            if isinstance(message, bytes):
                await self._audio(message)
            else:
                self._control(protocol.parse(message))
        except ProtocolError as error:
            self.send(protocol.encode_error(error, self._utterance_id or None))

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
                self._begin(turns.Typed(id or self._next_id(), language or self.language, text))
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
        self._sink = ConnectionSink(self._socket, rate) if speak else None
        self._talk().sink = self._sink
        self.send(protocol.encode_welcome(
            language=self.language, languages=list(LANGUAGES), reply_rate=rate,
            chunk_size=self._config.streaming.chunk_size,
            max_audio_duration_s=self._config.server.max_audio_duration_s,
            recognizer=self._facts.recognizers.get(self.language, ""),
            voice=self._facts.voices.get(self.language, ""),
            spoken={language: language in self._facts.recognizers for language in LANGUAGES}))

    def _start(self, start: protocol.Start) -> None:
        if self._utterance is not None:
            raise ProtocolError("already_started", "an utterance is open already; send stop or cancel first")
        language = start.language or self.language
        if language not in self._facts.recognizers:
            raise ProtocolError(
                "no_recognizer", f"There is no recognizer for {language!r} on this device.",
                hint="Typed text works. `stimme models list` names the recognizers that can be fetched.")
        self._strays_told = False
        self._utterance, self._utterance_id = Utterance(self._limit), start.id or self._next_id()
        self.tell(turns.Listening(self._utterance_id))
        self._utterance_turn = self._begin(turns.Spoken(self._utterance_id, language, self._utterance))

    async def _audio(self, pcm: bytes) -> None:
        if self._utterance is None:
            if not self._strays_told:
                self._strays_told = True
                raise ProtocolError("not_started", "sound arrived without start, or after stop; it was not used")
            return
        if len(pcm) % SAMPLE_BYTES:
            raise ProtocolError(
                "odd_bytes", f"{len(pcm)} bytes of sound, expected an even number (s16le); the message was not used")
        self._utterance.write(pcm)
        if self._utterance.truncated:
            self._close_utterance()
            self._strays_told = True
            raise ProtocolError(
                "audio_too_long", f"an utterance lasts at most {self._config.server.max_audio_duration_s:g} s; "
                "what was heard until then is being answered", hint="MAX_AUDIO_DURATION sets the limit, in seconds.")
        delay = self._pace.delay(len(pcm) / SAMPLE_BYTES / RATE, time.monotonic())
        if delay > 0:
            await asyncio.sleep(delay)

    def _stop(self, stop: protocol.Stop) -> None:
        if self._utterance is None or stop.id not in (None, self._utterance_id):
            if self._strays_told and stop.id in (None, self._utterance_id):
                return  # the utterance ended at its limit a moment ago, and the client knows
            raise ProtocolError("not_started", "stop without start; nothing was being listened to")
        self._close_utterance()

    def _cancel(self, cancel: protocol.Cancel) -> None:
        if self._utterance is None or cancel.id not in (None, self._utterance_id):
            raise ProtocolError("not_started", "cancel without start; nothing was being listened to")
        self._close_utterance()
        if self._utterance_turn is not None:
            self._utterance_turn.cancel()
        self.tell(turns.Cancelled(self._utterance_id))

    def _close_utterance(self) -> None:
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

    def _next_id(self) -> str:
        self._count += 1
        return str(self._count)
