"""The C sources under every tool that could find them wrong: sanitizers, coverage, aarch64, the compiler's report."""

import json
import platform
import re
from pathlib import Path

import pytest

from tests.native.toolchain import HARNESS, ROOT, compile_harness, require, run, shipped_flags, succeed

pytestmark = pytest.mark.timeout(300)  # all four thousand million float32 take a while on a busy machine
THREAD_SANITIZER = ("-O1", "-g", "-fsanitize=thread")
ADDRESS_SANITIZER = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

# What a hot loop looks like in machine code: function of harness/loops.c → instructions on whole vectors.
VECTOR_INSTRUCTIONS = {
    "x86_64": {
        "float32_to_int16": ["cvtps2dq", "packssdw"],
        "int16_to_float32": ["cvtdq2ps", "movups"],
        "peak": ["pmaxsw", "pminsw"],
    },
    "aarch64": {
        "float32_to_int16": ["fcvtns\tv", "sqxtn"],
        "int16_to_float32": ["scvtf\tv"],
        "peak": ["smaxv", "sminv"],
    },
}
# What a program of the harness says at its end.
REPORTED = {
    "ring_check": "all checks passed",
    "convert_check": "all checks passed",
    "ring_threads": "flushes",
    "stream_threads": "samples captured",
}
# Loops that are left to the compiler, by the text that stands in their body.
PLAIN_LOOPS = ["(float)source[i] * (1.0f / 32768.0f)", "samples[i] < lowest"]


def run_without_address_randomisation(program: Path, *arguments: str) -> str:
    """GCC 12's ThreadSanitizer cannot place its shadow memory on kernels that randomise 32 bits of an address."""
    return succeed(require("setarch"), platform.machine(), "-R", program, *arguments, TSAN_OPTIONS="halt_on_error=1")


def test_the_ring_keeps_its_promises_in_one_thread(tmp_path: Path) -> None:
    assert "all checks passed" in succeed(compile_harness("ring_check", tmp_path, *shipped_flags()))


def test_fifty_million_samples_cross_two_threads_in_order_between_random_flushes(tmp_path: Path) -> None:
    report = succeed(compile_harness("ring_threads", tmp_path, *shipped_flags()), "50000000")
    assert "flushes" in report


def test_every_float32_there_is_converts_to_the_nearest_sample(tmp_path: Path) -> None:
    assert "all checks passed" in succeed(compile_harness("convert_check", tmp_path, *shipped_flags()))


def test_the_ring_has_no_data_race(tmp_path: Path) -> None:
    program = compile_harness("ring_threads", tmp_path, *THREAD_SANITIZER)
    assert "flushes" in run_without_address_randomisation(program, "10000000")


def test_the_audio_callbacks_have_no_data_race_with_the_thread_that_controls_them(tmp_path: Path) -> None:
    program = compile_harness("stream_threads", tmp_path, *THREAD_SANITIZER)
    assert "WARNING" not in run_without_address_randomisation(program, "100000")


def test_the_audio_callbacks_can_call_nothing_that_waits_or_allocates(tmp_path: Path) -> None:
    compiled = tmp_path / "callbacks.o"
    sources = ("-I", ROOT / "native", "-c", HARNESS / "callbacks.c", "-o", compiled)
    succeed(require("gcc"), *shipped_flags(), "-D_GNU_SOURCE", *sources)
    needed = {line.split()[-1] for line in succeed(require("nm"), "--undefined-only", compiled).splitlines()}
    assert needed - {"_GLOBAL_OFFSET_TABLE_"} <= {"clock_gettime", "eventfd_write", "memcpy", "memset"}


@pytest.mark.parametrize("barrier", ["SPSC_PUBLISH_SAMPLES", "SPSC_PUBLISH_ROOM", "SPSC_PUBLISH_DISCARD"])
def test_without_any_one_barrier_the_sanitizer_reports_a_race(tmp_path: Path, barrier: str) -> None:
    weakened = (*THREAD_SANITIZER, f"-D{barrier}=memory_order_relaxed")
    program = compile_harness("ring_threads", tmp_path, *weakened)
    process = run(
        require("setarch"), platform.machine(), "-R", program, "50000000", TSAN_OPTIONS="halt_on_error=1 exitcode=66"
    )
    assert process.returncode == 66, process.stderr
    assert "WARNING: ThreadSanitizer: data race" in process.stderr


