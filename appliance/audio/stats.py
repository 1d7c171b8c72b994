"""What the audio callbacks have counted. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StreamStats:
    """One direction of a sound card, since its stream was opened."""

    blocks: int
    """Times that PortAudio called."""
    device_gaps: int
    """Blocks before which PortAudio reports lost input (overflow) or missing output (underflow)."""
    dropped_samples: int
    """What the ring refused because the event loop did not fetch it in time; microphone only."""
    underflows: int
    """Gaps in a reply because the voice was late; loudspeaker only."""
    lateness_counts: tuple[int, ...]
    """Blocks by lateness: entry b counts those less than 2^b microseconds late."""
