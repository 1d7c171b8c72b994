"""Other people's programs: they hear and speak through the same ears and the same mouth, with a share of them.

Who speaks with Stimme itself comes first. A program may send an hour of sound in a second and ask for a book to be
read; at most half of the recognizers work for programs, and nothing that a program has waiting is more urgent than the
last second of what somebody just said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from appliance.audio.endpointing import Endpointer, Heard, Reason
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.audio.utterance import Utterance
from appliance.conversation import Faculties
from appliance.errors import ProtocolError
from appliance.hearing.admission import Admission
from appliance.hearing.transcript import Final
from appliance.language import LANGUAGES, Language

log = logging.getLogger(__name__)

MOST_AHEAD_S = 5.0
"""So much sound of one program may wait to be heard; then nothing more is read from it."""
LOOK_S = 0.02
"""How often it is looked whether more may be read."""
LOOK_AGAIN_S = 30.0
THINNEST = 0.1
"""An utterance of which less than this share of real time has come between two looks is over: it was forgotten."""
MOST_SPEAKING = 4
"""Texts of programs that are spoken at once; the others wait for their turn."""
STEP_BYTES = SAMPLE_BYTES * RATE
"""What is decoded at a time: a second. Whoever has just finished a sentence waits for that at the most."""


class Guests:
    """What programs may use. Belongs to one event loop; what is heard is heard in `tasks`."""

    def __init__(
        self, faculties: Faculties, tasks: asyncio.TaskGroup, language: Language, max_audio_duration_s: float
    ) -> None:
        self.faculties, self.tasks, self.language = faculties, tasks, language
        self.max_audio_duration_s = max_audio_duration_s
        places = max(1, faculties.ears.stats.limit // 2)
        self._admission = Admission(places, places // 4)
        self.places_taken = 0
        """Utterances of programs that are being heard."""
        self._speaking = asyncio.Semaphore(MOST_SPEAKING)

    def language_of(self, wanted: object) -> Language:
        """The language that a program means by "de", "de-DE" or "de_DE"; by nothing, the device's. ProtocolError."""
        if wanted in (None, ""):
            return self.language
        base = wanted.replace("_", "-").partition("-")[0].lower() if isinstance(wanted, str) else ""
        for language in LANGUAGES:
            if base == language:
                return language
        raise ProtocolError(
            "unknown_language", f"language {wanted!r:.40} is not spoken here; expected {' or '.join(LANGUAGES)}")

    def hear(
        self, language: Language, on_partial: Callable[[str], None] = lambda text: None,
        endpointer: Endpointer | None = None,
    ) -> Dictation:
        """Listen to one utterance. Raises ProtocolError if nobody here hears the language."""
        if language not in self.faculties.ears.languages:
            raise ProtocolError(
                "no_recognizer", f"There is no recognizer for {language!r} on this device.",
                hint="`stimme models list` names the recognizers that can be fetched.")
        return Dictation(self, language, on_partial, endpointer)

    async def transcribe(self, sound: Utterance, language: Language, on_partial: Callable[[str], None]) -> Final:
        """As Ears.transcribe, once there is room for a program."""
        await self._admission.enter(sound, None)
        self.places_taken += 1
        try:
            return await self.faculties.ears.transcribe(_Steady(sound), language, on_partial=on_partial)
        finally:
            self.places_taken -= 1
            self._admission.leave()

    async def speak(
        self, text: str | AsyncIterator[str], language: Language, *, rate: int, speed: float = 1.0,
    ) -> AsyncGenerator[bytes, None]:
        """As Mouth.speak, of any length, once it is this program's turn. Raises ProtocolError for want of a voice."""
        mouth = self.faculties.mouth
        if language not in mouth.languages:
            raise ProtocolError("no_voice", f"There is no voice for {language!r} on this device.")
        async with self._speaking, aclosing(
                mouth.speak(text, language, rate=rate, speed=speed, longest_s=float("inf"))) as pieces:
            async for pcm in pieces:
                yield pcm


class Dictation:
    """One utterance of which only the transcript is wanted. Made by Guests.hear."""

    def __init__(
        self, guests: Guests, language: Language, on_partial: Callable[[str], None], endpointer: Endpointer | None,
    ) -> None:
        self.language = language
        self.partial: str | None = None
        """The transcript so far; None while no recognizer listens yet."""
        self.ended: Reason | None = None
        """Why it ended by itself."""
        self._on_partial, self._endpointer = on_partial, endpointer
        self._loop = asyncio.get_running_loop()
        self._sound = Utterance(round(guests.max_audio_duration_s * RATE))
        self._final = guests.tasks.create_task(self._listen(guests))
        self._seen = 0
        """Samples at the last look."""
        self._overdue = self._loop.call_later(LOOK_AGAIN_S, self._look)
        self._final.add_done_callback(lambda _: self._overdue.cancel())

    @property
    def audio_s(self) -> float:
        """How much was said, in seconds."""
        return self._sound.samples / RATE

    async def audio(self, pcm: bytes) -> Reason | None:
        """The next samples, s16le at 16 kHz; returns when more may come. Not None: the utterance is over.

        What comes after the longest utterance that is allowed is not heard.
        """
        if self.ended is not None:
            return self.ended
        self._sound.write(pcm)
        if self._sound.truncated:
            self._end("limit")
        elif self._endpointer and (end := self._endpointer.feed(
                Heard(len(pcm) // SAMPLE_BYTES, self.partial, self._loop.time()))):
            self._end(end.reason)
        while self._sound.waiting > MOST_AHEAD_S * RATE and not self._final.done():  # noqa: ASYNC110 - it is decoded
            await asyncio.sleep(LOOK_S)
        return self.ended

    async def final(self) -> Final:
        """End it, if it has not, and say what was heard. Raises ProtocolError if that failed."""
        self._sound.end()
        final = await self._final
        if final is None:
            raise ProtocolError("internal", "This could not be heard because of an error in the device.")
        return final

    def forget(self) -> None:
        """Nobody wants to know any more."""
        self._sound.end()
        self._final.cancel()

    async def _listen(self, guests: Guests) -> Final | None:
        try:
            return await guests.transcribe(self._sound, self.language, self._heard)
        except Exception:
            log.exception("an utterance of a program could not be heard")  # a bug costs this one, not everybody's
            return None

    def _heard(self, text: str) -> None:
        self.partial = text
        self._on_partial(text)

    def _end(self, reason: Reason) -> None:
        self.ended = self.ended or reason
        self._sound.end()

    def _look(self) -> None:
        if self._sound.samples - self._seen < THINNEST * LOOK_AGAIN_S * RATE:
            self._end("silence")
        else:
            self._seen = self._sound.samples
            self._overdue = self._loop.call_later(LOOK_AGAIN_S, self._look)


class _Steady:
    """A Source that gives a second at a time, and has ended only when no more than that is left.

    What has ended is decoded before what is still being said; a program's whole minute must not be.
    """

    rate = RATE

    def __init__(self, sound: Utterance) -> None:
        self._sound, self._held = sound, b""

    @property
    def ended(self) -> bool:
        return self._sound.ended and len(self._held) + self._sound.waiting * SAMPLE_BYTES <= STEP_BYTES

    async def read(self) -> bytes:
        """See Source.read."""
        if not self._held:
            self._held = await self._sound.read()
        piece, self._held = self._held[:STEP_BYTES], self._held[STEP_BYTES:]
        return piece
