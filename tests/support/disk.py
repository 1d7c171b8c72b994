"""A small disk that can be filled and made read-only: a file system in memory, in a namespace of its own."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_MOUNT = 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$0" && echo mounted && exec sleep infinity'


class SmallDisk:
    """Mounted at `folder`, but only for processes started with `prefix`. It lives until the end of the test."""

    def __init__(self, folder: Path, keeper: int) -> None:
        self.folder = folder
        self._enter = ["nsenter", f"--target={keeper}", "--user", "--mount", "--preserve-credentials"]
        self.inside = Path(f"/proc/{keeper}/root{folder}")
        """The same folder, as everybody else sees it."""

    @property
    def prefix(self) -> list[str]:
        """Before a command: it sees the disk."""
        return [*self._enter, "--wd=/tmp"]

    def fill(self) -> None:
        """No byte is left."""
        with (self.inside / "ballast").open("ab", buffering=0) as file:
            for size in (65_536, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        (self.inside / "ballast").unlink()

    def make_read_only(self) -> None:
        subprocess.run([*self._enter, "mount", "-o", "remount,ro", str(self.folder)], check=True)

    def make_writable(self) -> None:
        subprocess.run([*self._enter, "mount", "-o", "remount,rw", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, size: str = "512k") -> Iterator[SmallDisk]:
    """A disk at `folder`. The test is skipped where nobody may mount (some containers)."""
    folder.mkdir(parents=True, exist_ok=True)
    keeper = subprocess.Popen(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, str(folder), size],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert keeper.stdout is not None and keeper.stderr is not None
    try:
        if keeper.stdout.readline() != "mounted\n":
            pytest.skip(f"nobody may mount here: {keeper.stderr.read().strip()}")
        yield SmallDisk(folder, keeper.pid)
    finally:
        keeper.kill()
        keeper.wait()
        keeper.stdout.close()
        keeper.stderr.close()
