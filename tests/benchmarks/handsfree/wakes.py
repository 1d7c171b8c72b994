"""The wake word: how often it is missed, how often it wakes in error, how late it comes, what it costs."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.audio.pcm import RATE, s16le
from appliance.hearing.vosk import Recognizer, load
from appliance.language import LANGUAGES, Language
from appliance.models.choose import find_recognizer, find_voice
from appliance.speaking.synthesizer import Synthesizer
from appliance.waking.micro import Spotter
from appliance.waking.second import LOOKS_S, contradicts
from appliance.waking.words import REFRACTORY_S, THRESHOLD
from appliance.workers import Workers
from tests.benchmarks.handsfree.said import VOICES, trimmed
from tests.support.server import MODELS, ROOT
from tests.support.speech import recordings_of_people

Sound = NDArray[np.float64]
WORD, SPOKEN = "okay_nabu", "okay nabu"
THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
ESPEAK = ("en-us", "en-gb", "en-us+f3", "de", "de+f2", "de+m3")
PITCHES, SPEEDS = (35, 50, 65), (130, 160, 190)
SNRS_DB = (None, 20, 10, 5)
BLOCK_BYTES = 640
WARM_S = 4.0
"""Room noise before each word: the features adapt to the room's level."""
NEAR_MISSES = ("okay google", "okay now we do it", "okay not you", "okay", "oh can i do", "o k now", "okay na gut")


@dataclass(frozen=True)
class Tried:
    voice: str
    disturbed: str
    score: float
    late_s: float
    """From the word's end to the score's passing THRESHOLD; nan if it does not."""
    is_contradicted: bool
    """By the second look."""


@dataclass(frozen=True)
class Peak:
    """Something that the first stage took for the word. kind: of sound."""

    kind: str
    score: float
    is_contradicted: bool


class Looks:
    """The second look, by the recognizer of the voice's language."""

    def __init__(self) -> None:
        self._recognizers: dict[Language, Recognizer] = {}
        for language in LANGUAGES:
            choice = find_recognizer(language, MODELS)
            assert choice is not None
            _, self._recognizers[language] = load(choice.path)

    def contradict(self, sound: Sound, at: int, language: Language) -> bool:
        """at: samples until the first stage noticed."""
        pcm = s16le(sound[max(0, at - round(LOOKS_S * RATE)) : at])
        recognizer = self._recognizers[language]
        recognizer.decode(pcm[: RATE * 2], False, False)
        return contradicts(SPOKEN, recognizer.decode(pcm[RATE * 2 :], True, False)[2])


def words() -> Iterator[tuple[str, Sound]]:
    """The word by every voice."""
    yield from asyncio.run(_by_network())
    for voice in ESPEAK:
        for pitch in PITCHES:
            for speed in SPEEDS:
                yield f"espeak-ng {voice} {pitch} {speed}", espeak(SPOKEN, voice, pitch, speed)


async def _by_network() -> list[tuple[str, Sound]]:
    found = []
    for language, name in VOICES:
        choice = find_voice(language, MODELS, name)
        assert choice is not None
        workers = Workers(1, "bench-voice")
        try:
            voice = Synthesizer({language: choice.path}, workers, MODELS / "cuts")
            await voice.open()
            for text in (SPOKEN, f"{SPOKEN}!", "okay, nabu"):
                async with aclosing(voice.speak(text, language, rate=RATE)) as chunks:
                    pcm = trimmed(b"".join([chunk async for chunk in chunks]))
                found.append((name, np.frombuffer(pcm, "<i2") / 32768))
        finally:
            workers.close()
    return found


