"""Whose piece of speech is made next, and when a reply begins to sound. Belongs to one event loop.

While the processor keeps up, a reply sounds with its first piece, and first pieces go before others. When more people
listen than it can speak to, equal shares would have every reply stutter. So who hears without gaps goes on doing so,
and who comes last begins later, with so much in hand that it lasts; but at most MOST_WAIT_S later, as well as it goes.

A hundred replies of 2.2 s within ten seconds, simulated, 5 % of a core for a spoken second (tests/speaking/test_pace.py
simulates it again): first sound p95 and replies with a gap over 50 ms, before → with this file.

| cores left for synthesis | 0.7 | 0.9 | 1.0 | 1.2 | 1.5 |
|---|---|---|---|---|---|
| first sound | 0.1 → 0.6 s | 0.1 → 0.5 s | 0.1 → 0.5 s | 0.06 → 0.3 s | 0.05 s |
| with a gap | 96 → 79 % | 89 → 59 % | 83 → 40 % | 2 → 0 % | 0 % |
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

MOST_WAIT_S = 0.5
"""A reply that could sound begins to, whatever comes after."""
FORGOTTEN_S = 0.7 * MOST_WAIT_S
"""Who has waited so long for a first sound goes before everybody but those who have waited longer."""
IN_DANGER_S = 0.15
"""Of sound in hand; who has less falls silent soon. A first piece is a little longer."""
MARGIN = 0.9
"""Of the processor that replies may be counted on to get."""
_MEMORY = 0.95
"""What counts of the cost measured before, at each piece: twenty pieces are five seconds of speech."""

_IN_DANGER, _NEW, _AT_EASE = 0, 1, 2


class MustBegin(Exception):
    """A listener waits no longer: what is in hand must do for a beginning."""


Urgency = tuple[int, float]


class Cost:
    """What a voice's second of speech costs: seconds of one worker thread, as lately measured; 0 before that."""

    def __init__(self) -> None:
        self._audio_s = self._work_s = 0.0

    def measured(self, audio_s: float, work_s: float) -> None:
        self._audio_s = _MEMORY * self._audio_s + audio_s
        self._work_s = _MEMORY * self._work_s + work_s

    @property
    def per_spoken_s(self) -> float:
        return self._work_s / self._audio_s if self._audio_s else 0.0


class Listener:
    """One reply on its way to one person. Times are the loop's, in seconds."""

    def __init__(self, cost: Cost, expected_s: float, now_s: float) -> None:
        self.cost = cost
        self._left_s = expected_s
        self._in_hand_s = 0.0  # made, and held back
        self.begin_s = now_s
        self.silent_at_s: float | None = None  # when all that was given will have been heard; None before any was
        self.is_late = False  # it began although it will not last

    @property
    def can_sound(self) -> bool:
        """Something is in hand, which the person does not hear yet."""
        return self.silent_at_s is None and self._in_hand_s > 0

    def made(self, piece_s: float, now_s: float) -> None:
        self._left_s = max(0.0, self._left_s - piece_s)
        if self.silent_at_s is None:
            self._in_hand_s += piece_s
        else:
            self.silent_at_s = max(self.silent_at_s, now_s) + piece_s

    def begins(self, spare: float, now_s: float) -> bool:
        """Whether the person hears what is in hand; from then on the answer is yes.

        spare: how many worker threads the other replies leave.
        """
        if self.silent_at_s is not None:
            return True
        cost = self.cost.per_spoken_s
        kept_up = min(1.0, max(0.0, spare / cost)) if cost else 1.0  # of each second, while the rest is made
        lasts = self._in_hand_s >= self._left_s * (1.0 - kept_up)
        if not lasts and now_s < self.begin_s + MOST_WAIT_S:
            return False
        self.is_late = not lasts
        self.silent_at_s = now_s + self._in_hand_s
        return True

    def urgency(self, now_s: float) -> Urgency:
        """Smaller goes first."""
        if self.silent_at_s is None:
            if now_s - self.begin_s > FORGOTTEN_S:
                return _IN_DANGER, self.begin_s + MOST_WAIT_S
            return _NEW, self.begin_s
        if self.is_late:
            return _NEW, self.silent_at_s
        return _IN_DANGER if self.silent_at_s - now_s < IN_DANGER_S else _AT_EASE, self.silent_at_s


class Pace:
    """Hands out turns at the workers. threads: how many there are. now: the loop's time."""

    def __init__(self, threads: int, now: Callable[[], float] | None = None) -> None:
        self._threads = threads
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._listeners: set[Listener] = set()
        self._waiting: dict[Listener, asyncio.Future[None]] = {}
        self._free = threads + 1  # one piece lies ready, so that no thread waits for the loop

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @contextmanager
    def listener(self, cost: Cost, expected_s: float) -> Iterator[Listener]:
        """For as long as a reply is being spoken. expected_s: about how long it will be."""
        listener = Listener(cost, expected_s, self._now())
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def made(self, listener: Listener, piece_s: float) -> None:
        listener.made(piece_s, self._now())

    def begins(self, listener: Listener) -> bool:
        """Whether the person hears what was made so far."""
        others = sum(
            other.cost.per_spoken_s
            for other in self._listeners
            if other is not listener and other.silent_at_s is not None
        )
        return listener.begins(MARGIN * self._threads - others, self._now())

    @asynccontextmanager
    async def turn(self, listener: Listener) -> AsyncIterator[None]:
        """Wait for a worker, and have it. Raises MustBegin."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(listener)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, listener: Listener) -> None:
        turn = self._waiting[listener] = asyncio.get_running_loop().create_future()
        until_s = listener.begin_s + MOST_WAIT_S if listener.can_sound else None
        try:
            async with asyncio.timeout_at(until_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # it came in the same moment
            if isinstance(error, TimeoutError):
                raise MustBegin from None
            raise
        finally:
            self._waiting.pop(listener, None)

    def _pass_on(self) -> None:
        now_s = self._now()
        waiting = [listener for listener, turn in self._waiting.items() if not turn.done()]
        if waiting:
            self._waiting[min(waiting, key=lambda listener: listener.urgency(now_s))].set_result(None)
        else:
            self._free += 1
