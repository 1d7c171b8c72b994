"""A microphone that is never closed while a wake word is listened for: two listeners, one stream."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from appliance.audio.microphone import PREROLL_S, Microphone
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.waking.words import Kept


class OpenEar:
    """Hands every sound to `overhear`, and to whoever has armed it; what nobody armed it for is kept for two seconds.

    For the one who arms it, it is a Microphone.
    """

    def __init__(self, microphone: Microphone, overhear: Callable[[bytes], None]) -> None:
        self.microphone = microphone
        self.kept = Kept()
        self._overhear = overhear
        self._is_armed = False
        self._waiting = bytearray()
        self._skip_bytes = 0
        self._sound_came = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        microphone.arm(preroll=False)
        asyncio.get_running_loop().add_reader(microphone.fileno(), self._pump)

    def fileno(self) -> int:
        """Readable when sound has come for whoever armed it."""
        return self._sound_came

    def arm(self, *, preroll: bool, skip_s: float = 0.0) -> None:
        """As Microphone.arm."""
        self.arm_since(PREROLL_S if preroll else 0.0, skip_s)

    def arm_since(self, before_s: float, skip_s: float = 0.0) -> None:
        """Hand on sound from so long ago on."""
        self._waiting = bytearray(self.kept.last(before_s))
        self._skip_bytes = round(skip_s * RATE) * SAMPLE_BYTES
        self._is_armed = True
        os.eventfd_write(self._sound_came, 1)

    def read(self, *, last: bool = False) -> bytes:
        """As Microphone.read."""
        if last:
            self._pump()
            self._is_armed = False
        try:
            os.eventfd_read(self._sound_came)
        except BlockingIOError:
            pass  # nothing new
        pcm, self._waiting = bytes(self._waiting), bytearray()
        return pcm

    def _pump(self) -> None:
        pcm = self.microphone.read()
        if not pcm:
            return
        self.kept.add(pcm)
        if self._is_armed:
            skipped = min(self._skip_bytes, len(pcm))
            self._skip_bytes -= skipped
            self._waiting += pcm[skipped:]
            os.eventfd_write(self._sound_came, 1)
        self._overhear(pcm)

    def close(self) -> None:
        """Disarm the microphone and wipe what was kept; harmless when repeated."""
        if self._sound_came < 0:
            return
        asyncio.get_running_loop().remove_reader(self.microphone.fileno())
        self.microphone.read(last=True)
        self.kept.clear()
        os.close(self._sound_came)
        self._sound_came = -1