def espeak(text: str, voice: str, pitch: int = 50, speed: int = 160) -> Sound:
    """At 16 kHz."""
    program = shutil.which("espeak-ng")
    assert program, "espeak-ng is part of `make setup-test`"
    said = subprocess.run(
        [program, "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout"],
        input=text.encode(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    with wave.open(io.BytesIO(said)) as file:
        rate = file.getframerate()
    samples = np.frombuffer(trimmed(said[44 : 44 + (len(said) - 44) // 2 * 2]), "<i2") / 32768
    return np.asarray(soxr.resample(samples, rate, RATE))


def disturbed(sound: Sound, snr_db: int | None, dice: np.random.Generator) -> Sound:
    """In a room: silence, then the word, with pink noise so far below it."""
    level = float(np.sqrt(np.mean(sound**2)))
    whole = np.concatenate([np.zeros(round(WARM_S * RATE)), sound, np.zeros(RATE)])
    noise = pink(len(whole), dice)
    strength = 1e-4 if snr_db is None else level * 10 ** (-snr_db / 20)
    return np.clip(whole + noise * strength, -1, 1)


def pink(samples: int, dice: np.random.Generator) -> Sound:
    """Noise of equal power in each octave, standard deviation 1."""
    spectrum = np.fft.rfft(dice.normal(size=samples))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, samples)
    return np.asarray(noise / noise.std())


def reverberated(sound: Sound, dice: np.random.Generator, rt60_s: float = 0.5) -> Sound:
    """In a hall of noise that dies away by 60 dB in rt60_s, as loud as the direct sound."""
    length = round(rt60_s * RATE)
    tail = dice.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    tail *= 1 / np.sqrt(np.sum(tail**2))
    tail[0] += 1
    wet = np.convolve(sound, tail)
    return np.asarray(wet * (np.abs(sound).max() / np.abs(wet).max()))


def scores(spotter: Spotter, sound: Sound) -> Iterator[tuple[int, float]]:
    """(samples so far, score) for each 30 ms."""
    pcm = s16le(sound)
    for begin in range(0, len(pcm), BLOCK_BYTES):
        for _, score in spotter.feed(pcm[begin : begin + BLOCK_BYTES]):
            yield begin // 2 + BLOCK_BYTES // 2, score


def language_of(voice: str) -> Language:
    return "de" if "de" in voice.removeprefix("espeak-ng ").replace("pico-", "")[:2] else "en"


def tried(looks: Looks) -> list[Tried]:
    """Every voice, in quiet, in noise, in a hall."""
    dice, found = np.random.default_rng(5), []
    for voice, clean in words():
        for snr_db in SNRS_DB:
            how = f"{snr_db} dB" if snr_db is not None else "quiet"
            found.append(_try(voice, how, disturbed(clean, snr_db, dice), len(clean), looks))
        hall = reverberated(clean, dice)
        found.append(_try(voice, "hall", disturbed(hall, None, dice), len(clean), looks))
    return found


def _try(voice: str, how: str, sound: Sound, length: int, looks: Looks) -> Tried:
    spotter = Spotter([WORD])
    end = round(WARM_S * RATE) + length
    most, most_at, late_s = 0.0, end, float("nan")
    for at, score in scores(spotter, sound):
        if score >= THRESHOLD > most:
            late_s = (at - end) / RATE
        if score > most:
            most, most_at = score, at
    spotter.close()
    return Tried(voice, how, most, late_s, looks.contradict(sound, most_at, language_of(voice)))


def peaks(spotter: Spotter, kind: str, sound: Sound, language: Language, looks: Looks) -> list[Peak]:
    """The highest scores that are at least REFRACTORY_S apart, from the lowest threshold on."""
    found: list[tuple[float, int]] = []
    last = -RATE * 60
    for at, score in scores(spotter, sound):
        if score < THRESHOLDS[0]:
            continue
        if at - last < REFRACTORY_S * RATE:
            found[-1] = max(found[-1], (score, at))
        else:
            found.append((score, at))
            last = at
    return [Peak(kind, score, looks.contradict(sound, at, language)) for score, at in found]


def without_it(seconds: float, folder: Path) -> Iterator[tuple[str, Sound, Language]]:
    """Speech, noise and something like music in which nobody says the word, at least so many seconds of it."""
    dice = np.random.default_rng(6)
    for person in recordings_of_people(folder):
        with wave.open(str(person.file)) as file:
            rate, frames = file.getframerate(), file.readframes(file.getnframes())
        yield "people", np.asarray(soxr.resample(np.frombuffer(frames, "<i2") / 32768, rate, RATE)), "en"
    left = {"speech": 0.7 * seconds, "music-like": 0.15 * seconds, "noise": 0.15 * seconds}
    for number, text in enumerate(_texts()):
        if left["speech"] <= 0:
            break
        voice = ESPEAK[number % len(ESPEAK)]
        sound = espeak(text, voice, int(dice.integers(25, 75)), int(dice.integers(120, 210)))
        left["speech"] -= len(sound) / RATE
        yield "speech", sound + pink(len(sound), dice) * 10 ** (-dice.uniform(1.5, 3.5)), language_of(voice)
    while left["music-like"] > 0:
        left["music-like"] -= 30
        yield "music-like", _music(30.0, dice), "en"
    while left["noise"] > 0:
        left["noise"] -= 30
        yield "noise", pink(30 * RATE, dice) * 10 ** (-dice.uniform(0.7, 2.5)), "en"


def _texts() -> Iterator[str]:
    files = sorted([*Path("/usr/share/common-licenses").iterdir(), *ROOT.glob("docs/**/*.md"), ROOT / "README.de.md"])
    while True:
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace")
            for begin in range(0, len(text), 1500):
                yield text[begin : begin + 1500]


def _music(seconds: float, dice: np.random.Generator) -> Sound:
    """Chords of decaying harmonics over a beat."""
    sound = np.zeros(round(seconds * RATE))
    step = round(RATE * 60 / dice.integers(70, 150))
    for begin in range(0, len(sound) - step, step):
        time_s = np.arange(step) / RATE
        for note in dice.choice(np.arange(40, 76), 3, replace=False):
            frequency = 440 * 2 ** ((note - 69) / 12)
            sound[begin : begin + step] += sum(
                np.sin(2 * np.pi * frequency * harmonic * time_s) * np.exp(-3 * time_s) / harmonic**1.3
                for harmonic in range(1, 7)
            )
        sound[begin : begin + 800] += dice.normal(size=800) * np.exp(-np.arange(800) / 120)
    return np.asarray(sound / np.abs(sound).max() * 0.5)


def idle_cpu_percent(seconds: float = 60.0) -> float:
    """Of one core, for one word, in blocks as the microphone hands them over."""
    spotter, sound = Spotter([WORD]), s16le(pink(round(seconds * RATE), np.random.default_rng(7)) * 0.01)
    begin_s = time.process_time()
    for begin in range(0, len(sound), BLOCK_BYTES):
        for _ in spotter.feed(sound[begin : begin + BLOCK_BYTES]):
            pass
    used_s = time.process_time() - begin_s
    spotter.close()
    return 100 * used_s / seconds
