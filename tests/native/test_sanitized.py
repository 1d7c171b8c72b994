"""The Python tests of the native core once more, on builds that AddressSanitizer and UBSan or ThreadSanitizer watch."""

import platform
import shutil
import sys
from pathlib import Path

import pytest

from appliance.speaking.prepare import prepare_voice
from tests.native.toolchain import ROOT, require, run, succeed
from tests.support.kit import voice_path

pytestmark = pytest.mark.timeout(300)  # most of it is the build
SUITE = ["test_ring.py", "test_convert.py", "test_stream.py", "test_portaudio.py", "test_vits.py"]
# Memory that a sanitizer keeps back to catch late use is what these two would measure.
NOT_MEANINGFUL = "not idle_ring_costs and not leaks_neither"
PYTEST_SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
OVERRUN = """
import ctypes
from native.ring import Ring
from native.stream import Capture
import tests.native.test_stream as calls
capture = Capture(Ring(64))
capture.arm()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
calls.call(capture, libc.malloc(20), None, 11, 0)  # eleven samples from a block of ten
"""


RACE = """
import mmap, sys, threading
import numpy as np
from native.vits import CHANNELS, FLOW_LAG, Flow, Network
with open(sys.argv[1], "rb") as file:
    flow = Flow(Network(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
def work():
    frames, target = np.zeros((4, CHANNELS), np.float32), np.empty((4 + FLOW_LAG, CHANNELS), np.float32)
    for _ in range(20):
        flow.run(frames, target)
threads = [threading.Thread(target=work) for _ in range(2)]  # "Used by one thread at a time"
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_voice(voice_path(), tmp_path_factory.mktemp("weights"))


def built(directory: Path, sanitizers: str, *modules: str) -> Path:
    """A copy of the native core and its tests, built with these sanitizers. modules: all if none is named."""
    shutil.copytree(ROOT / "native", directory / "native", ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    shutil.copytree(ROOT / "tests" / "native", directory / "tests" / "native")
    for name in ("__init__.py", "support/__init__.py", "support/patience.py"):
        target = directory / "tests" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "tests" / name, target)
    quicker = (ROOT / "setup.py").read_text().replace("-O3", "-O1")  # to build
    if modules:
        quicker = quicker.replace('("ring", "convert", "stream", "vits")', repr(modules))
    (directory / "setup.py").write_text(quicker)
    (directory / "pytest.ini").write_text(PYTEST_SETTINGS)
    flags = f"-g -fsanitize={sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer"
    build = f"cd {directory} && {sys.executable} setup.py --quiet build_ext --inplace --parallel 3"
    succeed("bash", "-c", build, CFLAGS=flags, LDFLAGS=f"-fsanitize={sanitizers}")
    return directory


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("sanitized"), "address,undefined")


def sanitizer_environment(directory: Path) -> dict[str, str]:
    libraries = [succeed(require("gcc"), f"-print-file-name={name}").strip() for name in ("libasan.so", "libubsan.so")]
    return {
        "LD_PRELOAD": " ".join(libraries),
        "PYTHONPATH": str(directory),
        "PYTHONMALLOC": "malloc",  # so that every Python object has its own guarded block
        "ASAN_OPTIONS": "detect_leaks=0:exitcode=66",  # the interpreter itself leaves memory behind at exit
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


@pytest.mark.parametrize("module", SUITE)
def test_the_python_tests_are_clean_under_the_sanitizers(sanitized: Path, weights: Path, module: str) -> None:
    command = f"cd {sanitized} && exec {sys.executable} -m pytest -q -p no:cacheprovider tests/native/{module}"
    environment = sanitizer_environment(sanitized) | {"STIMME_WEIGHTS": str(weights)}
    report = succeed("bash", "-c", f"{command} -k '{NOT_MEANINGFUL}'", **environment)
    assert "[100%]" in report


def test_the_sanitizer_would_notice_one_sample_too_many(sanitized: Path) -> None:
    script = sanitized / "overrun.py"
    script.write_text(OVERRUN)
    process = run(sys.executable, script, **sanitizer_environment(sanitized))
    assert process.returncode == 66
    assert "heap-buffer-overflow" in process.stderr
    assert "capture_callback" in process.stderr


def test_threads_may_share_a_voice_and_a_stream_shared_by_two_would_be_noticed(tmp_path: Path, weights: Path) -> None:
    directory = built(tmp_path, "thread", "vits")
    python: list[str | Path] = [
        *(require("setarch"), platform.machine(), "-R"),  # ThreadSanitizer wants the usual addresses
        *("env", "-C", directory, f"LD_PRELOAD={succeed(require('gcc'), '-print-file-name=libtsan.so').strip()}"),
        sys.executable,
    ]
    environment = {
        "PYTHONPATH": str(directory),
        "TSAN_OPTIONS": "halt_on_error=1:exitcode=66",
        "STIMME_WEIGHTS": str(weights),
    }
    suite = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/native/test_vits.py", "-k", "threads"]
    assert "1 passed" in succeed(*python, *suite, **environment)
    process = run(*python, "-c", RACE, weights, **environment)
    assert process.returncode == 66 and "data race" in process.stderr and "vits_flow_run" in process.stderr
