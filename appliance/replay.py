"""Questions asked a moment ago: one asked again after a drop is told its answer, and nothing is carried out twice.

A question is known by its id *and* by what was asked (listening.py compares sound). While it is under way, or on a
later visit of the same session, the same under the same id is the same question. Anything else is new.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from appliance import turns

TOLD_AGAIN_S = 30.0
"""So long after its answer; a page gives up after 10 s without a connection."""

MOST_KEPT = 32
"""Questions of one session; only those under way when a connection broke are asked again."""


@dataclass(eq=False)
class Question:
    id: str
    request: turns.Spoken | turns.Typed | None
    """While it is under way; what was said is not kept any longer."""
    visit: int
    """The visit on which it was asked last."""
    asked: object = None
    """What was asked, to be compared; None while it is still being said."""
    told: list[turns.FinalHeard | turns.Answered | turns.Failed] = field(default_factory=list)
    answer: turns.Answered | None = None
    settled_at_s: float | None = None
    """When it was answered, or had failed."""


class Questions:
    """The questions of one session, by their id. In memory only."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._questions: OrderedDict[str, Question] = OrderedDict()

    def keep(self, question: Question) -> None:
        """Remember it from its beginning on; a newer one takes the place of an older one with the same id."""
        self._questions.pop(question.id, None)
        self._questions[question.id] = question
        while len(self._questions) > MOST_KEPT:
            self._questions.popitem(last=False)

    def over(self, question: Question) -> None:
        """Its turn has ended: forget it if nothing came of it, and what was said in any case."""
        question.request = None
        if question.settled_at_s is None and self._questions.get(question.id) is question:
            del self._questions[question.id]

    def knows(self, id: str) -> bool:
        """A question with this id was asked, however long ago."""
        return id in self._questions

    def note(self, question: Question, event: turns.Event) -> None:
        """Remember what has to be told again; everything else passes."""
        match event:
            case turns.FinalHeard():
                question.told.append(event)
            case turns.Answered():
                question.told.append(event)
                question.answer = event
                question.settled_at_s = self._clock()
            case turns.AnswerGrew() if question.answer is not None:
                question.answer = question.told[-1] = replace(question.answer, text=event.text)
            case turns.Failed() if question.answer is None:
                question.told.append(event)
                question.settled_at_s = self._clock()

    def earlier(self, id: str, visit: int) -> Question | None:
        """The question that may be meant by one with this id: from an earlier visit, or still under way."""
        question = self._questions.get(id)
        if question is None or question.settled_at_s is None:
            return question
        if question.visit == visit or self._clock() - question.settled_at_s > TOLD_AGAIN_S:
            return None
        return question
