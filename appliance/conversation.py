"""One person's conversation: listen → understand → answer → speak. Read this file first.

The page and the device's own microphone use the same code; they differ only in the Source that is listened to, the
Sink that is spoken to, and in who is told what happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from appliance import turns
from appliance.audio.pcm import SAMPLE_BYTES, Sink, Source
from appliance.dialogue.types import Intent, Memory, Reply, SetVolume
from appliance.errors import ModelError
from appliance.hearing.transcript import Final
from appliance.language import Language

log = logging.getLogger(__name__)


class Ears(Protocol):
    """Recognition (hearing/pool.py)."""

    async def transcribe(
        self, source: Source, language: Language, *, on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
    ) -> Final: ...


class Answer(Protocol):
    """What came of understanding and answering, with its times."""

    @property
    def reply(self) -> Reply: ...
    @property
    def intent(self) -> Intent: ...
    @property
    def understanding_ms(self) -> float: ...
    @property
    def skill_ms(self) -> float: ...


class Mind(Protocol):
    """Understanding and skills (dialogue/dialogue.py)."""

    def answer(self, text: str, language: Language, memory: Memory) -> Awaitable[Answer]: ...


class Mouth(Protocol):
    """Synthesis (speaking/synthesizer.py)."""

    def speak(self, text: str, language: Language, *, rate: int) -> AsyncGenerator[bytes, None]: ...


@dataclass(frozen=True)
class Faculties:
    """What every conversation of this device shares."""

    ears: Ears
    mind: Mind
    mouth: Mouth


class Conversation:
    """A run of turns with one person. Must be used inside `tasks`, whose end ends it.

    sink: None while this person wants no sound. tell: called for every event, in order, never waits.
    """

    def __init__(
        self, faculties: Faculties, sink: Sink | None, tell: Callable[[turns.Event], None], tasks: asyncio.TaskGroup, *,
        memory: Memory | None = None,
    ) -> None:
        self.sink = sink
        self._faculties = faculties
        self._tell = tell
        self._tasks = tasks
        self._memory = memory or Memory()
        self._latest: turns.Request | None = None
        self._last_turn: asyncio.Task[None] | None = None
        self._speaking: _Speech | None = None
        self._open: dict[asyncio.Task[None], turns.Request] = {}

    @property
    def volume(self) -> int:
        """What this person's loudspeaker is set to, in percent."""
        return self._memory.volume

    def begin(self, request: turns.Request) -> asyncio.Task[None]:
        """Take up a turn. Anything but an announcement interrupts the reply being spoken.

        The returned task may be cancelled to forget an utterance: its recognizer goes back to the pool.
        """
        if not isinstance(request, turns.Announcement):
            self.interrupt()
            self._latest = request
        task = self._last_turn = self._tasks.create_task(self._turn(request, self._last_turn))
        self._open[task] = request
        task.add_done_callback(self._open.pop)
        return task

    async def wind_up(self) -> None:
        """The person has gone: forget what they were still saying, carry out what they had asked. Nothing is spoken."""
        self.interrupt()
        self.sink = None
        for task, request in self._open.items():
            if isinstance(request, turns.Spoken | turns.Again) and request.source and not request.source.ended:
                task.cancel()
        if self._open:
            await asyncio.wait(tuple(self._open))

    def interrupt(self) -> None:
        """Barge-in: silence first, then everything else. Turns not yet answered are answered as text only."""
        self._latest = None
        if self.sink is not None:
            self.sink.flush()
        if self._speaking is not None:
            self._speaking.stop()

    async def _turn(self, request: turns.Request, previous: asyncio.Task[None] | None) -> None:
        try:
            await self._take(request, previous)
        except Exception:
            # A bug costs this turn, not the conversation, and not the other people's.
            log.exception("turn %s failed", request.id)
            self._tell(turns.Failed(request.id, "internal", "This turn failed because of an error in the device."))

    async def _take(self, request: turns.Request, previous: asyncio.Task[None] | None) -> None:
        match request:
            case turns.Spoken():
                text, timings = await self._listen(request)
                await _finished(previous)
                await self._answer(request, text, timings)
            case turns.Typed():
                await _finished(previous)
                await self._answer(request, request.text, {})
            case turns.Announcement():
                await _finished(previous)
                self._tell(turns.Announced(request.id, request.kind, request.text, request.language))
                await self._speak(request, request.text, request.language, {})
            case turns.Again(_, source, final, answer):
                while source is not None and await source.read():
                    pass
                await _finished(previous)
                if final is not None:
                    self._tell(final)
                self._tell(answer)
                await self._speak(request, answer.text, answer.language, dict(answer.timings))

    async def _listen(self, request: turns.Spoken) -> tuple[str, dict[str, float]]:
        loop = asyncio.get_running_loop()
        final = await self._faculties.ears.transcribe(
            request.source, request.language,
            on_partial=lambda text: self._tell(turns.PartialHeard(request.id, text)),
            on_place=lambda place: self._tell(turns.Queued(request.id, place)),
        )
        source = request.source
        timings = {"recognition_ms": 1000 * (loop.time() - source.ended_at)}
        self._tell(turns.FinalHeard(
            request.id, final.text, final.confidence, final.audio_s, source.truncated, dict(timings)))
        return final.text, timings

    async def _answer(self, request: turns.Spoken | turns.Typed, text: str, timings: dict[str, float]) -> None:
        answer = await self._faculties.mind.answer(text, request.language, self._memory)
        timings |= {"understanding_ms": answer.understanding_ms, "skill_ms": answer.skill_ms}
        reply = answer.reply
        self._tell(turns.Answered(
            request.id, reply.text, reply.language, answer.intent.name, reply.understood, text, dict(timings)))
        for action in reply.actions:
            if isinstance(action, SetVolume):
                self._tell(turns.VolumeChanged(action.percent))
        if reply.text:
            await self._speak(request, reply.text, reply.language, timings)

    async def _speak(
        self, request: turns.Request, text: str, language: Language, timings: dict[str, float]
    ) -> None:
        """Say it, unless this person wants no sound or something newer was said meanwhile."""
        sink = self.sink
        if sink is None:
            return
        speech = _Speech(request.id, sink, self._tell, timings)
        if self._latest is not request and not isinstance(request, turns.Announcement):
            speech.end(interrupted=True)
            return
        self._speaking = speech
        speech.task = self._tasks.create_task(speech.run(self._faculties.mouth, text, language))
        try:
            await _finished(speech.task)
        except asyncio.CancelledError:
            speech.stop()
            raise
        finally:
            self._speaking = None


