"""SVOX Pico in a process of its own: lines of text come in, sound goes out in pieces. Started by pico.py.

    python -I -S pico_process.py NANOTTS.so TEXT_ANALYSIS.bin SIGNAL_GENERATION.bin

The extension module of py-nanotts is also a shared library with Pico's published C interface (picoapi.h), which hands
out the sound 4 ms at a time while it is being made; the module's own speak() loads the voice anew for each text, holds
the GIL, and returns only at the end. Knows nothing of Stimme, so that it stays small: 11 MB.

In:  a line of UTF-8, the speed in percent before the text: "100 Hello.". Out: pieces, each its size in bytes (uint16,
little-endian) and as many bytes of s16le at 16 kHz; size 0 ends a line's sound. A text that never ends uses up its
processor time, and the system ends the process.
"""

from __future__ import annotations

import signal
import struct
import sys
from collections.abc import Iterator
from ctypes import CDLL, byref, c_char_p, c_int16, c_void_p, create_string_buffer

MEMORY_BYTES = 2_500_000  # as py-nanotts gives it
PIECE_BYTES = 16_000  # half a second; the first piece of a text is smaller
FIRST_PIECE_BYTES = 4_800
STEP_BYTES = 128
VOLUME = 50
"""Percent of Pico's own, at which one sample in a hundred is clipped."""
OK, IDLE, BUSY = 0, 200, 201
PROCESSOR_S = 4.0
"""For one line: 16 s of speech take 0.1 s on a PC."""


class Pico:
    def __init__(self, library: str, *resources: str) -> None:
        self._pico = CDLL(library)
        self._memory = create_string_buffer(MEMORY_BYTES)
        self._system, self._engine = c_void_p(), c_void_p()
        self._check(self._pico.pico_initialize(self._memory, MEMORY_BYTES, byref(self._system)), "initialize")
        self._check(self._pico.pico_createVoiceDefinition(self._system, b"voice"), "createVoiceDefinition")
        for path in resources:
            resource, name = c_void_p(), create_string_buffer(256)
            self._check(self._pico.pico_loadResource(self._system, path.encode(), byref(resource)), "loadResource")
            self._check(self._pico.pico_getResourceName(self._system, resource, name), "getResourceName")
            self._check(self._pico.pico_addResourceToVoiceDefinition(self._system, b"voice", name), "addResource")

    def speak(self, text: bytes, speed: int = 100) -> Iterator[bytes]:
        """s16le in steps of 4 ms. speed: percent, 20 to 500; Pico leaves its pauses as they are."""
        # A new engine (0.06 ms) remembers nothing of what was said before: the same text gives the same sound to 0.5 %.
        if self._engine:
            self._check(self._pico.pico_disposeEngine(self._system, byref(self._engine)), "disposeEngine")
        self._check(self._pico.pico_newEngine(self._system, b"voice", byref(self._engine)), "newEngine")
        if speed != 100:
            text = b'<speed level="%d">%s</speed>' % (speed, text)
        rest = b'<volume level="%d">%s</volume>\0' % (VOLUME, text)  # the NUL makes Pico speak what it has
        sent, size, kind = c_int16(), c_int16(), c_int16()
        sound = create_string_buffer(STEP_BYTES)
        arguments = self._engine, sound, STEP_BYTES, byref(size), byref(kind)
        step = self._pico.pico_getData
        while rest:
            taken = self._pico.pico_putTextUtf8(self._engine, c_char_p(rest), len(rest), byref(sent))
            self._check(taken, "putTextUtf8")
            rest = rest[sent.value :]
            status = BUSY
            while status == BUSY:
                status = step(*arguments)
                if size.value:
                    yield sound.raw[: size.value]
            if status != IDLE:
                raise RuntimeError(f"pico_getData: status {status}")

    @staticmethod
    def _check(status: int, what: str) -> None:
        if status != OK:
            raise RuntimeError(f"pico_{what}: status {status}")


def main() -> None:
    pico = Pico(*sys.argv[1:])
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_S)  # SIGPROF ends the process
        piece, enough = b"", FIRST_PIECE_BYTES
        speed, _, text = line.rstrip(b"\n").partition(b" ")
        for step in pico.speak(text, int(speed)):
            piece += step
            if len(piece) >= enough:
                _write(piece)
                piece, enough = b"", PIECE_BYTES
        if piece:
            _write(piece)
        out.write(struct.pack("<H", 0))
        out.flush()
        signal.setitimer(signal.ITIMER_PROF, 0)


def _write(piece: bytes) -> None:
    sys.stdout.buffer.write(struct.pack("<H", len(piece)) + piece)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
