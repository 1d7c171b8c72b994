"""How many people this machine can hear, and speak to, at once: measured once with the models in use, and remembered.

All threads work at once while it is measured, as they will under load, on chunks as they come from a page.
"""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import random
import time
from array import array
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from appliance import __version__
from appliance.app import awake, choose
from appliance.audio.pcm import RATE, SAMPLE_BYTES, Recording, Tape
from appliance.config import Config, FarmConfig
from appliance.faculties import Ears, Mouth
from appliance.language import LANGUAGES, Language
from appliance.models.catalogue import Kind
from appliance.speech import say

log = logging.getLogger(__name__)

USABLE = 0.6
"""Of the measured speed, before waiting times grow: the event loop, the browser and the system want their share."""

NOISE_S = 10.0

SENTENCES: dict[Language, tuple[str, ...]] = {
    "en": (
        "Set a timer for twenty five minutes, and another one for the pizza.",
        "What is seven hundred and twelve divided by eight?",
        "How many kilometers are there in one hundred and twenty miles?",
        "Turn the volume down a little, and tell me a joke.",
    ),
    "de": (
        "Stelle einen Timer auf fünfundzwanzig Minuten und noch einen für die Pizza.",
        "Wie viel ist siebenhundertzwölf geteilt durch acht?",
        "Wie viele Kilometer sind einhundertzwanzig Meilen?",
        "Mach es ein wenig leiser, und erzähle mir einen Witz.",
    ),
}


@dataclass(frozen=True)
class Capacity:
    """Seconds of speech that are recognized, and synthesised, in one second; 0 where the model is missing."""

    hears_x_realtime: float
    speaks_x_realtime: float

    @property
    def speakers(self) -> int:
        """People who can talk at the same time and still be answered at once."""
        return int(self.hears_x_realtime * USABLE)

    @property
    def listeners(self) -> int:
        """People who can be spoken to at the same time without a gap."""
        return int(self.speaks_x_realtime * USABLE)


async def capacity(config: Config, *, measuring: bool) -> Capacity | None:
    """As remembered from the last time with the same machine, models and threads; None if it was not measured.

    measuring: then it is now, which takes seconds, loads the models and is written down. Else nothing is written.
    """
    file, key = config.state_path() / "capacity.json", _key(config)
    found = remembered(file, key)
    if found is None and measuring:
        log.info("measuring how fast this machine hears and speaks")
        async with awake(replace(config, farm=FarmConfig())) as assistant:
            found = await measure(config, assistant.ears, assistant.mouth)
        _remember(file, key, found)
    return found


async def measured(config: Config, ears: Ears, mouth: Mouth) -> Capacity:
    """What these models can do on this machine, as remembered, else measured now (seconds) and remembered.

    Whoever only hears is measured with noise, which is as much work as speech is.
    """
    file = config.state_path() / "capacity.json"
    key = [*_machine(config), *sorted((*ears.names.values(), *mouth.names.values()))]
    found = remembered(file, key)
    if found is None:
        log.info("measuring how fast this machine hears and speaks")
        found = await measure(config, ears, mouth)
        _remember(file, key, found)
    return found


def _remember(file: Path, key: list[object], found: Capacity) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"key": key} | asdict(found)), encoding="utf-8")
    except OSError as error:
        log.warning("%s cannot be written (%s); it will be measured again", file, error.strerror)


async def measure(config: Config, ears: Ears, mouth: Mouth) -> Capacity:
    """Speak some sentences on all of synthesis' threads, then hear them on all of recognition's."""
    speaks, hears = 0.0, 0.0
    spoken = [one for one in LANGUAGES if one in mouth.languages]
    heard = [one for one in LANGUAGES if one in ears.languages]
    language = next((one for one in spoken if one in heard), spoken[0] if spoken else heard[0] if heard else None)
    everything = noise(NOISE_S)
    if language in spoken:
        begin = time.perf_counter()
        speech = await asyncio.gather(*(_spoken(mouth, sentence, language) for sentence in SENTENCES[language]))
        everything = b"".join(speech)
        speaks = _seconds(everything) / (time.perf_counter() - begin)
    if language in heard:
        threads = config.streaming.workers()
        begin = time.perf_counter()
        await asyncio.gather(*(_heard(ears, everything, language, config) for _ in range(threads)))
        hears = threads * _seconds(everything) / (time.perf_counter() - begin)
    return Capacity(round(hears, 1), round(speaks, 1))


async def _spoken(mouth: Mouth, sentence: str, language: Language) -> bytes:
    await say(mouth, sentence, language, tape := Tape(RATE))
    return tape.pcm


async def _heard(ears: Ears, pcm: bytes, language: Language, config: Config) -> None:
    recording = Recording(pcm, config.streaming.chunk_size // SAMPLE_BYTES)
    await ears.transcribe(recording, language, on_partial=lambda _: None)


def noise(seconds: float) -> bytes:
    """Noise as loud as speech, the same each time, s16le at RATE."""
    chance = random.Random(1)
    return array("h", (round(chance.gauss(0, 2000)) for _ in range(round(seconds * RATE)))).tobytes()


def _seconds(speech: bytes) -> float:
    return len(speech) / SAMPLE_BYTES / RATE


def _key(config: Config) -> list[object]:
    """What the measurement depends on."""
    kinds: tuple[Kind, ...] = ("recognizer", "voice")
    models = [
        choice.name for kind in kinds for choice in choose(config, kind, config.models_path(), unpack=False).values()
    ]
    return [*_machine(config), *models]


def _machine(config: Config) -> list[object]:
    return [__version__, processor(), config.streaming.workers(), config.streaming.tts_workers]


def remembered(file: Path, key: list[object]) -> Capacity | None:
    """What a file holds, if it was measured under the same key; None if it is damaged, missing or of another key."""
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        if fields.pop("key") == key:
            return Capacity(**fields)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        log.debug("%s holds no measurement", file)
    return None


def processor() -> str:
    """The processor's name, as Linux gives it on a PC ("model name") and on a Raspberry Pi ("Model")."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(names, platform.machine())
