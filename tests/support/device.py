"""A person at the device: presses, talks, listens. For tests and for the benchmark."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import soxr

from appliance import turns
from appliance.app import Assistant
from appliance.audio.pcm import RATE, Recording, s16le
from appliance.config import DeviceConfig
from appliance.device.local import LocalDevice
from appliance.language import Language
from appliance.sessions import Sessions
from tests.support import sound_card
from tests.support.patience import until

E = TypeVar("E", bound=turns.Event)

CONFIG = DeviceConfig(enabled=True, microphone=sound_card.MICROPHONE, loudspeaker=sound_card.LOUDSPEAKER, earcons=False)


class Person:
    """Uses one LocalDevice and sees all that it tells."""

    def __init__(self, card: sound_card.SoundCard) -> None:
        self.card = card
        self.events: list[turns.Event] = []
        self.at: list[float] = []
        """When each event came, time.monotonic()."""
        self.device: LocalDevice
        self._came = asyncio.Event()
        self._seen = 0

    def told(self, event: turns.Event) -> None:
        self.events.append(event)
        self.at.append(time.monotonic())
        self._came.set()

    async def event(self, kind: type[E], timeout_s: float = 30) -> E:
        """The next event of a kind that was not waited for yet; others are passed over."""
        async with asyncio.timeout(timeout_s):
            while True:
                while self._seen < len(self.events):
                    self._seen += 1
                    event = self.events[self._seen - 1]
                    if isinstance(event, kind):
                        return event
                self._came.clear()
                await self._came.wait()

    async def until(self, condition: Callable[[], object], timeout_s: float = 30) -> None:
        """Until something that tells no event is so."""
        await until(condition, seconds=timeout_s)

    def press(self) -> None:
        self.device.button.edge(True)

    def release(self) -> None:
        self.device.button.edge(False)

    async def tap(self) -> None:
        """Press for a moment; on a busy machine too it is no longer than a tap."""
        self.press()
        await asyncio.sleep(0.1)
        self.device.button._pressed_at = asyncio.get_running_loop().time()
        self.release()

    async def say(self, pcm: bytes) -> None:
        """Say 16 kHz s16le into the microphone, and return when the last of it was heard there."""
        process = self.card.speak(pcm)
        await asyncio.to_thread(process.wait)
        await asyncio.sleep(0.1)  # what the player and the virtual cable still hold

    async def ask(self, pcm: bytes) -> turns.FinalHeard:
        """Hold the button, talk, let go."""
        self.press()
        await self.say(pcm)
        self.release()
        return await self.event(turns.FinalHeard)


@asynccontextmanager
async def at_the_device(
    assistant: Assistant, card: sound_card.SoundCard, state: Path, *, language: Language = "en", **settings: object
) -> AsyncIterator[Person]:
    """A device that runs, with a person before it, once sound has come from the microphone."""
    person = Person(card)
    async with asyncio.TaskGroup() as tasks:
        sessions = Sessions(
            assistant,
            tasks,
            language=language,
            max_audio_duration_s=10,
            observe=person.told,
            attention=assistant.attention,
        )
        device = person.device = LocalDevice(replace(CONFIG, **settings), sessions, tasks, state_directory=state)  # type: ignore[arg-type]
        running = tasks.create_task(device.run())
        try:
            if not device.muted:
                await person.until(lambda: hears(device))
            await person.until(lambda: device.sound.loudspeaker is not None)
            yield person
        finally:
            running.cancel()
            await device.leave()  # so that a test that fails does not wait for an utterance without end


def hears(device: LocalDevice) -> bool:
    """True once the microphone has kept enough sound for a press."""
    microphone = device.sound.microphone
    return microphone is not None and microphone.capture.blocks > 20


async def transcribed(assistant: Assistant, recording: sound_card.Recording, language: Language = "en") -> str:
    """What a recognizer hears in what the loudspeaker played."""
    samples = soxr.resample(recording.samples().astype(np.float32) / 32768, sound_card.RATE, RATE)
    loudest = max(0.05, float(np.abs(samples).max()))
    pcm = s16le(samples / loudest / 2)
    final = await assistant.ears.transcribe(Recording(pcm, RATE), language, on_partial=lambda text: None)
    return final.text
