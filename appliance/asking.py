"""What one person asks, turn by turn: taken up once, and told again, not done again, when asked again after a drop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial

from appliance import turns
from appliance.conversation import Conversation
from appliance.errors import ProtocolError
from appliance.language import Language
from appliance.listening import Listening
from appliance.replay import Question, Questions
from appliance.shared import Shared
from appliance.turns import Tell

MOST_TURNS = 16
"""Of one session under way at once: nobody may fill the queues that all share."""

UNIQUE_ID_CHARACTERS = 16
"""An id this long is taken for one turn's for ever (docs/protocol.md): what it changes is changed once."""


class Asking:
    """One session's turns. tell: told every event of them. tell_again: told what was told once already."""

    def __init__(self, conversation: Conversation, shared: Shared, visitor: str, tell: Tell, tell_again: Tell) -> None:
        self._conversation, self._shared, self._visitor = conversation, shared, visitor
        self._tell, self._tell_again = tell, tell_again
        self._questions = Questions(shared.clock)
        self._visit = self._count = 0

    @property
    def is_fresh(self) -> bool:
        """Nothing was asked yet."""
        return not self._count

    def arrived(self) -> None:
        """The person is here, perhaps again."""
        self._visit += 1

    def refuse_if_full(self, id: str) -> None:
        """Raises ProtocolError while too many turns are under way, or the device is stopping."""
        if self._shared.stopping:
            raise ProtocolError("stopping", "The device is stopping.", hint="It tells you when to come back.", id=id)
        if self._conversation.open_turns >= MOST_TURNS:
            raise ProtocolError(
                "too_many_turns",
                f"{self._conversation.open_turns} turns are under way, which is the limit.",
                hint="Wait for their answers.",
                id=id,
            )

    def named(self, id: str) -> str:
        """Count one more question; its id, made up if the client gave none."""
        self._count += 1
        return id or str(self._count)

    def earlier(self, id: str) -> Question | None:
        """The question that may be asked again under this id."""
        return self._questions.earlier(id, self._visit) if id else None

    def typed(self, id: str, language: Language, text: str) -> str:
        """Take up a typed question, or tell again what it was answered. Returns the turn's id."""
        earlier = self.earlier(id)
        if earlier is not None and earlier.asked == (language, text):
            self.again(earlier)
            return id
        request = turns.Typed(self.named(id), language, text, self._key(id))
        question = Question(request.id, request, self._visit, (language, text))
        self._take(request, question, partial(self._told, question), is_named=bool(id))
        return request.id

    def spoken(self, now: Listening, id: str, heard: Callable[[], None]) -> None:
        """Begin the turn of an open utterance. id: as the client gave it. heard: called when the turn has ended."""
        continues = now.continues.id if now.continues is not None else ""
        request = turns.Spoken(now.id, now.language, now.source, self._key(id), continues)
        question = now.question = Question(now.id, request, self._visit)

        def told(event: turns.Event) -> None:
            now.told(event)
            self._told(question, event)

        now.partial = ""
        now.turn = self._take(request, question, told, is_named=bool(id))
        now.turn.add_done_callback(lambda _: heard())

    def again(self, question: Question) -> None:
        """It was asked before: what was told about it then, and its answer aloud, now or when it comes."""
        question.visit = self._visit
        for event in question.told:
            self._tell_again(event)
        answer = question.answer
        if answer is not None:
            again = turns.Again(answer.id, answer.language, answer.text, answer.timings)
            self._conversation.begin(again, self._tell)
        elif question.request is not None:
            self._conversation.favour(question.request)

    def _take(
        self, request: turns.Spoken | turns.Typed, question: Question, tell: Tell, *, is_named: bool
    ) -> asyncio.Task[None]:
        """Take up a turn, known from here on as asked already."""
        if is_named:
            self._questions.keep(question)
        turn = self._conversation.begin(request, tell)
        turn.add_done_callback(lambda _: self._questions.over(question))
        return turn

    def _told(self, question: Question, event: turns.Event) -> None:
        self._questions.note(question, event)
        self._tell(event)

    def _key(self, id: str) -> str:
        """Names the turn to whatever keeps its effects; the same after a restart, if the client's id is unique."""
        is_unique = len(id) >= UNIQUE_ID_CHARACTERS and not self._questions.knows(id)
        return f"{self._visitor}/{id}" if is_unique else secrets.token_urlsafe(12)
