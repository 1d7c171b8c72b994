"""Samples between float32 and int16.

Every function takes contiguous buffers of samples (or bytes in that layout), allocates nothing but its result,
and raises TypeError for other numbers, BufferError for gaps or a read-only target, and ValueError for lengths
that do not fit, with both numbers. Full scale is 32768: int16 → float32 → int16 gives every value back.
"""

from cpython.buffer cimport PyBuffer_Release
from native.buffers cimport FLOAT32, INT16, get_samples


cdef extern from "convert.h" nogil:
    ctypedef float any_float32
    ctypedef short any_int16
    void convert_float32_to_int16(const any_float32 *source, any_int16 *target, size_t count)
    void convert_int16_to_float32(const any_int16 *source, any_float32 *target, size_t count)


cdef Py_ssize_t _open_pair(object source, int source_code, object target, int target_code, Py_buffer *views) except -1:
    """Open and check source and target; returns the samples in each.

    The caller releases both views with `_close_pair`; on an error nothing is left to release.
    """
    cdef Py_ssize_t count = get_samples(source, &views[0], source_code, False, "source")
    cdef Py_ssize_t room
    try:
        room = get_samples(target, &views[1], target_code, True, "target")
    except BaseException:
        PyBuffer_Release(&views[0])
        raise
    try:
        if count != room:
            raise ValueError(f"{count} samples in, room for {room}")
        if <char *>views[0].buf < <char *>views[1].buf + views[1].len and \
                <char *>views[1].buf < <char *>views[0].buf + views[0].len:
            raise ValueError(f"source ({views[0].len} bytes) and target ({views[1].len} bytes) overlap; use two buffers")
    except BaseException:
        _close_pair(views)
        raise
    return room


cdef void _close_pair(Py_buffer *views) noexcept:
    PyBuffer_Release(&views[0])
    PyBuffer_Release(&views[1])


def float32_to_int16(source, target) -> None:
    """Convert samples in [-1, 1) to s16le, clipping, rounding half to even.

    source: buffer of n float32; NaN becomes 0, infinities clip. target: writable buffer of n int16, not
    overlapping. Raises ValueError if the lengths differ: "320 samples in, room for 160".
    """
    cdef Py_buffer[2] views
    cdef Py_ssize_t count = _open_pair(source, FLOAT32, target, INT16, views)
    convert_float32_to_int16(<any_float32 *>views[0].buf, <any_int16 *>views[1].buf, count)
    _close_pair(views)


def int16_to_float32(source, target) -> None:
    """Convert int16 samples to float32 in [-1, 1): value / 32768, exact.

    source: buffer of n int16. target: writable buffer of n float32, not overlapping.
    """
    cdef Py_buffer[2] views
    cdef Py_ssize_t count = _open_pair(source, INT16, target, FLOAT32, views)
    convert_int16_to_float32(<any_int16 *>views[0].buf, <any_float32 *>views[1].buf, count)
    _close_pair(views)
