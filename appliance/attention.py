"""Listening along while somebody talks: whether they speak, how complete their sentence is, and so when it is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar, TypeVarTuple

from appliance.audio.endpointing import ByWords, End, Endpointer, Heard, Pause, Waits
from appliance.audio.pcm import RATE, SAMPLE_BYTES, Padding
from appliance.dialogue.types import Memory
from appliance.faculties import Mind
from appliance.guessing import Guesses
from appliance.listening import Listening

FLUSH_S = 0.12
"""After so much silence the recognizer gets some more of it at once, to say what it has heard: it works in steps of
0.24 s and looks ahead, so that the last word came up to half a second late."""

FLUSH_SILENCE_S = 0.32
"""Measured on 60 commands, 0.13 s after the last sound: without it 23 transcripts were complete, with 0.16 s 40, with
0.32 s 53, with 0.5 s 57. All final transcripts were the same with and without. Once in a pause it
only lengthens it. After it, what is a whole sentence is answered on approval (guessing.py)."""

FLUSH = bytes(SAMPLE_BYTES * round(FLUSH_SILENCE_S * RATE))

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
        self,
        waits: Waits,
        mind: Mind,
        detector: Callable[[], Detector],
        run: Run,
        is_busy: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self.waits, self.mind, self.detector = waits, mind, detector
        self.run, self.is_busy, self.clock = run, is_busy, clock
        self.guesses = Guesses(clock)

    def rule(self, invited_s: float | None = None) -> Endpointer:
        """For one utterance; see ByWords."""
        return ByWords(self.waits, invited_s)


class Attended:
    """An utterance's sound on its way to the recognizer, which asks for more when it has heard what it was given.

    At that moment what was heard is known, and whether somebody spoke: then the utterance's rule decides. memory: of
    whoever speaks. ends: called when it is over. guess: called with what may be all of it, "" when it goes on. paused:
    called with how long nobody has spoken and will be waited for. Reads like the sound itself.
    """

    rate = RATE

    def __init__(
        self,
        now: Listening,
        attention: Attention,
        memory: Memory,
        ends: Callable[[End], None],
        guess: Callable[[str], None] = lambda text: None,
        paused: Callable[[Pause | None], None] = lambda pause: None,
    ) -> None:
        self._now, self._attention, self._memory = now, attention, memory
        self._ends, self._guess, self._paused = ends, guess, paused
        self._sound = now.sound
        self.detector: Detector | None = None
        """Once it was needed."""
        self._samples = 0
        self._voices: tuple[float, ...] | None = None
        self._judged, self._completeness = "", "unknown"
        self._has_flushed = self._is_unjudged = False
        self._read = 0
        """Samples of the sound itself so far."""
        self.paddings: list[Padding] = []

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
        if self._now.endpointer is not None and self._is_unjudged and not self.ended:
            self._is_unjudged = False
            if await self._judge():
                self._samples, self._voices, self._is_unjudged = 0, (), True
                self.paddings.append(Padding(self._read / RATE, FLUSH_SILENCE_S))
                return FLUSH
        pcm = await self._sound.read()
        self._read += len(pcm) // SAMPLE_BYTES
        self._samples, self._voices, self._is_unjudged = len(pcm) // SAMPLE_BYTES, None, True
        attention = self._attention
        if self._now.endpointer is not None and pcm and not self.ended and not attention.is_busy():
            if self.detector is None:
                self.detector = await attention.run(attention.detector)
            self._voices = await attention.run(self.detector.feed, pcm)
        return pcm

    async def _complete(self, partial: str) -> str:
        """How complete it is; of the rest of a sentence, with its beginning."""
        mind, now = self._attention.mind, self._now
        if now.continues is not None:
            whole = f"{now.continues.said} {partial}"
            if (found := await mind.completeness(whole, now.language, self._memory)) != "unknown":
                return found
        return await mind.completeness(partial, now.language, self._memory)

    async def _judge(self) -> bool:
        """True if the recognizer should say now what it has heard."""
        partial = self._now.partial
        if partial and partial != self._judged:
            self._judged = partial
            self._completeness = await self._complete(partial)
        rule = self._now.endpointer
        if rule is None or self.ended:
            return False
        completeness = self._completeness if partial == self._judged else "unknown"
        end = rule.feed(Heard(self._samples, partial, self._attention.clock(), self._voices, completeness))
        if end is not None:
            self._ends(end)
            return False
        self._paused(rule.pause)
        if isinstance(rule, ByWords) and self._voices is not None:
            silent = not rule.silence.is_voice and rule.silence.seconds >= FLUSH_S
            flushes, self._has_flushed = silent and not self._has_flushed, silent
            if flushes:
                return partial is not None
            if rule.silence.is_voice:
                self._guess("")
            elif silent and partial and self._is_worth_a_guess(completeness):
                self._guess(partial)
        return False

    def _is_worth_a_guess(self, completeness: str) -> bool:
        is_whole = completeness in ("complete", "continuable", "text") and self._now.continues is None
        return is_whole and not self._attention.is_busy()
