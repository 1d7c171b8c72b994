""" "Stop" alone, without a wake word, while something sounds: a recognizer hears the microphone then, and only then.

It hears the loudspeaker too. What the device itself is saying therefore never stops it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from appliance.audio.pcm import RATE
from appliance.audio.utterance import Utterance
from appliance.errors import StimmeError
from appliance.faculties import Ears
from appliance.language import Language

log = logging.getLogger(__name__)

STOPS: Mapping[Language, frozenset[str]] = {
    "en": frozenset({"stop", "quiet", "silence"}),
    "de": frozenset({"stopp", "stop", "halt", "ruhe"}),
}

LISTENS_S = 20.0
"""Then it begins anew: what was heard does not grow."""


class Stopping:
    """is_sounding: whether anything sounds. says: what the device is saying, in words. stop: called when it shall stop.

    tasks: the recognizer runs in it.
    """

    def __init__(
        self,
        ears: Ears,
        tasks: asyncio.TaskGroup,
        *,
        is_sounding: Callable[[], bool],
        says: Callable[[], str],
        stop: Callable[[], None],
        language: Callable[[], Language],
    ) -> None:
        self._ears, self._tasks, self._is_sounding, self._says = ears, tasks, is_sounding, says
        self._stop, self._language = stop, language
        self._sound: Utterance | None = None
        self._hearing: asyncio.Task[None] | None = None

    def overhear(self, pcm: bytes) -> None:
        """All sound of the microphone."""
        if not self._is_sounding() or self._language() not in self._ears.languages:
            self.end()
            return
        if self._sound is None or self._sound.truncated:
            self.end()
            self._sound = Utterance(round(LISTENS_S * RATE))
            self._hearing = self._tasks.create_task(self._hear(self._sound, self._language()))
        self._sound.write(pcm)

    def end(self) -> None:
        """Listen no more; harmless when repeated."""
        if self._hearing is not None:
            self._hearing.cancel()
        self._hearing = self._sound = None

    async def _hear(self, sound: Utterance, language: Language) -> None:
        try:
            await self._ears.transcribe(sound, language, on_partial=lambda text: self._heard(text, language))
        except StimmeError as error:  # what hears is out of reach; the button works
            log.debug("nobody listens for a stop: %s", error)

    def _heard(self, text: str, language: Language) -> None:
        if is_stop(text, self._says(), language):
            self.end()
            self._stop()


def is_stop(text: str, says: str, language: Language) -> bool:
    """Whether what was heard so far ends in a "stop" that the device itself is not saying. says: what it says."""
    last = text.split()[-1:]
    said = {word.strip(".,;!?") for word in says.casefold().split()}
    return bool(last) and last[0] in STOPS[language] and last[0] not in said
