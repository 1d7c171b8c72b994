"""Running aarch64 programs on any machine, without changing anything about it.

    python -m tests.image.emulation.namespace QEMU COMMAND…

A private user and mount namespace in which the kernel hands aarch64 binaries to QEMU (binfmt_misc is per user namespace
since Linux 6.7). Users and groups keep their numbers, so that what is installed belongs to whom it should. Needs root.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
BINFMT = Path("/proc/sys/fs/binfmt_misc")
ELF_AARCH64 = (
    r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
    r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
)
"""Magic and mask of a little-endian 64-bit Arm executable, as binfmt_misc takes them."""


def run(qemu: Path, command: list[str]) -> int:
    """Run a command in such a namespace; its exit code. qemu: a statically linked qemu-aarch64."""
    ready, mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _unshare(CLONE_NEWUSER | CLONE_NEWNS)
        os.write(ready[1], b"r")
        os.read(mapped[0], 1)
        os.setgid(0)
        os.setuid(0)
        subprocess.run(["mount", "-t", "binfmt_misc", "none", str(BINFMT)], check=True)
        magic, mask = ELF_AARCH64
        (BINFMT / "register").write_text(f":aarch64:M::{magic}:{mask}:{qemu.resolve()}:OCF")
        os.environ["QEMU_CPU"] = "cortex-a72"  # a Raspberry Pi 4's; the default emulates pointer authentication as well
        os.execvp(command[0], command)
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child}/{name}").write_text("0 0 65536\n")
    os.write(mapped[1], b"m")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        error = ctypes.get_errno()
        raise OSError(error, f"unshare: {os.strerror(error)}; the emulated root needs root and user namespaces")


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
