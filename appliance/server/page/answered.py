"""What was answered in the last half minute, by turn id.

A page that was cut off before it got its transcript says the same utterance again, under the same id. It then gets the
answer of the first time: "set a timer" must not set two.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from appliance import turns

KEPT_S = 30.0
"""A page gives up after 10 s without a connection."""

SHORTEST_ID = 8
"""Characters; shorter ids are counted numbers that different clients use alike. The page's begin with random text."""


@dataclass
class _Turn:
    at_s: float
    final: turns.FinalHeard | None = None
    answer: turns.Answered | None = None


class AnsweredTurns:
    """Shared by all clients of a device, as the page comes back on a new connection. In memory only."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._turns: OrderedDict[str, _Turn] = OrderedDict()

    def note(self, event: turns.Event) -> None:
        """Remember transcripts and answers; everything else passes."""
        if isinstance(event, turns.FinalHeard | turns.Answered) and len(event.id) >= SHORTEST_ID:
            turn = self._turns.setdefault(event.id, _Turn(self._clock()))
            if isinstance(event, turns.FinalHeard):
                turn.final = event
            else:
                turn.answer = event
        self._forget()

    def again(self, id: str) -> tuple[turns.FinalHeard | None, turns.Answered] | None:
        """The transcript (None for a typed turn) and the answer of a turn answered already."""
        self._forget()
        turn = self._turns.get(id)
        return (turn.final, turn.answer) if turn is not None and turn.answer is not None else None

    def _forget(self) -> None:
        while self._turns and self._clock() - next(iter(self._turns.values())).at_s > KEPT_S:
            self._turns.popitem(last=False)
