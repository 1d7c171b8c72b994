"""Builds the test image and boots it, scenario by scenario.

    make image-test                           everything that has not passed yet with this image
    make image-test ARGS="power-cuts"         this scenario, whether it has passed or not
    make image-test ARGS="--keep …"           the image as it was built last time, whatever has changed since

What happens goes to tests/image/last-run.log, figures and results to bench/results/image.json, at once: a run that is
cut off goes on where it stopped. Each scenario begins with the disk that `first-boot` left, in a layer of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from appliance import __version__
from tests.image.emulation import disk
from tests.image.emulation.client import Client
from tests.image.emulation.machine import Machine
from tests.image.emulation.root import PROJECT, STAGE, WORK, applied
from tests.image.emulation.scenarios import SCENARIOS
from tests.image.emulation.wire import Wire

RESULTS = PROJECT / "bench" / "results" / "image.json"
LOG = PROJECT / "tests" / "image" / "last-run.log"
KEY = WORK / "stimme-test.key"
"""What the image was made of; results hold for this one only."""

PAIRED = WORK / "paired.json"
"""The device's name and the token of the browser that `first-boot` paired, for the scenarios after it."""

FAILURES = (AssertionError, TimeoutError, OSError, KeyError, ValueError, subprocess.SubprocessError)


class Run:
    """One run: its image, its figures and its log."""

    version = __version__

    def __init__(self, image: Path) -> None:
        self.image = image
        self.figures: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        key = KEY.read_text(encoding="utf-8").strip()
        if self.figures.get("image") != key:
            LOG.write_text("", encoding="utf-8")
            self.figures = {"image": key, "scenarios": {}}
            self.say(f"image {key}, release {made_of()}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")

    def note(self, **figures: Any) -> None:
        """Keep figures for good."""
        self.figures |= figures
        RESULTS.write_text(json.dumps(self.figures, indent=2) + "\n", encoding="utf-8")

    def finished(self, name: str, began: float, failure: str = "") -> None:
        """A scenario is over; began: time.monotonic()."""
        result = {"passed": not failure, "seconds": round(time.monotonic() - began), "load": os.getloadavg()[0]}
        self.note(scenarios=self.figures["scenarios"] | {name: result})
        self.say(f"{'FAILED' if failure else 'ok':6}  {name} ({result['seconds']} s){failure and ': '}{failure}")

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

    def wire(self, name: str) -> Wire:
        """Sound of its own for a machine."""
        return Wire(WORK, name)

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


def tree() -> Path:
    """What image/assemble made."""
    return WORK / "release" / f"tree-{__version__}"


def made_of() -> str:
    """The assembled release, named by what went into it."""
    file = tree() / "made-of"
    if not file.exists():
        raise SystemExit("image-test: there is no release yet; run image/assemble first")
    return file.read_text(encoding="utf-8")[:12]


def key() -> str:
    """Of the image that would be built now: release and stage."""
    digest = sha256(made_of().encode())
    for path in sorted(path for path in STAGE.rglob("*") if path.is_file()):
        digest.update(path.relative_to(STAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def build(image: Path) -> None:
    """The test image, from the tree that image/assemble made; a raw sparse file. Nothing, if it is there already."""
    if image.exists() and KEY.exists() and KEY.read_text(encoding="utf-8") == key():
        return
    print("building the image", flush=True)
    KEY.unlink(missing_ok=True)
    disk.write(applied(tree()), image)
    for old in (WORK / "first-boot.qcow2", WORK / "power-cuts.qcow2", PAIRED):
        old.unlink(missing_ok=True)
    KEY.write_text(key(), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run the scenarios named, or those that have not passed. Exit code 1 if one fails."""
    if os.geteuid() != 0:
        raise SystemExit("image-test: making a root file system needs root; run: sudo make image-test")
    image = WORK / "stimme-test.img"
    if "--keep" not in arguments or not KEY.exists():
        build(image)
    run = Run(image)
    named = [name for name in arguments if not name.startswith("--")]
    done = {name for name, result in run.figures["scenarios"].items() if result["passed"]}
    names = named or [name for name in SCENARIOS if name not in done]
    run.note(
        qemu=disk.run("qemu-system-aarch64", "--version").splitlines()[0],
        raw_mb=round(image.stat().st_blocks * 512 / 1e6),
    )
    failed = 0
    for name in names:
        began = time.monotonic()
        run.say(name)
        try:
            SCENARIOS[name](run)
            run.finished(name, began)
        except FAILURES as error:
            failed += 1
            run.finished(name, began, f"{error!r:.2000}")
    run.say(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0
