"""A Piper voice's network (VITS, "medium" size) in C, streaming. See docs/native.md.

A Network holds the weights, for any number of threads; a Flow and a Decoder are one clause's. All three leave the GIL
while they compute. Work is done in a block of memory that belongs to the calling thread and stays with it, so that
calls allocate nothing once the thread has made the largest of them.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free

from native.buffers cimport FLOAT32, get_samples


cdef extern from "vits_decoder.h" nogil:
    ctypedef struct vits_kernel:
        pass
    ctypedef struct vits_set:
        const char *name
        const vits_kernel *kernel
        int is_slow
    ctypedef struct vits_network:
        unsigned int symbols
    ctypedef struct vits_flow:
        int ended
    ctypedef struct vits_decoder:
        int ended
    const vits_set *vits_sets
    int VITS_SETS
    enum:
        VITS_CHANNELS
        VITS_STATS
        VITS_HOP
        VITS_FLOW_LAG
        VITS_DECODER_LAG
        VITS_VERSION
    bint vits_runs(int index)
    const char *vits_open(const void *file, size_t size, vits_network *net)
    size_t vits_lay_out(const char *base, unsigned int symbols, vits_network *net)
    Py_ssize_t vits_flow_run(const vits_network *net, const vits_kernel *kernel, vits_flow *flow, const float *rows,
                             Py_ssize_t count, bint last, float *out)
    Py_ssize_t vits_decoder_run(const vits_network *net, const vits_kernel *kernel, vits_decoder *decoder,
                                const float *rows, Py_ssize_t count, bint last, float *out)

cdef extern from "vits_text.h" nogil:
    bint vits_read(const vits_network *net, const vits_kernel *kernel, const int *symbols, Py_ssize_t count,
                   const float *noise, float *stats, float *log_durations)


CHANNELS = VITS_CHANNELS
"""Numbers in a frame."""
STATS = VITS_STATS
"""Numbers that `Network.read` gives for a symbol: means, then logs of the deviations."""
SAMPLES_PER_FRAME = VITS_HOP
FLOW_LAG = VITS_FLOW_LAG
"""Frames by which a Flow is behind."""
DECODER_LAG = VITS_DECODER_LAG
"""Frames by which a Decoder is behind, at most."""
VERSION = VITS_VERSION
"""Of the weights file."""
LONGEST = 1 << 14
"""Symbols that `Network.read` takes at once; a clause of 240 characters has some hundreds."""


def kernels() -> tuple[str, ...]:
    """The instruction sets that this machine can compute with, the best first."""
    return tuple([vits_sets[index].name.decode() for index in range(VITS_SETS) if vits_runs(index)])


def is_slow(str kernel not None) -> bool:
    """Whether onnxruntime is quicker on a machine that has nothing better than this instruction set."""
    return vits_sets[_index(kernel)].is_slow != 0


def size_bytes(unsigned int symbols) -> int:
    """The size of a weights file for so many symbols."""
    cdef vits_network net
    return vits_lay_out(NULL, symbols, &net)


cdef int _index(str kernel) except -1:
    for index in range(VITS_SETS):
        if vits_sets[index].name == kernel.encode() and vits_runs(index):
            return index
    raise ValueError(f"kernel '{kernel}' is not one of this machine's: {', '.join(kernels())}")


@cython.final
cdef class Network:
    """A voice's weights, and the instruction set that it computes with.

    weights: a buffer with a weights file's bytes, kept as long as the network; it begins at a multiple of 64 (a
    mapped file does). kernel: one of `kernels()`; None for the best. Raises ValueError saying what is wrong.
    """

    cdef vits_network net
    cdef const vits_kernel *kernel_used
    cdef Py_buffer view
    cdef readonly str kernel

    def __cinit__(self, weights, kernel=None):
        self.kernel = kernels()[0] if kernel is None else kernel
        self.kernel_used = vits_sets[_index(self.kernel)].kernel
        PyObject_GetBuffer(weights, &self.view, PyBUF_SIMPLE)
        cdef const char *wrong = vits_open(self.view.buf, self.view.len, &self.net)
        if wrong != NULL:
            raise ValueError(f"weights of {self.view.len} bytes: {wrong.decode()}")

    def __dealloc__(self):
        PyBuffer_Release(&self.view)

    @property
    def symbols(self) -> int:
        """How many different symbols there are."""
        return self.net.symbols

    def read(self, symbols, noise, stats, log_durations) -> None:
        """Read a clause: symbols → for each its stats, and the log of its duration in frames.

        symbols: a sequence of n numbers below `self.symbols`. noise: 2n float32, normal, times the wanted noise.
        stats: writable, n rows of STATS float32. log_durations: writable, n float32.
        """
        cdef Py_ssize_t count = len(symbols)
        cdef Py_buffer noise_view, stats_view, durations_view
        cdef bint done
        if not 1 <= count <= LONGEST:
            raise ValueError(f"{count} symbols, expected 1 to {LONGEST}")
        cdef int *copied = <int *>calloc(count, sizeof(int))
        if copied == NULL:
            raise MemoryError(f"no memory for {count} symbols")
        try:
            for index, symbol in enumerate(symbols):
                if not 0 <= symbol < self.net.symbols:
                    raise ValueError(f"symbol {symbol} at {index}, expected 0 to {self.net.symbols - 1}")
                copied[index] = symbol
            _floats(noise, &noise_view, 2 * count, False, "noise")
            try:
                _floats(stats, &stats_view, VITS_STATS * count, True, "stats")
                try:
                    _floats(log_durations, &durations_view, count, True, "log_durations")
                    with nogil:
                        done = vits_read(&self.net, self.kernel_used, copied, count, <const float *>noise_view.buf,
                                         <float *>stats_view.buf, <float *>durations_view.buf)
                    PyBuffer_Release(&durations_view)
                finally:
                    PyBuffer_Release(&stats_view)
            finally:
                PyBuffer_Release(&noise_view)
        finally:
            free(copied)
        if not done:
            raise MemoryError(f"no memory to read {count} symbols")


@cython.final
cdef class Flow:
    """Noisy frames → latent frames, FLOW_LAG frames later. Used by one thread at a time."""

    cdef Network network
    cdef vits_flow *flow

    def __cinit__(self, Network network not None):
        self.network = network
        self.flow = <vits_flow *>calloc(1, sizeof(vits_flow))
        if self.flow == NULL:
            raise MemoryError("no memory for a flow")

    def __dealloc__(self):
        free(self.flow)

    def run(self, frames, target, *, bint last=False) -> int:
        """Take frames (rows of CHANNELS float32) and write what latent frames they give to target.

        target: writable, with room for as many frames and FLOW_LAG more. last: nothing follows. Returns how many frames
        were written. Raises ValueError after the last.
        """
        return _run(self, self.network, frames, target, last, VITS_FLOW_LAG, VITS_CHANNELS)


@cython.final
cdef class Decoder:
    """Latent frames → samples in [-1, 1], DECODER_LAG frames later. Used by one thread at a time."""

    cdef Network network
    cdef vits_decoder *decoder

    def __cinit__(self, Network network not None):
        self.network = network
        self.decoder = <vits_decoder *>calloc(1, sizeof(vits_decoder))
        if self.decoder == NULL:
            raise MemoryError("no memory for a decoder")

    def __dealloc__(self):
        free(self.decoder)

    def run(self, frames, target, *, bint last=False) -> int:
        """Take latent frames (rows of CHANNELS float32) and write what samples they give to target.

        target: writable, with room for SAMPLES_PER_FRAME float32 for each of them and for DECODER_LAG more. last:
        nothing follows. Returns how many samples were written. Raises ValueError after the last.
        """
        return _run(self, self.network, frames, target, last, VITS_DECODER_LAG, VITS_HOP)


cdef Py_ssize_t _run(object stream, Network network, object frames, object target, bint last, Py_ssize_t lag,
                     Py_ssize_t width) except -1:
    """The common part of Flow.run and Decoder.run: buffers checked, then the C function without the GIL."""
    cdef Py_buffer source_view, target_view
    cdef Py_ssize_t rows, room, written
    cdef vits_flow *flow = (<Flow>stream).flow if isinstance(stream, Flow) else NULL
    cdef vits_decoder *decoder = (<Decoder>stream).decoder if flow == NULL else NULL
    if (flow.ended if flow != NULL else decoder.ended):
        raise ValueError("the stream has ended; make another one for another clause")
    cdef Py_ssize_t count = get_samples(frames, &source_view, FLOAT32, False, "frames")
    try:
        if count % VITS_CHANNELS:
            raise ValueError(f"frames has {count} numbers, expected a multiple of {VITS_CHANNELS}")
        rows = count // VITS_CHANNELS
        room = get_samples(target, &target_view, FLOAT32, True, "target")
        try:
            if room < (rows + lag) * width:
                raise ValueError(f"{rows} frames in, room for {room} numbers, expected {(rows + lag) * width}")
            with nogil:
                if flow != NULL:
                    written = vits_flow_run(&network.net, network.kernel_used, flow, <const float *>source_view.buf,
                                            rows, last, <float *>target_view.buf)
                else:
                    written = vits_decoder_run(&network.net, network.kernel_used, decoder,
                                               <const float *>source_view.buf, rows, last, <float *>target_view.buf)
        finally:
            PyBuffer_Release(&target_view)
    finally:
        PyBuffer_Release(&source_view)
    if written < 0:
        raise MemoryError(f"no memory for {rows} frames")
    return written


cdef int _floats(object exporter, Py_buffer *view, Py_ssize_t expected, bint writable, str role) except -1:
    """get_samples for an exact count of float32."""
    cdef Py_ssize_t count = get_samples(exporter, view, FLOAT32, writable, role)
    if count != expected:
        PyBuffer_Release(view)
        raise ValueError(f"{role} has {count} numbers, expected {expected}")
    return 0
