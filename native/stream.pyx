"""Capture and Playback: one end of a ring each, held by a C callback that PortAudio calls in its audio thread.

The callbacks never run Python. A stream is opened with the two addresses (docs/native.md shows how with
sounddevice); its object must be kept until that stream is closed, and then be closed itself, which gives the
ring's end back.
"""

from libc.errno cimport errno
from libc.stdint cimport int16_t, int32_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from native.ring cimport Ring, spsc_discard_before, spsc_ring, spsc_size

import os

cimport cython


cdef extern from "stream.h" nogil:
    enum: LATENESS_BUCKETS
    enum: MONO_MOST_CHANNELS
    ctypedef struct stream_meter:
        uint64_t rate
        uint64_t due_ns
        uint64_t blocks
        uint64_t device_gaps
        uint64_t lateness_max_us
        uint64_t lateness_counts[1]
        int32_t peak
    ctypedef struct capture_stream:
        stream_meter meter
        spsc_ring *ring
        int wake_fd
        size_t channels
        int channel
        uint32_t armed
        int forget_preroll
        uint64_t first_block_ns
        int16_t *preroll
        size_t preroll_capacity
        size_t preroll_next
        size_t preroll_count
    ctypedef struct playback_stream:
        stream_meter meter
        spsc_ring *ring
        int wake_fd
        size_t channels
        uint32_t speaking
        float volume
        uint64_t played
        uint64_t underflows
        uint32_t reply
        int drained
        float gain
    int capture_callback(const void *, void *, unsigned long, const void *, unsigned long, void *)
    int playback_callback(const void *, void *, unsigned long, const void *, unsigned long, void *)
    void meter_reset(stream_meter *meter)

cdef extern from "<sys/eventfd.h>" nogil:
    int EFD_NONBLOCK, EFD_CLOEXEC
    int eventfd(unsigned int initval, int flags)
    int eventfd_read(int fd, uint64_t *value)

cdef extern from "<unistd.h>" nogil:
    int close(int fd)


cdef class Stream:
    """What both directions have in common: the addresses for PortAudio, and what the callback measured."""

    cdef readonly int channels  # of the PortAudio stream
    cdef readonly int rate      # samples a second, as told when made
    cdef Ring _ring
    cdef stream_meter *meter  # inside the direction's own state
    cdef void *callback
    cdef void *state
    cdef int number           # of the last arming or reply

    def __cinit__(self, *_arguments, **_settings):
        if type(self) not in (Capture, Playback):  # anything else would have no state behind the addresses
            raise TypeError("Stream is what Capture and Playback have in common; make one of those")

    cdef int _hold(self, Ring ring, object channels, object rate) except -1:
        if not 1 <= channels <= MONO_MOST_CHANNELS:
            raise ValueError(f"channels is {channels}, expected 1 to {MONO_MOST_CHANNELS}")
        if not 1000 <= rate <= 768000:
            raise ValueError(f"rate is {rate} samples a second, expected 1000 to 768000")
        ring.opened()
        self.channels = channels
        self.rate = rate
        self.meter.rate = rate
        ring.streams += 1
        self._ring = ring
        return 0

    cdef int _opened(self) except -1:
        if self._ring is None:
            raise ValueError(f"the {type(self).__name__} is closed")
        return 0

    def close(self) -> None:
        """Give the ring's end back. The PortAudio stream must be closed before. Harmless when repeated."""
        if self._ring is not None:
            self._ring.streams -= 1
            self._ring = None

    @property
    def callback_address(self) -> int:
        """Address of the PaStreamCallback."""
        self._opened()
        return <uintptr_t>self.callback

    @property
    def userdata_address(self) -> int:
        """Address to pass as the callback's userdata; valid until `close`."""
        self._opened()
        return <uintptr_t>self.state

    @property
    def ring(self) -> Ring:
        self._opened()
        return self._ring

    @property
    def blocks(self) -> int:
        """Times that PortAudio called."""
        return self.meter.blocks

    @property
    def peak(self) -> float:
        """Largest magnitude in the last block, as a fraction of full scale."""
        return self.meter.peak / 32768.0

    @property
    def lateness_max_us(self) -> int:
        """Longest that a callback came after its time: one block's duration after the one before."""
        return self.meter.lateness_max_us

    @property
    def lateness_counts(self) -> tuple[int, ...]:
        """Blocks by lateness: entry b counts those less than 2^b microseconds late (and not less than 2^(b-1))."""
        return tuple([self.meter.lateness_counts[bucket] for bucket in range(LATENESS_BUCKETS)])

    @property
    def lateness_p99_us(self) -> int:
        """99 of 100 callbacks came at most this late (an upper bound, to the next power of two); 0 before any."""
        counts = self.lateness_counts
        remaining = sum(counts) // 100
        for bucket in reversed(range(LATENESS_BUCKETS)):
            remaining -= counts[bucket]
            if remaining < 0:
                return min(1 << bucket, self.lateness_max_us)
        return 0

    def reset_lateness(self) -> None:
        """Start measuring lateness anew."""
        meter_reset(self.meter)

    def mark_start(self) -> None:
        """The PortAudio stream is about to be started: its first block cannot be late. Call before each start."""
        self.meter.due_ns = 0


