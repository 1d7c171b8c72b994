"""Wake words by microWakeWord's networks, 50 to 80 KB each. The only file that knows pymicro-wakeword.

Measured: 0.2 % of a core for one word, 0.04 ms for a block of 20 ms; the sound's features serve all words. A network's
state cannot be emptied without loading it again, so it hears everything, whatever else goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError, ModelError

MOST_WORDS = 3
"""Each costs processor time without end, and may wake in error."""


def _package() -> Any:
    try:
        import pymicro_wakeword
    except ImportError as error:
        raise ModelError(f"wake words need pymicro-wakeword ({error}): pip install 'stimme[wake]'") from error
    return pymicro_wakeword


def available() -> Mapping[str, str]:
    """The words that can be listened for: {"okay_nabu": "Okay Nabu"}. Raises ModelError without the package."""
    folder = Path(_package().__file__).parent / "models"
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8"))["wake_word"] for file in sorted(folder.glob("*.json"))
    }


class Spotter:
    """Says how surely each word was just said. Used by one thread at a time.

    Raises ConfigError for a word that does not exist, ModelError without the package.
    """

    def __init__(self, words: Iterable[str]) -> None:
        package, known = _package(), available()
        words = tuple(words)
        for word in words:
            if word not in known:
                raise ConfigError(f"device.wake_words: {word!r}: no such word; there are: {', '.join(known)}")
        if not 1 <= len(words) <= MOST_WORDS:
            raise ConfigError(f"device.wake_words: {len(words)} words, expected 1 to {MOST_WORDS}")
        self._features = package.MicroWakeWordFeatures()
        self._networks = {word: package.MicroWakeWord.from_builtin(package.Model(word)) for word in words}

    def feed(self, pcm: bytes) -> Iterator[tuple[str, float]]:
        """s16le at 16 kHz, any length; a word and its score, 0 … 1, for every 30 ms of it."""
        for features in self._features.process_streaming(pcm):
            for word, network in self._networks.items():
                score = network.process_streaming_prob(features)
                if score:
                    yield word, score

    def close(self) -> None:
        """Give the networks' memory back."""
        for network in self._networks.values():
            network.close()
