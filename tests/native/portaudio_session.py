"""A process of its own: real PortAudio streams with the native callbacks. Prints what happened as one line of JSON.

Arguments: the playback device, the capture device, and a file of s16le samples to play at 16 kHz. The process must
start with the sound card's configuration in its environment, because PortAudio reads that when it is loaded.
"""

import json
import select
import sys
import time
from pathlib import Path
from typing import Any

import sounddevice

from native.ring import Ring
from native.stream import Capture, Playback, Stream

RATE = 16000
BLOCK = 256
TIMEOUT_S = 20.0


def open_stream(kind: str, device: str, stream: Stream) -> Any:
    """A PortAudio stream that calls the native callback: sounddevice accepts a C function pointer for this use."""
    ffi = sounddevice._ffi
    return sounddevice._StreamBase(
        kind,
        samplerate=RATE,
        blocksize=BLOCK,
        device=device,
        channels=stream.channels,
        dtype="int16",
        latency=0.3,  # a busy machine shall not make gaps
        callback=ffi.cast("PaStreamCallback *", stream.callback_address),
        userdata=ffi.cast("void *", stream.userdata_address),
        wrap_callback=None,
    )


def wait_until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"waited {TIMEOUT_S} s in vain for {what}")
        time.sleep(0.005)


def main(speaker: str, microphone: str, said: bytes) -> None:
    heard, to_say = Ring(30 * RATE, notify=True), Ring(30 * RATE)
    capture = Capture(heard, rate=RATE, preroll=RATE // 2)
    playback = Playback(to_say, rate=RATE)
    with open_stream("input", microphone, capture), open_stream("output", speaker, playback):
        wait_until(lambda: capture.blocks > 10 and playback.blocks > 10, "the first blocks")
        asleep = not select.select([heard], [], [], 0)[0]
        playback.begin()
        to_say.write(said[: len(said) // 2])
        wait_until(lambda: playback.played > RATE // 4, "a quarter of a second to be played")
        capture.arm()  # late: what was played so far must come from the pre-roll
        armed_ns = time.monotonic_ns()
        to_say.write(said[len(said) // 2 :])
        playback.finish()
        readable, _, _ = select.select([playback], [], [], TIMEOUT_S)
        played = playback.played
        wait_until(lambda: heard.peek().endswith(bytes(RATE // 2)), "a quarter of a second of silence after it all")
        capture.disarm()
    result = {
        "asleep_while_disarmed": asleep,
        "drained_wakeup": bool(readable),
        "played": played,
        "first_block_after_arming_ms": (capture.first_block_ns - armed_ns) / 1e6,
        "blocks": capture.blocks,
        "overflows": capture.overflows,
        "dropped": heard.dropped,
        "underflows": playback.underflows,
        "lateness_counts": capture.lateness_counts,
    }
    Path(sys.argv[3]).with_suffix(".heard").write_bytes(heard.read())
    capture.close()
    playback.close()
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_bytes())
