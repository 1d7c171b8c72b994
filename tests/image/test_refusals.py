"""What `make image` says when something is missing: the script itself, in a world that lacks it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[2] / "image" / "build"
TOOLS = ("bash", "dirname", "sed", "uname", "df", "tail", "tr", "mkdir", "id", "cat")


def build(tmp_path: Path, *more: str, **environment: str) -> str:
    """Run it with TOOLS, and with programs named `more` that fail; its last line."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(str(shutil.which(name)))
    for name in more:
        (tools / name).write_text("#!/bin/bash\nexit 1\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        [BUILD],
        env={"PATH": str(tools), "STIMME_IMAGE_WORK": str(tmp_path / "work"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_neither_debian_nor_docker(tmp_path: Path) -> None:
    assert "neither apt-get (Debian, Ubuntu) nor Docker" in build(tmp_path)


def test_a_docker_that_does_not_run(tmp_path: Path) -> None:
    assert "the Docker engine does not answer; start it" in build(tmp_path, "docker")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as sudo gives it")
def test_no_mmdebstrap(tmp_path: Path) -> None:
    said = build(tmp_path, "apt-get", "git")
    assert said == "image: 'mmdebstrap' is missing; install it with: sudo apt-get install mmdebstrap\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as sudo gives it")
def test_no_space(tmp_path: Path) -> None:
    said = build(tmp_path, "apt-get", "git", "mmdebstrap", BASH_ENV=str(_full_disk(tmp_path)))
    assert "has 3 GB free, the image needs 20 GB; free some, or set STIMME_IMAGE_WORK" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as sudo gives it")
def test_a_kernel_that_runs_no_aarch64(tmp_path: Path) -> None:
    if Path("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists() or os.uname().machine == "aarch64":
        pytest.skip("this one does")
    failing = ("apt-get", "git", "mmdebstrap", "modprobe", "mountpoint", "mount", "systemctl", "update-binfmts")
    said = build(tmp_path, *failing, BASH_ENV=str(_full_disk(tmp_path, free="99G")))
    assert "this kernel does not run aarch64 programs yet; install qemu-user-static" in said


def _full_disk(tmp_path: Path, free: str = "3G") -> Path:
    """For BASH_ENV: a df that finds so much."""
    file = tmp_path / "environment"
    file.write_text(f"df() {{ printf 'Avail\\n{free}\\n'; }}\n")
    return file
