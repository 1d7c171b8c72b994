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

from appliance.attention import Attended, Attention
from appliance.audio.endpointing import End, Reason
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.dialogue.types import Memory
from appliance.errors import ProtocolError
from appliance.faculties import Faculties
from appliance.hearing.admission import Admission
from appliance.hearing.transcript import Final, without
from appliance.language import LANGUAGES, Language
from appliance.listening import Listening

log = logging.getLogger(__name__)

MOST_AHEAD_S = 5.0
"""So much sound of one program may wait to be heard; then nothing more is read from it."""
LOOK_S = 0.02
"""How often it is looked whether more may be read."""
LOOK_AGAIN_S = 30.0
THINNEST = 0.1
"""An utterance of which less than this share of real time has come between two looks is over: it was forgotten."""
AT_ONCE_S = 3.0
"""So much may come at once of what is being spoken: a wake word was waited for. More is a recording."""
MOST_SPEAKING = 4
"""Texts of programs that are spoken at once; the others wait for their turn."""
STEP_BYTES = SAMPLE_BYTES * RATE
"""What is decoded at a time: a second. Whoever has just finished a sentence waits for that at the most."""


class Guests:
    """What programs may use. Belongs to one event loop; what is heard is heard in `tasks`."""

    def __init__(
        self,
        faculties: Faculties,
        tasks: asyncio.TaskGroup,
        language: Language,
        max_audio_duration_s: float,
        attention: Attention | None = None,
    ) -> None:
        """attention: who listens along; None: nobody, and every utterance ends when its program says so."""
        self.faculties, self.tasks, self.language, self.attention = faculties, tasks, language, attention
        self.max_audio_duration_s = max_audio_duration_s
        places = max(2, faculties.ears.stats.limit // 2)
        self._admission = Admission(places, max(1, places // 4))
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
            "unknown_language", f"language {wanted!r:.40} is not spoken here; expected {' or '.join(LANGUAGES)}"
        )

    def hear(
        self, language: Language, on_partial: Callable[[str], None] = lambda text: None, *, ends_by_itself: bool = False
    ) -> Dictation:
        """Listen to one utterance. Raises ProtocolError if nobody here hears the language.

        ends_by_itself: its end is left to the device too, while its sound comes as it is spoken.
        """
        if language not in self.faculties.ears.languages:
            raise ProtocolError(
                "no_recognizer",
                f"There is no recognizer for {language!r} on this device.",
                hint="`stimme models list` names the recognizers that can be fetched.",
            )
        return Dictation(self, language, on_partial, self.attention if ends_by_itself else None)

    async def transcribe(self, now: Listening, on_partial: Callable[[str], None]) -> Final:
        """As Ears.transcribe, once there is room for a program."""
        await self._admission.enter(now.sound, None)
        self.places_taken += 1
        try:
            final = await self.faculties.ears.transcribe(_Steady(now), now.language, on_partial=on_partial)
            return without(final, now.source.paddings)
        finally:
            self.places_taken -= 1
            self._admission.leave()

    async def speak(
        self, text: str | AsyncIterator[str], language: Language, *, rate: int, speed: float = 1.0
    ) -> AsyncGenerator[bytes, None]:
        """As Mouth.speak, of any length, once it is this program's turn. Raises ProtocolError for want of a voice."""
        mouth = self.faculties.mouth
        if language not in mouth.languages:
            raise ProtocolError("no_voice", f"There is no voice for {language!r} on this device.")
        async with (
            self._speaking,
            aclosing(mouth.speak(text, language, rate=rate, speed=speed, longest_s=float("inf"))) as pieces,
        ):
            async for pcm in pieces:
                yield pcm


class Dictation:
    """One utterance of which only the transcript is wanted. Made by Guests.hear."""

    def __init__(
        self, guests: Guests, language: Language, on_partial: Callable[[str], None], attention: Attention | None
    ) -> None:
        self.language = language
        self.ended: Reason | None = None
        """Why it ended by itself."""
        self._on_partial = on_partial
        self._loop = asyncio.get_running_loop()
        self._begun_at = self._loop.time()
        rule = attention.rule() if attention is not None else None
        self._now = Listening("", language, round(guests.max_audio_duration_s * RATE), rule, None)
        if attention is not None:
            self._now.source = Attended(self._now, attention, Memory(), self._left)
        self._final = guests.tasks.create_task(self._listen(guests))
        self._seen = 0
        """Samples at the last look."""
        self._overdue = self._loop.call_later(LOOK_AGAIN_S, self._look)
        self._final.add_done_callback(lambda _: self._overdue.cancel())

    @property
    def audio_s(self) -> float:
        """How much was said, in seconds."""
        return self._now.sound.samples / RATE

    @property
    def partial(self) -> str | None:
        """The transcript so far; None while no recognizer listens yet."""
        return self._now.partial

    async def audio(self, pcm: bytes) -> Reason | None:
        """The next samples, s16le at 16 kHz; returns when more may come. Not None: the utterance is over.

        What comes after the longest utterance that is allowed is not heard.
        """
        if self.ended is not None:
            return self.ended
        sound = self._now.sound
        sound.write(pcm)
        if sound.truncated:
            self._end("limit")
        while sound.waiting > MOST_AHEAD_S * RATE and not self._final.done():  # noqa: ASYNC110 - it is decoded
            await asyncio.sleep(LOOK_S)
        return self.ended

    async def final(self) -> Final:
        """End it, if it has not, and say what was heard. Raises ProtocolError if that failed."""
        self._now.sound.end()
        final = await self._final
        if final is None:
            raise ProtocolError("internal", "This could not be heard because of an error in the device.")
        return final

    def forget(self) -> None:
        """Nobody wants to know any more."""
        self._now.sound.end()
        self._final.cancel()

    async def _listen(self, guests: Guests) -> Final | None:
        try:
            return await guests.transcribe(self._now, self._heard)
        except Exception:
            log.exception("an utterance of a program could not be heard")  # a bug costs this one, not everybody's
            return None

    def _heard(self, text: str) -> None:
        self._now.partial = text
        self._on_partial(text)

    def _left(self, end: End) -> None:
        """Nobody speaks on. A recording that comes faster than it was spoken has pauses in it, and goes on."""
        if self.audio_s - (self._loop.time() - self._begun_at) < AT_ONCE_S:
            self._end(end.reason)

    def _end(self, reason: Reason) -> None:
        self.ended = self.ended or reason
        self._now.sound.end()

    def _look(self) -> None:
        samples = self._now.sound.samples
        if samples - self._seen < THINNEST * LOOK_AGAIN_S * RATE:
            self._end("silence")
        else:
            self._seen = samples
            self._overdue = self._loop.call_later(LOOK_AGAIN_S, self._look)


class _Steady:
    """A Source that gives a second at a time, and has ended only when no more than that is left.

    What has ended is decoded before what is still being said; a program's whole minute must not be.
    """

    rate = RATE

    def __init__(self, now: Listening) -> None:
        self._sound, self._source, self._held = now.sound, now.source, b""

    @property
    def ended(self) -> bool:
        return self._sound.ended and len(self._held) + self._sound.waiting * SAMPLE_BYTES <= STEP_BYTES

    async def read(self) -> bytes:
        """See Source.read."""
        if not self._held:
            self._held = await self._source.read()
        piece, self._held = self._held[:STEP_BYTES], self._held[STEP_BYTES:]
        return piece
