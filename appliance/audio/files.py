"""Sound files as other programs send and want them: WAV while it arrives, the rest with libsndfile."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Literal

import numpy as np
import soundfile

from appliance.audio.formats import Inbound
from appliance.audio.pcm import SAMPLE_BYTES
from appliance.errors import ProtocolError

HEAD_BYTES = 64 * 1024
"""A WAV file's sound begins within so many bytes, or it is none that is understood here."""
BLOCK_S = 5.0
"""So much of a packed file is unpacked at a time."""
LONGEST_S = 4 * 3600.0

Kind = Literal["wav", "pcm", "flac", "mp3", "opus"]
PACKED: dict[Kind, tuple[str, str]] = {
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "opus": ("OGG", "OPUS"),
}
"""libsndfile's names (format, subtype); opus and mp3 since its 1.1."""

MP3 = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}
"""80 kbit/s at 24 kHz. Constant, because readers of a file that was streamed guess its length from the first frames."""
STREAMED = ("mp3", "opus")
"""FLAC comes at the end: its beginning says how long it is, and libsndfile reads none that does not."""

_PLAIN, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


def is_wav(head: bytes) -> bool:
    """Whether a file that begins so is a WAV file. head: 12 bytes or more."""
    return head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"


class WavStream:
    """A WAV file as it arrives → s16le at 16 kHz. Raises ProtocolError "bad_file" for what cannot be read."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._inbound: Inbound | None = None
        self._left: int | None = None
        """Bytes of sound that are still to come; None until that is known, or for as many as come."""

    def feed(self, data: bytes) -> bytes:
        """More has come; returns the sound that can be had already."""
        if self._inbound is None:
            self._waiting += data
            if not self._read_head():
                return b""
            data = bytes(self._waiting)
            self._waiting.clear()
        assert self._inbound is not None
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return self._inbound.feed(data)

    def end(self) -> bytes:
        """What remains. Raises ProtocolError if the sound never began."""
        if self._inbound is None:
            raise _bad("a WAV file without any sound in it")
        return self._inbound.end()

    def _read_head(self) -> bool:
        """Find where the sound begins; what stands before it is dropped."""
        at, form = 12, None
        while len(self._waiting) >= at + 8:
            name, size = struct.unpack_from("<4sI", self._waiting, at)
            if name == b"data":
                if form is None:
                    raise _bad("a WAV file that does not say what its samples are")
                self._inbound = form
                # writers that do not know the length yet write none, or the largest
                self._left = None if size in (0, 0xFFFFFFFF) else size
                del self._waiting[: at + 8]
                return True
            if at + 8 + size > HEAD_BYTES:
                break
            if len(self._waiting) < at + 8 + size:
                return False
            if name == b"fmt ":
                form = _form(bytes(self._waiting[at + 8 : at + 8 + size]))
            at += 8 + size + size % 2
        if len(self._waiting) > HEAD_BYTES or len(self._waiting) >= at + 8:
            raise _bad(f"a WAV file with no sound within {HEAD_BYTES} bytes")
        return False


def _form(chunk: bytes) -> Inbound:
    if len(chunk) < 16:
        raise _bad("a WAV file whose format is cut off")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        (kind,) = struct.unpack_from("<H", chunk, 24)
    if kind not in (_PLAIN, _FLOAT) or bits % 8:
        raise _bad(f"a WAV file of kind {kind} with {bits} bits a sample; expected plain or float samples")
    return Inbound(rate, bits // 8, channels, is_float=kind == _FLOAT)


def unpacked(file: bytes) -> Iterator[bytes]:
    """Any file that libsndfile reads → s16le at 16 kHz, a few seconds at a time. Blocks. Raises ProtocolError."""
    try:
        with soundfile.SoundFile(io.BytesIO(file)) as sound:
            inbound, read = Inbound(sound.samplerate, 4, sound.channels, is_float=True), 0
            while len(block := sound.read(round(BLOCK_S * sound.samplerate), "float32", always_2d=True)):
                read += len(block)  # what its head says may be unknown, or a lie
                if read > LONGEST_S * sound.samplerate:
                    raise _bad(f"more than {LONGEST_S / 3600:g} hours of sound, which is the limit")
                yield inbound.feed(np.ascontiguousarray(block).tobytes())
            yield inbound.end()
    except soundfile.LibsndfileError as error:
        raise _bad(f"no sound file that can be read here ({error.error_string})") from None


def _bad(what: str) -> ProtocolError:
    return ProtocolError("bad_file", f"This is {what}.")


class Packer:
    """Mono s16le → a file's bytes, piece by piece. Blocks for a few milliseconds a second of sound."""

    def __init__(self, kind: Kind, rate: int) -> None:
        """Raises ProtocolError if this machine's libsndfile cannot write it."""
        self._kind = kind
        self._begin = _wav_head(rate) if kind == "wav" else b""
        self._begun = False
        self._pipe = _Pipe()
        self._file: soundfile.SoundFile | None = None
        if kind in PACKED:
            form, subtype = PACKED[kind]
            try:
                constant = MP3 if kind == "mp3" else {}
                self._file = soundfile.SoundFile(
                    self._pipe, "w", samplerate=rate, channels=1, format=form, subtype=subtype, **constant
                )
            except (soundfile.LibsndfileError, ValueError) as error:
                raise ProtocolError("no_format", f"{kind} cannot be written on this device ({error})") from None

    @property
    def is_light(self) -> bool:
        """It takes no time worth a thread."""
        return self._file is None

    def feed(self, pcm: bytes) -> bytes:
        """The bytes that can be had already."""
        if self._file is None:
            begin, self._begin = self._begin, b""
            return begin + pcm
        self._file.write(np.frombuffer(pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2"))
        return self._taken() if self._kind in STREAMED else b""

    def end(self) -> bytes:
        """What remains."""
        if self._file is None:
            return self.feed(b"")
        self._file.close()
        return self._taken()

    def _taken(self) -> bytes:
        data = self._pipe.take()
        if self._kind == "mp3" and data and not self._begun:
            self._begun = True
            return data[_summary_bytes(data) :]
        return data


def _wav_head(rate: int) -> bytes:
    """Of a WAV file whose length is not known yet: readers take what comes."""
    form = struct.pack("<HHIIHH", _PLAIN, 1, rate, rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<I", len(form)) + form + b"data\xff\xff\xff\xff"


_BITRATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # kbit/s, MPEG-2 layer III


def _summary_bytes(data: bytes) -> int:
    """The length of the empty frame that an MP3 file begins with, which libsndfile would fill in at the end with how
    long it is: players would stop where it says. (ISO 13818-3: 72 × bit rate / sample rate, MPEG-2 layer III.)
    """
    if len(data) < 4 or data[0] != 0xFF or not _BITRATES[data[2] >> 4 : (data[2] >> 4) + 1]:
        return 0
    rate = (22_050, 24_000, 16_000, 24_000)[data[2] >> 2 & 3]
    size = 72_000 * _BITRATES[data[2] >> 4] // rate + (data[2] >> 1 & 1)
    return size if not any(data[4:size]) else 0


class _Pipe:
    """A file for libsndfile whose bytes are gone once they were taken; what it would correct at the beginning stays."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._taken = self._at = 0

    def take(self) -> bytes:
        found = bytes(self._bytes)
        self._taken += len(found)
        self._bytes.clear()
        return found

    def write(self, data: bytes) -> int:
        content, begin = bytes(data), self._at - self._taken
        self._at += len(content)
        if begin < 0:
            content, begin = content[-begin:], 0
        self._bytes[begin : begin + len(content)] = content
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        end = self._taken + len(self._bytes)
        self._at = offset + (0, self._at, end)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Nothing is read back."""
        return b""
