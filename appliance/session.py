"""One person's presence: the utterance they are saying, what they asked a moment ago, what is remembered of them.

A session outlives the connection it came by. A place (a page's socket, the device, any other wire) attaches itself,
puts in `begin`, `audio`, `end`, `cancel`, `text`, `interrupt`, and is told what happens. There is no JSON here, no
socket, and no sound but 16 kHz.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from appliance import turns
from appliance.asking import Asking
from appliance.attention import Attended, Attention
from appliance.audio.endpointing import End, Endpointer, Heard, Patience
from appliance.audio.pcm import RATE, SAMPLE_BYTES, Sink
from appliance.audio.utterance import Utterance
from appliance.backlog import MOST_WAITING_S, Backlog
from appliance.conversation import Conversation
from appliance.dialogue.types import Memory
from appliance.errors import ProtocolError
from appliance.faculties import Faculties
from appliance.language import Language
from appliance.listening import Listening

OVERDUE_S = 5.0
"""An utterance may stay open for so much longer than the sound it may hold …"""

THINNEST = 0.1
"""… and again, while its sound still comes at this share of real time: a link of 3.2 kB/s is late, not mute."""


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
    attention: Attention | None = None
    """Who listens along; None: nobody, so Patience decides about the end."""
    stopping: bool = False
    """No new turn is taken up any more."""
    backlog: Backlog = field(init=False)
    """Everybody's sound that was not decoded yet."""

    def __post_init__(self) -> None:
        self.backlog = Backlog(self.clock)


class Registry(Protocol):
    """Where sessions are found again (sessions.py)."""

    def new_secret(self, session: Session) -> str:
        """Make a secret under which the session can be resumed."""

    def arrived(self, session: Session) -> None:
        """Its client is here."""

    def left(self, session: Session) -> None:
        """Its client has gone."""

    def answered(self, session: Session) -> None:
        """It remembers something new."""


