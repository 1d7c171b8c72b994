"""The guest's sound wired to files of the host: what is put into one it hears, what it plays lands in the other.

QEMU's sound backends hear real microphones only, at real speed, while the guest's clock runs at its own. ALSA's `file`
plugin on its `null` device instead gives whatever is asked for, at once, out of a file that may still grow
(alsa-lib, src/pcm/pcm_file.c). QEMU asks ten milliseconds' worth every ten milliseconds of the guest's
time: its buffer is made as long as its timer's period.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soxr

RATE = 16_000
"""Of everything that is given to and taken from a wire: s16le, mono."""

_QEMU_RATE = 48_000
_QUIET = 64
"""Samples below this are silence."""


class Wire:
    """Microphone and loudspeaker of one machine. name: of its files below folder, which are made anew."""

    def __init__(self, folder: Path, name: str) -> None:
        self._ear, self._mouth = folder / f"{name}.ear", folder / f"{name}.mouth"
        self._ear.write_bytes(bytes(_QEMU_RATE))  # what came last is heard again where the file ends: silence
        self._mouth.write_bytes(b"")
        self._asound = folder / f"{name}.asound"
        self._asound.write_text(
            "pcm.ear { type file slave.pcm { type null } "
            f'file "/dev/null" infile "{self._ear}" format raw }}\n'
            f'pcm.mouth {{ type file slave.pcm {{ type null }} file "{self._mouth}" format raw }}\n'
        )

    @property
    def environment(self) -> dict[str, str]:
        """What QEMU must be started with."""
        return {"ALSA_CONFIG_PATH": str(self._asound)}

    @property
    def audiodev(self) -> str:
        """QEMU's -audiodev, with the id `snd`."""
        each = f"frequency={_QEMU_RATE},{{0}}.channels={{1}},{{0}}.format=s16,{{0}}.buffer-length=10000"
        sides = (
            f"{side}.dev={device},{side}.try-poll=off,{side}.{each.format(side, channels)}"
            for side, device, channels in (("in", "ear", 1), ("out", "mouth", 2))
        )
        return f"alsa,id=snd,timer-period=10000,{','.join(sides)}"

    def say(self, pcm: bytes) -> None:
        """Speak into the microphone, from now on. pcm ends with silence."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        with self._ear.open("ab") as file:
            file.write(soxr.resample(samples, RATE, _QEMU_RATE).clip(-32768, 32767).astype("<i2").tobytes())

    def is_heard(self, pid: int) -> bool:
        """Whether QEMU has read all of it (its place in the file: proc_pid_fdinfo(5))."""
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if os.path.realpath(link) == str(self._ear.resolve()):
                info = Path(f"/proc/{pid}/fdinfo/{link.name}").read_text()
                return int(info.split()[1]) >= self._ear.stat().st_size
        return False

    @property
    def played(self) -> int:
        """Bytes so far, in QEMU's own format: a mark for spoken() and is_quiet()."""
        return self._mouth.stat().st_size

    def spoken(self, since: int = 0) -> bytes:
        """What the loudspeaker has played since a mark."""
        with self._mouth.open("rb") as file:
            file.seek(since)
            data = file.read()
        stereo = np.frombuffer(data[: len(data) // 4 * 4], "<i2").reshape(-1, 2).mean(axis=1)
        return bytes(soxr.resample(stereo, _QEMU_RATE, RATE).astype("<i2").tobytes())

    def is_quiet(self, since: int, seconds: float = 2.0) -> bool:
        """Whether something was said since a mark, and then nothing for so long (or the stream was closed)."""
        samples = np.frombuffer(self.spoken(since), "<i2")
        loud = np.flatnonzero(np.abs(samples) > _QUIET)
        return bool(len(loud)) and len(samples) - loud[-1] > seconds * RATE
