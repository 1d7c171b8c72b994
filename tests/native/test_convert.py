"""The converters against NumPy, to the last bit, with canaries around every target."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from native import convert

CANARY = 0x5A
MARGIN = 32

HALFWAYS = [(sample + 0.5) / 32768 for sample in (-32768.5, -32768, -3, -2, -1, 0, 1, 2, 32766, 32767)]
TINY = float(np.finfo(np.float32).smallest_subnormal)
SMALLEST = float(np.finfo(np.float32).tiny)
LARGEST = float(np.finfo(np.float32).max)
EDGES = np.array(
    [0.0, -0.0, 1.0, -1.0, np.nextafter(np.float32(1), np.float32(0)), np.nextafter(np.float32(-1), np.float32(0))]
    + [np.nan, -np.nan, np.inf, -np.inf, TINY, -TINY, SMALLEST, -SMALLEST, LARGEST, -LARGEST, 65536.0, -65536.0]
    + HALFWAYS
    + [float(np.nextafter(np.float32(value), np.float32(direction))) for value in HALFWAYS for direction in (-2, 2)],
    np.float32,
)
SIZES = [0, 1, 2, 7, 8, 9, 511, 512, 4097, *np.random.default_rng(11).integers(10, 3000, 12).tolist()]


def expected_int16(source: NDArray[np.float32]) -> NDArray[np.int16]:
    """The definition, in double precision: NaN is 0, clip to int16, round half to even (numpy.rint)."""
    scaled = np.nan_to_num(source.astype(np.float64) * 32768, nan=0.0, posinf=32767, neginf=-32768)
    return np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)


def random_floats(size: int, seed: int) -> NDArray[np.float32]:
    """Speech-like values beyond full scale, with one edge case in eight."""
    random = np.random.default_rng(seed)
    values = (random.standard_normal(size) * 0.6).astype(np.float32)
    chosen = random.random(size) < 0.125
    values[chosen] = random.choice(EDGES, int(chosen.sum()))
    return values


class Guarded:
    """A writable target of `count` items at any address, between canaries that must survive."""

    def __init__(self, count: int, dtype: type[Any], shift: int) -> None:
        size = count * np.dtype(dtype).itemsize
        self.memory = bytearray([CANARY]) * (MARGIN + shift + size + MARGIN)
        self.first, self.last = MARGIN + shift, MARGIN + shift + size
        self.bytes = memoryview(self.memory)[self.first : self.last]
        self.array = np.frombuffer(self.bytes, dtype)

    def check(self) -> None:
        assert set(self.memory[: self.first]) == set(self.memory[self.last :]) == {CANARY}


def unaligned(values: NDArray[Any], shift: int) -> memoryview:
    """The same numbers as bytes, `shift` bytes off any alignment."""
    return memoryview(bytes(shift) + values.tobytes())[shift:]


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
@pytest.mark.parametrize("size", SIZES)
def test_float32_becomes_int16_as_numpy_defines_it(size: int, shift: int) -> None:
    source = random_floats(size, seed=size)
    target = Guarded(size, np.int16, shift)
    convert.float32_to_int16(unaligned(source, shift), target.bytes)
    np.testing.assert_array_equal(target.array, expected_int16(source))
    target.check()


def test_every_edge_case_converts_in_every_position_of_a_vector() -> None:
    for shift in range(8):
        source = np.concatenate([np.zeros(shift, np.float32), EDGES])
        target = np.empty(len(source), np.int16)
        convert.float32_to_int16(source, target)
        np.testing.assert_array_equal(target, expected_int16(source))


def test_the_edge_cases_are_what_the_documentation_says() -> None:
    source = np.array([np.nan, np.inf, -np.inf, 1, -1, 0.5 / 32768, 1.5 / 32768, -0.5 / 32768, TINY], np.float32)
    target = np.empty(9, np.int16)
    convert.float32_to_int16(source, target)
    assert target.tolist() == [0, 32767, -32768, 32767, -32768, 0, 2, 0, 0]


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_int16_becomes_float32_exactly_and_comes_back(shift: int) -> None:
    every = np.arange(-32768, 32768, dtype=np.int16)
    floats = Guarded(65536, np.float32, shift)
    convert.int16_to_float32(unaligned(every, shift), floats.bytes)
    np.testing.assert_array_equal(floats.array, every / np.float32(32768))
    floats.check()
    back = np.empty(65536, np.int16)
    convert.float32_to_int16(floats.bytes, back)
    np.testing.assert_array_equal(back, every)


# Any, because a type checker would refuse some of what is tried here
F32: Any = np.zeros(6, np.float32)
I16: Any = np.zeros(6, np.int16)
NUMBERS: Any = [1.0]


def read_only() -> NDArray[np.int16]:
    array = np.zeros(6, np.int16)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: convert.float32_to_int16(F32, I16[:3]), ValueError, "6 samples in, room for 3"),
        (lambda: convert.int16_to_float32(I16[:3], F32), ValueError, "3 samples in, room for 6"),
        (lambda: convert.float32_to_int16(bytes(7), I16), ValueError, "source has 7 bytes, expected a multiple of 4"),
        (lambda: convert.float32_to_int16(F32.astype(float), I16), TypeError, "source holds 'd' of 8 bytes each, expe"),
        (lambda: convert.float32_to_int16(F32, I16.astype("u2")), TypeError, "target holds 'H' of 2 bytes each, ex"),
        (lambda: convert.int16_to_float32(F32, I16), TypeError, "source holds 'f' of 4 bytes each, expected int16"),
        (lambda: convert.int16_to_float32(I16, F32.astype(">f4")), TypeError, "target holds '>f' of 4 bytes each"),
        (lambda: convert.float32_to_int16(np.zeros(3, "c8"), I16), TypeError, "source holds 'Zf' of 8 bytes each"),
        (lambda: convert.float32_to_int16(F32[::2], I16[:3]), BufferError, r"strides of \(8,\) bytes for items of 4"),
        (lambda: convert.float32_to_int16(F32[:3], I16[::2]), BufferError, r"strides of \(4,\) bytes for items of 2"),
        (lambda: convert.float32_to_int16(F32, read_only()), BufferError, r"target is read-only \(12 bytes\)"),
        (lambda: convert.float32_to_int16(F32, bytes(12)), BufferError, r"target is read-only \(12 bytes\)"),
        (lambda: convert.float32_to_int16(NUMBERS, I16), TypeError, "bytes-like object is required"),
        (lambda: convert.float32_to_int16(F32, F32.view(np.int16)[:6]), ValueError, r"\(24 bytes\) and target \(12"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_numbers(
    call: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


def test_refused_buffers_are_released() -> None:
    source, target = bytearray(8), bytearray(6)
    with pytest.raises(ValueError, match="2 samples in, room for 3"):
        convert.float32_to_int16(source, target)
    source.append(0)  # a buffer that is still exported cannot be resized
    target.append(0)


def test_a_format_byte_order_mark_is_understood() -> None:
    packed = np.frombuffer(struct.pack("<3f", 0.25, -0.5, 0.75), "<f4")
    target = np.empty(3, "=i2")
    convert.float32_to_int16(packed, target)
    assert target.tolist() == [8192, -16384, 24576]
