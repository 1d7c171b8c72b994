"""Ring: a bounded first-in first-out queue of mono int16 samples between one producer and one consumer.

Either end may be Python or an audio callback from `native.stream`. Python calls hold the GIL, so several Python
threads may share an end. Nothing blocks: a full ring refuses samples and counts them, an empty one returns none.
"""

from cpython.buffer cimport PyBuffer_Release
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.errno cimport errno
from native.buffers cimport INT16, get_samples

import os

cimport cython


cdef extern from "<sys/eventfd.h>" nogil:
    int EFD_NONBLOCK, EFD_CLOEXEC
    int eventfd(unsigned int initval, int flags)
    int eventfd_write(int fd, uint64_t value)
    int eventfd_read(int fd, uint64_t *value)

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef uint64_t MOST_SAMPLES = 1 << 32  # 74 hours at 16 kHz; anything larger is a mistake in a unit


@cython.final
cdef class Ring:
    """A ring for at least `capacity` samples; memory is committed only as it fills.

    capacity: samples, rounded up to a power of two. notify: make an eventfd that becomes readable when samples
    arrive, for `loop.add_reader(ring.fileno(), …)`. Raises ValueError for a capacity below 1 or above 2^32.
    """

    def __cinit__(self, object capacity, *, bint notify=False):
        self._ring = NULL
        self.wake_fd = -1
        self.streams = 0
        if not 1 <= capacity <= MOST_SAMPLES:
            raise ValueError(f"capacity is {capacity} samples, expected 1 to {MOST_SAMPLES}")
        if notify:
            self.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
            if self.wake_fd < 0:
                raise OSError(errno, f"no eventfd for the ring's wake-up: {os.strerror(errno)}")
        self._ring = spsc_open(capacity)
        if self._ring == NULL:
            raise MemoryError(f"no address space for a ring of {capacity} samples")

    def __dealloc__(self):
        self._release()

    cdef void _release(self) noexcept:
        if self._ring != NULL:
            spsc_close(self._ring)
            self._ring = NULL
        if self.wake_fd >= 0:
            close(self.wake_fd)
            self.wake_fd = -1

    cdef spsc_ring *opened(self) except NULL:
        if self._ring == NULL:
            raise ValueError("the ring is closed")
        return self._ring

    cdef int _refuse_streams(self, str what) except -1:
        if self.streams:
            raise ValueError(f"cannot {what} the ring: {self.streams} stream(s) still hold an end; close them first")
        return 0

    cdef void wake(self) noexcept:
        if self.wake_fd >= 0:
            eventfd_write(self.wake_fd, 1)

    def write(self, source) -> int:
        """Append samples; returns how many were taken, the rest is counted in `dropped`.

        source: contiguous int16 buffer, or bytes in s16le. Raises ValueError for an odd number of bytes.
        Producer's side.
        """
        cdef spsc_ring *ring = self.opened()
        cdef Py_buffer view
        cdef Py_ssize_t count = get_samples(source, &view, INT16, False, "source")
        cdef uint64_t taken = spsc_write(ring, view.buf, count) if count else 0
        PyBuffer_Release(&view)
        if taken:
            self.wake()
        return taken

    def read(self, Py_ssize_t count=-1) -> bytes:
        """Take up to `count` samples (all that wait if -1) as s16le bytes. Consumer's side."""
        return self._take(count, True)

    def peek(self, Py_ssize_t count=-1) -> bytes:
        """Like `read`, but the samples stay. Consumer's side."""
        return self._take(count, False)

    cdef bytes _take(self, Py_ssize_t count, bint consume):
        cdef spsc_ring *ring = self.opened()
        cdef uint64_t waiting = spsc_size(ring)
        if count < -1:
            raise ValueError(f"count is {count} samples, expected -1 for all, or 0 and more")
        if count == -1 or <uint64_t>count > waiting:
            count = waiting
        chunk = PyBytes_FromStringAndSize(NULL, 2 * count)
        if consume:
            spsc_read(ring, PyBytes_AS_STRING(chunk), count)
        else:
            spsc_peek(ring, PyBytes_AS_STRING(chunk), count)
        return chunk

    def discard(self) -> int:
        """Throw away all that waits; returns how many samples that was. Consumer's side."""
        return spsc_discard(self.opened())

    def discard_before(self, index) -> None:
        """Announce that samples before `index` (counted like `written`) shall not be read any more.

        The consumer jumps there when it next looks. Producer's side: `ring.discard_before(ring.written)` is a
        flush. Raises ValueError for an index that has not been written yet.
        """
        cdef spsc_ring *ring = self.opened()
        if not 0 <= index <= ring.written:
            raise ValueError(f"index is {index}, expected 0 to {ring.written} (samples written so far)")
        spsc_discard_before(ring, index)

    def wipe(self) -> None:
        """Throw everything away, zero the memory and give it back to the system.

        For privacy: nothing that was said is left. Raises ValueError while a native stream holds an end.
        """
        self._refuse_streams("wipe")
        spsc_wipe(self.opened())

    def close(self) -> None:
        """Give the memory and the eventfd back; any later use raises ValueError. Harmless when repeated."""
        self._refuse_streams("close")
        self._release()

    def fileno(self) -> int:
        """The eventfd that is readable once samples have arrived. Raises ValueError without notify=True."""
        self.opened()
        if self.wake_fd < 0:
            raise ValueError("the ring has no wake-up; make it with notify=True")
        return self.wake_fd

    def clear_wakeup(self) -> None:
        """Make `fileno()` unreadable until samples arrive again. Clear first, then read the ring."""
        cdef uint64_t count
        eventfd_read(self.fileno(), &count)

    def __len__(self) -> int:
        return spsc_size(self.opened())

    def __repr__(self) -> str:
        if self._ring == NULL:
            return "<Ring closed>"
        return f"<Ring {len(self)} of {self.capacity} samples, {self.dropped} dropped>"

    @property
    def capacity(self) -> int:
        """Most samples that can wait."""
        return self.opened().capacity

    @property
    def written(self) -> int:
        """Samples ever taken in: the index that the next sample gets."""
        return self.opened().written

    @property
    def read_count(self) -> int:
        """Samples ever read; with `discarded` and `len()` it adds up to `written`."""
        cdef spsc_ring *ring = self.opened()
        return ring.read - ring.discarded

    @property
    def discarded(self) -> int:
        """Samples that the consumer has thrown away unread, as far as it has got."""
        return self.opened().discarded

    @property
    def dropped(self) -> int:
        """Samples refused because the ring was full."""
        return self.opened().dropped
