"""One client of Wyoming, as Home Assistant is: hears for it, speaks for it, answers for it. A codec and a stream."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from appliance.audio.formats import Inbound
from appliance.audio.pcm import SAMPLE_BYTES
from appliance.errors import ModelError, ProtocolError
from appliance.growing import Growing
from appliance.guests import Dictation, Guests
from appliance.language import Language
from appliance.server.budget import Pace
from appliance.server.streams import Caller
from appliance.server.talks import Talk, Talks
from appliance.server.wyoming.codec import Decoder, Event, encode
from appliance.server.wyoming.offer import info, voice_language
from appliance.server.wyoming.waking import Detection, Words

RATE = 22_050
"""Of what is spoken, in Hz: the better of the embedded voices' own."""

IDLE_S = 300.0
"""A client that asks nothing for so long is let go …"""
SILENT_S = 30.0
"""… and one that has begun to speak and sends nothing."""
EVENT_S = 10.0
"""The longest that an event may be on its way …"""

EVENTS_PER_S = 1000.0
EVENT_BURST = 4000.0
"""… and how many may come: sound in pieces of 10 ms is a hundred a second."""

MOST_TEXT_CHARACTERS = 20_000
"""Of one text to be spoken: twenty minutes."""
MOST_PIECES = 64
"""Of a text that is still being written, between the client and the voice."""

_TAG = re.compile(r"<[^>]*>")


