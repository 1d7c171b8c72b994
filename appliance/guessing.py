"""The answer before the end is certain: while somebody's silence is waited out, what they said is answered already.

Nothing is carried out, told or remembered by it; the turn does that when it comes, and only if exactly this was said. A
guess that was wrong has cost processor time and nothing else, and how much that may be is bounded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from appliance.dialogue.types import Considered, Reply
from appliance.language import Language

log = logging.getLogger(__name__)

SHARE = 0.05
"""At most this part of one core goes into discarded guesses, in the long run …"""

SPARE_S = 2.0
"""… and so much at once."""


class Guesses:
    """What all guesses together have cost. clock: in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.used = self.discarded = 0
        self.wasted_s = 0.0
        """Time spent on discarded ones; the processor's was less."""
        self._clock, self._left_s, self._at = clock, SPARE_S, clock()

    @property
    def are_allowed(self) -> bool:
        """Discarded guesses have not cost too much of late."""
        now = self._clock()
        self._left_s = min(SPARE_S, self._left_s + SHARE * (now - self._at))
        self._at = now
        return self._left_s > 0

    def discard(self, spent_s: float) -> None:
        self.discarded += 1
        self.wasted_s += spent_s
        self._left_s -= spent_s


class Guess:
    """One answer under way. Belongs to one event loop and one conversation. id: the turn it may be of.

    consider: thinks about the text. speak: begins to say a reply; None where nobody would hear it.
    """

    def __init__(
        self,
        id: str,
        text: str,
        language: Language,
        guesses: Guesses,
        tasks: asyncio.TaskGroup,
        *,
        consider: Callable[[], Awaitable[Considered]],
        speak: Callable[[Reply], AsyncGenerator[bytes, None] | None],
    ) -> None:
        self.id, self.text, self.language = id, text, language
        self._guesses, self._consider, self._speak = guesses, consider, speak
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._spent_s: float | None = None
        self._considered: Considered | None = None
        self._thought, self._over = asyncio.Event(), asyncio.Event()
        self._is_used = False
        self._task = tasks.create_task(self._make())

    async def considered(self) -> Considered | None:
        """What would be answered; waits for it, for the work would be the same. None if that cannot be known."""
        self._is_used = True
        self._guesses.used += 1
        await self._thought.wait()
        return self._considered

    def drop(self) -> None:
        """It is not needed any more. Harmless when repeated."""
        if self._over.is_set():
            return
        self._over.set()
        if not self._is_used:
            self._guesses.discard(self._clock() - self._began if self._spent_s is None else self._spent_s)
        self._task.cancel()

    async def _make(self) -> None:
        try:
            self._considered = await self._consider()
            self._thought.set()
            said = self._considered.said
            if isinstance(said, Reply) and said.text and (chunks := self._speak(said)) is not None:
                async with aclosing(chunks):
                    await anext(chunks, b"")  # who says the same later hears this at once
                    self._spent_s = self._clock() - self._began
                    await self._over.wait()
        except Exception:
            log.exception("an answer could not be thought of ahead")
        finally:
            self._thought.set()
            self._spent_s = self._clock() - self._began if self._spent_s is None else self._spent_s


class Guessing:
    """One conversation's guess at what is still being said; there is at most one. consider, speak: as in Guess."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        *,
        consider: Callable[[str, Language], Awaitable[Considered]],
        speak: Callable[[Reply], AsyncGenerator[bytes, None] | None],
    ) -> None:
        self._tasks, self._consider, self._speak = tasks, consider, speak
        self._guess: Guess | None = None

    def guess(self, id: str, text: str, language: Language, guesses: Guesses) -> None:
        """This may be all that is said in a turn: think of the answer already, and of how to begin to say it.

        Another text takes its place; "" for none: they go on.
        """
        if self._guess is not None and (self._guess.id, self._guess.text) != (id, text):
            self.drop()
        if text and self._guess is None and guesses.are_allowed:
            self._guess = Guess(
                id,
                text,
                language,
                guesses,
                self._tasks,
                consider=lambda: self._consider(text, language),
                speak=self._speak,
            )

    async def considered(self, id: str, text: str, language: Language) -> Considered | None:
        """What was thought of already, if exactly this was guessed."""
        guess = self._guess
        if guess is None or (guess.id, guess.text, guess.language) != (id, text, language):
            return None
        return await guess.considered()

    def drop(self, id: str = "") -> None:
        """Nobody needs it any more. id: only if it is that turn's."""
        guess = self._guess
        if guess is not None and id in ("", guess.id):
            self._guess = None
            guess.drop()
