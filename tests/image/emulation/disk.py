"""A root file system as a partitioned image, without loop devices, mounts or privileges."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.image.emulation.root import WORKSHOP

MIB = 1 << 20
BOOT_START, BOOT_SIZE = 8 * MIB, 128 * MIB
"""The boot partition, as pi-gen places it; smaller, because no Raspberry Pi firmware is in it."""

FREE = 512 * MIB
"""Room in the root file system; the real one grows to the card's size at its first boot."""


def write(root: Path, image: Path) -> Path:
    """Write a root file system, with what is in its /boot/firmware as FAT, to a sparse image file."""
    firmware = root / "boot" / "firmware"
    boot_files = root.with_name(f"{root.name}-firmware")
    if not boot_files.exists():
        firmware.rename(boot_files)  # only in the FAT, as on a real card
        firmware.mkdir()
    used = int(run("du", "--summarize", "--block-size=1", str(root)).split()[0])
    size = -(-int(used * 1.08 + FREE) // MIB) * MIB
    start = BOOT_START + BOOT_SIZE
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        os.truncate(file.fileno(), start + size)
    table = (
        f"label: dos\nstart={BOOT_START // 512}, size={BOOT_SIZE // 512}, type=c\n"
        f"start={start // 512}, size={size // 512}, type=83\n"
    )
    run("sfdisk", "--quiet", str(image), stdin=table)
    run(
        "mke2fs",
        "-q",
        "-t",
        "ext4",
        "-L",
        "rootfs",
        "-E",
        f"offset={start},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0",
        "-d",
        str(root),
        str(image),
        str(size // 1024),
    )
    fat = image.with_suffix(".fat")
    with fat.open("wb") as file:
        os.truncate(file.fileno(), BOOT_SIZE)
    run("mkfs.vfat", "-F", "32", "-n", "bootfs", str(fat))
    for path in sorted(boot_files.iterdir()):
        run("mcopy", "-i", str(fat), "-s", str(path), "::")
    run("dd", f"if={fat}", f"of={image}", "bs=1M", f"seek={BOOT_START // MIB}", "conv=notrunc,sparse", "status=none")
    fat.unlink()
    return image


def grow(image: Path, more: int) -> None:
    """Give an image's disk, root partition and its file system so many bytes more, as a card has."""
    start = (BOOT_START + BOOT_SIZE) // MIB
    root = image.with_suffix(".root")
    run("dd", f"if={image}", f"of={root}", "bs=1M", f"skip={start}", "conv=sparse", "status=none")
    for file in (root, image):
        os.truncate(file, file.stat().st_size + more)
    run("e2fsck", "-fp", str(root))
    run("resize2fs", str(root))
    run("sfdisk", "--quiet", "--no-reread", "-N", "2", str(image), stdin=",+\n")
    run("dd", f"if={root}", f"of={image}", "bs=1M", f"seek={start}", "conv=notrunc,sparse", "status=none")
    root.unlink()


def put(image: Path, file: Path, name: str) -> None:
    """Replace a file on an image's boot partition."""
    run("mcopy", "-o", "-i", f"{image}@@{BOOT_START}", str(file), f"::{name}")


def destroy_boot(image: Path) -> None:
    """Overwrite the whole boot partition."""
    with image.open("r+b") as file:
        file.seek(BOOT_START)
        for _ in range(BOOT_SIZE // MIB):
            file.write(os.urandom(MIB))


def check(image: Path) -> str:
    """What e2fsck says of the root file system, which is not changed; raises if it is damaged beyond its journal."""
    return run("e2fsck", "-fn", f"{image}?offset={BOOT_START + BOOT_SIZE}")


def run(*command: str, stdin: str | None = None) -> str:
    """A tool of the workshop, with the workshop's libraries."""
    places = (WORKSHOP / "usr" / folder / command[0] for folder in ("sbin", "bin"))
    tool = next(path for path in places if path.exists())
    libraries = WORKSHOP / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"
    loader = next(libraries.glob("ld-linux*.so.*"))
    done = subprocess.run(
        [str(loader), "--library-path", str(libraries), str(tool), *command[1:]],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"image-test: {' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
