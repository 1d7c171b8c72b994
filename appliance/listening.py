"""The utterance that is open: its sound, who decides about its end, and whether it was said before."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

from appliance import turns
from appliance.audio.endpointing import Endpointer, Reason
from appliance.audio.pcm import SAMPLE_BYTES, SpokenSource
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

    What may be said again is not decoded until it is certain to be new, or over.
    """

    def __init__(
        self, id: str, language: Language, limit: int, endpointer: Endpointer | None, earlier: Question | None
    ) -> None:
        self.id, self.language, self.endpointer, self.earlier = id, language, endpointer, earlier
        self.sound = Utterance(limit)
        self.source: SpokenSource = self.sound
        """What the recognizer reads: the sound, or whoever listens along to it."""
        self.question: Question | None = None
        """Once a recognizer listens to it."""
        self.turn: asyncio.Task[None] | None = None
        self.overdue: asyncio.TimerHandle | None = None
        self.partial: str | None = None
        """The transcript so far; None while no recognizer listens yet."""
        self.lingers = False
        """Sound goes on coming for a moment after the device has ended it."""
        self.continues: Listening | None = None
        """What was ended too early, if this may be the rest of it."""
        self.waits_s = 0.0
        """How long a silence there must be, as it was told last; 0 while somebody speaks."""
        self._digest = hashlib.sha256()
        before = earlier.asked if earlier is not None else None
        self._before = before if isinstance(before, Sound) and before.language == language else None
        self._begins_alike = False

    def write(self, pcm: bytes) -> None:
        """Take samples (s16le), up to the limit."""
        begin, size_bytes = self.sound.samples, self.sound.write(pcm) * SAMPLE_BYTES
        taken = pcm if size_bytes == len(pcm) else pcm[:size_bytes]
        before = self._before
        if before is not None and begin < before.samples <= self.sound.samples:
            rest = (before.samples - begin) * SAMPLE_BYTES
            self._digest.update(taken[:rest])
            self._begins_alike = self._digest.hexdigest() == before.digest
            taken = taken[rest:]
        self._digest.update(taken)

    def told(self, event: turns.Event) -> None:
        """The recognizer has said something about it."""
        match event:
            case turns.Queued():
                self.partial = None
            case turns.PartialHeard() | turns.FinalHeard():
                self.partial = event.text

    @property
    def said(self) -> str:
        """What was heard so far, with what this may be the rest of."""
        before = self.continues.said if self.continues is not None else ""
        return f"{before} {self.partial or ''}".strip()

    @property
    def is_new(self) -> bool:
        """Certain already not to be what was said before."""
        before = self._before
        if before is None or self.sound.samples < before.samples:
            return before is None
        return not self._begins_alike or (before.ended is None and self.sound.samples > before.samples)

    @property
    def is_said_again(self) -> bool:
        """So far it is, sample for sample, all of what was said before."""
        return self._before is not None and self.sound.samples >= self._before.samples and not self.is_new

    @property
    def ended_before(self) -> Reason | None:
        """Why the device ended this utterance the first time, once as much was said again."""
        return self._before.ended if self._before is not None and self.is_said_again else None

    def heard(self, ended: Reason | None) -> Sound:
        """What was said, once it is over."""
        return Sound(self.language, self.sound.samples, self._digest.hexdigest(), ended)
