"""Sound that has arrived and was not decoded yet: one person's, and everybody's, which has a limit."""

from __future__ import annotations

from collections.abc import Callable

from appliance.audio.pcm import RATE
from appliance.audio.utterance import Utterance

MOST_WAITING_S = 2000.0
"""Sound of all together that may wait to be heard: 64 MB. A hundred people speaking at once reach a few seconds."""

MOST_OWN_WAITING_S = 1.0
"""While more waits than that, nobody with so much waiting adds to it; whoever is being heard goes on."""

LOOK_S = 0.05
"""How often it is added up."""


class Backlog:
    """Utterances that wait to be heard, whether those who said them are still there or not. clock: in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._unheard: set[Utterance] = set()
        self._looked_at = -LOOK_S
        self._is_too_long = False

    def add(self, sound: Utterance) -> None:
        self._unheard.add(sound)

    def discard(self, sound: Utterance) -> None:
        """It was heard, or nobody will hear it."""
        self._unheard.discard(sound)

    @property
    def seconds(self) -> float:
        return sum(sound.waiting for sound in self._unheard) / RATE

    @property
    def is_too_long(self) -> bool:
        """More than MOST_WAITING_S waits, as of LOOK_S ago."""
        if (now := self._clock()) >= self._looked_at + LOOK_S:
            self._looked_at, self._is_too_long = now, self.seconds > MOST_WAITING_S
        return self._is_too_long
