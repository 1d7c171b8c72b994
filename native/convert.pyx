"""Samples between float32 and int16, down to mono, and how loud they are.

Every function takes contiguous buffers of samples (or bytes in that layout), allocates nothing but its result,
and raises TypeError for other numbers, BufferError for gaps or a read-only target, and ValueError for lengths
that do not fit, with both numbers. Full scale is 32768: int16 → float32 → int16 gives every value back.
"""

from cpython.buffer cimport PyBuffer_Release
from libc.math cimport sqrt
from libc.stdint cimport int32_t, uint64_t
from native.buffers cimport FLOAT32, INT16, get_samples
from native.ring cimport Ring, spsc_commit, spsc_regions, spsc_ring, spsc_write_regions


cdef extern from "convert.h" nogil:
    ctypedef float any_float32
    ctypedef short any_int16
    ctypedef struct sample_level:
        int32_t peak
        uint64_t square_sum
    enum: MONO_MOST_CHANNELS
    void convert_float32_to_int16(const any_float32 *source, any_int16 *target, size_t count)
    void convert_float32_to_int16_level(const any_float32 *source, any_int16 *target, size_t count,
                                        sample_level *level)
    void convert_int16_to_float32(const any_int16 *source, any_float32 *target, size_t count)
    void level_add(sample_level *level, const any_int16 *samples, size_t count)
    void mono_from_int16(const any_int16 *source, size_t channels, int channel, any_int16 *target, size_t frames)
    void mono_from_float32(const any_float32 *source, size_t channels, int channel, any_float32 *target,
                           size_t frames)


cdef Py_ssize_t _open_pair(object source, int source_code, object target, int target_code, Py_buffer *views,
                           Py_ssize_t channels=1) except -1:
    """Open and check source (`channels` samples for each of the target's) and target; returns the target's samples.

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
        if count % channels:
            raise ValueError(f"source has {count} samples, expected a multiple of {channels} channels")
        if count // channels != room:
            raise ValueError(f"{count // channels} samples in, room for {room}")
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


cdef tuple _peak_and_rms(sample_level *level, size_t count):
    cdef double rms = sqrt(<double>level.square_sum / <double>count) / 32768.0 if count else 0.0
    return level.peak / 32768.0, rms


def float32_to_ring(source, Ring ring not None) -> tuple[int, float, float]:
    """Convert float32 samples straight into a ring; returns (samples taken, peak, RMS).

    Peak and RMS are fractions of full scale over what was taken, after conversion (0.0 of nothing). What does
    not fit is counted in `ring.dropped`. Producer's side of the ring.
    """
    cdef spsc_ring *queue = ring.opened()
    cdef Py_buffer view
    cdef size_t count = get_samples(source, &view, FLOAT32, False, "source")
    cdef const any_float32 *samples = <any_float32 *>view.buf
    cdef spsc_regions room = spsc_write_regions(queue, count)
    cdef size_t taken = room.first_count + room.second_count
    cdef sample_level level = sample_level(0, 0)
    convert_float32_to_int16_level(samples, <any_int16 *>room.first, room.first_count, &level)
    convert_float32_to_int16_level(samples + room.first_count, <any_int16 *>room.second, room.second_count, &level)
    spsc_commit(queue, taken, count)
    PyBuffer_Release(&view)
    if taken:
        ring.wake()
    peak, rms = _peak_and_rms(&level, taken)
    return taken, peak, rms


def level(samples) -> tuple[float, float]:
    """(peak, RMS) of int16 samples as fractions of full scale; (0.0, 0.0) of none."""
    cdef Py_buffer view
    cdef size_t count = get_samples(samples, &view, INT16, False, "samples")
    cdef sample_level total = sample_level(0, 0)
    level_add(&total, <any_int16 *>view.buf, count)
    PyBuffer_Release(&view)
    return _peak_and_rms(&total, count)


def to_mono(source, int channels, target, channel=None, *, str sample_format="int16") -> None:
    """Reduce frames of interleaved channels to one: their mean, or one of them.

    source: buffer of n × channels samples. target: writable buffer of n, not overlapping. Both hold
    `sample_format`, "int16" (mean rounded half to even) or "float32" (sum in channel order, divided).
    channel: None for the mean, or the number of the channel to keep, from 0.
    """
    cdef int selected = -1 if channel is None else channel
    if not 1 <= channels <= MONO_MOST_CHANNELS:
        raise ValueError(f"channels is {channels}, expected 1 to {MONO_MOST_CHANNELS}")
    if channel is not None and not 0 <= selected < channels:
        raise ValueError(f"channel is {channel}, expected 0 to {channels - 1} (of {channels} channels)")
    if sample_format not in ("int16", "float32"):
        raise ValueError(f"sample_format is '{sample_format}', expected 'int16' or 'float32'")
    cdef int code = INT16 if sample_format == "int16" else FLOAT32
    cdef Py_buffer[2] views
    cdef Py_ssize_t frames = _open_pair(source, code, target, code, views, channels)
    if code == INT16:
        mono_from_int16(<any_int16 *>views[0].buf, channels, selected, <any_int16 *>views[1].buf, frames)
    else:
        mono_from_float32(<any_float32 *>views[0].buf, channels, selected, <any_float32 *>views[1].buf, frames)
    _close_pair(views)
