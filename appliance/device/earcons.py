"""The device's short sounds, computed: no files, any sample rate, s16le."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from appliance.audio.pcm import s16le

SOFT_DB = -30.0
"""Level of everything that sounds while a microphone listens, in decibels below full scale."""

ALARM_DB = -6.0


def listening(rate: int) -> bytes:
    """Up: talk now. 70 ms, and soft, because the microphone hears it too."""
    return _tones(rate, (523.25, 784.0), 0.035, SOFT_DB)


def invited(rate: int) -> bytes:
    """Once, very soft: answer if you like."""
    return _tones(rate, (784.0,), 0.035, SOFT_DB - 6)


def heard(rate: int) -> bytes:
    """Down: that was it."""
    return _tones(rate, (784.0, 523.25), 0.035, SOFT_DB)


def refused(rate: int) -> bytes:
    """Twice low: that did not work."""
    return _tones(rate, (196.0, 0.0, 196.0), 0.09, SOFT_DB + 8)


def alarm(rate: int) -> bytes:
    """Two times three beeps, 1.4 s, loud."""
    beeps = (880.0, 0.0, 880.0, 0.0, 1174.7, 0.0, 0.0)
    return _tones(rate, beeps + beeps, 0.1, ALARM_DB)


def _tones(rate: int, frequencies: Sequence[float], each_s: float, level_db: float) -> bytes:
    """Sine tones one after the other, each faded in and out over 5 ms; frequency 0 is a pause."""
    count = round(each_s * rate)
    time_s = np.arange(count) / rate
    fade = np.minimum(1.0, np.minimum(time_s, time_s[::-1]) / 0.005)
    level = 10 ** (level_db / 20)
    parts = [np.sin(2 * np.pi * frequency * time_s) * fade * level for frequency in frequencies]
    return s16le(np.concatenate(parts))