class Session:
    """One person's presence. Made by Sessions.open; everything here belongs to one event loop."""

    def __init__(self, shared: Shared, registry: Registry, visitor: str, memory: Memory) -> None:
        self.visitor = visitor
        self.language = shared.language
        self.memory = memory
        """What is remembered between turns: volume, last reply, last heard. Forgotten with the session."""
        self._shared, self._registry = shared, registry
        self._conversation = Conversation(shared.faculties, shared.tasks, memory)
        self._asking = Asking(self._conversation, shared.clock, visitor, self.tell, self._show)
        self._backlog = Backlog(shared.clock)
        self._secret = ""
        self._place: Place | None = None
        self._open: Listening | None = None
        self._closed_id = ""
        """The last utterance's, if it ended otherwise than by `end`: its client may not know yet."""
        self._strays_told = False

    # Where it is

    @property
    def secret(self) -> str:
        """What the client gives back to find this session again; whoever was never told cannot return."""
        self._secret = self._secret or self._registry.new_secret(self)
        return self._secret

    def is_known_as(self, secret: str) -> None:
        """It comes from another machine, where its client was told this secret."""
        self._secret = secret

    @property
    def may_return(self) -> bool:
        """Its client was told the secret."""
        return bool(self._secret)

    @property
    def is_fresh(self) -> bool:
        """Nothing was asked in it yet."""
        return self._asking.is_fresh

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
        self._asking.arrived()
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
        return self._backlog.seconds

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
                "no_recognizer",
                f"There is no recognizer for {language!r} on this device.",
                hint="Typed text works. `stimme models list` names the recognizers that can be fetched.",
                id=id,
            )
        if self._shared.backlog.is_too_long:
            raise ProtocolError(
                "overloaded",
                f"more than {MOST_WAITING_S:g} s of sound wait to be heard, which is the limit.",
                hint="Try again in a moment; typed text works.",
                id=id,
            )
        limit_s = self._shared.max_audio_duration_s
        earlier = self._asking.earlier(id)
        now = self._open = Listening(self._asking.named(id), language, round(limit_s * RATE), endpointer, earlier)
        self._strays_told, self._closed_id = False, ""
        if (attention := self._shared.attention) is not None:
            now.source = Attended(
                now,
                attention,
                self.memory,
                lambda end: self._ended(now, end),
                lambda text: self._conversation.guess(now.id, text, now.language, attention.guesses),
            )
        self._backlog.add(now.sound)
        self._shared.backlog.add(now.sound)
        if now.is_new:
            self._hear(now, id)
        else:
            self._conversation.interrupt()
        now.overdue = self._shared.later(limit_s, lambda: self._wait_on(now))
        self.tell(turns.Listening(now.id))
        return now.id

    def by_itself(self, invited_s: float | None = None) -> Endpointer:
        """A rule for one utterance whose end is left to the device.

        invited_s: nobody asked to talk, and who says nothing for so long is not answered.
        """
        attention = self._shared.attention
        if attention is not None:
            return attention.rule(invited_s)
        return Patience() if invited_s is None else Patience(silence_s=invited_s, is_invited=True)

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
                "odd_bytes",
                f"{len(pcm)} bytes of sound, expected an even number (s16le); they were not used",
                id=now.id,
            )
        now.write(pcm)
        if now.question is None and now.is_new:
            self._hear(now, now.id)
        if now.sound.truncated:
            self._shared.dropped("audio_too_long")
            self._close(End("limit"))
        elif now.ended_before is not None:
            self._close(End(now.ended_before))
        elif now.endpointer is not None and now.source is now.sound:
            heard = Heard(len(pcm) // SAMPLE_BYTES, now.partial, self._shared.clock())
            if (end := now.endpointer.feed(heard)) is not None:
                self._ended(now, end)

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
        return self._asking.typed(id, language or self.language, text)

    def interrupt(self) -> None:
        """Be quiet."""
        self._conversation.interrupt()

    def announce(self, announcement: turns.Announcement) -> asyncio.Task[None]:
        """Say something on the device's own account, after what is being said."""
        return self._conversation.begin(announcement, self.tell)

    # What happens

    def tell(self, event: turns.Event) -> None:
        """Tell whoever this session is with, and whoever observes all."""
        if isinstance(event, turns.LanguageChanged):
            self.language = event.language
        self._show(event)
        self._shared.observe(event)
        if isinstance(event, turns.Answered):
            self._registry.answered(self)

    def _show(self, event: turns.Event) -> None:
        if self._place is not None:
            self._place.tell(event)

    # The open utterance

    def _opened(self, id: str) -> Listening:
        if self._open is None:
            raise ProtocolError("not_started", "nothing is being listened to", id=id)
        if id not in ("", self._open.id):
            raise ProtocolError(
                "wrong_id",
                f"{id!r} is not being listened to, but {self._open.id!r} is; that one goes on",
                hint="Name the open utterance, or leave the id out.",
                id=id,
            )
        return self._open

    def _is_over(self, id: str) -> bool:
        """The utterance ended by itself a moment ago, and whoever ends it now could not know."""
        return self._open is None and bool(self._closed_id) and id in ("", self._closed_id)

    def _close(self, end: End | None = None) -> None:
        """The endpoint. end: None if the person said so."""
        now = self._taken_away()
        if end is not None:
            self._closed_id, self._strays_told = now.id, True
            self.tell(turns.Endpoint(now.id, end.reason, end.setting, 1000 * end.silence_s))
        if now.earlier is not None and now.question is None and now.is_said_again:
            self._heard(now.sound)
            self._asking.again(now.earlier)
        elif now.question is None:
            self._hear(now, now.id)
        if now.question is not None:
            now.question.asked = now.heard(end.reason if end is not None else None)

    def _ended(self, now: Listening, end: End) -> None:
        """Whoever listens along has heard the end of it."""
        if now is self._open and end.reason == "nothing":
            self.cancel(now.id)
        elif now is self._open:
            self._close(end)

    def _wait_on(self, now: Listening) -> None:
        """It has been open for long: it stays so while its sound goes on coming."""
        before = now.sound.samples

        def look() -> None:
            if now.sound.samples - before < THINNEST * OVERDUE_S * RATE:
                self._close(End("limit"))
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
        self._asking.spoken(now, id, lambda: self._heard(now.sound))

    def _heard(self, sound: Utterance) -> None:
        self._backlog.discard(sound)
        self._shared.backlog.discard(sound)

    def _refuse_if_full(self, id: str) -> None:
        if self._shared.stopping:
            raise ProtocolError("stopping", "The device is stopping.", hint="It tells you when to come back.", id=id)
        self._asking.refuse_if_full(id)
