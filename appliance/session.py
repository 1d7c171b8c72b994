"""One person's presence: the utterance they are saying, what they asked a moment ago, what is remembered of them.

A session outlives the connection it came by. A place (a page's socket, the device, any other wire) attaches itself,
puts in `begin`, `audio`, `end`, `cancel`, `text`, `interrupt`, and is told what happens. There is no JSON here, no
socket, and no sound but 16 kHz.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from appliance import turns
from appliance.asking import Asking
from appliance.audio.endpointing import Endpointer, Patience
from appliance.audio.pcm import Sink
from appliance.conversation import Conversation
from appliance.dialogue.types import Memory
from appliance.floor import Floor
from appliance.language import Language
from appliance.shared import Shared


class Place(Protocol):
    """Where a session is at the moment."""

    def tell(self, event: turns.Event) -> None:
        """Called for everything that happens, in order. Must not wait."""

    def displaced(self) -> None:
        """The session's client has come back by another way; this one hears nothing any more."""


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
        self._asking = Asking(self._conversation, shared, visitor, self.tell, self._show)
        self._floor = Floor(shared, self._conversation, self._asking, memory, self.tell)
        self._secret = ""
        self._place: Place | None = None

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
        self._floor.arrived()
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
        self._floor.leave()
        self._registry.left(self)

    async def settled(self, timeout_s: float | None = None) -> bool:
        """Wait until no turn is under way; False if one still is after timeout_s."""
        return await self._conversation.settled(timeout_s)

    @property
    def backlog_s(self) -> float:
        """Sound that has arrived and was not decoded yet."""
        return self._floor.backlog_s

    # What is asked

    def begin(
        self,
        id: str = "",
        language: Language | None = None,
        endpointer: Endpointer | None = None,
        *,
        lingers: bool = False,
    ) -> str:
        """A person begins to talk; silences the reply being spoken. Returns the turn's id, made up if none is given.

        endpointer: decides about the end too. lingers: sound goes on coming for afterwards.AFTER_S when that has ended
        it, so that whoever was cut off is heard (turns.Listening). Raises ProtocolError.
        """
        return self._floor.begin(id, language or self.language, endpointer, lingers=lingers)

    @property
    def listens_afterwards(self) -> bool:
        """The device has ended an utterance, and whoever said it may still go on."""
        return self._floor.listens_afterwards

    def forget_afterwards(self) -> None:
        """Whoever was ended by the device has nothing to add, or could not be told from the reply that sounds."""
        self._floor.forget_afterwards()

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
        return self._floor.open_id

    @property
    def open_audio_s(self) -> float:
        """How much of the open utterance has arrived, in seconds; 0 if none is open."""
        return self._floor.open_audio_s

    def endpoint(self, endpointer: Endpointer | None) -> None:
        """From now on this decides about the end of the open utterance; None: only the person does."""
        self._floor.endpoint(endpointer)

    def audio(self, pcm: bytes) -> None:
        """The next samples of the open utterance, s16le at 16 kHz. Raises ProtocolError; stray sound is told once."""
        self._floor.audio(pcm)

    def end(self, id: str = "") -> None:
        """The person has finished. Raises ProtocolError if nothing is open, or something else than `id`."""
        self._floor.end(id)

    def cancel(self, id: str = "") -> None:
        """Forget the open utterance, unheard. Raises ProtocolError as `end` does."""
        self._floor.cancel(id)

    def text(self, text: str, id: str = "", language: Language | None = None) -> str:
        """A typed question; silences the reply being spoken. Returns the turn's id. Raises ProtocolError."""
        self._asking.refuse_if_full(id)
        self.forget_afterwards()
        return self._asking.typed(id, language or self.language, text)

    def interrupt(self) -> None:
        """Be quiet."""
        self.forget_afterwards()
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