class _Speech:
    """One reply on its way to a sink; ends exactly once, whole or interrupted."""

    def __init__(
        self, id: str, sink: Sink, tell: Callable[[turns.Event], None], timings: dict[str, float]
    ) -> None:
        self.task: asyncio.Task[None] | None = None
        self._id, self._sink, self._tell, self._timings = id, sink, tell, timings
        self._sent_bytes = 0
        self._ended = False

    async def run(self, mouth: Mouth, text: str, language: Language) -> None:
        clock = asyncio.get_running_loop().time
        mark = clock()
        self._tell(turns.SpeechStarted(self._id, self._sink.rate))
        try:
            async with aclosing(mouth.speak(text, language, rate=self._sink.rate)) as chunks:
                async for chunk in chunks:
                    await self._sink.write(chunk)
                    self._sent_bytes += len(chunk)
                    if "first_audio_ms" not in self._timings:
                        self._timings["first_audio_ms"] = 1000 * (clock() - mark)
                        mark = clock()
            await self._sink.drain()
        except ModelError as error:
            self._tell(turns.Failed(self._id, "no_voice", str(error)))
        self._timings["synthesis_ms"] = 1000 * (clock() - mark)
        self.end(interrupted=False)

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


async def _finished(task: asyncio.Task[None] | None) -> None:
    """Wait until a task has ended, however it ended; the task group hears of its errors."""
    if task is not None:
        await asyncio.wait([task])
