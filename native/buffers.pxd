"""Samples behind any Python buffer, checked. Inline, so that each module compiles its own copy."""

from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_STRIDES, PyBuffer_IsContiguous, PyBuffer_Release, PyObject_GetBuffer,
)


cdef inline str _format_of(Py_buffer *view):
    return "B" if view.format == NULL else view.format.decode("ascii")


cdef inline Py_ssize_t get_samples(object exporter, Py_buffer *view, str code, bint writable, str role) except -1:
    """Fill `view` and return how many samples it holds; the caller releases it with PyBuffer_Release.

    code: "h" for int16 or "f" for float32, little-endian or native. Raw bytes ("B", "b", "c") count as samples
    in that layout. Raises TypeError for anything that is not a buffer or holds other numbers, ValueError for a
    number of bytes that is no whole number of samples, BufferError for gaps or a read-only target. On an error
    nothing is left to release.
    """
    PyObject_GetBuffer(exporter, view, PyBUF_FORMAT | PyBUF_STRIDES)
    try:
        return _count_samples(view, code, writable, role)
    except BaseException:
        PyBuffer_Release(view)
        raise


cdef inline Py_ssize_t _count_samples(Py_buffer *view, str code, bint writable, str role) except -1:
    cdef Py_ssize_t size = 2 if code == "h" else 4
    cdef char format_code = 66  # "B": an exporter that names no format has bytes
    if view.format != NULL:
        format_code = view.format[0]
        if format_code in (60, 61, 64):  # "<", "=", "@"
            format_code = view.format[1]
    if not (format_code == <char>ord(code) or format_code in (66, 98, 99)):  # "B", "b", "c"
        name = "int16 ('h', 2 bytes each)" if code == "h" else "float32 ('f', 4 bytes each)"
        raise TypeError(f"{role} holds '{_format_of(view)}' of {view.itemsize} bytes each, expected {name} or bytes")
    if not PyBuffer_IsContiguous(view, b"C"):
        raise BufferError(
            f"{role} has gaps: {view.strides[view.ndim - 1]} bytes from sample to sample, expected {view.itemsize}; "
            "make a contiguous copy"
        )
    if writable and view.readonly:
        raise BufferError(f"{role} is read-only: {view.len} bytes that must not be written; pass a writable buffer")
    if view.len % size:
        raise ValueError(f"{role} has {view.len} bytes, expected a multiple of {size} ({size} bytes a sample)")
    return view.len // size
