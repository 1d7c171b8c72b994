"""The Python tests of the native core once more, on a build that AddressSanitizer and UBSan watch."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.native.toolchain import ROOT, require, run, succeed

pytestmark = pytest.mark.timeout(300)  # most of it is the build
SUITE = ["test_ring.py", "test_convert.py", "test_stream.py", "test_portaudio.py"]
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


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the native core and its tests, built with both sanitizers."""
    directory = tmp_path_factory.mktemp("sanitized")
    shutil.copytree(ROOT / "native", directory / "native", ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    shutil.copytree(ROOT / "tests" / "native", directory / "tests" / "native")
    shutil.copy(ROOT / "tests" / "__init__.py", directory / "tests")
    quicker = (ROOT / "setup.py").read_text().replace("-O3", "-O1")  # to build
    quicker = quicker.replace(', "vits"', "")  # has proofs of its own, without Python (test_vits_proofs.py)
    (directory / "setup.py").write_text(quicker)
    (directory / "pytest.ini").write_text(PYTEST_SETTINGS)
    flags = "-g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
    build = f"cd {directory} && {sys.executable} setup.py --quiet build_ext --inplace --parallel 3"
    succeed("bash", "-c", build, CFLAGS=flags, LDFLAGS="-fsanitize=address,undefined")
    return directory


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
def test_the_python_tests_are_clean_under_the_sanitizers(sanitized: Path, module: str) -> None:
    command = f"cd {sanitized} && exec {sys.executable} -m pytest -q -p no:cacheprovider tests/native/{module}"
    report = succeed("bash", "-c", f"{command} -k '{NOT_MEANINGFUL}'", **sanitizer_environment(sanitized))
    assert "[100%]" in report


def test_the_sanitizer_would_notice_one_sample_too_many(sanitized: Path) -> None:
    script = sanitized / "overrun.py"
    script.write_text(OVERRUN)
    process = run(sys.executable, script, **sanitizer_environment(sanitized))
    assert process.returncode == 66
    assert "heap-buffer-overflow" in process.stderr
    assert "capture_callback" in process.stderr