@pytest.mark.parametrize(
    ("program", "argument"),
    [("ring_check", "0"), ("ring_threads", "5000000"), ("convert_check", "997"), ("stream_threads", "100000")],
)
def test_the_harness_is_clean_under_the_address_and_undefined_behaviour_sanitizers(
    tmp_path: Path, program: str, argument: str
) -> None:
    assert REPORTED[program] in succeed(compile_harness(program, tmp_path, *ADDRESS_SANITIZER), argument)


def test_every_line_and_branch_of_the_ring_is_covered(tmp_path: Path) -> None:
    program = compile_harness("ring_check", tmp_path, "-O0", "--coverage")
    succeed(program)
    notes = next(tmp_path.glob("*.gcda"))
    report = run(require("gcov"), "--json-format", "--branch-probabilities", "--stdout", notes)
    files = {Path(entry["file"]).name: entry["lines"] for entry in json.loads(report.stdout)["files"]}
    lines = files["spsc.h"]
    assert len(lines) > 50, "gcov saw too little of spsc.h to prove anything"
    assert [line["line_number"] for line in lines if line["count"] == 0] == []
    branches = [(line["line_number"], branch["count"]) for line in lines for branch in line["branches"]]
    assert len(branches) >= 10
    assert [line_number for line_number, count in branches if count == 0] == []


@pytest.mark.parametrize(
    ("program", "argument"),
    [("ring_check", "0"), ("ring_threads", "5000000"), ("convert_check", "997"), ("stream_threads", "20000")],
)
def test_the_harness_passes_on_aarch64(tmp_path: Path, program: str, argument: str) -> None:
    compiled = compile_harness(program, tmp_path, *shipped_flags(), "-static", compiler="aarch64-linux-gnu-gcc")
    assert REPORTED[program] in succeed(require("qemu-aarch64"), compiled, argument)


def line_numbers(texts: list[str]) -> dict[str, set[int]]:
    """For each text in convert.h the lines where the compiler may report its loop: its own and the one before."""
    lines = (ROOT / "native" / "convert.h").read_text().splitlines()
    found = {text: [number for number, line in enumerate(lines, 1) if text in line] for text in texts}
    assert all(len(numbers) == 1 for numbers in found.values()), found
    return {text: {numbers[0], numbers[0] - 1} for text, numbers in found.items()}


def loops_not_vectorised(report: str) -> list[str]:
    reported = {
        int(line.split(":")[1]) for line in report.splitlines() if "loop vectorized using 16 byte vectors" in line
    }
    return [text for text, numbers in line_numbers(PLAIN_LOOPS).items() if not numbers & reported]


def compile_loops(directory: Path, prefix: str, *flags: str) -> tuple[str, str]:
    """The compiler's report on harness/loops.c, and its machine code."""
    compiled = directory / "loops.o"
    sources = ("-I", ROOT / "native", "-c", HARNESS / "loops.c", "-o", compiled)
    report = succeed(require(f"{prefix}gcc"), *shipped_flags(), *flags, "-fopt-info-vec-optimized", *sources)
    return report, succeed(require(f"{prefix}objdump"), "-d", "--no-show-raw-insn", compiled)


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_the_hot_loops_are_vectorised(tmp_path: Path, processor: str) -> None:
    report, machine_code = compile_loops(tmp_path, "" if platform.machine() == processor else f"{processor}-linux-gnu-")
    assert loops_not_vectorised(report) == []
    headed = re.split(r"^[0-9a-f]+ <(\w+)>:$", machine_code, flags=re.MULTILINE)[1:]
    functions = dict(zip(headed[::2], headed[1::2], strict=True))
    for function, instructions in VECTOR_INSTRUCTIONS[processor].items():
        for instruction in instructions:
            assert instruction in functions[function], f"{function} on {processor} has no {instruction.split()[0]}"


def test_the_check_for_vectorised_loops_notices_a_lost_one(tmp_path: Path) -> None:
    report, _ = compile_loops(tmp_path, "", "-fno-tree-vectorize")
    assert loops_not_vectorised(report) == PLAIN_LOOPS


def test_what_is_shipped_runs_on_every_machine_of_its_kind_and_keeps_nan() -> None:
    flags = shipped_flags()
    assert "-O3" in flags
    assert [flag for flag in flags if flag.startswith(("-march", "-mcpu", "-mtune", "-ffast-math", "-Ofast"))] == []
