"""Builds the test image and boots it, scenario by scenario; figures go to bench/results/image.json.

    make image-test                           everything
    make image-test ARGS="first-boot no-network"
    make image-test ARGS="--keep …"           the image as it was built last time

Each scenario begins with the disk that `first-boot` left, in a copy-on-write layer of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance import __version__
from tests.image.emulation import disk
from tests.image.emulation.client import Client
from tests.image.emulation.machine import Machine
from tests.image.emulation.root import PROJECT, WORK, applied
from tests.image.emulation.scenarios import SCENARIOS

RESULTS = PROJECT / "bench" / "results" / "image.json"
LOG = WORK / "image-test.log"
PAIRED = WORK / "paired.json"
"""The device's name and the token of the browser that `first-boot` paired, for the scenarios after it."""

FAILURES = (AssertionError, TimeoutError, OSError, KeyError, ValueError, subprocess.SubprocessError)


class Run:
    """One run: its image, its figures and its log."""

    version = __version__

    def __init__(self, image: Path) -> None:
        self.image = image
        self.figures: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """A line for the person who waits, and for the log that is kept."""
        line = f"{time.strftime('%H:%M:%S')}  {text}"
        print(line, flush=True)
        with LOG.open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    @contextmanager
    def looking(self) -> Iterator[Callable[..., Any]]:
        """For many checks of one boot: look(check, …) tells the rest although one fails; the end raises then."""
        failed = []

        def look(check: Callable[..., Any], *arguments: Any) -> Any:
            try:
                result = check(*arguments)
                self.say(f"  ok      {check.__name__}")
                return result
            except FAILURES as error:
                self.say(f"  FAILED  {check.__name__}: {error!r:.3000}".replace("\\n", "\n          "))
                failed.append(check.__name__)

        yield look
        assert not failed, f"{len(failed)} checks failed: {', '.join(failed)}"

    def client(self, machine: Machine) -> Client:
        """Somebody outside the machine; paired, if `first-boot` has been through."""
        known = (
            json.loads(PAIRED.read_text())
            if self.image.with_name("first-boot.qcow2").exists() and PAIRED.exists()
            else {}
        )
        return Client(machine, f"{machine.run('hostname')}.local", known.get("token", ""))

    def keep(self, client: Client) -> None:
        """Be the same paired browser in the scenarios to come."""
        PAIRED.write_text(json.dumps({"name": client.name, "token": client.token}))

    def flat(self, name: str, below: Path = WORK / "first-boot.qcow2") -> Path:
        """A disk, that which `first-boot` left, as one raw file, whose partitions can be written to."""
        image = WORK / f"{name}.img"
        disk.run("qemu-img", "convert", "-O", "raw", str(below if below.exists() else self.image), str(image))
        return image

    def layer(self, name: str, below: Path | None = None) -> Path:
        """A copy-on-write layer above the image, or another layer, thrown away at the next run."""
        below = below or (WORK / "first-boot.qcow2")
        below = below if below.exists() else self.image
        layer = WORK / f"{name}.qcow2"
        layer.unlink(missing_ok=True)
        disk.run(
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "-F",
            "qcow2" if below.suffix == ".qcow2" else "raw",
            "-b",
            str(below),
            str(layer),
        )
        return layer

    def boot(self, layer: Path, name: str, **options: Any) -> Machine:
        """Power on."""
        boot = WORK / "root" / "boot"
        kernel, initrd = next(boot.glob("vmlinuz-*")), next(boot.glob("initrd.img-*"))
        return Machine(layer, kernel, initrd, WORK / f"{name}.console", **options)


def build(version: str) -> Path:
    """The test image, from the tree that image/assemble made. The disk is a raw sparse file."""
    tree = WORK / "release" / f"tree-{version}"
    if not tree.is_dir():
        raise SystemExit("image-test: there is no release yet; run image/assemble first")
    root = applied(tree)
    return disk.write(root, WORK / "stimme-test.img")


def main(arguments: list[str]) -> int:
    """Run the scenarios named, or all. Exit code 1 if one fails."""
    if os.geteuid() != 0:
        raise SystemExit("image-test: making a root file system needs root; run: sudo make image-test")
    keep = "--keep" in arguments
    names = [name for name in arguments if not name.startswith("--")] or list(SCENARIOS)
    image = WORK / "stimme-test.img"
    run = Run(image)
    if not keep or not image.exists():
        run.say("building the image")
        build(__version__)
        (WORK / "first-boot.qcow2").unlink(missing_ok=True)
        PAIRED.unlink(missing_ok=True)
    if RESULTS.exists():
        run.figures = json.loads(RESULTS.read_text(encoding="utf-8"))
    run.figures |= {
        "qemu": disk.run("qemu-system-aarch64", "--version").splitlines()[0],
        "raw_mb": round(image.stat().st_blocks * 512 / 1e6),
    }
    failed = 0
    for name in names:
        scenario: Callable[[Run], None] = SCENARIOS[name]
        begin = time.monotonic()
        try:
            scenario(run)
            run.say(f"ok      {name} ({time.monotonic() - begin:.0f} s)")
        except FAILURES as error:
            failed += 1
            run.say(f"FAILED  {name} ({time.monotonic() - begin:.0f} s): {error}")
        RESULTS.write_text(json.dumps(run.figures, indent=2) + "\n", encoding="utf-8")
    run.say(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0
