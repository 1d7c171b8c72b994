"""Wake words for other people's satellites: which there are, and listening for some of them on one connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.errors import ProtocolError

MOST_WORDS = 3
MOST_LISTENING = 20
"""Connections at once; each word is 0.2 % of a core."""
REFRACTORY_S = 2.0
"""A word that was noticed keeps its score for a while."""


class Spotter(Protocol):
    """How surely each word was just said (waking/micro.py). Used by one thread at a time."""

    def feed(self, pcm: bytes) -> Iterable[tuple[str, float]]: ...
    def close(self) -> None: ...


@dataclass
class Words:
    """Those there are. known: how each is said, by its name. make: a Spotter of some. run: calls it in a thread."""

    known: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Sequence[str]], Spotter] | None = None
    run: Callable[..., Awaitable[Any]] | None = None
    threshold: float = 0.8
    listening: int = 0

    async def listen(self, wanted: object) -> Detection:
        """wanted: names, or nothing for the first one. Raises ProtocolError."""
        names = [name for name in wanted if name in self.known] if isinstance(wanted, list) else []
        names = names or list(self.known)[:1]
        if not names or self.make is None or self.run is None:
            raise ProtocolError(
                "no_wake_words", "There are no wake words here; pip install 'stimme[wake]' brings some."
            )
        if self.listening >= MOST_LISTENING:
            raise ProtocolError("busy", f"{self.listening} programs wait for a wake word, which is the limit.")
        self.listening += 1
        try:
            return Detection(self, await self.run(self.make, names[:MOST_WORDS]))
        except BaseException:
            self.listening -= 1
            raise


class Detection:
    """Listening for words on one connection."""

    def __init__(self, words: Words, spotter: Spotter) -> None:
        self._words, self._spotter = words, spotter
        self._samples = 0
        self._rest_until: dict[str, int] = {}
        self.noticed = 0
        """How many words."""

    async def feed(self, pcm: bytes) -> list[tuple[str, int]]:
        """s16le at 16 kHz → (word, milliseconds since the beginning) of each that was said."""
        assert self._words.run is not None, "made by Words.listen"
        scores = await self._words.run(lambda: list(self._spotter.feed(pcm)))
        self._samples += len(pcm) // SAMPLE_BYTES
        found = []
        for name, score in scores:
            if score >= self._words.threshold and self._samples >= self._rest_until.get(name, 0):
                self._rest_until[name] = self._samples + round(REFRACTORY_S * RATE)
                found.append((name, round(1000 * self._samples / RATE)))
        self.noticed += len(found)
        return found

    def close(self) -> None:
        """Give its memory back."""
        self._words.listening -= 1
        self._spotter.close()
