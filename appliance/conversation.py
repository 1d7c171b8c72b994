"""One person's conversation: listen → understand → answer → speak. Read this file first.

The page and the device's own microphone use the same code; they differ only in the Source that is listened to, the
Sink that is spoken to, and in who is told what happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace

from appliance import continuing, telling, turns
from appliance.audio.pcm import Sink
from appliance.dialogue.types import Memory, Reply
from appliance.errors import FacultyError
from appliance.faculties import Faculties
from appliance.guessing import Guesses, Guessing
from appliance.hearing.transcript import Final, without
from appliance.language import Language
from appliance.speech import Speech
from appliance.turns import Tell

log = logging.getLogger(__name__)


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
        self._speaking: Speech | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._guessing = Guessing(
            tasks, consider=lambda text, language: faculties.mind.consider(text, language, memory), speak=self._ahead
        )
        self._done: continuing.Done | None = None
        """The last answer to what was spoken."""

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
        """This may be all that is said in a turn: think of the answer already; see Guessing.guess."""
        self._guessing.guess(id, text, language, guesses)

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
        self._guessing.drop()
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
            tell(turns.broken(request.id))
        finally:
            if self._latest is request:
                self._latest = None  # and with it what was said
            self._guessing.drop(request.id)

    async def _take(self, request: turns.Request, tell: Tell, previous: asyncio.Task[None] | None) -> None:
        match request:
            case turns.Spoken():
                final, timings = await self._listen(request, tell)
                await _finished(previous)
                if request.continues and not final.text:
                    return await self._repeat(request, tell, timings)
                text = await self._whole(request, final.text, tell)
                await self._answer(request, text, final.language or request.language, tell, timings, final.margin)
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
        final = without(final, source.paddings)
        timings = {"recognition_ms": 1000 * (loop.time() - source.ended_at)}
        tell(turns.FinalHeard(request.id, final.text, final.confidence, final.audio_s, source.truncated, dict(timings)))
        return final, timings

    async def _whole(self, request: turns.Spoken, text: str, tell: Tell) -> str:
        """With what was said before it, if that was ended too early."""
        if not request.continues:
            return text
        text, taken_back = await continuing.whole(self._done, request, text, self._faculties.mind, self._memory)
        telling.tell_changes(request.id, taken_back, tell)
        return text

    async def _repeat(self, request: turns.Spoken, tell: Tell, timings: dict[str, float]) -> None:
        """Nothing was said that would have been worth interrupting the answer for."""
        done = self._done
        if done is None or done.id != request.continues:
            return
        tell(replace(done.answered, id=request.id, timings=dict(timings)))
        if done.answered.text:
            await self._speak(request, done.answered.text, done.answered.language, tell, timings)

    async def _answer(
        self,
        request: turns.Spoken | turns.Typed,
        text: str,
        language: Language,
        tell: Tell,
        timings: dict[str, float],
        margin: float = 1.0,
    ) -> None:
        considered = await self._guessing.considered(request.id, text, language)
        before = replace(self._memory)
        answer = await self._faculties.mind.answer(
            text, language, self._memory, turn=request.key, margin=margin, considered=considered
        )
        self._memory.last_turn_ms = timings
        timings |= {"understanding_ms": answer.understanding_ms, "skill_ms": answer.skill_ms}
        reply = answer.reply
        if reply.rest is not None and self.sink is None:
            whole = " ".join([reply.text, *[clause async for clause in reply.rest]])
            reply, self._memory.last_reply = replace(reply, text=whole, rest=None), whole
        answered = telling.answered(request.id, text, answer, reply, timings)
        self._done = continuing.Done(request.id, text, language, before, answered)
        tell(answered)
        telling.tell_changes(request.id, reply.actions, tell)
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
        speech = Speech(request.id, sink, tell, timings)
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


async def _finished(task: asyncio.Task[None] | None) -> None:
    """Wait until a task has ended, however it ended; the task group hears of its errors."""
    if task is not None:
        await asyncio.wait([task])
