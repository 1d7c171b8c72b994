"""`stimme check --audio`: play a chirp, listen for it, and say what is wrong with the sound."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.audio.loudspeaker import Loudspeaker, open_loudspeaker
from appliance.audio.microphone import BLOCK_S, Microphone, open_microphone
from appliance.audio.pcm import RATE, floats, s16le
from appliance.config import DeviceConfig
from appliance.device.hints import Hint
from appliance.errors import AudioDeviceError
from appliance.faculties import Mouth
from appliance.language import Language
from appliance.speech import say

CHIRP_S = 0.5
QUIET_S = 1.0
"""Listened to before the chirp, for the noise floor."""

ECHO_S = 1.5
"""… and after it began."""

GAIN = 0.4
HEARD = 0.12
"""Correlation from which the chirp counts as heard. White noise reaches 0.05."""

NOISY_DB, DEAD_DB, SILENCE_DB = -35.0, -85.0, -120.0
CLIPPED = 0.001
"""Part of the samples at full scale from which speech suffers."""

WRONG_RATES = (48_000 / 44_100, 44_100 / 48_000, 2.0, 0.5, 3.0, 1 / 3)
"""What a card gets wrong when it claims another rate than it runs at."""

WELL: Hint = {
    "en": "Sound and microphone work. The round trip takes {:.0f} milliseconds.",
    "de": "Ton und Mikrofon funktionieren. Hin und zurück dauert es {:.0f} Millisekunden.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and what to do about it."""

    code: str
    says: Hint


@dataclass(frozen=True)
class Echo:
    """What became of the chirp. Levels in decibels below full scale."""

    heard: bool
    likeness: float
    """Correlation with the chirp, 0 to 1."""
    begin_s: float
    """Where in the recording it begins."""
    speed: float
    """1, or how much too fast it came back."""
    noise_db: float
    level_db: float
    clipped: float
    """Part of the samples at full scale."""


@dataclass(frozen=True)
class SelfTest:
    """The result. `findings` is empty when all is well."""

    microphone: str = ""
    microphone_rate: int = 0
    loudspeaker: str = ""
    loudspeaker_rate: int = 0
    round_trip_ms: float = 0.0
    measured_rate: float = 0.0
    """Samples that arrived per second; should be 16,000 and a little."""
    echo: Echo | None = None
    channel_levels_db: tuple[float, ...] = ()
    """Each channel of a card that has several."""
    findings: tuple[Finding, ...] = ()

    def lines(self) -> list[str]:
        """What was measured, for a person to read."""
        rows = [
            ("microphone", self.microphone, self.microphone_rate),
            ("loudspeaker", self.loudspeaker, self.loudspeaker_rate),
        ]
        lines = [f"{side:12} {name}, {rate} Hz" if name else f"{side:12} none" for side, name, rate in rows]
        if self.echo is not None:
            lines += [
                f"{'round trip':12} {self.round_trip_ms:.0f} ms" if self.echo.heard else f"{'round trip':12} not heard",
                f"{'noise floor':12} {self.echo.noise_db:.0f} dB below full scale",
                f"{'clipping':12} {100 * self.echo.clipped:.1f} % of the samples",
                f"{'sample rate':12} {self.measured_rate:.0f} samples a second arrived, expected {RATE}",
            ]
        if self.channel_levels_db:
            levels = ", ".join(f"{number}: {level:.0f} dB" for number, level in enumerate(self.channel_levels_db, 1))
            lines.append(f"{'channels':12} {levels}")
        return lines

    def summary(self, language: Language) -> str:
        """What is said aloud."""
        if self.findings:
            return " ".join(finding.says[language] for finding in self.findings)
        return WELL[language].format(self.round_trip_ms)


