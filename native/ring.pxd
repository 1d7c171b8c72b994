cimport cython
from libc.stdint cimport int16_t, uint64_t


cdef extern from "spsc.h" nogil:
    ctypedef struct spsc_ring:
        uint64_t capacity
        uint64_t written
        uint64_t read
        uint64_t discarded
        uint64_t dropped

    ctypedef struct spsc_regions:
        int16_t *first
        size_t first_count
        int16_t *second
        size_t second_count

    spsc_ring *spsc_open(uint64_t capacity)
    void spsc_close(spsc_ring *ring)
    uint64_t spsc_size(spsc_ring *ring)
    spsc_regions spsc_write_regions(spsc_ring *ring, uint64_t count)
    void spsc_commit(spsc_ring *ring, uint64_t taken, uint64_t offered)
    uint64_t spsc_write(spsc_ring *ring, const void *source, uint64_t count)
    uint64_t spsc_read(spsc_ring *ring, void *target, uint64_t count)
    uint64_t spsc_peek(spsc_ring *ring, void *target, uint64_t count)
    uint64_t spsc_discard(spsc_ring *ring)
    void spsc_discard_before(spsc_ring *ring, uint64_t index)
    void spsc_wipe(spsc_ring *ring)


@cython.final
cdef class Ring:
    cdef spsc_ring *_ring  # NULL once closed
    cdef int wake_fd       # -1 without notify
    cdef int streams       # native streams that hold one end; the ring cannot be closed or wiped meanwhile

    cdef spsc_ring *opened(self) except NULL
    cdef void wake(self) noexcept
    cdef void _release(self) noexcept
    cdef int _refuse_streams(self, str what) except -1
    cdef bytes _take(self, Py_ssize_t count, bint consume)
