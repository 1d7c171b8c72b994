"""The .pyi stubs tell the truth: they match the compiled modules, and a type checker accepts and refuses by them."""

import sys
from pathlib import Path

import pytest

from tests.native.toolchain import ROOT, run, succeed

CASES = """
from typing import assert_type
import array
import numpy as np
from native import convert
from native.ring import Ring
from native.stream import Capture, Playback, Stream

ring = Ring(480000, notify=True)
int16 = np.zeros(4, np.int16)
float32 = np.zeros(4, np.float32)
"""

RIGHT = [
    "assert_type(ring.write(b'ab'), int)",
    "ring.write(bytearray(2)); ring.write(memoryview(b'ab')); ring.write(array.array('h')); ring.write(int16)",
    "assert_type(ring.read(), bytes)",
    "assert_type(len(ring) + ring.dropped + ring.written + ring.fileno(), int)",
    "convert.float32_to_int16(float32, int16)",
    "convert.int16_to_float32(b'ab', bytearray(4))",
    "capture: Stream = Capture(ring, 2, None, rate=48000, preroll=4800)",
    "assert_type(Playback(ring, volume=0.5).volume, float)",
    "assert_type(capture.lateness_counts, tuple[int, ...])",
]
WRONG = [
    "ring.write('text')",
    "ring.write([1, 2])",
    "ring.notify",
    "ring.written = 3",
    "Ring('30')",
    "Ring(8, True)",
    "convert.float32_to_int16([0.5], int16)",
    "Capture(ring, 'left')",
    "Playback(ring).volume = 'loud'",
    "class Louder(Ring): ...",
]


def test_the_stubs_match_the_compiled_modules(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text(r"native\..*\.__test__" + "\n")  # Cython's table of doctests
    modules = ("native.ring", "native.convert", "native.stream", "native.vits")
    report = succeed(sys.executable, "-m", "mypy.stubtest", "--allowlist", allowed, *modules, PYTHONPATH=str(ROOT))
    assert f"no issues found in {len(modules)} modules" in report


@pytest.mark.timeout(300)  # the first run of mypy reads all of NumPy's types
def test_a_type_checker_accepts_what_is_right_and_refuses_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "cases.py").write_text(CASES + "\n".join(RIGHT + WRONG) + "\n")
    checked = run(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file", ROOT / "pyproject.toml", tmp_path / "cases.py"),
        MYPYPATH=str(ROOT),
    )
    first_wrong = CASES.count("\n") + len(RIGHT) + 1
    refused = {int(line.split(":")[1]) for line in checked.stdout.splitlines() if ": error:" in line}
    assert refused == set(range(first_wrong, first_wrong + len(WRONG))), checked.stdout + checked.stderr
