"""Sound in the containers that browsers and phones record into, WebM and MP4, through PyAV: an extra, `stimme[media]`.

FFmpeg reads more formats than anyone has looked through; of it only what the first bytes announce is let loose on a
stranger's file, with the codecs that are recorded in practice, and without any of its network or file protocols.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from appliance.audio.files import LONGEST_S
from appliance.audio.pcm import RATE
from appliance.errors import ProtocolError

CODECS = frozenset({"opus", "vorbis", "aac", "mp3", "flac", "alac", "pcm_s16le"})
ADVICE = "Send WAV, FLAC, Ogg (Opus or Vorbis) or MP3, for example by: ffmpeg -i FILE -ar 16000 -ac 1 speech.wav"

_WEBM, _MP4 = b"\x1a\x45\xdf\xa3", b"ftyp"
_DEMUXERS = {"WebM": "matroska", "MP4 or M4A": "mov"}
"""What FFmpeg calls their readers."""


def container(head: bytes) -> str:
    """What a file that begins so is called, or "" if it is none of these. head: 12 bytes or more."""
    return "WebM" if head.startswith(_WEBM) else "MP4 or M4A" if head[4:8] == _MP4 else ""


def unpacked_container(file: bytes) -> Iterator[bytes]:
    """The first sound track as s16le at 16 kHz, mono, a frame at a time. Blocks.

    Raises ProtocolError "not_understood" without the extra and for other codecs, "bad_file" for what cannot be read.
    """
    kind = container(file[:12])
    av = _library(kind)
    try:
        with av.open(io.BytesIO(file), format=_DEMUXERS[kind], metadata_errors="ignore") as opened:
            track = next(iter(opened.streams.audio), None)
            if track is None:
                raise _bad(f"{kind} without a sound track")
            if (codec := track.codec_context.name.removesuffix("float")) not in CODECS:
                raise ProtocolError(
                    "not_understood", f"{kind} with {codec:.20} inside is not understood here. {ADVICE}"
                )
            yield from _resampled(av, opened.decode(track))
    except (av.FFmpegError, ValueError) as error:
        raise _bad(f"no {kind} file that can be read ({str(error):.80})") from None


def _resampled(av: Any, frames: Iterator[Any]) -> Iterator[bytes]:
    resampler, samples = av.AudioResampler(format="s16", layout="mono", rate=RATE), 0
    for frame in frames:
        for part in resampler.resample(frame):
            samples += part.samples
            if samples > LONGEST_S * RATE:
                raise _bad(f"more than {LONGEST_S / 3600:g} hours of sound, which is the limit")
            yield part.to_ndarray().tobytes()
    for part in resampler.resample(None):
        yield part.to_ndarray().tobytes()


def _library(kind: str) -> Any:
    try:
        return import_module("av")
    except ImportError:
        raise ProtocolError(
            "not_understood",
            f"{kind} is not understood here: the device's owner can add that (pip install 'stimme[media]'). {ADVICE}",
        ) from None


def _bad(what: str) -> ProtocolError:
    return ProtocolError("bad_file", f"This is {what}.")
