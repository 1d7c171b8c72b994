"""One person's conversation: listen → understand → answer → speak. Read this file first.

The page and the device's own microphone use the same code; they differ only in the Source that is listened to, the
Sink that is spoken to, and in who is told what happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from appliance import turns
from appliance.audio.pcm import SAMPLE_BYTES, Sink, Source
from appliance.dialogue.types import Answer, Considered, Memory, Reply, SetSpeech, SetVolume, StopSpeaking
from appliance.errors import FacultyError, ModelError
from appliance.guessing import Guess, Guesses
from appliance.hearing.transcript import Final, PoolStats
from appliance.language import Language

log = logging.getLogger(__name__)


Tell = Callable[[turns.Event], None]


class Ears(Protocol):
    """Recognition (hearing/pool.py, farm/ears.py). turn: turns.Spoken.key."""

    @property
    def languages(self) -> Collection[Language]: ...
    @property
    def names(self) -> Mapping[Language, str]:
        """What hears each language, to show to people."""

    @property
    def stats(self) -> PoolStats: ...

    async def transcribe(
        self,
        source: Source,
        language: Language,
        *,
        on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
        turn: str = "",
    ) -> Final: ...


class Mind(Protocol):
    """Understanding and skills (dialogue/dialogue.py). turn: turns.Spoken.key. margin: Final.margin; 1 if typed."""

    def answer(
        self,
        text: str,
        language: Language,
        memory: Memory,
        *,
        turn: str = "",
        margin: float = 1.0,
        considered: Considered | None = None,
    ) -> Awaitable[Answer]: ...
    def consider(self, text: str, language: Language, memory: Memory) -> Awaitable[Considered]:
        """What would be answered; nothing is done."""

    def completeness(self, text: str, language: Language, memory: Memory) -> Awaitable[str]:
        """How complete what somebody is saying is so far (dialogue/completeness.py)."""


class Mouth(Protocol):
    """Synthesis (speaking/synthesizer.py)."""

    @property
    def languages(self) -> Collection[Language]: ...
    @property
    def names(self) -> Mapping[Language, str]:
        """What speaks each language, to show to people."""

    @property
    def stats(self) -> PoolStats: ...

    def speak(
        self,
        text: str | AsyncIterator[str],
        language: Language,
        *,
        rate: int,
        speed: float = ...,
        voice: str = ...,
        longest_s: float = ...,
    ) -> AsyncGenerator[bytes, None]: ...


@dataclass(frozen=True)
class Faculties:
    """What every conversation of this device shares."""

    ears: Ears
    mind: Mind
    mouth: Mouth


class Conversation:
    """A run of turns with one person. Must be used inside `tasks`, whose end ends it.

    sink: where replies sound; None while this person wants no sound. Set as it changes.
    """

    def __init__(
        self, faculties: Faculties, tasks: asyncio.TaskGroup, memory: Memory, sink: Sink | None = None
    ) -> None:
        self.sink = sink
        self._faculties = faculties
        self._tasks = tasks
        self._memory = memory
        self._latest: turns.Request | None = None
        self._last_turn: asyncio.Task[None] | None = None
        self._speaking: _Speech | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._guess: Guess | None = None
        """The answer to what is still being said, as it seems now."""

    @property
    def open_turns(self) -> int:
        """How many turns are under way."""
        return len(self._open)

    def begin(self, request: turns.Request, tell: Tell) -> asyncio.Task[None]:
        """Take up a turn. Anything but an announcement interrupts the reply being spoken.

        tell: called for every event of this turn, in order, never waits. The returned task may be cancelled to forget
        an utterance: its recognizer goes back to the pool.
        """
        if not isinstance(request, turns.Announcement):
            self.interrupt()
            self._latest = request
        task = self._last_turn = self._tasks.create_task(self._turn(request, tell, self._last_turn))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return task

    def guess(self, id: str, text: str, language: Language, guesses: Guesses) -> None:
        """This may be all that is said in a turn: think of the answer already, and of how to begin to say it.

        Another text takes its place; "" for none: they go on.
        """
        if self._guess is not None and (self._guess.id, self._guess.text) != (id, text):
            self._drop_guess()
        if text and self._guess is None and guesses.are_allowed:
            self._guess = Guess(
                id,
                text,
                language,
                guesses,
                self._tasks,
                consider=lambda: self._faculties.mind.consider(text, language, self._memory),
                speak=self._ahead,
            )

    def _drop_guess(self) -> None:
        guess, self._guess = self._guess, None
        if guess is not None:
            guess.drop()

    def _ahead(self, reply: Reply) -> AsyncGenerator[bytes, None] | None:
        sink, manner = self.sink, self._memory.speech
        if sink is None or reply.language not in self._faculties.mouth.languages:
            return None
        return self._faculties.mouth.speak(
            reply.text, reply.language, rate=sink.rate, speed=manner.speed or 1.0, voice=manner.voice or ""
        )

    def favour(self, request: turns.Request) -> None:
        """A turn under way that was overtaken is wanted again: its answer will be spoken."""
        self._latest = request

    async def settled(self, timeout_s: float | None = None) -> bool:
        """Wait until no turn is under way; False if one still is after timeout_s."""
        if not self._open:
            return True
        _, pending = await asyncio.wait(self._open, timeout=timeout_s)
        return not pending

    def interrupt(self) -> None:
        """Barge-in: silence first, then everything else. Turns not yet answered are answered as text only."""
        self._latest = None
        self._drop_guess()
        if self.sink is not None:
            self.sink.flush()
        if self._speaking is not None:
            self._speaking.stop()

    async def _turn(self, request: turns.Request, tell: Tell, previous: asyncio.Task[None] | None) -> None:
        try:
            await self._take(request, tell, previous)
        except FacultyError as error:
            tell(turns.Failed(request.id, error.code, str(error), error.hint))
        except Exception:
            # A bug costs this turn, not the conversation, and not the other people's.
            log.exception("turn %s failed", request.id)
            tell(_failed(request.id))
        finally:
            if self._latest is request:
                self._latest = None  # and with it what was said
            if self._guess is not None and self._guess.id == request.id:
                self._drop_guess()

    async def _take(self, request: turns.Request, tell: Tell, previous: asyncio.Task[None] | None) -> None:
        match request:
            case turns.Spoken():
                final, timings = await self._listen(request, tell)
                await _finished(previous)
                await self._answer(request, final.text, final.language or request.language, tell, timings, final.margin)
            case turns.Typed():
                await _finished(previous)
                await self._answer(request, request.text, request.language, tell, {})
            case turns.Announcement():
                await _finished(previous)
                tell(turns.Announced(request.id, request.kind, request.text, request.language))
                await self._speak(request, request.text, request.language, tell, {})
            case turns.Again():
                await _finished(previous)
                await self._speak(request, request.text, request.language, tell, dict(request.timings))

    async def _listen(self, request: turns.Spoken, tell: Tell) -> tuple[Final, dict[str, float]]:
        loop = asyncio.get_running_loop()
        final = await self._faculties.ears.transcribe(
            request.source,
            request.language,
            on_partial=lambda text: tell(turns.PartialHeard(request.id, text)),
            on_place=lambda place: tell(turns.Queued(request.id, place)),
            turn=request.key,
        )
        source = request.source
        timings = {"recognition_ms": 1000 * (loop.time() - source.ended_at)}
        tell(turns.FinalHeard(request.id, final.text, final.confidence, final.audio_s, source.truncated, dict(timings)))
        return final, timings

    async def _answer(
        self,
        request: turns.Spoken | turns.Typed,
        text: str,
        language: Language,
        tell: Tell,
        timings: dict[str, float],
        margin: float = 1.0,
    ) -> None:
        guess = self._guess
        is_right = guess is not None and (guess.id, guess.text, guess.language) == (request.id, text, language)
        considered = await guess.considered() if guess is not None and is_right else None
        answer = await self._faculties.mind.answer(
            text, language, self._memory, turn=request.key, margin=margin, considered=considered
        )
        self._memory.last_turn_ms = timings
        timings |= {"understanding_ms": answer.understanding_ms, "skill_ms": answer.skill_ms}
        reply = answer.reply
        if reply.rest is not None and self.sink is None:
            whole = " ".join([reply.text, *[clause async for clause in reply.rest]])
            reply, self._memory.last_reply = replace(reply, text=whole, rest=None), whole
        tell(
            turns.Answered(
                request.id,
                reply.text,
                reply.language,
                answer.intent.name,
                reply.understood,
                text,
                dict(timings),
                answer.meant,
                _plain(answer.intent.slots),
                answer.can_be_undone,
                reply.question is not None,
            )
        )
        for action in reply.actions:
            match action:
                case SetVolume():
                    tell(turns.VolumeChanged(action.percent))
                case SetSpeech() if action.language:
                    tell(turns.LanguageChanged(action.language))
                case StopSpeaking():
                    tell(turns.Silenced(request.id))
        try:
            if reply.text:
                more = self._growing(request.id, reply, tell) if reply.rest is not None else None
                await self._speak(request, reply.text, reply.language, tell, timings, more)
        finally:
            if reply.rest is not None:
                with suppress(RuntimeError):  # it runs still, but the task it runs in is cancelled
                    await reply.rest.aclose()

    async def _growing(self, id: str, reply: Reply, tell: Tell) -> AsyncGenerator[str, None]:
        """The clauses that follow, each told and remembered before it is spoken."""
        assert reply.rest is not None, "only for replies that go on"
        text = reply.text
        async for clause in reply.rest:
            text = self._memory.last_reply = f"{text} {clause}"
            tell(turns.AnswerGrew(id, text))
            yield clause

    async def _speak(
        self,
        request: turns.Request,
        text: str,
        language: Language,
        tell: Tell,
        timings: dict[str, float],
        more: AsyncGenerator[str, None] | None = None,
    ) -> None:
        """Say it, unless this person wants no sound or something newer was said meanwhile. more: what follows."""
        sink = self.sink
        if sink is None:
            return
        speech = _Speech(request.id, sink, tell, timings)
        if self._latest is not request and not isinstance(request, turns.Announcement):
            speech.end(interrupted=True)
            return
        self._speaking = speech
        speech.task = self._tasks.create_task(
            speech.run(self._faculties.mouth, text, language, self._memory.speech, more)
        )
        try:
            await _finished(speech.task)
        except asyncio.CancelledError:
            speech.stop()
            raise
        finally:
            self._speaking = None


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


class _Speech:
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
            self._tell(_failed(self._id))
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


def _plain(slots: Mapping[str, object]) -> dict[str, str | float]:
    """Values as they can be shown; what has a form of its own is in the words of what was meant."""
    shown: dict[str, str | float] = {}
    for name, value in slots.items():
        if isinstance(value, str | int | float):
            shown[name] = value
        elif isinstance(value, tuple) and all(isinstance(part, str) for part in value):
            shown[name] = ", ".join(value)
    return shown


async def _finished(task: asyncio.Task[None] | None) -> None:
    """Wait until a task has ended, however it ended; the task group hears of its errors."""
    if task is not None:
        await asyncio.wait([task])


def _failed(id: str) -> turns.Failed:
    return turns.Failed(id, "internal", "This turn failed because of an error in the device.")
