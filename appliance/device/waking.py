"""Listening for a wake word at the device's microphone: on and off, the second look, the list of wakes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from appliance.audio.microphone import Microphone
from appliance.audio.pcm import RATE, Recording
from appliance.device.ear import OpenEar
from appliance.device.nearest import Nearest
from appliance.errors import ModelError, StimmeError
from appliance.faculties import Ears
from appliance.language import Language
from appliance.waking.micro import Spotter, available
from appliance.waking.second import LOOKS_S, contradicts
from appliance.waking.words import Wake, Waker, Word, parse

log = logging.getLogger(__name__)

LATE_S = 0.1
"""A word is noticed so long after its end at least, so the utterance begins then (make bench-handsfree)."""


class Waking:
    """Listens while it is on and there is a microphone.

    words: to listen for; none: this device has no wake word. woken: called when somebody wants to talk, with how many
    seconds of sound before now belong to the utterance. is_speaking: the loudspeaker plays. is_talking: an utterance is
    open, so nobody has to be woken. tasks: the second look runs in it. also: hears all
    sound too. chosen: called after other words were chosen. nearest: other devices
    that may hear the word better; None: there are none.
    """

    def __init__(
        self,
        words: Sequence[Word],
        ears: Ears,
        tasks: asyncio.TaskGroup,
        *,
        woken: Callable[[float], None],
        is_speaking: Callable[[], bool],
        is_talking: Callable[[], bool],
        language: Callable[[], Language],
        also: Callable[[bytes], None] = lambda pcm: None,
        chosen: Callable[[Sequence[str]], None] = lambda words: None,
        nearest: Nearest | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.words: tuple[Word, ...] = ()
        self.told: Callable[[], None] = lambda: None
        """Called after something is new for who looks at the list."""
        self._is_speaking, self._now = is_speaking, now
        self._ears, self._tasks, self._woken, self._language = ears, tasks, woken, language
        self._is_talking, self._also, self._chosen, self._nearest = is_talking, also, chosen, nearest
        self.ear: OpenEar | None = None
        """What is listened to, while it is."""
        self._looks: asyncio.Task[None] | None = None
        self._since = 0
        """Samples that came since the wake that is being looked at."""
        self._microphone: Microphone | None = None
        """Where it would be listened, if there were a word."""
        self._waker: Waker | None = None
        self._spotter: Spotter | None = None
        if words:
            try:
                self._use(words, Spotter([word.name for word in words]))
            except ModelError as error:
                log.warning("no wake word: %s", error)

    def _use(self, words: Sequence[Word], spotter: Spotter | None) -> None:
        microphone = self._microphone
        self.listen(None)
        if self._spotter is not None:
            self._spotter.close()
        self.words, self._spotter = tuple(words), spotter
        self._waker = None if spotter is None else Waker(self.words, spotter.feed, self._is_speaking, self._now)
        self.listen(microphone)

    async def choose(self, entries: Sequence[str]) -> None:
        """Listen for these words from now on, as words.parse reads them; for none, not at all.

        Raises ConfigError, ModelError.
        """
        words = parse(entries)
        names = [word.name for word in words]
        self._use(words, await asyncio.to_thread(Spotter, names) if names else None)
        self._chosen(entries)
        self.told()

    def listen(self, microphone: Microphone | None) -> None:
        """Listen at this microphone from now on; None: at none. Sound that was kept of another is wiped."""
        if self.ear is not None and self.ear.microphone is microphone:
            return
        if self.ear is not None:
            self.ear.close()
            self.ear = None
        if self._looks is not None:
            self._looks.cancel()
        self._microphone = microphone
        if self._waker is None:
            return
        if microphone is None:
            self._waker.kept.clear()
        else:
            self.ear = OpenEar(microphone, self._overhear)

    @property
    def is_listening(self) -> bool:
        """A word would be heard now."""
        return self.ear is not None

    @property
    def wakes(self) -> Sequence[Wake]:
        """The last ones, oldest first, with two seconds of sound each."""
        return tuple(self._waker.wakes) if self._waker is not None else ()

    def was_wrong(self, wake: Wake) -> Word:
        """It was none: the word gets harder to hear until the device starts again. Returns it as it is now."""
        assert self._waker is not None, "there are no wakes without a waker"
        return self._waker.was_wrong(wake)

    def shown(self) -> dict[str, Any]:
        """What a page shows of it: docs/protocol.md, `settings`, `wake`."""
        try:
            known = dict(available())
        except ModelError:
            known = {}
        wakes = [
            {
                "number": wake.number,
                "word": known.get(wake.word.name, wake.word.spoken),
                "score": round(wake.score, 2),
                "at": round(wake.at),
                "accepted": wake.accepted,
                "wrong": wake.wrong,
            }
            for wake in self.wakes
        ]
        words = [word.name for word in self.words]
        return {"known": known, "words": words, "listens": self.is_listening, "wakes": wakes}

    def wrong(self, number: int) -> None:
        """The wake of this number was none. Nothing happens if it is not known any more."""
        for wake in self.wakes:
            if wake.number == number:
                word = self.was_wrong(wake)
                log.info("%r wakes from a score of %.3f on", word.spoken, word.threshold)
        self.told()

    def forget(self) -> None:
        """Wipe every sound that is kept."""
        if self._waker is not None:
            self._waker.forget()

    def _overhear(self, pcm: bytes) -> None:
        assert self._waker is not None, "only a waker opens an ear"
        self._since += len(pcm) // 2
        self._also(pcm)
        if self._waker.feed(pcm) is None or self._is_talking():
            return
        if self._looks is None or self._looks.done():
            self._since = 0
            self._looks = self._tasks.create_task(self._look(self._waker.wakes[-1]))

    async def _look(self, wake: Wake) -> None:
        """The second look; then somebody is listened to."""
        pcm = wake.sound[-round(LOOKS_S * RATE) * 2 :]
        language = self._language()
        try:
            heard = await self._ears.transcribe(Recording(pcm, RATE), language, on_partial=lambda text: None)
        except StimmeError as error:  # what hears is out of reach, so nobody could be heard either
            log.warning("a wake word was not looked at: %s", error)
            return
        wake.accepted = not contradicts(wake.word.spoken, heard.words)
        if wake.accepted and self._nearest is not None:
            wake.elsewhere = not await self._nearest.is_here(wake.word.name, wake.sound, self._since / RATE)
        self.told()
        if wake.accepted and not wake.elsewhere and self.ear is not None and not self._is_talking():
            self._woken(LATE_S + self._since / RATE)
