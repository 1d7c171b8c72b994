"""Everybody's sessions: made, found again by their secret, forgotten."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Protocol

from appliance import turns
from appliance.attention import Attention
from appliance.dialogue.actions import SetSpeech
from appliance.dialogue.types import Memory
from appliance.faculties import Faculties
from appliance.language import Language
from appliance.session import Session
from appliance.shared import Later, Shared

FORGOTTEN_AFTER_S = 600.0
"""A session whose client has gone is remembered for so long."""

MOST_GONE = 1000
"""Sessions remembered without their client, a few KB each; beyond that the longest gone is forgotten."""


class Travels(Protocol):
    """Sessions that may come back at another machine (farm/visits.py)."""

    def keep(self, name: str, visitor: str, language: Language, memory: Memory) -> None: ...
    async def find(self, name: str, visitor: str) -> tuple[Language, Memory] | None: ...


class Sessions:
    """Everybody's sessions, in one event loop. Turns under way run in `tasks`, whoever has gone.

    observe: told every event of every session. dropped: told why a piece of sound was not used.
    later: like loop.call_later; None takes the running loop's. attention: who listens along. recall: how somebody
    wanted to be spoken to before. travels: where sessions of other machines are found.
    """

    def __init__(
        self,
        faculties: Faculties,
        tasks: asyncio.TaskGroup,
        *,
        language: Language,
        max_audio_duration_s: float,
        observe: Callable[[turns.Event], None] = lambda event: None,
        dropped: Callable[[str], None] = lambda reason: None,
        clock: Callable[[], float] | None = None,
        later: Later | None = None,
        attention: Attention | None = None,
        recall: Callable[[str], SetSpeech] = lambda visitor: SetSpeech(),
        travels: Travels | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._later: Later = later or loop.call_later
        self._shared = Shared(
            faculties,
            tasks,
            language,
            max_audio_duration_s,
            observe,
            dropped,
            clock or loop.time,
            self._later,
            attention,
        )
        self._recall, self._travels = recall, travels
        self._present: set[Session] = set()
        self._returning: dict[str, Session] = {}
        """Those whose client was told the secret, by what the secret hashes to."""
        self._gone: OrderedDict[Session, asyncio.TimerHandle] = OrderedDict()
        """… and whose client is not here, the longest gone first."""

    def open(self, visitor: str, memory: Memory | None = None) -> Session:
        """A new session. visitor: who asks, as whoever let them in calls them; a session comes back only to them."""
        memory = memory or Memory()
        memory.who, memory.speech = visitor, self._recall(visitor)
        return Session(self._shared, self, visitor, memory)

    def resume(self, secret: str, visitor: str) -> Session | None:
        """The session whose secret a client was told; None if it was forgotten or is another visitor's."""
        session = self._returning.get(_hashed(secret))
        return session if session is not None and session.visitor == visitor else None

    async def fetch(self, secret: str, visitor: str) -> None:
        """If another machine knows the session, take it over, so that `resume` finds it."""
        name = _hashed(secret)
        if self._travels is None or name in self._returning:
            return
        found = await self._travels.find(name, visitor)
        if found is not None and name not in self._returning:
            language, memory = found
            speech = memory.speech
            session = self.open(visitor, memory)
            session.language, memory.speech = language, speech
            session.is_known_as(secret)
            self._returning[name] = session
            self.left(session)

    def answered(self, session: Session) -> None:
        if self._travels is not None and session.may_return:
            self._travels.keep(_hashed(session.secret), session.visitor, session.language, session.memory)

    @property
    def faculties(self) -> Faculties:
        """What everybody's turns use."""
        return self._shared.faculties

    @property
    def max_audio_duration_s(self) -> float:
        """The longest utterance."""
        return self._shared.max_audio_duration_s

    def stop(self) -> None:
        """Take up no new turn any more; those under way go on."""
        self._shared.stopping = True

    @property
    def backlog_s(self) -> float:
        """Sound that has arrived and was not decoded yet."""
        return self._shared.backlog.seconds

    @property
    def is_overloaded(self) -> bool:
        """So much sound waits that no more should be taken in."""
        return self._shared.backlog.is_too_long

    def new_secret(self, session: Session) -> str:
        """Make a secret under which a session can be resumed."""
        secret = secrets.token_urlsafe(16)
        self._returning[_hashed(secret)] = session
        return secret

    def arrived(self, session: Session) -> None:
        self._present.add(session)
        if (forget := self._gone.pop(session, None)) is not None:
            forget.cancel()

    def left(self, session: Session) -> None:
        """Remember a session without its client for a while, if that client can come back."""
        self._present.discard(session)
        if session.may_return:
            self._gone[session] = self._later(FORGOTTEN_AFTER_S, partial(self._forget, session))
            if len(self._gone) > MOST_GONE:
                self._forget(next(iter(self._gone)))

    def _forget(self, session: Session) -> None:
        self._gone.pop(session).cancel()
        del self._returning[_hashed(session.secret)]


def _hashed(secret: str) -> str:
    """What a secret is looked up by, so that the time it takes tells nothing about others."""
    return hashlib.blake2b(secret.encode(), digest_size=16).hexdigest()