class Connection:
    """Speaks with one caller until it goes."""

    def __init__(self, caller: Caller, guests: Guests, talks: Talks, words: Words) -> None:
        self._caller, self._guests, self._talks, self._words = caller, guests, talks, words
        self._detection: Detection | None = None
        """While it waits for a wake word."""
        self._decoder = Decoder()
        self._pace = Pace(time.monotonic(), EVENTS_PER_S, EVENT_BURST)
        self._clock = asyncio.get_running_loop().time
        self._inside_since = self._clock()
        self._language: Language = guests.language
        """Of what will be said."""
        self._dictation: Dictation | None = None
        self._inbound: tuple[tuple[int, int, int], Inbound] | None = None
        self._growing = Growing()
        self._transcribed = False
        """What is said now was answered already: the end was ours."""
        self._speech: asyncio.Task[None] | None = None
        self._text: asyncio.Queue[str | None] | None = None
        """Of a text that is being written; None ends it."""
        self._characters = 0
        self._own_talk: Talk | None = None

    async def run(self) -> None:
        """Serve until the client goes; what it asked before is still done then."""
        async with asyncio.TaskGroup() as self._tasks:
            try:
                await self._serve()
                await self._spoken()
            except (TimeoutError, ConnectionError):
                self._caller.abort()
            finally:
                self._forget()
                self._end_detection()
                if self._speech is not None:
                    self._speech.cancel()
                if self._own_talk is not None:
                    self._own_talk.close()

    async def _serve(self) -> None:
        while data := await self._caller.read(self._patience_s()):
            try:
                for event in self._decoder.feed(data):
                    await self._take(event)
                    await asyncio.sleep(self._pace.delay(1 + len(event.payload) / 8192, time.monotonic()))
            except ProtocolError as error:  # nothing can be read any more
                await self._refuse(error)
                return
            is_busy = self._dictation or self._detection or (self._speech is not None and not self._speech.done())
            self._caller.idle_since = None if is_busy else self._clock()

    def _patience_s(self) -> float:
        """How long to wait for what comes next. An event has EVENT_S from its first byte, however it is dealt out."""
        now = self._clock()
        if not self._decoder.is_inside:
            self._inside_since = now
            return SILENT_S if self._dictation or self._detection else IDLE_S
        return max(0.0, self._inside_since + EVENT_S - now)

    async def _take(self, event: Event) -> None:
        try:
            await self._answer(event)
        except ProtocolError as error:
            await self._refuse(error)

    async def _answer(self, event: Event) -> None:
        match event.type:
            case "describe":
                await self._caller.write(info(self._guests.faculties, self._words.known))
            case "ping":
                await self._caller.write(encode("pong", {"text": event.text("text")}))
            case "transcribe":
                self._language = self._guests.language_of(event.text("language"))
                self._end_detection()
            case "detect":
                self._end_detection()
                self._detection = await self._words.listen(event.data.get("names"))
            case "audio-start":
                self._inbound = None
                if self._detection is None:
                    self._begin()
            case "audio-chunk":
                await (self._audio(event) if self._detection is None else self._detect(event, self._detection))
            case "audio-stop":
                await (self._stop() if self._detection is None else self._undetected(self._detection))
            case "synthesize":
                await self._synthesize(event)
            case "synthesize-start":
                await self._start_text(event)
            case "synthesize-chunk":
                await self._add_text(event.text("text"))
            case "synthesize-stop":
                await self._add_text(None)
            case "transcript":
                await self._handle(event)
        # anything else is for others, or newer than this: the protocol says to ignore it

    async def _refuse(self, error: ProtocolError) -> None:
        text = f"{error} {error.hint}".strip()
        await self._caller.write(encode("error", {"text": text, "code": error.code}))

    # Hearing

    def _begin(self) -> None:
        self._forget()
        self._inbound, self._growing, self._transcribed = None, Growing(), False
        self._dictation = self._guests.hear(self._language, self._growing.heard, ends_by_itself=True)

    def _forget(self) -> None:
        if self._dictation is not None:
            self._dictation.forget()
            self._dictation = None

    async def _audio(self, event: Event) -> None:
        if self._transcribed:
            return
        if self._dictation is None:  # older clients do not announce it
            self._begin()
        assert self._dictation is not None
        ended = await self._dictation.audio(self._converted(event))
        if words := self._growing.take():
            await self._tell_words(words)
        if ended is not None:
            await self._finish(self._dictation)

    def _converted(self, event: Event) -> bytes:
        """Its sound as s16le at 16 kHz."""
        form = event.number("rate"), event.number("width"), event.number("channels")
        if self._inbound is None or self._inbound[0] != form:
            self._inbound = form, Inbound(*form)
        return self._inbound[1].feed(event.payload)

    # Waking

    async def _detect(self, event: Event, detection: Detection) -> None:
        for name, at_ms in await detection.feed(self._converted(event)):
            await self._caller.write(encode("detection", {"name": name, "timestamp": at_ms}))

    async def _undetected(self, detection: Detection) -> None:
        self._end_detection()
        if not detection.noticed:
            await self._caller.write(encode("not-detected"))

    def _end_detection(self) -> None:
        if self._detection is not None:
            self._detection.close()
            self._detection = None

    async def _stop(self) -> None:
        if self._dictation is None and not self._transcribed:
            self._begin()
        if self._dictation is not None:
            if self._inbound is not None:
                await self._dictation.audio(self._inbound[1].end())
            await self._finish(self._dictation)
        self._transcribed = False

    async def _finish(self, dictation: Dictation) -> None:
        self._dictation, self._transcribed = None, True
        final = await dictation.final()
        if (words := self._growing.rest(final.text)) or not self._growing.is_begun:
            await self._tell_words(words)
        language = final.language or dictation.language
        await self._caller.write(
            encode("transcript", {"text": final.text, "language": language}) + encode("transcript-stop")
        )

    async def _tell_words(self, words: str) -> None:
        start = b"" if self._growing.is_begun else encode("transcript-start", {"language": self._language})
        self._growing.is_begun = True
        await self._caller.write(start + (encode("transcript-chunk", {"text": words}) if words else b""))

    # Speaking

    async def _synthesize(self, event: Event) -> None:
        if self._text is not None:
            return  # the same text once more, for servers that cannot take it in pieces
        text = event.text("text")
        if len(text) > MOST_TEXT_CHARACTERS:
            raise _too_long(len(text))
        await self._speak(_plain(text, event), self._voice(event), lambda: encode("audio-stop"))

    async def _start_text(self, event: Event) -> None:
        if self._text is not None:
            await self._add_text(None)
        language = self._voice(event)
        written = self._text = asyncio.Queue[str | None](MOST_PIECES)
        self._characters = 0

        async def pieces() -> AsyncIterator[str]:
            while (piece := await written.get()) is not None:
                yield piece

        await self._speak(pieces(), language, lambda: encode("audio-stop") + encode("synthesize-stopped"))

    async def _add_text(self, text: str | None) -> None:
        if self._text is None:
            return
        self._characters += len(text or "")
        is_too_long = self._characters > MOST_TEXT_CHARACTERS
        while self._speech is not None and not self._speech.done():
            try:
                self._text.put_nowait(None if is_too_long else text)
                break
            except asyncio.QueueFull:
                await asyncio.sleep(0.02)
        if text is None or is_too_long:
            self._text = None
        if is_too_long:
            raise _too_long(self._characters)

    async def _speak(self, text: str | AsyncIterator[str], language: Language, end: Callable[[], bytes]) -> None:
        await self._spoken()
        self._speech = self._tasks.create_task(self._say(text, language, end))

    async def _spoken(self) -> None:
        """One after the other."""
        if self._speech is not None:
            await asyncio.wait([self._speech])

    async def _say(self, text: str | AsyncIterator[str], language: Language, end: Callable[[], bytes]) -> None:
        form = {"rate": RATE, "width": SAMPLE_BYTES, "channels": 1}
        begun = False
        try:
            async with aclosing(self._guests.speak(text, language, rate=RATE)) as pieces:
                async for pcm in pieces:
                    start = b"" if begun else encode("audio-start", form)
                    begun = True
                    await self._caller.write(start + encode("audio-chunk", form, pcm))
            await self._caller.write((b"" if begun else encode("audio-start", form)) + end())
        except ModelError as error:
            await self._refuse(ProtocolError("voice_failed", str(error)))
        except ProtocolError as error:
            await self._refuse(error)
        except (TimeoutError, ConnectionError):
            self._caller.abort()

    def _voice(self, event: Event) -> Language:
        voice = event.table("voice")
        name = str(voice.get("name") or "")
        language = voice_language(self._guests.faculties.mouth.names, name) if name else None
        return language or self._guests.language_of(voice.get("language"))

    # Answering

    def _talk_of(self, conversation: object) -> Talk:
        """Named ones are found again by other connections: Home Assistant makes one for each sentence."""
        visitor = f"wyoming {self._caller.address}"
        if isinstance(conversation, str) and conversation:
            return self._talks.of(visitor, conversation)
        self._own_talk = self._own_talk or self._talks.new(visitor)
        return self._own_talk

    async def _handle(self, event: Event) -> None:
        context = event.table("context")
        talk = self._talk_of(context.get("conversation_id"))
        try:
            answer = await talk.ask(event.text("text"), self._guests.language_of(event.text("language")))
        except ProtocolError as error:
            await self._caller.write(encode("not-handled", {"text": str(error), "context": context or None}))
            return
        told = {"text": answer.text} | ({"context": context} if context else {})
        if not answer.understood:
            await self._caller.write(encode("not-handled", told))
            return
        await self._caller.write(
            encode("handled-start")
            + encode("handled-chunk", {"text": answer.text})
            + encode("handled", told)
            + encode("handled-stop")
        )


def _plain(text: str, event: Event) -> str:
    """The words of a text in SSML; any other as it is."""
    return _TAG.sub(" ", text) if event.text("text_format") == "ssml" else text


def _too_long(characters: int) -> ProtocolError:
    return ProtocolError(
        "text_too_long", f"{characters} characters to be spoken, expected at most {MOST_TEXT_CHARACTERS}"
    )