@cython.final
cdef class Capture(Stream):
    """Microphone → ring, mono int16. Disarmed it keeps only the pre-roll and wakes nobody.

    ring: its producer's end is taken. channels: of the PortAudio stream, 1 to 32. channel: the one to keep, from
    0, or None for their mean. rate: samples a second. preroll: samples from before arming that are
    delivered first. The PortAudio stream holds int16.
    """

    cdef capture_stream capture

    def __cinit__(self, Ring ring not None, channels=1, channel=None, *, rate=16000, preroll=0):
        memset(&self.capture, 0, sizeof(self.capture))
        self.meter = &self.capture.meter
        self.state = &self.capture
        self.callback = <void *>capture_callback
        if channel is not None and not 0 <= channel < channels:
            raise ValueError(f"channel is {channel}, expected 0 to {channels - 1} (of {channels} channels)")
        if not 0 <= preroll <= ring.capacity:
            raise ValueError(f"preroll is {preroll} samples, expected 0 to the ring's capacity of {ring.capacity}")
        self._hold(ring, channels, rate)
        self.capture.ring = ring.opened()
        self.capture.wake_fd = ring.wake_fd
        self.capture.channels = channels
        self.capture.channel = channel if channel is not None else 0 if channels == 1 else -1
        self.capture.preroll_capacity = preroll
        self.capture.preroll = <int16_t *>calloc(max(preroll, 1), sizeof(int16_t))
        if self.capture.preroll == NULL:
            raise MemoryError(f"no memory for a pre-roll of {preroll} samples")

    def __dealloc__(self):
        if self._ring is not None:
            self._ring.streams -= 1
        free(self.capture.preroll)

    def arm(self, *, bint preroll=True) -> None:
        """Deliver from the next block on, after the pre-roll unless told to forget it.

        What the ring still held is discarded.
        """
        self._opened()
        self._ring.discard()
        self.capture.forget_preroll = not preroll
        self.capture.first_block_ns = 0
        self.number += 1
        self.capture.armed = self.number

    def disarm(self) -> None:
        """Deliver no further block; one that is being handled may still arrive."""
        self._opened()
        self.capture.armed = 0

    def wipe(self) -> None:
        """Zero the pre-roll. Only while the PortAudio stream is stopped."""
        self._opened()
        memset(self.capture.preroll, 0, self.capture.preroll_capacity * sizeof(int16_t))
        self.capture.preroll_next = self.capture.preroll_count = 0

    @property
    def armed(self) -> bool:
        return self.capture.armed != 0

    @property
    def first_block_ns(self) -> int:
        """CLOCK_MONOTONIC (time.monotonic_ns) of the first block after arming; 0 until it came."""
        return self.capture.first_block_ns

    @property
    def overflows(self) -> int:
        """Blocks before which PortAudio reports lost input. What the ring refused is `ring.dropped`."""
        return self.meter.device_gaps


@cython.final
cdef class Playback(Stream):
    """Ring → loudspeaker: mono int16 to every channel of an int16 PortAudio stream, silence when it is empty.

    ring: its consumer's end is taken. channels: of the PortAudio stream, 1 to 32. rate: samples a second. volume:
    gain from 0 to 1; changes are ramped over one block.
    """

    cdef playback_stream playback

    def __cinit__(self, Ring ring not None, channels=1, *, rate=16000, volume=1.0):
        memset(&self.playback, 0, sizeof(self.playback))
        self.playback.wake_fd = -1
        self.playback.drained = 1
        self.meter = &self.playback.meter
        self.state = &self.playback
        self.callback = <void *>playback_callback
        self.volume = volume
        self._hold(ring, channels, rate)
        self.playback.ring = ring.opened()
        self.playback.channels = channels
        self.playback.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if self.playback.wake_fd < 0:
            raise OSError(errno, f"no eventfd for the end of playback: {os.strerror(errno)}")

    def __dealloc__(self):
        if self._ring is not None:
            self._ring.streams -= 1
        if self.playback.wake_fd >= 0:
            close(self.playback.wake_fd)

    def begin(self) -> None:
        """A reply begins: from now on, running dry in the middle is an underflow."""
        self._opened()
        self.number += 1
        self.playback.speaking = self.number

    def finish(self) -> None:
        """All of the reply is written: `fileno()` becomes readable when the last sample has left the ring."""
        self._opened()
        self.playback.speaking = 0

    def flush(self) -> None:
        """Be silent: finish, and discard what waits. The next block fades out within 64 samples."""
        self.finish()
        spsc_discard_before(self.playback.ring, self.playback.ring.written)

    @property
    def speaking(self) -> bool:
        """Between `begin` and `finish`."""
        return self.playback.speaking != 0

    @property
    def volume(self) -> float:
        return self.playback.volume

    @volume.setter
    def volume(self, double volume) -> None:
        if not 0.0 <= volume <= 1.0:
            raise ValueError(f"volume is {volume}, expected 0 to 1")
        self.playback.volume = volume

    @property
    def played(self) -> int:
        """Samples handed to the device so far, without silence and without what was flushed."""
        return self.playback.played

    @property
    def drained(self) -> bool:
        """Nothing is being said and nothing waits (what the device itself still buffers is not known here)."""
        self._opened()
        return self.playback.speaking == 0 and spsc_size(self.playback.ring) == 0

    @property
    def underflows(self) -> int:
        """Gaps in the middle of a reply because its next samples had not been written yet."""
        return self.playback.underflows

    @property
    def device_underflows(self) -> int:
        """Blocks before which PortAudio reports that the device ran dry."""
        return self.meter.device_gaps

    def fileno(self) -> int:
        """The eventfd that becomes readable when a finished reply has left the ring."""
        self._opened()
        return self.playback.wake_fd

    def clear_wakeup(self) -> None:
        """Make `fileno()` unreadable until the next reply has ended."""
        cdef uint64_t count
        eventfd_read(self.fileno(), &count)
