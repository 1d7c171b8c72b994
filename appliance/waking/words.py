"""When a word wakes the device: thresholds, refractory times, what was said right before. Pure: no clock but the sound.

Time is counted in samples, so a clock that jumps changes nothing, and a microphone that delivers nothing wakes nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from appliance.audio.endpointing import Begin
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.errors import ConfigError

THRESHOLD = 0.7
"""A score from this on wakes (make bench-handsfree: wakes in error and missed, by threshold)."""

REFRACTORY_S = 2.0
"""For so long after a wake the same word does not wake again: its score stays high for a while."""

SPEAKING = 0.5
"""While the loudspeaker plays, a threshold is so much nearer to 1: the device must not wake itself."""

WRONG = 0.25
"""Each "that was wrong" brings a threshold so much nearer to 1 …"""

HIGHEST = 0.995
"""… but not beyond what a clear voice reaches."""

KEPT_S = 2.0
"""Sound kept in memory: what the second look looks at, and what is shown of a wake."""

MOST_WAKES = 20


@dataclass(frozen=True)
class Word:
    """A word that wakes, and how easily."""

    name: str
    threshold: float = THRESHOLD
    refractory_s: float = REFRACTORY_S

    @property
    def spoken(self) -> str:
        """ "okay nabu"."""
        return self.name.replace("_", " ")


def parse(entries: Iterable[str]) -> tuple[Word, ...]:
    """Words as they are set: "okay_nabu", "alexa:0.95", "hey_jarvis:0.95:3". Raises ConfigError."""
    return tuple(_word(entry) for entry in entries)


def _word(entry: str) -> Word:
    name, *numbers = entry.split(":")
    try:
        threshold, refractory_s = [float(number) for number in numbers] + [THRESHOLD, REFRACTORY_S][len(numbers) :]
    except ValueError:
        threshold = refractory_s = -1.0
    if not 0.3 <= threshold <= 0.999 or not 0.5 <= refractory_s <= 60:
        raise ConfigError(
            f"device.wake_words: {entry!r}: expected NAME, NAME:THRESHOLD or NAME:THRESHOLD:SECONDS, with a threshold "
            "from 0.3 to 0.999 and 0.5 to 60 seconds"
        )
    return Word(name.strip(), threshold, refractory_s)


@dataclass(eq=False)
class Wake:
    """One time that a word woke the device, or nearly."""

    word: Word
    score: float
    at: float
    """Seconds since 1970."""
    sound: bytes
    """The two seconds before, s16le at 16 kHz; in memory only."""
    accepted: bool | None = None
    """What the second look said; None: nobody looked."""
    elsewhere: bool = False
    """Another device heard it better, and answers."""
    wrong: bool = False
    """Somebody said that it was none."""
    number: int = 0
    """Names it while the device runs."""


class Kept:
    """The last seconds of sound, at 16 kHz."""

    def __init__(self, seconds: float = KEPT_S) -> None:
        self._size_bytes = round(seconds * RATE) * SAMPLE_BYTES
        self._pcm = bytearray()

    def add(self, pcm: bytes) -> None:
        self._pcm += pcm
        del self._pcm[: -self._size_bytes]

    def last(self, seconds: float) -> bytes:
        """As much of it as there is."""
        size_bytes = round(seconds * RATE) * SAMPLE_BYTES
        return bytes(self._pcm[-size_bytes:]) if size_bytes else b""

    def clear(self) -> None:
        """Wipe it."""
        self._pcm[:] = bytes(len(self._pcm))
        self._pcm.clear()


@dataclass
class _State:
    word: Word
    rest: int = 0
    """Samples until it may wake again."""


@dataclass
class Waker:
    """Hears all sound and says when a word was said (endpointing.Trigger).

    spot: how surely which word was said (micro.Spotter.feed). is_speaking: the loudspeaker plays. now: seconds since
    1970, for the list only.
    """

    words: tuple[Word, ...]
    spot: Callable[[bytes], Iterable[tuple[str, float]]]
    is_speaking: Callable[[], bool]
    now: Callable[[], float]
    kept: Kept = field(default_factory=Kept)
    wakes: deque[Wake] = field(default_factory=lambda: deque(maxlen=MOST_WAKES))
    """The last ones, newest last."""

    def __post_init__(self) -> None:
        self._count = 0
        self._states = {word.name: _State(word) for word in self.words}

    def feed(self, pcm: bytes) -> Begin | None:
        """See Trigger.feed. What was said right after the word belongs to the utterance: it has not come yet."""
        self.kept.add(pcm)
        for state in self._states.values():
            state.rest = max(0, state.rest - len(pcm) // SAMPLE_BYTES)
        woken = max(self._woken(pcm), key=lambda found: found[1], default=None)
        if woken is None:
            return None
        state, score = woken
        state.rest = round(state.word.refractory_s * RATE)
        self._count += 1
        self.wakes.append(Wake(state.word, score, self.now(), self.kept.last(KEPT_S), number=self._count))
        return Begin(b"")

    def _woken(self, pcm: bytes) -> Iterator[tuple[_State, float]]:
        for name, score in self.spot(pcm):
            state = self._states[name]
            if not state.rest and score >= self.threshold(state.word):
                yield state, score

    def threshold(self, word: Word) -> float:
        """In force now."""
        return _nearer(word.threshold, SPEAKING) if self.is_speaking() else word.threshold

    def was_wrong(self, wake: Wake) -> Word:
        """Somebody says that it was none: the word gets harder to hear. Returns it as it is now."""
        state = self._states[wake.word.name]
        if not wake.wrong:
            wake.wrong = True
            state.word = replace(state.word, threshold=_nearer(state.word.threshold, WRONG))
        return state.word

    def forget(self) -> None:
        """Wipe all sound that is kept."""
        self.kept.clear()
        self.wakes.clear()


def _nearer(threshold: float, share: float) -> float:
    return max(threshold, min(HIGHEST, threshold + share * (1 - threshold)))
