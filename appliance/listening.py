"""The utterance that is open: its sound, who decides about its end, and whether it was said before."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

from appliance.audio.endpointing import Endpointer, Reason
from appliance.audio.pcm import SAMPLE_BYTES
from appliance.audio.utterance import Utterance
from appliance.language import Language
from appliance.replay import Question


@dataclass(frozen=True)
class Sound:
    """All of an utterance, to be compared with one that is said again."""

    language: Language
    samples: int
    digest: str
    ended: Reason | None
    """Why the device ended it; whoever spoke may have gone on, not knowing that yet. None: they ended it."""


class Listening:
    """An open utterance of at most `limit` samples. earlier: the question that it may be said again of.

    What may be said again is not decoded before its end, when all of it can be compared.
    """

    def __init__(
        self, id: str, language: Language, limit: int, endpointer: Endpointer | None, earlier: Question | None
    ) -> None:
        self.id, self.language, self.endpointer, self.earlier = id, language, endpointer, earlier
        self.sound = Utterance(limit)
        self.question: Question | None = None
        self.turn: asyncio.Task[None] | None = None
        self.overdue: asyncio.TimerHandle | None = None
        self.partial: str | None = ""
        """The transcript so far; None while no recognizer listens yet."""
        self._digest = hashlib.sha256()
        self._before = earlier.asked if earlier is not None and isinstance(earlier.asked, Sound) else None
        self._begins_alike = False

    def write(self, pcm: bytes) -> None:
        """Take samples (s16le), up to the limit."""
        begin = self.sound.samples
        taken = memoryview(pcm)[: self.sound.write(pcm) * SAMPLE_BYTES]
        if self._before is not None and begin < self._before.samples <= self.sound.samples:
            rest = (self._before.samples - begin) * SAMPLE_BYTES
            self._digest.update(taken[:rest])
            self._begins_alike = self._digest.hexdigest() == self._before.digest
            taken = taken[rest:]
        self._digest.update(taken)

    @property
    def ended_before(self) -> Reason | None:
        """Why the device ended this utterance the first time, once as much was said again."""
        return self._before.ended if self._before is not None and self._begins_alike else None

    def heard(self, ended: Reason | None) -> Sound:
        """What was said, once it is over."""
        return Sound(self.language, self.sound.samples, self._digest.hexdigest(), ended)

    def is_said_again(self) -> bool:
        """Whether all of it is what was said before. Nothing at all is never said again."""
        before = self._before
        if before is None or before.language != self.language or not before.samples:
            return False
        return self._begins_alike and (before.ended is not None or self.sound.samples == before.samples)
