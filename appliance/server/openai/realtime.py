"""/v1/realtime: sound comes as it is spoken, transcripts go back, and in a conversation our dialogue's answers too."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from appliance.audio.endpointing import Silence
from appliance.audio.formats import Inbound
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.errors import ProtocolError
from appliance.growing import Growing
from appliance.guests import Dictation, Guests
from appliance.language import Language
from appliance.pauses import Voices, is_voice
from appliance.server.access import Visitor
from appliance.server.budget import Pace
from appliance.server.openai.realtime_answer import Response
from appliance.server.openai.realtime_events import Settings, audio, encode, error, new, parse, shown, text, updated
from appliance.server.openai.refusals import Refused
from appliance.server.seats import Seats
from appliance.server.talks import Talks

log = logging.getLogger(__name__)

MOST_MESSAGE_BYTES = 1024 * 1024
"""16 s at 24 kHz, in base64."""
EVENTS_PER_S, EVENT_BURST = 200.0, 1000.0
"""Sound in pieces of 10 ms is a hundred a second."""
STALL_S = 10.0
"""A client that takes nothing for so long has stopped reading."""


class Realtime:
    """Everybody who speaks this protocol."""

    def __init__(self, guests: Guests, talks: Talks, dropped: Callable[[str], None]) -> None:
        self._guests, self._talks, self._dropped = guests, talks, dropped
        self.seats = Seats(dropped)

    async def talk(self, socket: ServerConnection, visitor: Visitor) -> None:
        """Serve one client until its WebSocket closes."""
        socket.protocol.max_message_size = MOST_MESSAGE_BYTES  # nothing was read yet; the page's messages are smaller
        client = _Client(socket, self._guests, self._talks, visitor)
        async with self.seats.taken(socket, client, visitor) as seated:
            if not seated:
                return
            try:
                await client.run()
            except* ConnectionClosed:
                log.debug("a client of the realtime API has gone")
            except* TimeoutError:
                self._dropped("stalled")
                socket.transport.abort()


class _Client:
    def __init__(self, socket: ServerConnection, guests: Guests, talks: Talks, visitor: Visitor) -> None:
        self._socket, self._guests = socket, guests
        self._talk = talks.new(f"realtime {visitor.id}")
        self._id = new("sess")
        self._settings = _asked(socket)
        self._clock = asyncio.get_running_loop().time
        self.idle_since: float | None = self._clock()
        self._pace = Pace(time.monotonic(), EVENTS_PER_S, EVENT_BURST)
        self._inbound = Inbound(self._settings.rate)
        self._voices, self._silence = Voices(guests.attention), Silence()
        self._before = b""
        """The last moments, while nobody speaks."""
        self._samples = 0
        self._dictation: Dictation | None = None
        self._growing = Growing()
        self._item_id, self._last_item_id = "", ""
        self._asked: list[tuple[str, Language]] = []
        """What was said or written and not answered yet."""
        self._response: tuple[Response, asyncio.Task[None]] | None = None

    async def run(self) -> None:
        """Until the client goes."""
        async with asyncio.TaskGroup() as self._tasks:
            try:
                await self._send(encode("session.created", session=shown(self._id, self._settings)))
                while True:
                    message = await self._socket.recv()
                    self.idle_since = None
                    await asyncio.sleep(self._pace.delay(1, time.monotonic()))
                    await self._take(message)
                    self.idle_since = None if self._dictation or self._is_answering else self._clock()
            finally:
                self._forget()
                if self._response is not None:
                    self._response[1].cancel()
                self._talk.close()

    @property
    def _is_answering(self) -> bool:
        return self._response is not None and not self._response[1].done()

    async def _take(self, message: str | bytes) -> None:
        fields: dict[str, Any] = {}
        try:
            if isinstance(message, bytes):
                raise ProtocolError("bad_json", "Events are text, not binary messages.")
            fields = parse(message)
            await self._carry_out(fields)
        except ProtocolError as failure:
            await self._send(error(failure, fields.get("event_id")))

    async def _carry_out(self, fields: dict[str, Any]) -> None:
        match fields["type"]:
            case "session.update" | "transcription_session.update":
                settings = updated(self._settings, fields)
                self._guests.language_of(settings.language)
                self._settings, self._inbound = settings, Inbound(settings.rate)
                answer = fields["type"].replace("update", "updated")
                await self._send(encode(answer, session=shown(self._id, self._settings)))
            case "input_audio_buffer.append":
                await self._append(self._inbound.feed(audio(fields)))
            case "input_audio_buffer.commit":
                if self._dictation is None:
                    raise ProtocolError("input_audio_buffer_commit_empty", "There is no sound to commit.")
                await self._commit()
            case "input_audio_buffer.clear":
                self._forget()
                await self._send(encode("input_audio_buffer.cleared"))
            case "conversation.item.create":
                await self._written(text(fields))
            case "response.create":
                await self._answer()
            case "response.cancel":
                await self._interrupt("client_cancelled")
            case "conversation.item.truncate" | "conversation.item.delete" | "output_audio_buffer.clear":
                pass  # what was said was said
            case other:
                raise Refused("unknown_event", f"{other!r:.60} is no event that is known here.", "type")

    # Hearing

    async def _append(self, pcm: bytes) -> None:
        self._samples += len(pcm) // SAMPLE_BYTES
        if not self._settings.vad:
            await self._hear(pcm)
            return
        voices = await self._voices.feed(pcm)
        self._silence.feed(voices, None)
        if self._dictation is None:
            if not is_voice(voices):
                keep = self._settings.prefix_ms * RATE // 1000 * SAMPLE_BYTES + len(pcm)
                self._before = (self._before + pcm)[-keep:]
                return
            pcm, self._before = self._before + pcm, b""
            await self._begun()
        await self._hear(pcm)
        is_over = not self._silence.is_voice and self._silence.seconds * 1000 >= self._settings.silence_ms
        if self._dictation is not None and is_over:
            await self._stopped()

    async def _begun(self) -> None:
        if self._settings.interrupts:
            await self._interrupt("turn_detected")
        self._item_id = new("item")
        await self._send(
            encode("input_audio_buffer.speech_started", audio_start_ms=self._at_ms(), item_id=self._item_id)
        )

    async def _stopped(self) -> None:
        await self._send(encode("input_audio_buffer.speech_stopped", audio_end_ms=self._at_ms(), item_id=self._item_id))
        await self._commit()
        if self._settings.kind == "realtime" and self._settings.answers and self._asked:
            await self._answer()

    async def _hear(self, pcm: bytes) -> None:
        if self._dictation is None:
            self._growing = Growing()
            self._item_id = self._item_id or new("item")
            self._dictation = self._guests.hear(self._guests.language_of(self._settings.language), self._growing.heard)
        if await self._dictation.audio(pcm) is not None:
            await self._stopped()
            return
        if self._settings.transcribes and (words := self._growing.take()):
            await self._tell_words(words)

    async def _commit(self) -> None:
        """What was said is a turn: tell what it was."""
        assert self._dictation is not None
        dictation, self._dictation = self._dictation, None
        item_id, self._item_id = self._item_id, ""
        await self._send(
            encode("input_audio_buffer.committed", item_id=item_id, previous_item_id=self._last_item_id or None)
        )
        final = await dictation.final()
        await self._added(item_id, {"type": "input_audio", "transcript": final.text})
        if self._settings.transcribes:
            if words := self._growing.rest(final.text):
                await self._tell_words(words, item_id)
            await self._send(
                encode(
                    "conversation.item.input_audio_transcription.completed",
                    item_id=item_id,
                    content_index=0,
                    transcript=final.text,
                    usage={"type": "duration", "seconds": round(dictation.audio_s, 2)},
                )
            )
        if final.text:
            self._asked.append((final.text, final.language or dictation.language))

    async def _tell_words(self, words: str, item_id: str = "") -> None:
        await self._send(
            encode(
                "conversation.item.input_audio_transcription.delta",
                item_id=item_id or self._item_id,
                content_index=0,
                delta=words,
            )
        )

    def _forget(self) -> None:
        if self._dictation is not None:
            self._dictation.forget()
        self._dictation, self._before, self._item_id = None, b"", ""

    def _at_ms(self) -> int:
        return round(1000 * self._samples / RATE)

    # Answering

    async def _written(self, words: str) -> None:
        if words:
            await self._added(new("item"), {"type": "input_text", "text": words})
            self._asked.append((words, self._guests.language_of(self._settings.language)))

    async def _added(self, item_id: str, part: dict[str, Any]) -> None:
        item = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [part],
        }
        for type in ("conversation.item.added", "conversation.item.done"):
            await self._send(encode(type, previous_item_id=self._last_item_id or None, item=item))
        self._last_item_id = item_id

    async def _answer(self) -> None:
        if self._settings.kind != "realtime":
            raise ProtocolError("no_responses", "This is a transcription session; it has no responses.")
        if self._is_answering:
            raise ProtocolError("conversation_already_has_active_response", "A response is under way.")
        if not self._asked:
            raise ProtocolError("nothing_asked", "Nothing was said or written that is not answered yet.")
        (question, language), self._asked = self._asked[-1], []
        response = Response(self._send, self._guests, self._talk, self._settings.rate)
        self._response = response, self._tasks.create_task(response.give(question, language))

    async def _interrupt(self, reason: str) -> None:
        if self._response is not None and self._is_answering:
            response, task = self._response
            task.cancel()
            await asyncio.wait([task])
            await response.cancelled(reason)

    async def _send(self, event: str) -> None:
        async with asyncio.timeout(STALL_S):
            await self._socket.send(event)


def _asked(socket: ServerConnection) -> Settings:
    """What the address says: ?intent=transcription, &model=…, &language=…"""
    query = parse_qs(socket.request.path.partition("?")[2] if socket.request else "", max_num_fields=20)
    kind = "transcription" if query.get("intent") == ["transcription"] else "realtime"
    return Settings(
        kind,  # type: ignore[arg-type]
        model=query.get("model", ["stimme"])[0][:100],
        language=query.get("language", [""])[0][:20],
    )
