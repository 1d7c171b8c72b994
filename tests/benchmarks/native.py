"""The native converters and ring against NumPy, the standard library and memcpy → bench/results/native.json.

Not measured: other processors (the device's aarch64 has the same loops, not the same times), cold caches (each row
repeats on the same buffers, as an audio stream does), two threads on one ring (the tests do that for correctness).
Every time includes the call from Python, because that is how it is used. Rows that this code loses are kept.

    python -m tests.benchmarks.native [--rounds 30]
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import timeit
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from native.ring import Ring
from tests.benchmarks.results import machine, percentiles, save

SIZES = (128, 256, 512, 1024, 4096, 65536)
BATCH_S = 0.002
"""A batch of calls is timed as one; shorter ones would measure the clock."""

# Each row is a statement over the names that `buffers` makes.
ROWS = {
    "convert": "convert.float32_to_int16(floats, samples)",
    "convert, NumPy one-liner": "(np.clip(floats, -1, 1) * 32767).astype(np.int16)",
    "convert, NumPy in place": "numpy_convert_in_place(floats, scratch, samples)",
    "memcpy of the source": "copy[:] = source_bytes",
    "back": "convert.int16_to_float32(samples, scratch)",
    "back, NumPy one-liner": "samples.astype(np.float32) / 32768",
    "ring write and read": "ring.write(chunk); ring.read()",
    "deque of bytes": "queue.append(chunk); queue.popleft()",
    "SimpleQueue of bytes": "simple_queue.put(chunk); simple_queue.get()",
}
SETUP = """
import collections, queue as queues
import numpy as np
from native import convert
from native.ring import Ring
from tests.benchmarks.native import numpy_convert_in_place
random = np.random.default_rng(1)
floats = (random.standard_normal({size}) * 0.3).astype(np.float32)
scratch, samples = np.empty({size}, np.float32), np.zeros({size}, np.int16)
source_bytes, copy = memoryview(floats.tobytes()), memoryview(bytearray(4 * {size}))
chunk = bytes(2 * {size})
ring = Ring(2 * {size})
queue, simple_queue = collections.deque(), queues.SimpleQueue()
"""


def numpy_convert_in_place(floats: NDArray[Any], scratch: NDArray[Any], samples: NDArray[Any]) -> None:
    """What float32_to_int16 does (but for NaN), without allocating."""
    np.multiply(floats, 32768, out=scratch)
    np.rint(scratch, out=scratch)
    np.clip(scratch, -32768, 32767, out=scratch)
    np.copyto(samples, scratch, casting="unsafe")


def measure_rows(size: int, rounds: int) -> dict[str, list[float]]:
    """Nanoseconds a call, one figure a batch. Rows take turns, so that a slow moment of the machine hits them all."""
    setup = SETUP.format(size=size)
    timers = {row: timeit.Timer(statement, setup) for row, statement in ROWS.items()}
    calls = {row: calls_per_batch(timer.timeit) for row, timer in timers.items()}
    figures: dict[str, list[float]] = {row: [] for row in ROWS}
    for _ in range(rounds):
        for row, timer in timers.items():
            figures[row].append(timer.timeit(calls[row]) / calls[row] * 1e9)
    return figures


def calls_per_batch(time_calls: Callable[[int], float]) -> int:
    calls = 1
    while (elapsed := time_calls(calls)) < BATCH_S / 2:
        calls *= 2
    return max(1, round(calls * BATCH_S / elapsed))


def idle_ring_kib() -> float:
    """Resident memory of a ring for 30 s of 16 kHz into which nothing was written."""

    def resident_kib() -> int:
        gc.collect()
        with open("/proc/self/smaps_rollup") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))

    before = resident_kib()
    rings = [Ring(480_000) for _ in range(200)]
    return round((resident_kib() - before) / len(rings), 1)


def compiler() -> dict[str, str]:
    first_line = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return {"gcc": first_line, "cython": version("cython"), "flags": "-O3 (setup.py), no -march, no -ffast-math"}


def ratio(figures: dict[int, dict[str, list[float]]], slower: str, faster: str) -> dict[str, float]:
    """By size: how many times the median of `slower` the median of `faster` goes into."""
    return {
        str(size): round(float(np.median(rows[slower]) / np.median(rows[faster])), 2) for size, rows in figures.items()
    }


def report(figures: dict[int, dict[str, list[float]]], summary: dict[str, Any]) -> None:
    print("Median nanoseconds a call, the call from Python included")
    print(f"{'samples':28}" + "".join(f"{size:>11}" for size in SIZES))
    for row in ROWS:
        print(f"{row:28}" + "".join(f"{np.median(figures[size][row]):11.0f}" for size in SIZES))
    for name, ratios in summary.items():
        if isinstance(ratios, dict):
            print(f"{name:28}" + "".join(f"{ratios[str(size)]:11.2f}" for size in SIZES))
    print(f"idle ring of 30 s: {summary['idle_ring_30s_kib']} KiB resident")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="batches of every row and size")
    options = parser.parse_args()
    figures: dict[int, dict[str, list[float]]] = {}
    for size in SIZES:
        print(f"Measuring {size} samples …", flush=True)
        figures[size] = measure_rows(size, options.rounds)
    summary: dict[str, Any] = {
        "convert_vs_numpy": ratio(figures, "convert, NumPy one-liner", "convert"),
        "convert_vs_numpy_in_place": ratio(figures, "convert, NumPy in place", "convert"),
        "convert_vs_memcpy": ratio(figures, "convert", "memcpy of the source"),
        "ring_vs_deque": ratio(figures, "deque of bytes", "ring write and read"),
        "ring_vs_simple_queue": ratio(figures, "SimpleQueue of bytes", "ring write and read"),
        "idle_ring_30s_kib": idle_ring_kib(),
    }
    report(figures, summary)
    nanoseconds = {row: {str(size): percentiles(figures[size][row], digits=1) for size in SIZES} for row in ROWS}
    path = save("native", {"machine": machine(), "compiler": compiler(), **summary, "nanoseconds": nanoseconds})
    print(f"\nWritten to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
