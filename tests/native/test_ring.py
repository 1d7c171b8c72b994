"""Ring as Python sees it: every method, every refusal, and random use against a deque."""

import array
import asyncio
import ctypes
import gc
import os
import select
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from native.ring import Ring


def samples(*values: int) -> bytes:
    """s16le bytes of the values."""
    return np.array(values, "<i2").tobytes()


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (2, 2), (3, 4), (1000, 1024), (480000, 524288)])
def test_the_capacity_is_rounded_up_to_a_power_of_two(asked: int, given: int) -> None:
    assert Ring(asked).capacity == given


@pytest.mark.parametrize("capacity", [0, -1, 2**32 + 1, 2**80])
def test_a_capacity_that_makes_no_sense_is_refused_with_its_value(capacity: int) -> None:
    with pytest.raises(ValueError, match=rf"capacity is {capacity} samples, expected 1 to 4294967296"):
        Ring(capacity)


@pytest.mark.parametrize(
    "source",
    [
        samples(1, -2, 3),
        bytearray(samples(1, -2, 3)),
        memoryview(samples(1, -2, 3)),
        memoryview(b"x" + samples(1, -2, 3))[1:],  # unaligned
        array.array("h", [1, -2, 3]),
        np.array([1, -2, 3], np.int16),
        np.array([[1], [-2], [3]], np.int16),  # frames of one channel, as sounddevice gives them
        np.frombuffer(b"x" + samples(1, -2, 3), "<i2", offset=1),
        (ctypes.c_int16 * 3)(1, -2, 3),
    ],
    ids=lambda source: type(source).__name__,
)
def test_any_buffer_of_samples_can_be_written(source: Any) -> None:
    ring = Ring(8)
    assert ring.write(source) == 3
    assert ring.read() == samples(1, -2, 3)


def test_reading_takes_what_is_asked_for_or_all_that_waits() -> None:
    ring = Ring(8)
    ring.write(samples(1, 2, 3, 4, 5))
    assert ring.read(2) == samples(1, 2)
    assert ring.read(0) == b""
    assert ring.read(100) == samples(3, 4, 5)
    assert ring.read() == b""


def test_peeking_leaves_the_samples_where_they_are() -> None:
    ring = Ring(8)
    ring.write(samples(1, 2, 3))
    assert ring.peek(2) == samples(1, 2)
    assert ring.peek() == ring.read() == samples(1, 2, 3)


def test_a_full_ring_takes_what_fits_and_counts_the_rest() -> None:
    ring = Ring(4)
    assert ring.write(samples(1, 2, 3)) == 3
    assert ring.write(samples(4, 5, 6)) == 1
    assert ring.write(samples(7)) == 0
    assert ring.read() == samples(1, 2, 3, 4)
    assert (ring.dropped, ring.written, ring.read_count) == (3, 4, 4)


def test_empty_buffers_are_no_samples() -> None:
    ring = Ring(4, notify=True)
    assert ring.write(b"") == ring.write(array.array("h")) == 0
    assert not select.select([ring], [], [], 0)[0]


def test_discarding_throws_away_all_that_waits() -> None:
    ring = Ring(8)
    ring.write(samples(1, 2, 3))
    assert ring.discard() == 3
    assert ring.discard() == 0
    assert (len(ring), ring.discarded, ring.read_count) == (0, 3, 0)


def test_a_flush_by_the_producer_hides_what_was_written_before_it_only() -> None:
    ring = Ring(8)
    ring.write(samples(1, 2, 3))
    ring.discard_before(ring.written)
    assert len(ring) == 0
    ring.write(samples(4, 5))
    assert len(ring) == 2
    assert ring.read() == samples(4, 5)
    assert (ring.discarded, ring.read_count) == (3, 2)


@pytest.mark.parametrize("index", [-1, 4])
def test_a_flush_beyond_what_was_written_is_refused_with_both_numbers(index: int) -> None:
    ring = Ring(8)
    ring.write(samples(1, 2, 3))
    with pytest.raises(ValueError, match=rf"index is {index}, expected 0 to 3"):
        ring.discard_before(index)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (b"123", ValueError, "source has 3 bytes, expected a multiple of 2"),
        (np.zeros(4, np.float32), TypeError, r"source holds 'f' of 4 bytes each, expected int16 \('h', 2 bytes each\)"),
        (np.zeros(4, ">i2"), TypeError, "source holds '>h' of 2 bytes each"),
        (np.zeros(4, "i2,i2"), TypeError, "source holds 'T{"),
        (np.zeros(8, np.int16)[::2], BufferError, r"source has gaps: strides of \(4,\) bytes for items of 2"),
        (np.zeros((4, 2), np.int16)[:, 0], BufferError, "source has gaps"),
        ([1, 2], TypeError, "bytes-like object is required"),
        ("text", TypeError, "bytes-like object is required"),
    ],
)
def test_what_is_not_samples_is_refused_and_nothing_is_written(
    source: Any, error: type[Exception], message: str
) -> None:
    ring = Ring(8)
    with pytest.raises(error, match=message):
        ring.write(source)
    assert ring.written == 0


def test_reading_less_than_nothing_is_refused_and_the_samples_stay() -> None:
    ring = Ring(8)
    ring.write(samples(1))
    with pytest.raises(ValueError, match="count is -2 samples"):
        ring.read(-2)
    assert len(ring) == 1


def test_a_refused_buffer_is_released() -> None:
    source = bytearray(3)
    with pytest.raises(ValueError, match="3 bytes"):
        Ring(4).write(source)
    source.append(0)  # a buffer that is still exported cannot be resized