async def self_test(config: DeviceConfig, language: Language, mouth: Mouth | None) -> SelfTest:
    """Try both devices for about three seconds, and say the result if there is a voice. Nothing else may use them."""
    findings: list[Finding] = []
    loudspeaker, microphone = None, None
    try:
        loudspeaker = await asyncio.to_thread(open_loudspeaker, config.loudspeaker, _ended)
    except AudioDeviceError as error:
        findings.append(
            Finding("no_loudspeaker", {"en": f"No loudspeaker: {error}.", "de": f"Kein Lautsprecher: {error}."})
        )
    try:
        levels = await _channel_levels(config)
        microphone = await asyncio.to_thread(open_microphone, config.microphone, config.channel, _ended)
    except AudioDeviceError as error:
        findings.append(Finding("no_microphone", {"en": f"No microphone: {error}.", "de": f"Kein Mikrofon: {error}."}))
    try:
        result = SelfTest(findings=tuple(findings))
        if loudspeaker is not None and microphone is not None:
            result = await _measure(microphone, loudspeaker, levels)
        if loudspeaker is not None and mouth is not None:
            await say(mouth, result.summary(language), language, loudspeaker)
        return result
    finally:
        for stream in (microphone, loudspeaker):
            if stream is not None:
                await asyncio.to_thread(stream.close)


async def _measure(microphone: Microphone, loudspeaker: Loudspeaker, levels: tuple[float, ...]) -> SelfTest:
    loudspeaker.set_gain(GAIN)
    microphone.arm(preroll=False)
    await asyncio.sleep(QUIET_S)
    played_at = time.monotonic()
    await loudspeaker.write(s16le(chirp(loudspeaker.rate)))
    await asyncio.sleep(ECHO_S)
    seconds = time.monotonic() - microphone.capture.first_block_ns / 1e9
    heard = floats(microphone.read(last=True)).astype(np.float64)
    echo = find_chirp(heard)
    begin = microphone.capture.first_block_ns / 1e9 - BLOCK_S  # a block comes when its last sample was heard
    return SelfTest(
        microphone.name,
        microphone.rate,
        loudspeaker.name,
        loudspeaker.rate,
        1000 * (begin + echo.begin_s - played_at),
        len(heard) / seconds,
        echo,
        levels,
        tuple(judge(echo, len(heard) / seconds, levels)),
    )


def chirp(rate: int, speed: float = 1.0) -> NDArray[np.float64]:
    """A sweep from 300 to 3000 Hz with equal time per octave, at a quarter of full scale, faded at both ends."""
    time_s = np.arange(round(CHIRP_S / speed * rate)) / rate * speed
    octaves = math.log(10.0)
    phase = 2 * np.pi * 300 * CHIRP_S / octaves * (np.exp(time_s / CHIRP_S * octaves) - 1)
    fade = np.clip(np.minimum(time_s, CHIRP_S - time_s) / 0.02, 0, 1)
    wave: NDArray[np.float64] = 0.25 * np.sin(phase) * fade
    return wave


