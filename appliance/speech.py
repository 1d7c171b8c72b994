"""Saying a text into a sink, and one reply on its way there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from appliance import turns
from appliance.audio.pcm import SAMPLE_BYTES, Sink
from appliance.dialogue.actions import SetSpeech
from appliance.errors import FacultyError, ModelError
from appliance.faculties import Mouth
from appliance.language import Language
from appliance.turns import Tell

log = logging.getLogger(__name__)


async def say(
    mouth: Mouth,
    text: str,
    language: Language,
    sink: Sink,
    on_written: Callable[[bytes], None] = lambda pcm: None,
    manner: SetSpeech | None = None,
    more: AsyncGenerator[str, None] | None = None,
) -> None:
    """Speak a text into a sink, and return when it was handed on or heard. May be cancelled.

    on_written: told each piece. manner: how fast, in which voice. more: what is said behind the text, as it comes.
    Raises ModelError for a language without a voice.
    """
    speed, voice = (manner.speed or 1.0, manner.voice or "") if manner is not None else (1.0, "")
    async with aclosing(_after(text, more)) as texts:
        async for one in texts:
            async with aclosing(mouth.speak(one, language, rate=sink.rate, speed=speed, voice=voice)) as chunks:
                async for chunk in chunks:
                    await sink.write(chunk)
                    on_written(chunk)
    await sink.drain()


async def _after(text: str, more: AsyncGenerator[str, None] | None) -> AsyncGenerator[str, None]:
    yield text
    if more is not None:
        async with aclosing(more):
            async for one in more:
                yield one


class Speech:
    """One reply on its way to a sink; ends exactly once, whole or interrupted."""

    def __init__(self, id: str, sink: Sink, tell: Tell, timings: dict[str, float]) -> None:
        self.task: asyncio.Task[None] | None = None
        self._id, self._sink, self._tell, self._timings = id, sink, tell, timings
        self._clock = asyncio.get_running_loop().time
        self._mark = self._clock()
        self._sent_bytes = 0
        self._ended = False

    async def run(
        self,
        mouth: Mouth,
        text: str,
        language: Language,
        manner: SetSpeech,
        more: AsyncGenerator[str, None] | None = None,
    ) -> None:
        self._tell(turns.SpeechStarted(self._id, self._sink.rate))
        try:
            await say(mouth, text, language, self._sink, self._written, manner, more)
        except ModelError as error:
            self._tell(turns.Failed(self._id, "no_voice", str(error)))
        except FacultyError as error:
            self._tell(turns.Failed(self._id, error.code, str(error), error.hint))
        except Exception:
            log.exception("the answer to turn %s could not be spoken", self._id)
            self._tell(turns.broken(self._id))
        self._timings["synthesis_ms"] = self._lap_ms()
        self.end(interrupted=False)

    def _written(self, pcm: bytes) -> None:
        self._sent_bytes += len(pcm)
        if "first_audio_ms" not in self._timings:
            self._timings["first_audio_ms"] = self._lap_ms()

    def _lap_ms(self) -> float:
        """Milliseconds since the last time, or since the beginning."""
        before, self._mark = self._mark, self._clock()
        return 1000 * (self._mark - before)

    def stop(self) -> None:
        """Interrupt it now; the task unwinds on its own."""
        self.end(interrupted=True)
        if self.task is not None:
            self.task.cancel()

    def end(self, *, interrupted: bool) -> None:
        if not self._ended:
            self._ended = True
            seconds = self._sent_bytes / SAMPLE_BYTES / self._sink.rate
            self._tell(turns.SpeechEnded(self._id, interrupted, seconds, dict(self._timings)))
