"""The voice's network in C, outside Python: every instruction set, the sanitizers, aarch64, forged weights."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.speaking.prepare import prepare_voice
from tests.native.toolchain import compile_harness, require, run, shipped_flags, succeed
from tests.support.kit import voice_path
from tests.support.proofs import IS_LONG, proved

pytestmark = pytest.mark.timeout(3000 if IS_LONG else 300)
ADDRESS_SANITIZER = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
THREAD_SANITIZER = ("-O1", "-g", "-fsanitize=thread")
SYMBOLS, FRAMES = 9, 8
FILES, ROUNDS = 40, 50 if IS_LONG else 1
"""Forged weights files in one run of the program, and runs."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_voice(voice_path(), tmp_path_factory.mktemp("weights"))


def spoken(program: Path, weights: Path, out: Path, *before: str) -> NDArray[np.float32]:
    succeed(*before, program, "speak", weights, str(SYMBOLS), str(FRAMES), out)
    return np.fromfile(out, np.float32)


@pytest.fixture(scope="module")
def here(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float32]:
    """Stats, latent frames and samples on this machine."""
    folder = tmp_path_factory.mktemp("here")
    return spoken(compile_harness("vits_check", folder, *shipped_flags()), weights, folder / "out")


def test_pieces_and_instruction_sets_agree(here: NDArray[np.float32]) -> None:
    assert len(here) == SYMBOLS * 384 + FRAMES * (192 + 256)
    assert np.isfinite(here).all() and np.abs(here[-FRAMES * 256 :]).max() > 1e-3


@pytest.mark.skipif(platform.machine() != "x86_64", reason="AVX-512 is x86-64's")
def test_the_widest_instruction_set_is_right_on_a_machine_without_it(
    weights: Path, here: NDArray[np.float32], tmp_path: Path
) -> None:
    if "avx2" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("not even AVX2")
    flags = ("-O1", "-DVITS_AVX512_WITHOUT", "-Wno-psabi")  # the compiler makes each vector of two
    wide = spoken(compile_harness("vits_check", tmp_path, *flags), weights, tmp_path / "out")
    np.testing.assert_allclose(wide, here, rtol=1e-5, atol=2e-5)


def test_aarch64_says_the_same(weights: Path, here: NDArray[np.float32], tmp_path: Path) -> None:
    program = compile_harness("vits_check", tmp_path, *shipped_flags(), "-static", compiler="aarch64-linux-gnu-gcc")
    there = spoken(program, weights, tmp_path / "out", require("qemu-aarch64"))
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(there[-FRAMES * 256 :], here[-FRAMES * 256 :], rtol=0, atol=1e-5)
    proved("aarch64 under qemu", {"largest_difference_of_samples": float(np.abs(there - here)[-FRAMES * 256 :].max())})


def test_no_access_outside_memory_and_no_undefined_behaviour(weights: Path, tmp_path: Path) -> None:
    program = compile_harness("vits_check", tmp_path, *ADDRESS_SANITIZER)
    spoken(program, weights, tmp_path / "out")
    opened = 0
    for seed in range(4, 4 + ROUNDS):
        report = succeed(program, "fuzz", str(FILES), str(seed))
        opened += int(report.split()[0])
    forged = {"files": FILES * ROUNDS, "opened_and_spoken": opened, "errors": 0}
    proved("forged weights files under AddressSanitizer and UBSan", forged)


def test_the_sanitizer_would_notice_a_row_too_many(weights: Path, tmp_path: Path) -> None:
    program = compile_harness("vits_check", tmp_path, *ADDRESS_SANITIZER, "-DVITS_ROOM_MISSING=1")
    process = run(program, "speak", weights, str(SYMBOLS), str(FRAMES), tmp_path / "out")
    assert "heap-buffer-overflow" in process.stderr


def test_threads_that_share_weights_have_no_data_race(weights: Path, tmp_path: Path) -> None:
    program = compile_harness("vits_check", tmp_path, *THREAD_SANITIZER)
    arguments = (require("setarch"), platform.machine(), "-R", program, "share", weights)
    assert "both said the same" in succeed(*arguments, TSAN_OPTIONS="halt_on_error=1")
