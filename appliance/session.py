"""One person's presence: the utterance they are saying, what they asked a moment ago, what is remembered of them.

A session outlives the connection it came by. A place (a page's socket, the device, any other wire) attaches itself,
puts in `begin`, `audio`, `end`, `cancel`, `text`, `interrupt`, and is told what happens. There is no JSON here, no
socket, and no sound but 16 kHz.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from appliance import turns
from appliance.audio.endpointing import Endpointer, Reason
from appliance.audio.pcm import RATE, SAMPLE_BYTES, Sink
from appliance.audio.utterance import Utterance
from appliance.conversation import Conversation, Faculties
from appliance.dialogue.types import Memory
from appliance.errors import ProtocolError
from appliance.language import Language
from appliance.listening import Listening
from appliance.replay import Question, Questions

MOST_TURNS = 16
"""Of one session under way at once: nobody may fill the queues that all share."""

MOST_WAITING_S = 2000.0
"""Sound of all together that may wait to be heard: 64 MB. A hundred people speaking at once reach a few seconds."""

MOST_OWN_WAITING_S = 1.0
"""While more waits than that, nobody with so much waiting adds to it; whoever is being heard goes on."""

LOOK_S = 0.05
"""How often it is added up."""

OVERDUE_S = 5.0
"""An utterance may stay open for so much longer than the sound it may hold …"""

THINNEST = 0.1
"""… and again, while its sound still comes at this share of real time: a link of 3.2 kB/s is late, not mute."""

UNIQUE_ID_CHARACTERS = 16
"""An id this long is taken for one turn's for ever (docs/protocol.md): what it changes is changed once."""


Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]


class Place(Protocol):
    """Where a session is at the moment."""

    def tell(self, event: turns.Event) -> None:
        """Called for everything that happens, in order. Must not wait."""

    def displaced(self) -> None:
        """The session's client has come back by another way; this one hears nothing any more."""


@dataclass
class Shared:
    """What all sessions have in common."""

    faculties: Faculties
    tasks: asyncio.TaskGroup
    """Turns run in it, whoever has gone meanwhile."""
    language: Language
    max_audio_duration_s: float
    observe: Callable[[turns.Event], None]
    """Told every event of every session."""
    dropped: Callable[[str], None]
    """Told why a piece of sound was not used."""
    clock: Callable[[], float]
    later: Later
    """Like loop.call_later."""
    stopping: bool = False
    """No new turn is taken up any more."""
    unheard: set[Utterance] = field(default_factory=set)
    """Everybody's sound that was not decoded yet, whether they are still there or not."""
    _looked_at: float = -LOOK_S
    _overloaded: bool = False

    @property
    def backlog_s(self) -> float:
        """Sound that has arrived and was not decoded yet."""
        return sum(sound.waiting for sound in self.unheard) / RATE

    @property
    def is_overloaded(self) -> bool:
        """So much sound waits that no more should be taken in."""
        if (now := self.clock()) >= self._looked_at + LOOK_S:
            self._looked_at, self._overloaded = now, self.backlog_s > MOST_WAITING_S
        return self._overloaded


class Registry(Protocol):
    """Where sessions are found again (sessions.py)."""

    def new_secret(self, session: Session) -> str:
        """Make a secret under which the session can be resumed."""

    def arrived(self, session: Session) -> None:
        """Its client is here."""

    def left(self, session: Session) -> None:
        """Its client has gone."""


