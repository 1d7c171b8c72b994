"""When an utterance begins and ends, as rules over what comes in: no threads, no timers, no clock of their own.

A rule is fed every piece of sound. The device's tap and the page's use `Patience`; whatever listens hands-free brings a
`Trigger`, and rules that look at the sound or at what was understood, to the same place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from appliance.audio.pcm import RATE, SAMPLE_BYTES

Reason = Literal["complete", "silence", "limit"]
"""Why an utterance ended by itself: what was said is a whole request; nobody spoke on; it was as long as allowed."""

PAUSE_S = 2.0
"""After a tap, so long without a new word ends the utterance …"""

SILENCE_S = 8.0
"""… and so long without any word."""


@dataclass(frozen=True)
class End:
    """The utterance is over."""

    reason: Reason


class Endpointer(Protocol):
    """Decides when the utterance it was made for is over."""

    def feed(self, pcm: bytes, partial: str | None, now: float) -> End | None:
        """pcm: what came, s16le at 16 kHz. partial: the transcript so far, None while no recognizer listens yet.

        now: seconds on any steady clock.
        """


@dataclass(frozen=True)
class Begin:
    """Somebody has begun to talk."""

    preroll: bytes
    """Sound from before that belongs to the utterance, s16le at 16 kHz."""


class Trigger(Protocol):
    """Decides when an utterance begins, where nobody presses anything."""

    def feed(self, pcm: bytes) -> Begin | None:
        """pcm: what came, s16le at 16 kHz."""


class Patience:
    """Ends an utterance that was begun by a tap: two seconds without a new word, eight without any.

    So much sound and so much time: on a thin link the sound of a second takes three, after a drop it comes at once.
    """

    def __init__(self, pause_s: float = PAUSE_S, silence_s: float = SILENCE_S) -> None:
        self._pause_s, self._silence_s = pause_s, silence_s
        self._heard: str | None = None
        self._since = 0.0
        self._samples = 0
        """… that came since then."""

    def feed(self, pcm: bytes, partial: str | None, now: float) -> End | None:
        """See Endpointer.feed. Nobody's patience is used up while they wait for a recognizer."""
        if partial is None or partial != self._heard:
            self._heard, self._since, self._samples = partial, now, 0
        else:
            self._samples += len(pcm) // SAMPLE_BYTES
        patience_s = self._pause_s if self._heard else self._silence_s
        return End("silence") if min(now - self._since, self._samples / RATE) >= patience_s else None