def test_a_closed_ring_refuses_everything_but_being_closed_again() -> None:
    ring = Ring(4, notify=True)
    descriptor = ring.fileno()
    ring.close()
    ring.close()
    uses: list[Callable[[], object]] = [
        lambda: ring.write(b""),
        lambda: ring.read(),
        lambda: ring.peek(),
        lambda: ring.discard(),
        lambda: ring.discard_before(0),
        lambda: ring.wipe(),
        lambda: ring.fileno(),
        lambda: ring.clear_wakeup(),
        lambda: len(ring),
        lambda: ring.dropped,
    ]
    for use in uses:
        with pytest.raises(ValueError, match="the ring is closed"):
            use()
    assert repr(ring) == "<Ring closed>"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


async def test_the_event_loop_is_woken_when_samples_arrive_and_only_then() -> None:
    ring = Ring(16, notify=True)
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        ring.clear_wakeup()
        heard.put_nowait(ring.read())

    loop.add_reader(ring.fileno(), read)
    try:
        assert not select.select([ring], [], [], 0)[0]
        ring.write(samples(1))
        ring.write(samples(2))
        assert await heard.get() == samples(1, 2)
        assert not select.select([ring], [], [], 0)[0]
        ring.write(samples(3))
        assert await heard.get() == samples(3)
    finally:
        loop.remove_reader(ring.fileno())


def test_clearing_a_wakeup_that_did_not_come_is_harmless() -> None:
    ring = Ring(4, notify=True)
    ring.clear_wakeup()
    ring.write(samples(1))
    assert select.select([ring], [], [], 0)[0], "and the next one comes"


def test_a_ring_without_wakeup_says_how_to_get_one() -> None:
    with pytest.raises(ValueError, match="make it with notify=True"):
        Ring(4).fileno()


def test_the_representation_says_what_waits() -> None:
    ring = Ring(4)
    ring.write(samples(1, 2, 3, 4, 5))
    assert repr(ring) == "<Ring 4 of 4 samples, 1 dropped>"


def resident_kib() -> int:
    """Memory of this process that is in use (proc(5): VmRSS of /proc/self/status is approximate, smaps_rollup not)."""
    gc.collect()
    with open("/proc/self/smaps_rollup") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))


def test_an_idle_ring_costs_next_to_nothing_and_a_wiped_one_gives_its_memory_back() -> None:
    block = np.ones(480000, np.int16)
    before = resident_kib()
    rings = [Ring(480000) for _ in range(100)]  # thirty seconds each: 100 MiB if they were filled
    idle = resident_kib() - before
    assert idle < 100 * 16, f"{idle} KiB for 100 idle rings"
    for ring in rings[:10]:
        ring.write(block)
    filled = resident_kib() - before
    assert filled > 10 * 900, f"{filled} KiB: the rings hold ten times 937 KiB"
    for ring in rings[:5]:
        ring.wipe()
    for ring in rings[5:10]:
        ring.close()
    left = resident_kib() - before
    assert left < 100 * 16 + 512, f"{left} KiB left of {filled}"


def test_wiping_leaves_no_sample_behind_and_the_ring_usable() -> None:
    ring = Ring(8)
    ring.write(samples(1, 2, 3))
    ring.wipe()
    assert (len(ring), ring.read()) == (0, b"")
    ring.write(samples(4))
    assert ring.read() == samples(4)


def test_making_and_dropping_rings_leaks_neither_memory_nor_descriptors() -> None:
    def use() -> None:
        ring = Ring(1000, notify=True)
        ring.write(bytes(2000))
        ring.read()

    for _ in range(50):
        use()
    memory, descriptors = resident_kib(), len(os.listdir("/proc/self/fd"))
    for _ in range(5000):
        use()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert resident_kib() - memory < 2048


class RingAgainstDeque(RuleBasedStateMachine):
    """Any sequence of calls does to the ring what it does to a bounded deque."""

    def __init__(self) -> None:
        super().__init__()
        self.ring = Ring(16)
        self.model: deque[int] = deque()
        self.written = self.dropped = self.read_count = self.occupied = 0

    def expect_taken(self, count: int) -> list[int]:
        taken = [self.model.popleft() for _ in range(min(count, len(self.model)))]
        self.read_count += len(taken)
        return taken

    @rule(values=st.lists(st.integers(-32768, 32767), max_size=24))
    def write(self, values: list[int]) -> None:
        taken = min(len(values), 16 - self.occupied)
        assert self.ring.write(samples(*values)) == taken
        self.model.extend(values[:taken])
        self.occupied += taken
        self.written += taken
        self.dropped += len(values) - taken

    @rule(count=st.integers(0, 20))
    def read(self, count: int) -> None:
        assert self.ring.read(count) == samples(*self.expect_taken(count))
        self.occupied = len(self.model)  # a read also frees what was flushed

    @rule(count=st.integers(-1, 20))
    def peek(self, count: int) -> None:
        waiting = list(self.model)
        assert self.ring.peek(count) == samples(*(waiting if count == -1 else waiting[:count]))
        self.occupied = len(self.model)

    @rule()
    def discard(self) -> None:
        assert self.ring.discard() == len(self.model)
        self.model.clear()
        self.occupied = 0

    @precondition(lambda self: len(self.model) > 0)
    @rule(fraction=st.floats(0, 1))
    def flush(self, fraction: float) -> None:
        kept = int(fraction * len(self.model))
        self.ring.discard_before(self.ring.written - kept)
        while len(self.model) > kept:
            self.model.popleft()

    @rule()
    def wipe(self) -> None:
        self.ring.wipe()
        self.model.clear()
        self.occupied = 0

    @invariant()
    def counters_agree(self) -> None:
        assert len(self.ring) == len(self.model)
        assert (self.ring.written, self.ring.dropped) == (self.written, self.dropped)
        assert self.ring.read_count == self.read_count


RingAgainstDeque.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
TestRingAgainstDeque = RingAgainstDeque.TestCase
