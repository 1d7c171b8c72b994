"""Samples behind any Python buffer, checked. Inline, so that each module compiles its own copy."""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDES, PyBuffer_IsContiguous, PyBuffer_Release, PyObject_GetBuffer

cdef enum:
    INT16 = 104    # ord("h"), as the struct module names it
    FLOAT32 = 102  # ord("f")


cdef inline Py_ssize_t get_samples(object exporter, Py_buffer *view, int code, bint writable, str role) except -1:
    """Fill `view` and return how many samples it holds; the caller releases it with PyBuffer_Release.

    code: INT16 or FLOAT32. Bytes (signed, unsigned or characters) count as samples in little-endian layout.
    Raises TypeError for anything that is not a buffer or holds other numbers, ValueError for a number of bytes
    that is no whole number of samples, BufferError for gaps or a read-only target. On an error nothing is left
    to release.
    """
    PyObject_GetBuffer(exporter, view, PyBUF_FORMAT | PyBUF_STRIDES)
    cdef Py_ssize_t size = 2 if code == INT16 else 4
    try:
        if not _holds(view, code, size):
            expected = "int16 ('h', 2 bytes each)" if code == INT16 else "float32 ('f', 4 bytes each)"
            raise TypeError(
                f"{role} holds '{view.format.decode()}' of {view.itemsize} bytes each, expected {expected} or bytes"
            )
        if not PyBuffer_IsContiguous(view, b"C"):
            strides = tuple([view.strides[axis] for axis in range(view.ndim)])
            raise BufferError(
                f"{role} has gaps: strides of {strides} bytes for items of {view.itemsize}; pass a contiguous copy"
            )
        if writable and view.readonly:
            raise BufferError(f"{role} is read-only ({view.len} bytes); pass a writable buffer")
        if view.len % size:
            raise ValueError(f"{role} has {view.len} bytes, expected a multiple of {size} ({size} bytes a sample)")
    except BaseException:
        PyBuffer_Release(view)
        raise
    return view.len // size


cdef inline bint _holds(Py_buffer *view, int code, Py_ssize_t size) noexcept:
    """Whether the items are numbers of this code in little-endian order, or bytes."""
    cdef const char *item = view.format
    if item == NULL:
        return True  # an exporter that names no format has bytes
    if item[0] in b"<=@":
        item += 1
    if item[0] == 0 or item[1] != 0:
        return False
    return (item[0] == code and view.itemsize == size) or item[0] in b"Bbc"
