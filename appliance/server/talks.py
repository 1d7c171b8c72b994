"""Our dialogue as somebody else's conversation agent: a text comes, its answer goes back."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from appliance import turns
from appliance.errors import ProtocolError
from appliance.language import Language
from appliance.limits import MAX_ID_CHARACTERS, MAX_TEXT_CHARACTERS
from appliance.session import Session

MOST_TALKS = 200
"""Conversations that are remembered, of a few KB each; the one that was idle for longest is forgotten first."""

ANSWER_S = 30.0
"""The longest that a skill may take."""


class Talks:
    """Everybody's conversations, found again by their ids."""

    def __init__(self, open: Callable[[str], Session]) -> None:
        """open: see Sessions.open."""
        self._open = open
        self._talks: OrderedDict[tuple[str, str], Talk] = OrderedDict()

    def new(self, visitor: str) -> Talk:
        """One that nobody finds again; whoever wanted it closes it."""
        return Talk(self._open(visitor))

    def of(self, visitor: str, conversation: str) -> Talk:
        """The one that a visitor calls so; a new one if it was forgotten."""
        key = visitor, conversation[:MAX_ID_CHARACTERS]
        talk = self._talks.get(key)
        if talk is None:
            talk = self._talks[key] = self.new(visitor)
            if len(self._talks) > MOST_TALKS:
                self._talks.popitem(last=False)[1].close()
        self._talks.move_to_end(key)
        return talk


class Talk:
    """One conversation. A session's place without sound (session.Place)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._answers: dict[str, asyncio.Future[turns.Answered]] = {}
        session.attach(self, None)

    async def ask(self, text: str, language: Language) -> turns.Answered:
        """Raises ProtocolError."""
        if len(text) > MAX_TEXT_CHARACTERS:
            raise ProtocolError("text_too_long", f"{len(text)} characters, expected at most {MAX_TEXT_CHARACTERS}")
        answer = asyncio.get_running_loop().create_future()
        id = self._session.text(text, "", language)
        self._answers[id] = answer
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer  # type: ignore[no-any-return]
        except TimeoutError:
            raise ProtocolError("too_slow", f"There was no answer within {ANSWER_S:g} s.") from None
        finally:
            del self._answers[id]

    def tell(self, event: turns.Event) -> None:
        """See session.Place."""
        answer = self._answers.get(getattr(event, "id", ""))
        if answer is None or answer.done():
            return
        if isinstance(event, turns.Answered):
            answer.set_result(event)
        elif isinstance(event, turns.Failed):
            answer.set_exception(ProtocolError(event.code, event.message, hint=event.hint))

    def displaced(self) -> None:
        """Nobody else comes back to this session."""

    def close(self) -> None:
        self._session.detach(self)
