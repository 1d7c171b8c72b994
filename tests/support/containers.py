"""Sound in the containers that browsers and phones record into."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np


def contained(pcm: bytes, rate: int, kind: str, codec: str, options: dict[str, str] | None = None) -> bytes:
    """s16le, mono → a file. kind, codec, options: FFmpeg's names, and what its writer is told."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind, options=options or {}) as opened:
        track: Any = opened.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        for packet in [*track.encode(frame), *track.encode(None)]:
            opened.mux(packet)
    return file.getvalue()
