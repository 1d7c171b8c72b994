"""The audio callbacks, called like PortAudio calls them: by address, with crafted blocks."""

import ctypes
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from native.ring import Ring
from native.stream import Capture, Playback, Stream

CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p
)
INPUT_OVERFLOW, OUTPUT_UNDERFLOW = 2, 4  # portaudio.h, PaStreamCallbackFlags
FADE = 64


def call(stream: Stream, input: int | None, output: int | None, frames: int, flags: int) -> None:
    """Run the stream's callback without the GIL, as PortAudio's thread does."""
    callback = CALLBACK(stream.callback_address)
    assert callback(input, output, frames, None, flags, stream.userdata_address) == 0  # paContinue


def hear(capture: Capture, block: NDArray[Any], flags: int = 0) -> None:
    """Give the capture callback a block of interleaved samples."""
    call(capture, block.ctypes.data, None, len(block) // capture.channels, flags)


def say(playback: Playback, frames: int, flags: int = 0) -> NDArray[np.int16]:
    """Let the playback callback fill a block; the result has one column a channel. Checks a canary behind it."""
    block = np.full(frames * playback.channels + 1, 12345, np.int16)
    call(playback, None, block.ctypes.data, frames, flags)
    assert block[-1] == 12345
    return block[:-1].reshape(frames, playback.channels)


def ramp(start: int, count: int) -> NDArray[np.int16]:
    return np.arange(start, start + count, dtype=np.int16)


def read(ring: Ring) -> list[int]:
    return list(np.frombuffer(ring.read(), "<i2"))


def is_readable(source: Ring | Playback) -> bool:
    return bool(select.select([source], [], [], 0)[0])


def test_an_armed_capture_delivers_every_block_in_order_and_wakes_the_loop() -> None:
    ring = Ring(1024, notify=True)
    capture = Capture(ring)
    capture.arm()
    hear(capture, ramp(0, 100))
    assert is_readable(ring)
    hear(capture, ramp(100, 50))
    assert read(ring) == list(range(150))
    assert capture.blocks == 2


def test_a_disarmed_capture_wakes_nobody_and_leaves_the_ring_alone() -> None:
    ring = Ring(1024, notify=True)
    capture = Capture(ring, preroll=30)
    for block in range(10):
        hear(capture, ramp(100 * block, 100))
    assert len(ring) == 0
    assert not is_readable(ring)
    assert capture.blocks == 10


@pytest.mark.parametrize("blocks", [[10], [30], [31], [100], [7] * 9, [30, 30], [16, 16], [29, 2], [1] * 65])
def test_arming_delivers_the_newest_samples_from_before(blocks: list[int]) -> None:
    ring = Ring(1024)
    capture = Capture(ring, preroll=30)
    heard = 0
    for count in blocks:
        hear(capture, ramp(heard, count))
        heard += count
    capture.arm()
    hear(capture, ramp(heard, 20))
    assert read(ring) == list(range(max(0, heard - 30), heard + 20))


def test_arming_without_preroll_begins_with_the_next_block() -> None:
    ring = Ring(1024)
    capture = Capture(ring, preroll=30)
    hear(capture, ramp(0, 50))
    capture.arm(preroll=False)
    hear(capture, ramp(50, 10))
    assert read(ring) == list(range(50, 60))


def test_what_was_delivered_once_is_not_delivered_again_as_preroll() -> None:
    ring = Ring(1024)
    capture = Capture(ring, preroll=30)
    capture.arm()
    hear(capture, ramp(0, 50))
    ring.discard()
    capture.disarm()
    hear(capture, ramp(50, 10))
    capture.arm()
    hear(capture, ramp(60, 10))
    assert read(ring) == list(range(50, 70))


def test_arming_again_forgets_what_nobody_read() -> None:
    ring = Ring(1024)
    capture = Capture(ring)
    capture.arm()
    hear(capture, ramp(0, 50))
    capture.arm()
    hear(capture, ramp(50, 10))
    assert read(ring) == list(range(50, 60))


@pytest.mark.parametrize(("channels", "channel"), [(1, None), (1, 0), (2, None), (2, 1), (6, 0), (6, None)])
def test_any_layout_becomes_mono_across_the_end_of_the_ring(channels: int, channel: int | None) -> None:
    ring = Ring(64)
    ring.write(bytes(2 * 50))
    capture = Capture(ring, channels, channel)
    capture.arm()
    frames = np.random.default_rng(channels).integers(-32768, 32768, (40, channels)).astype(np.int16)
    hear(capture, frames.ravel())
    mean = np.rint(frames.astype(np.float64).mean(axis=1)).astype(np.int16)
    expected = mean if channel is None else frames[:, channel]
    assert read(ring) == expected.tolist()


def test_a_block_without_input_is_silence() -> None:
    ring = Ring(64)
    capture = Capture(ring)
    capture.arm()
    call(capture, None, None, 10, 0)
    assert read(ring) == [0] * 10


def test_lost_input_and_a_full_ring_are_counted_apart() -> None:
    ring = Ring(64)
    capture = Capture(ring)
    capture.arm()
    hear(capture, ramp(0, 60), flags=INPUT_OVERFLOW)
    hear(capture, ramp(60, 60))
    assert (capture.overflows, ring.dropped) == (1, 56)
    assert read(ring) == list(range(64))


def test_the_peak_is_that_of_the_last_block() -> None:
    capture = Capture(Ring(64))
    capture.arm()
    hear(capture, np.array([0, -32768, 0, 0], np.int16))
    assert capture.peak == 1.0
    hear(capture, np.zeros(4, np.int16))
    assert capture.peak == 0.0


def test_the_time_of_the_first_block_after_arming_is_known() -> None:
    capture = Capture(Ring(64))
    capture.arm()
    assert capture.first_block_ns == 0
    before = time.monotonic_ns()
    hear(capture, ramp(0, 4))
    after = time.monotonic_ns()
    first = capture.first_block_ns
    assert before <= first <= after
    hear(capture, ramp(0, 4))
    assert capture.first_block_ns == first


def test_wiping_forgets_the_preroll() -> None:
    ring = Ring(64)
    capture = Capture(ring, preroll=30)
    hear(capture, ramp(1, 30))
    capture.wipe()
    capture.arm()
    hear(capture, ramp(100, 5))
    assert read(ring) == list(range(100, 105))


def test_lateness_is_counted_for_every_block_but_the_first() -> None:
    capture = Capture(Ring(64), rate=16000)
    hear(capture, ramp(0, 16))
    time.sleep(0.003)  # one millisecond of samples, three of waiting: the next block is at least two late
    hear(capture, ramp(0, 16))
    assert sum(capture.lateness_counts) == 1
    assert 2000 <= capture.lateness_max_us
    assert 2000 <= capture.lateness_p99_us <= capture.lateness_max_us
    capture.reset_lateness()
    assert (sum(capture.lateness_counts), capture.lateness_max_us, capture.lateness_p99_us) == (0, 0, 0)


def test_the_first_block_after_a_restart_is_not_late() -> None:
    capture = Capture(Ring(64), rate=16000)
    hear(capture, ramp(0, 16))
    time.sleep(0.003)
    capture.mark_start()
    hear(capture, ramp(0, 16))
    assert sum(capture.lateness_counts) == 0


def test_a_block_in_time_is_not_late() -> None:
    capture = Capture(Ring(64), rate=1000)
    hear(capture, np.zeros(60000, np.int16))  # a minute's worth: the next cannot be late
    hear(capture, ramp(0, 16))
    assert capture.lateness_counts[0] == 1
    assert capture.lateness_max_us == 0


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_playback_gives_every_channel_the_same_samples_and_then_silence(channels: int) -> None:
    ring = Ring(64)
    ring.write(bytes(2 * 40))
    playback = Playback(ring, channels)
    say(playback, 40)
    ring.write(ramp(1, 50))  # crosses the end of the ring's memory
    block = say(playback, 60)
    assert block.tolist() == [[sample] * channels for sample in [*range(1, 51), *[0] * 10]]
    assert playback.played == 90


def test_every_sample_is_played_unchanged_at_full_volume() -> None:
    ring = Ring(65536)
    every = np.arange(-32768, 32768).astype(np.int16)
    ring.write(every)
    np.testing.assert_array_equal(say(Playback(ring), 65536)[:, 0], every)


def test_half_volume_halves_rounding_half_to_even() -> None:
    ring = Ring(64)
    ring.write(np.array([1, 3, -1, -3, 1000, -32768], np.int16))
    assert say(Playback(ring, volume=0.5), 6)[:, 0].tolist() == [0, 2, 0, -2, 500, -16384]


def test_a_change_of_volume_is_ramped_over_one_block() -> None:
    ring = Ring(1024)
    ring.write(np.full(300, 10000, np.int16))
    playback = Playback(ring)
    say(playback, 100)
    playback.volume = 0.0
    block = say(playback, 100)[:, 0].astype(int)
    assert block[0] == 10000
    steps = np.diff(block)
    assert steps.min() >= -101 and steps.max() <= -99
    assert not say(playback, 100).any()
    assert playback.volume == 0.0


@pytest.mark.parametrize("volume", [-0.1, 1.1, float("nan")])
def test_a_volume_outside_its_range_is_refused(volume: float) -> None:
    playback = Playback(Ring(8))
    with pytest.raises(ValueError, match=f"volume is {volume}, expected 0 to 1"):
        playback.volume = volume
    with pytest.raises(ValueError, match="expected 0 to 1"):
        Playback(Ring(8), volume=volume)


def test_a_gap_in_a_reply_is_one_underflow_however_long() -> None:
    ring = Ring(1024)
    playback = Playback(ring)
    playback.begin()
    say(playback, 10)  # nothing has been written yet: a late start is not a gap
    assert playback.underflows == 0
    ring.write(ramp(0, 15))
    say(playback, 10)
    say(playback, 10)
    say(playback, 10)
    assert playback.underflows == 1
    ring.write(ramp(0, 20))
    say(playback, 10)
    say(playback, 10)
    say(playback, 10)
    assert playback.underflows == 2


def test_the_end_of_a_reply_is_no_underflow() -> None:
    ring = Ring(1024)
    playback = Playback(ring)
    playback.begin()
    ring.write(ramp(0, 15))
    say(playback, 10)
    playback.finish()
    say(playback, 10)
    say(playback, 10)
    assert playback.underflows == 0


def test_the_next_reply_does_not_count_the_silence_before_it() -> None:
    ring = Ring(1024)
    playback = Playback(ring)
    playback.begin()
    ring.write(ramp(0, 10))
    playback.finish()
    say(playback, 10)
    playback.begin()
    say(playback, 10)
    assert playback.underflows == 0


def test_what_the_device_ran_out_of_is_counted_apart() -> None:
    playback = Playback(Ring(8))
    say(playback, 4, flags=OUTPUT_UNDERFLOW)
    assert (playback.device_underflows, playback.underflows) == (1, 0)


def test_a_flush_fades_out_within_its_block_and_is_silent_from_then_on() -> None:
    ring = Ring(4096)
    playback = Playback(ring)
    playback.begin()
    ring.write(np.full(3000, 10000, np.int16))
    say(playback, 160)
    playback.flush()
    fading = say(playback, 160)[:, 0].astype(int)
    assert fading[0] == 10000
    assert np.all(np.diff(fading[:FADE]) < 0)
    assert not fading[FADE:].any()
    assert not say(playback, 160).any()
    assert playback.played == 160 + FADE
    assert (ring.discarded, playback.underflows) == (3000 - 160 - FADE, 0)


def test_a_flush_in_silence_stays_silent() -> None:
    ring = Ring(4096)
    playback = Playback(ring)
    ring.write(np.full(300, 10000, np.int16))
    playback.flush()
    assert not say(playback, 160).any()
    assert (playback.played, playback.drained, len(ring)) == (0, True, 0)


def test_the_reply_after_a_flush_is_played_from_its_first_sample() -> None:
    ring = Ring(4096)
    playback = Playback(ring)
    playback.begin()
    ring.write(np.full(1000, 10000, np.int16))
    say(playback, 100)
    playback.flush()
    playback.begin()
    ring.write(ramp(1, 50))
    say(playback, 100)
    assert say(playback, 50)[:, 0].tolist() == list(range(1, 51))


def test_a_finished_reply_wakes_the_loop_once_when_its_last_sample_has_left() -> None:
    ring = Ring(1024)
    playback = Playback(ring)
    playback.begin()
    ring.write(ramp(0, 20))
    playback.finish()
    assert not playback.drained
    say(playback, 15)
    assert not is_readable(playback)
    say(playback, 15)
    assert is_readable(playback)
    assert playback.drained
    playback.clear_wakeup()
    say(playback, 15)
    assert not is_readable(playback)


def test_a_reply_that_ran_dry_before_it_was_finished_still_wakes_the_loop() -> None:
    ring = Ring(1024)
    playback = Playback(ring)
    playback.begin()
    ring.write(ramp(0, 20))
    say(playback, 20)
    assert not playback.drained
    assert not is_readable(playback)
    playback.finish()
    say(playback, 20)
    assert is_readable(playback)


def test_a_flushed_reply_wakes_the_loop() -> None:
    ring = Ring(1024)
    playback = Playback(ring)
    playback.begin()
    ring.write(ramp(0, 500))
    say(playback, 20)
    playback.flush()
    say(playback, 100)
    assert is_readable(playback)


def test_playback_without_a_reply_wakes_nobody() -> None:
    playback = Playback(Ring(8))
    say(playback, 4)
    assert not is_readable(playback)


def test_a_ring_cannot_be_closed_or_wiped_under_a_stream() -> None:
    ring = Ring(8)
    capture, playback = Capture(ring), Playback(ring)
    with pytest.raises(ValueError, match=r"cannot close the ring: 2 stream\(s\) still hold an end"):
        ring.close()
    capture.close()
    capture.close()
    with pytest.raises(ValueError, match=r"cannot wipe the ring: 1 stream\(s\)"):
        ring.wipe()
    del playback
    ring.close()


def test_a_closed_stream_refuses_to_be_used() -> None:
    capture, playback = Capture(Ring(8)), Playback(Ring(8))
    capture.close()
    playback.close()
    uses: list[Callable[[], object]] = [
        lambda: capture.callback_address,
        lambda: capture.userdata_address,
        lambda: capture.ring,
        lambda: capture.arm(),
        lambda: capture.disarm(),
        lambda: capture.wipe(),
        lambda: playback.begin(),
        lambda: playback.finish(),
        lambda: playback.flush(),
        lambda: playback.drained,
        lambda: playback.fileno(),
    ]
    for use in uses:
        with pytest.raises(ValueError, match="is closed"):
            use()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda ring: Capture(ring, 0), "channels is 0, expected 1 to 32"),
        (lambda ring: Playback(ring, 33), "channels is 33, expected 1 to 32"),
        (lambda ring: Capture(ring, 2, 2), r"channel is 2, expected 0 to 1 \(of 2 channels\)"),
        (lambda ring: Capture(ring, rate=16), "rate is 16 samples a second, expected 1000 to 768000"),
        (lambda ring: Capture(ring, preroll=9), "preroll is 9 samples, expected 0 to the ring's capacity of 8"),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_leave_the_ring_free(
    make: Callable[[Ring], object], message: str
) -> None:
    ring = Ring(8)
    with pytest.raises(ValueError, match=message):
        make(ring)
    ring.close()


def test_a_stream_without_a_direction_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="make one of those"):
        Stream()
    with pytest.raises(TypeError, match="make one of those"):
        type("Other", (Stream,), {})()


def test_a_stream_on_a_closed_ring_is_refused() -> None:
    ring = Ring(8)
    ring.close()
    with pytest.raises(ValueError, match="the ring is closed"):
        Capture(ring)


def test_python_reads_in_order_what_a_callback_writes_at_the_same_time() -> None:
    ring = Ring(4096)
    capture = Capture(ring)
    capture.arm()
    blocks = 20000
    said = np.arange(blocks * 64, dtype=np.int64).astype(np.int16)

    def audio() -> None:
        for block in said.reshape(blocks, 64):
            while ring.capacity - len(ring) < 64:
                time.sleep(0)
            hear(capture, block)

    thread = threading.Thread(target=audio)
    thread.start()
    heard = bytearray()
    while thread.is_alive() or len(ring):
        heard += ring.read()
    thread.join()
    assert ring.dropped == 0
    assert heard == said.tobytes()
