"""Sound as other programs send it → mono s16le at 16 kHz, piece by piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from appliance.audio.pcm import RATE, SAMPLE_BYTES, s16le
from appliance.errors import ProtocolError

RATES = (8_000, 192_000)
"""What is called speech below that is noise; what is above it no microphone records."""
MOST_CHANNELS = 8


class Inbound:
    """Little-endian samples of any usual rate, width and number of channels, in pieces that may end anywhere.

    width: bytes a sample; 1 is unsigned, as in WAV files, 2, 3 and 4 are signed. is_float: 4 bytes in [-1, 1].
    16 kHz, 2 bytes and one channel pass through unchanged. Raises ProtocolError "bad_format".
    """

    def __init__(self, rate: int, width: int = SAMPLE_BYTES, channels: int = 1, *, is_float: bool = False) -> None:
        lowest, highest = RATES
        if not (
            lowest <= rate <= highest
            and width in (1, 2, 3, 4)
            and 1 <= channels <= MOST_CHANNELS
            and (width == 4 or not is_float)
        ):
            raise ProtocolError(
                "bad_format",
                f"{rate} Hz, {width} bytes a sample, {channels} channels: expected {lowest} to {highest} "
                f"Hz, 1 to 4 bytes, 1 to {MOST_CHANNELS} channels",
            )
        self._width, self._channels, self._is_float = width, channels, is_float
        self._plain = (rate, width, channels) == (RATE, SAMPLE_BYTES, 1)
        self._resampler = None if rate == RATE else soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """The next bytes; returns what can be had of them already."""
        frame = self._width * self._channels
        data = self._rest + data if self._rest else data
        size = len(data) - len(data) % frame
        self._rest = data[size:]
        if self._plain:
            return data[:size]
        return self._converted(data[:size], last=False)

    def end(self) -> bytes:
        """What remains. A frame that is not whole is left out."""
        self._rest = b""
        return b"" if self._resampler is None else self._converted(b"", last=True)

    def _converted(self, frames: bytes, *, last: bool) -> bytes:
        mono = self._samples(frames).reshape(-1, self._channels).mean(axis=1, dtype=np.float32)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono, last=last)
        return s16le(mono)

    def _samples(self, frames: bytes) -> NDArray[np.float32]:
        """In [-1, 1)."""
        if self._is_float:
            given: NDArray[np.float32] = np.nan_to_num(np.frombuffer(frames, "<f4"), posinf=1.0, neginf=-1.0)
            return given
        whole: NDArray[Any]
        if self._width == 1:
            whole, full = np.frombuffer(frames, np.uint8).astype(np.int16) - 128, 2**7
        elif self._width == 3:
            padded = np.zeros((len(frames) // 3, 4), np.uint8)
            padded[:, 1:] = np.frombuffer(frames, np.uint8).reshape(-1, 3)
            whole, full = padded.view("<i4").reshape(-1), 2**31
        else:
            whole, full = np.frombuffer(frames, f"<i{self._width}"), 2 ** (8 * self._width - 1)
        return np.multiply(whole, 1 / full, dtype=np.float32)
