"""Compiles and runs the C harness, with the flags that setup.py ships or with others."""

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HARNESS = ROOT / "tests" / "native" / "harness"
WARNINGS = ("-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pthread")
PACKAGES = {
    "gcc": "gcc",
    "gcov": "gcc",
    "nm": "binutils",
    "objdump": "binutils",
    "setarch": "util-linux",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    "aarch64-linux-gnu-objdump": "binutils-aarch64-linux-gnu",
    "qemu-aarch64": "qemu-user",
    "pulseaudio": "pulseaudio",
    "pactl": "pulseaudio-utils",
}


def require(tool: str) -> str:
    """The tool's path; a missing tool fails the test with the package to install, because a skip would hide it."""
    path = shutil.which(tool)
    if path is None:
        pytest.fail(f"{tool} is missing; install it with: apt-get install {PACKAGES[tool]} (or run `make setup-test`)")
    return path


def shipped_flags() -> list[str]:
    """FLAGS of setup.py, read without running it."""
    for statement in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "FLAGS":
            flags = ast.literal_eval(statement.value)
            assert isinstance(flags, list)
            return flags
    pytest.fail("setup.py has no FLAGS = [...] any more; tests/native/toolchain.py reads it")


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run to the end, whatever the exit code; output as text."""
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=os.environ | environment, timeout=280
    )


def succeed(*command: str | Path, **environment: str) -> str:
    """Run, require exit code 0, and return standard output and error together."""
    process = run(*command, **environment)
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{process.stdout}{process.stderr}"
    return process.stdout + process.stderr


def compile_harness(name: str, directory: Path, *flags: str, compiler: str = "gcc") -> Path:
    """Build harness/<name>.c into `directory`; returns the program."""
    program = directory / name
    sources = [f"-I{ROOT / 'native'}", str(HARNESS / f"{name}.c"), "-o", str(program), "-lm"]
    succeed(require(compiler), *WARNINGS, *flags, *sources)
    return program
