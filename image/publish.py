"""What lies beside an image: checksum, block map, bill of materials, and Raspberry Pi Imager's manifest.

.venv/bin/python image/publish.py VERSION RAW_IMAGE DEPLOY TREE
"""

from __future__ import annotations

import datetime
import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

DEVICES = ("pi5-64bit", "pi4-64bit", "pi3-64bit")
"""Raspberry Pi Imager's names: which boards the entry is shown for. The Zero 2 W counts as a pi3."""

PIECE = 1 << 20


def manifest(version: str, image: Path, raw_size: int, raw_sha256: str, day: datetime.date) -> dict[str, Any]:
    """Imager's os_list with one entry. Without it Imager 2 offers no Wi-Fi or key for a local image (its
    doc/os_customisation_formats.md); init_format says which kind of settings the image understands."""
    with image.open("rb") as file:
        download_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "os_list": [
            {
                "name": f"Stimme {version}",
                "description": "A private voice assistant: flash, power on, talk",
                "icon": (image.parent / "stimme.svg").as_uri(),
                "url": image.as_uri(),
                "extract_size": raw_size,
                "extract_sha256": raw_sha256,
                "image_download_size": image.stat().st_size,
                "image_download_sha256": download_sha256,
                "release_date": day.isoformat(),
                "devices": list(DEVICES),
                "init_format": "cloudinit-rpi",
                "architecture": "armv8",
            }
        ]
    }


def bill_of_materials(version: str, packages: str, site: Path, models: Path) -> dict[str, Any]:
    """CycloneDX 1.5: Debian's packages, Python's, and the models."""
    components: list[dict[str, Any]] = []
    for line in packages.splitlines():
        name, number, machine = line.split()
        components.append(
            {
                "type": "library",
                "name": name,
                "version": number,
                "purl": f"pkg:deb/debian/{name}@{number}?arch={machine}",
            }
        )
    for one in sorted(distributions(path=[str(site)]), key=lambda each: each.metadata["Name"].lower()):
        name = re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower()
        entry: dict[str, Any] = {
            "type": "library",
            "name": name,
            "version": one.version,
            "purl": f"pkg:pypi/{name}@{one.version}",
        }
        licence = one.metadata.get("License-Expression")
        if licence:
            entry["licenses"] = [{"expression": licence}]
        components.append(entry)
    for folder in sorted(path for path in models.iterdir() if path.is_dir() and path.name != "cache"):
        components.append({"type": "machine-learning-model", "name": folder.name})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "operating-system", "name": "stimme", "version": version}},
        "components": components,
    }


def compress(raw: Path, target: Path) -> tuple[int, str]:
    """Write raw as .xz, with all cores if xz is there; its size and SHA-256."""
    size, digest = 0, hashlib.sha256()
    with raw.open("rb") as file:
        while piece := file.read(PIECE):
            size += len(piece)
            digest.update(piece)
    unfinished = target.with_suffix(".new")
    if shutil.which("xz"):
        with unfinished.open("wb") as out:
            subprocess.run(["xz", "-T0", "-6", "-c", str(raw)], stdout=out, check=True)
    else:
        with raw.open("rb") as file, lzma.open(unfinished, "wb") as packed:
            shutil.copyfileobj(file, packed, PIECE)
    unfinished.rename(target)
    return size, digest.hexdigest()


def block_map(raw: Path, target: Path, workshop: Path) -> None:
    """Which blocks of raw hold anything, for `bmaptool copy`, which writes only those; by the workshop's bmaptool."""
    tools = {"PYTHONPATH": str(workshop / "usr" / "lib" / "python3" / "dist-packages")}
    command = [sys.executable, "-P", "-m", "bmaptool", "create", "-o", str(target), str(raw)]
    subprocess.run(command, env={**os.environ, **tools}, check=True)


def main(version: str, raw: Path, deploy: Path, tree: Path) -> int:
    image = deploy / f"stimme-{version}.img.xz"
    size, digest = compress(raw, image)
    with image.open("rb") as file:
        packed = hashlib.file_digest(file, "sha256").hexdigest()
    (deploy / f"{image.name}.sha256").write_text(f"{packed}  {image.name}\n", encoding="ascii")
    block_map(raw, deploy / f"stimme-{version}.bmap", tree.parents[1] / "workshop")
    shutil.copy(Path(__file__).parents[1] / "web" / "icon.svg", deploy / "stimme.svg")
    release = tree / "opt" / "stimme" / version
    bill = bill_of_materials(
        version,
        (deploy / f"stimme-{version}.packages").read_text(encoding="utf-8"),
        release / "lib" / "python3.13" / "site-packages",
        release / "models",
    )
    (deploy / f"stimme-{version}.sbom.json").write_text(json.dumps(bill, indent=1), encoding="utf-8")
    entry = manifest(version, image.resolve(), size, digest, datetime.date.today())
    (deploy / f"stimme-{version}.rpi-imager-manifest").write_text(json.dumps(entry, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(Path, sys.argv[2:])))