class Session:
    """One person's presence. Made by Sessions.open; everything here belongs to one event loop."""

    def __init__(self, shared: Shared, registry: Registry, visitor: str, memory: Memory) -> None:
        self.visitor = visitor
        self.language = shared.language
        self.memory = memory
        """What is remembered between turns: volume, last reply, last heard. Forgotten with the session."""
        self._shared, self._registry = shared, registry
        self._conversation = Conversation(shared.faculties, shared.tasks, memory)
        self._questions = Questions(shared.clock)
        self._secret = ""
        self._place: Place | None = None
        self._visit = 0
        self._open: Listening | None = None
        self._closed_id = ""
        """The last utterance's, if it ended otherwise than by `end`: its client may not know yet."""
        self._strays_told = False
        self._waiting: set[Utterance] = set()
        self._count = 0

    # Where it is

    @property
    def secret(self) -> str:
        """What the client gives back to find this session again; whoever was never told cannot return."""
        self._secret = self._secret or self._registry.new_secret(self)
        return self._secret

    @property
    def may_return(self) -> bool:
        """Its client was told the secret."""
        return bool(self._secret)

    @property
    def is_fresh(self) -> bool:
        """Nothing was asked in it yet."""
        return not self._count

    @property
    def sink(self) -> Sink | None:
        """Where replies sound; None for no sound."""
        return self._conversation.sink

    @sink.setter
    def sink(self, sink: Sink | None) -> None:
        self._conversation.sink = sink

    def attach(self, place: Place, sink: Sink | None) -> None:
        """Be at `place` from now on. A place that it was at before has been given up by its client."""
        before = self._place
        if before is not None:
            self.detach(before)
            before.displaced()
        self._place, self.sink = place, sink
        self._visit += 1
        self._strays_told = False
        self._registry.arrived(self)

    def detach(self, place: Place) -> None:
        """The place has gone: forget what was still being said, carry out what was asked. Nothing is spoken.

        Harmless where the session is elsewhere by now.
        """
        if place is not self._place:
            return
        self._place = None
        self._conversation.interrupt()
        self.sink = None
        if self._open is not None:
            self._drop(self._open)
        self._registry.left(self)

    async def settled(self, timeout_s: float | None = None) -> bool:
        """Wait until no turn is under way; False if one still is after timeout_s."""
        return await self._conversation.settled(timeout_s)

    @property
    def backlog_s(self) -> float:
        """Sound that has arrived and was not decoded yet."""
        return sum(sound.waiting for sound in self._waiting) / RATE

    # What is asked

    def begin(self, id: str = "", language: Language | None = None, endpointer: Endpointer | None = None) -> str:
        """A person begins to talk; silences the reply being spoken. Returns the turn's id, made up if none is given.

        endpointer: decides about the end too. Raises ProtocolError.
        """
        if self._open is not None:
            raise ProtocolError("already_started", "an utterance is open already; end or cancel it first", id=id)
        self._refuse_if_full(id)
        language = language or self.language
        if language not in self._shared.faculties.ears.languages:
            raise ProtocolError(
                "no_recognizer", f"There is no recognizer for {language!r} on this device.",
                hint="Typed text works. `stimme models list` names the recognizers that can be fetched.", id=id)
        if self._shared.is_overloaded:
            raise ProtocolError(
                "overloaded", f"more than {MOST_WAITING_S:g} s of sound wait to be heard, which is the limit.",
                hint="Try again in a moment; typed text works.", id=id)
        limit_s = self._shared.max_audio_duration_s
        earlier = self._questions.earlier(id, self._visit) if id else None
        now = self._open = Listening(self._named(id), language, round(limit_s * RATE), endpointer, earlier)
        self._strays_told, self._closed_id = False, ""
        self._waiting.add(now.sound)
        self._shared.unheard.add(now.sound)
        if now.is_new:
            self._hear(now, id)
        else:
            self._conversation.interrupt()
        now.overdue = self._shared.later(limit_s, lambda: self._wait_on(now))
        self.tell(turns.Listening(now.id))
        return now.id

    @property
    def open_id(self) -> str:
        """The turn whose utterance is open; "" if none is."""
        return self._open.id if self._open is not None else ""

    @property
    def open_audio_s(self) -> float:
        """How much of the open utterance has arrived, in seconds; 0 if none is open."""
        return self._open.sound.samples / RATE if self._open is not None else 0.0

    def endpoint(self, endpointer: Endpointer | None) -> None:
        """From now on this decides about the end of the open utterance; None: only the person does."""
        if self._open is not None:
            self._open.endpointer = endpointer

    def audio(self, pcm: bytes) -> None:
        """The next samples of the open utterance, s16le at 16 kHz. Raises ProtocolError; stray sound is told once."""
        now = self._open
        if now is None:
            self._shared.dropped("not_started")
            if not self._strays_told:
                self._strays_told = True
                raise ProtocolError("not_started", "sound arrived while nobody was listening; it was not used")
            return
        if len(pcm) % SAMPLE_BYTES:
            self._shared.dropped("odd_bytes")
            raise ProtocolError(
                "odd_bytes", f"{len(pcm)} bytes of sound, expected an even number (s16le); they were not used",
                id=now.id)
        now.write(pcm)
        if now.question is None and now.is_new:
            self._hear(now, now.id)
        if now.sound.truncated:
            self._shared.dropped("audio_too_long")
            self._close("limit")
        elif now.ended_before is not None:
            self._close(now.ended_before)
        elif now.endpointer and (end := now.endpointer.feed(pcm, now.partial, self._shared.clock())):
            self._close(end.reason)

    def end(self, id: str = "") -> None:
        """The person has finished. Raises ProtocolError if nothing is open, or something else than `id`."""
        if self._is_over(id):
            return
        self._opened(id)
        self._close()

    def cancel(self, id: str = "") -> None:
        """Forget the open utterance, unheard. Raises ProtocolError as `end` does."""
        now = self._opened(id)
        self._drop(now)
        self.tell(turns.Cancelled(now.id, now.sound.samples / RATE))

    def text(self, text: str, id: str = "", language: Language | None = None) -> str:
        """A typed question; silences the reply being spoken. Returns the turn's id. Raises ProtocolError."""
        self._refuse_if_full(id)
        language = language or self.language
        earlier = self._questions.earlier(id, self._visit) if id else None
        if earlier is not None and earlier.asked == (language, text):
            self._tell_again(earlier)
            return id
        request = turns.Typed(self._named(id), language, text, self._key(id))
        self._take(request, Question(request.id, request, self._visit, (language, text)), is_named=bool(id))
        return request.id

    def interrupt(self) -> None:
        """Be quiet."""
        self._conversation.interrupt()

    def announce(self, announcement: turns.Announcement) -> asyncio.Task[None]:
        """Say something on the device's own account, after what is being said."""
        return self._conversation.begin(announcement, self.tell)

    # What happens

    def tell(self, event: turns.Event) -> None:
        """Tell whoever this session is with, and whoever observes all."""
        self._show(event)
        self._shared.observe(event)

    def _show(self, event: turns.Event) -> None:
        if self._place is not None:
            self._place.tell(event)

    def _told(self, question: Question, event: turns.Event) -> None:
        self._questions.note(question, event)
        if (now := self._open) is not None and now.question is question:
            match event:
                case turns.Queued():
                    now.partial = None
                case turns.PartialHeard():
                    now.partial = event.text
        self.tell(event)

    def _tell_again(self, question: Question) -> None:
        """It was asked before: what was told about it then, and its answer aloud, now or when it comes."""
        question.visit = self._visit
        for event in question.told:
            self._show(event)
        answer = question.answer
        if answer is not None:
            again = turns.Again(answer.id, answer.language, answer.text, answer.timings)
            self._conversation.begin(again, self.tell)
        elif question.request is not None:
            self._conversation.favour(question.request)

    # The open utterance

    def _opened(self, id: str) -> Listening:
        if self._open is None:
            raise ProtocolError("not_started", "nothing is being listened to", id=id)
        if id not in ("", self._open.id):
            raise ProtocolError(
                "wrong_id", f"{id!r} is not being listened to, but {self._open.id!r} is; that one goes on",
                hint="Name the open utterance, or leave the id out.", id=id)
        return self._open

    def _is_over(self, id: str) -> bool:
        """The utterance ended by itself a moment ago, and whoever ends it now could not know."""
        return self._open is None and bool(self._closed_id) and id in ("", self._closed_id)

    def _close(self, reason: Reason | None = None) -> None:
        """The endpoint. reason: None if the person said so."""
        now = self._taken_away()
        if reason is not None:
            self._closed_id, self._strays_told = now.id, True
            self.tell(turns.Endpoint(now.id, reason))
        if now.earlier is not None and now.question is None and now.is_said_again:
            self._heard(now.sound)
            self._tell_again(now.earlier)
        elif now.question is None:
            self._hear(now, now.id)
        if now.question is not None:
            now.question.asked = now.heard(reason)

    def _wait_on(self, now: Listening) -> None:
        """It has been open for long: it stays so while its sound goes on coming."""
        before = now.sound.samples

        def look() -> None:
            if now.sound.samples - before < THINNEST * OVERDUE_S * RATE:
                self._close("limit")
            else:
                self._wait_on(now)

        now.overdue = self._shared.later(OVERDUE_S, look)

    def _drop(self, now: Listening) -> None:
        self._taken_away()
        self._heard(now.sound)
        if now.turn is not None:
            now.turn.cancel()

    def _taken_away(self) -> Listening:
        """No utterance is open from here on."""
        now, self._open = self._open, None
        assert now is not None and now.overdue is not None, "only an open utterance is ended"
        now.overdue.cancel()
        now.sound.end()
        return now

    def _hear(self, now: Listening, id: str) -> None:
        """Begin the turn of an utterance. id: as the client gave it."""
        request = turns.Spoken(now.id, now.language, now.sound, self._key(id))
        now.partial = ""
        now.question = Question(now.id, request, self._visit)
        now.turn = self._take(request, now.question, is_named=bool(id))
        now.turn.add_done_callback(lambda _: self._heard(now.sound))

    def _heard(self, sound: Utterance) -> None:
        self._waiting.discard(sound)
        self._shared.unheard.discard(sound)

    # Turns

    def _take(
        self, request: turns.Spoken | turns.Typed, question: Question, *, is_named: bool
    ) -> asyncio.Task[None]:
        """Take up a turn, known from here on as asked already."""
        if is_named:
            self._questions.keep(question)
        turn = self._conversation.begin(request, partial(self._told, question))
        turn.add_done_callback(lambda _: self._questions.over(question))
        return turn

    def _refuse_if_full(self, id: str) -> None:
        if self._shared.stopping:
            raise ProtocolError("stopping", "The device is stopping.", hint="It tells you when to come back.", id=id)
        if self._conversation.open_turns >= MOST_TURNS:
            raise ProtocolError(
                "too_many_turns", f"{self._conversation.open_turns} turns are under way, which is the limit.",
                hint="Wait for their answers.", id=id)

    def _named(self, id: str) -> str:
        self._count += 1
        return id or str(self._count)

    def _key(self, id: str) -> str:
        """Names the turn to whatever keeps its effects; the same after a restart, if the client's id is unique."""
        is_unique = len(id) >= UNIQUE_ID_CHARACTERS and not self._questions.knows(id)
        return f"{self.visitor}/{id}" if is_unique else secrets.token_urlsafe(12)
