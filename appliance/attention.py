"""Listening along while somebody talks: whether they speak, how complete their sentence is, and so when it is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar, TypeVarTuple

from appliance.audio.endpointing import ByWords, End, Endpointer, Heard, Waits
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.conversation import Mind
from appliance.dialogue.types import Memory
from appliance.listening import Listening

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Run(Protocol):
    """Calls a function in a worker thread (workers.py)."""

    def __call__(self, function: Callable[[*Ts], T], *args: *Ts) -> Awaitable[T]: ...


class Detector(Protocol):
    """Whether somebody speaks (audio/voice.py)."""

    def feed(self, pcm: bytes) -> tuple[float, ...]: ...


class Attention:
    """What all utterances share whose end is left to the device.

    waits: the table of silences. detector: makes one for an utterance. run: where it works. is_busy: there is no time
    for it now; such an utterance ends as Patience says.
    """

    def __init__(
        self, waits: Waits, mind: Mind, detector: Callable[[], Detector], run: Run, is_busy: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self.waits, self.mind, self.detector = waits, mind, detector
        self.run, self.is_busy, self.clock = run, is_busy, clock

    def rule(self, invited_s: float | None = None) -> Endpointer:
        """For one utterance; see ByWords."""
        return ByWords(self.waits, invited_s)


class Attended:
    """An utterance's sound on its way to the recognizer, which asks for more when it has heard what it was given.

    At that moment what was heard is known, and whether somebody spoke: then the utterance's rule decides. memory: of
    whoever speaks. ends: called when it is over. Reads like the sound itself.
    """

    rate = RATE

    def __init__(self, now: Listening, attention: Attention, memory: Memory, ends: Callable[[End], None]) -> None:
        self._now, self._attention, self._memory, self._ends = now, attention, memory, ends
        self._sound = now.sound
        self._detector: Detector | None = None
        self._samples = 0
        self._voices: tuple[float, ...] | None = None
        self._judged, self._completeness = "", "unknown"

    @property
    def ended(self) -> bool:
        return self._sound.ended

    @property
    def ended_at(self) -> float:
        return self._sound.ended_at

    @property
    def truncated(self) -> bool:
        return self._sound.truncated

    async def read(self) -> bytes:
        """See Source.read."""
        if self._now.endpointer is not None and self._samples and not self.ended:
            await self._judge()
        pcm = await self._sound.read()
        self._samples, self._voices = len(pcm) // SAMPLE_BYTES, None
        attention = self._attention
        if self._now.endpointer is not None and pcm and not self.ended and not attention.is_busy():
            if self._detector is None:
                self._detector = await attention.run(attention.detector)
            self._voices = await attention.run(self._detector.feed, pcm)
        return pcm

    async def _judge(self) -> None:
        partial = self._now.partial
        if partial and partial != self._judged:
            self._judged = partial
            self._completeness = await self._attention.mind.completeness(partial, self._now.language, self._memory)
        rule = self._now.endpointer
        if rule is None or self.ended:
            return
        completeness = self._completeness if partial == self._judged else "unknown"
        end = rule.feed(Heard(self._samples, partial, self._attention.clock(), self._voices, completeness))
        if end is not None:
            self._ends(end)
