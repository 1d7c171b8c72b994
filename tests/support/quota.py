"""A processor held to a part of one core: the stand-in for a small board."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD_US = 5000
"""Short enough that a share shows in replies of some ten milliseconds (the kernel's usual 100 ms would not)."""
CGROUPS = Path("/sys/fs/cgroup")


class NoQuota(OSError):
    """This machine lets nobody set one here; says why."""


@contextmanager
def group(share: float) -> Iterator[Path]:
    """A control group whose processes have `share` of one core together; the path to write a process id into.

    Version 1 (cpu.cfs_quota_us) and 2 (cpu.max) of the kernel's control groups, see its cgroup documentation. Raises
    NoQuota. Processes must have ended, or have left it, when the context ends.
    """
    v1 = CGROUPS / "cpu"
    root = v1 if v1.is_dir() else CGROUPS
    folder = root / f"stimme-quota-{os.getpid()}"
    quota_us = round(share * PERIOD_US)
    try:
        if root is CGROUPS:
            (root / "cgroup.subtree_control").write_text("+cpu")
        folder.mkdir()
        if root is v1:
            (folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (folder / "cpu.cfs_quota_us").write_text(str(quota_us))
        else:
            (folder / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
    except OSError as error:
        if folder.is_dir():
            folder.rmdir()
        raise NoQuota(f"no processor quota can be set here: {error}") from error
    try:
        yield folder / "cgroup.procs"
    finally:
        for pid in (folder / "cgroup.procs").read_text().split():
            (root / "cgroup.procs").write_text(pid)
        folder.rmdir()
