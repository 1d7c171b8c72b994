"""The root file system of the tests: a Debian that stands for Raspberry Pi OS Lite, and our stage applied to it.

Three layers, each kept as an archive under a key of what it is made from: the base (ten minutes of emulation), the
stage's packages, and everything else of the stage (a minute, made anew whenever a file changes).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

PROJECT = Path(__file__).parents[3]
WORK = PROJECT / "build" / "image"
WORKSHOP = WORK / "workshop"
STAGE = PROJECT / "image" / "stage-stimme"
QEMU = WORKSHOP / "usr" / "bin" / "qemu-aarch64"

BASE = (
    "systemd-sysv",
    "udev",
    "dbus",
    "kmod",
    "iproute2",
    "procps",
    "openssh-server",
    "sudo",
    "netplan.io",
    "cloud-init",
    "systemd-timesyncd",
    "wpasupplicant",
    "network-manager",
    "initramfs-tools",
    "linux-image-arm64",
    "zstd",
    "systemd-zram-generator",
    "polkitd",
    "python3",
    "kbd",
    "console-setup",
)
"""What Raspberry Pi OS Lite has, as far as it concerns us, and Debian's kernel instead of the Pi's."""

OPTIONS = (
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)

INITRD_MODULES = ("virtio_pci", "virtio_blk", "virtio_console", "ext4")
"""All that the virtual machine needs to find its root, in a small initrd: minutes less of emulated compression."""

SETUP = f"""
printf '%s\\n' {" ".join(INITRD_MODULES)} >/etc/initramfs-tools/modules
sed -i 's/^MODULES=.*/MODULES=list/' /etc/initramfs-tools/initramfs.conf
rm -f /etc/kernel-img.conf
update-initramfs -c -k all
ln -sf /boot/vmlinuz-* /vmlinuz; ln -sf /boot/initrd.img-* /initrd.img
printf 'LABEL=rootfs / ext4 defaults 0 1\\nLABEL=bootfs /boot/firmware vfat defaults 0 2\\n' >/etc/fstab
mkdir -p /boot/firmware /etc/netplan
printf 'network:\\n  version: 2\\n  renderer: NetworkManager\\n' >/etc/netplan/00-all.yaml
chmod 600 /etc/netplan/00-all.yaml
useradd --create-home --shell /bin/bash pi
"""


def applied(tree: Path, say: Callable[[str], None] = print) -> Path:
    """Our stage applied to the base; returns the directory of the root file system. tree: what image/assemble made."""
    base = _layer("base", (*BASE, *OPTIONS, SETUP), _make_base, say)
    packages = (STAGE / "00-stimme" / "00-packages-nr").read_text(encoding="utf-8")
    filled = _layer("packages", (base.name, packages), lambda target: _add_packages(base, target), say)
    root = WORK / "root"
    for old in (root, root.with_name("root-firmware")):
        shutil.rmtree(old, ignore_errors=True)
    root.mkdir(parents=True)
    _tar("--extract", "--file", filled, "--directory", root)
    say("applying the stage")
    _emulated(
        "env", f"STIMME_TREE={tree}", "FIRST_USER_NAME=pi", Path(__file__).with_name("stage.sh"), STAGE, root, "rest"
    )
    return root


def _layer(name: str, made_from: Iterable[str], make: Callable[[Path], None], say: Callable[[str], None]) -> Path:
    key = sha256("\n".join(made_from).encode()).hexdigest()[:12]
    archive = WORK / f"{name}-{key}.tar"
    if not archive.exists():
        say(f"making the layer '{name}' in emulation; this is done once")
        unfinished = archive.with_name(f".{archive.name}")
        make(unfinished)
        unfinished.rename(archive)
    return archive


def _make_base(target: Path) -> None:
    mirror = subprocess.run(
        ["bash", "-c", f". {PROJECT}/image/common.sh; sources"], capture_output=True, text=True, check=True
    )
    # No initrd while packages are installed; one is made at the end.
    early = 'mkdir -p "$1/etc"; printf "do_initrd = no\\nlink_in_boot = no\\n" >"$1/etc/kernel-img.conf"'
    _emulated(
        "sh",
        "-c",
        'mount -t tmpfs none /mnt && cd / && TMPDIR=/mnt INITRD=No exec mmdebstrap "$@"',
        "mmdebstrap",
        "--quiet",
        "--skip=check/qemu",
        "--format=tar",
        "--mode=root",
        "--arch=arm64",
        "--variant=minbase",
        *OPTIONS,
        f"--essential-hook={early}",
        f"--include={','.join(BASE)}",
        f"--customize-hook=chroot \"$1\" sh -ec '{_quoted(SETUP)}'",
        "trixie",
        target,
        mirror.stdout.strip(),
    )


def _add_packages(base: Path, target: Path) -> None:
    root = WORK / "packages"
    if root.exists():
        shutil.rmtree(root)
    root.mkdir(parents=True)
    _tar("--extract", "--file", base, "--directory", root)
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    _emulated("sh", "-c", f"chroot {root} apt-get update -q")
    _emulated(Path(__file__).with_name("stage.sh"), STAGE, root, "packages")
    _tar("--create", "--file", target, "--directory", root, ".")
    shutil.rmtree(root)


def _quoted(script: str) -> str:
    return script.replace("'", "'\\''")


def _tar(*arguments: str | Path) -> None:
    subprocess.run(["tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", *map(str, arguments)], check=True)


def _emulated(*command: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.image.emulation.namespace", str(QEMU), *map(str, command)],
        cwd=PROJECT,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"image-test: in emulation, {command[0]} failed with exit code {done.returncode}")