def find_chirp(samples: NDArray[np.float64], rate: int = RATE) -> Echo:
    """Look for the chirp, at its speed and at the speeds of cards with a wrong rate. samples: in [-1, 1]."""
    found = [(*_correlate(samples, chirp(rate, speed)), speed) for speed in (1.0, *WRONG_RATES)]
    likeness, begin, speed = max(found)
    quiet = samples[: round(QUIET_S * rate * 0.9)]
    return Echo(
        likeness >= HEARD,
        likeness,
        begin / rate,
        speed,
        decibels(quiet),
        decibels(samples[begin : begin + rate // 2]),
        float(np.mean(np.abs(samples) > 0.999)) if len(samples) else 0.0,
    )


def judge(echo: Echo, measured_rate: float, channel_levels_db: Sequence[float]) -> list[Finding]:
    """What is wrong, most important first."""
    findings = []
    dead = [number for number, level in enumerate(channel_levels_db, 1) if level < DEAD_DB]
    if dead and len(dead) < len(channel_levels_db):
        good = next(n for n, level in enumerate(channel_levels_db, 1) if level >= DEAD_DB)
        findings.append(
            Finding(
                "dead_channel",
                {
                    "en": f"Channel {dead[0]} of the microphone is dead. Set STIMME_CHANNEL to {good}.",
                    "de": f"Kanal {dead[0]} des Mikrofons ist tot. Setze STIMME_CHANNEL auf {good}.",
                },
            )
        )
    if abs(measured_rate / RATE - 1) > 0.03 or (echo.heard and echo.speed != 1):
        speed = echo.speed if echo.heard and echo.speed != 1 else RATE / max(measured_rate, 1)
        findings.append(
            Finding(
                "wrong_rate",
                {
                    "en": f"The sound card runs at a wrong rate: everything is {speed:.2f} times as fast.",
                    "de": f"Die Soundkarte hat die falsche Abtastrate: Alles ist {speed:.2f} mal so schnell.",
                },
            )
        )
    if echo.clipped > CLIPPED:
        findings.append(
            Finding(
                "clipping",
                {
                    "en": "The microphone is too loud and clips. Turn its gain down with alsamixer.",
                    "de": "Das Mikrofon ist übersteuert. Dreh es mit alsamixer leiser.",
                },
            )
        )
    if not echo.heard and echo.level_db < DEAD_DB:
        findings.append(
            Finding(
                "dead_microphone",
                {
                    "en": "The microphone hears nothing at all. Is it switched on, or the wrong one?",
                    "de": "Das Mikrofon hört gar nichts. Ist es eingeschaltet, oder ist es das falsche?",
                },
            )
        )
    elif not echo.heard:
        findings.append(
            Finding(
                "not_heard",
                {
                    "en": "The microphone works but does not hear the loudspeaker. Is that turned up?",
                    "de": "Das Mikrofon geht, hört aber den Lautsprecher nicht. Ist der laut genug?",
                },
            )
        )
    if echo.noise_db > NOISY_DB:
        findings.append(
            Finding(
                "noisy",
                {
                    "en": f"It is noisy here: {-echo.noise_db:.0f} decibels below full scale.",
                    "de": f"Es rauscht stark: {-echo.noise_db:.0f} Dezibel unter Vollaussteuerung.",
                },
            )
        )
    return findings


def decibels(samples: NDArray[np.float64]) -> float:
    """Root mean square in decibels below full scale; SILENCE_DB for less."""
    square = float(np.mean(samples**2)) if len(samples) else 0.0
    return max(SILENCE_DB, 10 * math.log10(square)) if square > 0 else SILENCE_DB


def _correlate(samples: NDArray[np.float64], pattern: NDArray[np.float64]) -> tuple[float, int]:
    """(best normalised correlation, sample where it is), by fast convolution."""
    count = len(samples) - len(pattern) + 1
    if count < 1:
        return 0.0, 0
    size = 1 << (len(samples) + len(pattern)).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(pattern, size))
    product = np.fft.irfft(spectrum, size)[:count]
    energy = np.concatenate(([0.0], np.cumsum(samples**2)))
    window = energy[len(pattern) :] - energy[:count]
    # The floor keeps silence from dividing by nothing: -80 dB of full scale.
    likeness = np.abs(product) / np.sqrt(np.maximum(window, 1e-8 * len(pattern)) * np.sum(pattern**2))
    best = int(np.argmax(likeness))
    return float(likeness[best]), best


async def _channel_levels(config: DeviceConfig) -> tuple[float, ...]:
    """What each channel of a card picks up in 0.3 s; () where there is only one, or one was configured."""
    microphone = await asyncio.to_thread(open_microphone, config.microphone, 0, _ended)
    device = microphone.device
    await asyncio.to_thread(microphone.close)
    if config.channel or not device.is_card or not 2 <= device.inputs <= 8:
        return ()
    levels = []
    for channel in range(1, device.inputs + 1):
        microphone = await asyncio.to_thread(Microphone, device, channel, _ended)
        microphone.arm(preroll=False)
        await asyncio.sleep(0.3)
        levels.append(decibels(floats(microphone.read(last=True)).astype(np.float64)))
        await asyncio.to_thread(microphone.close)
    return tuple(levels)


def _ended() -> None:
    """A card that goes away during the test is found by its result."""
