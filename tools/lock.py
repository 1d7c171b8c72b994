"""Resolves the project's dependencies with pip for each machine Stimme is built for: requirements/*.lock.

    .venv/bin/python tools/lock.py [TARGET…]
    .venv/bin/python tools/lock.py --options TARGET     what to tell pip to download or install for it

One line a package: name, version and the SHA-256 of the one file that machine installs, so that `pip install
--require-hashes -r` takes nothing else. pip resolves for another machine, but looks at the markers of the one it runs
on; so every requirement is looked at again with the target's markers, and a lock that would miss one is not written.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SOURCE_ONLY = ("srt", "evdev")
"""Packages that come as source only. srt is pure Python; evdev is Debian's own python3-evdev on the image."""


@dataclass(frozen=True)
class Target:
    """A machine. platforms: pip takes each wheel tag literally, so all that its C library runs are named."""

    machine: str
    python: str
    glibc: int
    without: tuple[str, ...] = ()
    """What comes from the distribution there."""
    extras: tuple[str, ...] = ()
    """Which of pyproject.toml's optional dependencies are wanted there too."""

    @property
    def platforms(self) -> list[str]:
        """Wheel platform tags, the newest C library first (PEP 600, and the older aliases)."""
        if self.machine == "any":
            return ["any"]
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 16, -1)]
        return [*tags, f"manylinux2014_{self.machine}"]

    @property
    def markers(self) -> dict[str, str]:
        """PEP 508 environment markers of the target."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "platform_machine": self.machine,
            "sys_platform": "linux",
            "platform_system": "Linux",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "extra": "",
        }

    @property
    def options(self) -> list[str]:
        """What pip must be told to choose files for it."""
        number = self.python.replace(".", "")
        abis = [f"--abi={tag}" for tag in (f"cp{number}", "abi3", "none")]
        return [
            "--only-binary=:all:",
            "--implementation=cp",
            f"--python-version={self.python}",
            *abis,
            *(f"--platform={tag}" for tag in self.platforms),
        ]


TARGETS = {
    "aarch64-cp313": Target("aarch64", "3.13", 41, without=("evdev",), extras=("gpio",)),  # the image: Debian 13
    "x86_64-cp313": Target("x86_64", "3.13", 41),
    "x86_64-cp311": Target("x86_64", "3.11", 36),  # Debian 12
    "build": Target("any", "3.13", 41),  # what builds the native core, without Python code compiled for one machine
}


def main(names: list[str]) -> int:
    """Write the locks of the targets named, or of all."""
    if names[:1] == ["--options"]:
        print("\n".join(TARGETS[names[1]].options))  # noqa: T201  for shell scripts
        return 0
    for name in names or TARGETS:
        target = TARGETS[name]
        packages = resolve(target, requirements(name))
        lines = [f"{package}=={version} --hash=sha256:{digest}" for package, version, digest in sorted(packages)]
        head = [
            f"# {target.machine}, CPython {target.python}; written by tools/lock.py from pyproject.toml",
            *(f"# {package}: the distribution's own" for package in target.without),
        ]
        (ROOT / "requirements" / f"{name}.lock").write_text("\n".join([*head, *lines, ""]), encoding="utf-8")
        print(f"requirements/{name}.lock: {len(lines)} packages")  # noqa: T201  what this program is for
    return 0


def requirements(name: str) -> list[str]:
    """What pyproject.toml asks for at run time, or to build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if name == "build":
        return list(project["build-system"]["requires"])
    optional = project["project"]["optional-dependencies"]
    return [*project["project"]["dependencies"], *(line for extra in TARGETS[name].extras for line in optional[extra])]


def resolve(target: Target, wanted: list[str]) -> list[tuple[str, str, str]]:
    """[(name, version, sha256)] of everything the target installs. Raises SystemExit when pip fails."""
    with tempfile.TemporaryDirectory() as folder:
        missing = [] if target.machine == "any" else [name for name in SOURCE_ONLY if name not in target.without]
        sources = {name: _build_source(name, Path(folder)) for name in missing}
        kept = [line for line in wanted if canonicalize_name(Requirement(line).name) not in target.without]
        report = Path(folder) / "report.json"
        _pip(
            "install",
            "--dry-run",
            "--quiet",
            "--ignore-installed",
            f"--report={report}",
            f"--target={folder}/target",
            f"--find-links={folder}",
            *target.options,
            *kept,
        )
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    packages, complete = [], {canonicalize_name(name) for name in target.without}
    for one in found:
        name = canonicalize_name(one["metadata"]["name"])
        digest = sources.get(name) or one["download_info"]["archive_info"]["hashes"]["sha256"]
        packages.append((name, one["metadata"]["version"], digest))
        complete.add(name)
    for one in found:
        for line in one["metadata"].get("requires_dist", ()):
            needed = Requirement(line)
            if needed.marker is not None and not needed.marker.evaluate(target.markers):
                continue
            if canonicalize_name(needed.name) not in complete:
                sys.exit(
                    f"lock: {one['metadata']['name']} needs {line} on {target.machine} with Python "
                    f"{target.python}, which pip left out here; name it in pyproject.toml"
                )
    return packages


def _build_source(name: str, folder: Path) -> str:
    """Put a wheel that stands for a source-only package into the folder; the source's SHA-256.

    The wheel is only there for pip to resolve with; it is tagged for any machine.
    """
    _pip("download", "--quiet", "--no-deps", f"--no-binary={name}", f"--dest={folder}", name)
    source = next(folder.glob(f"{name}-*.tar.gz"))
    with source.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    version = source.name.removeprefix(f"{name}-").removesuffix(".tar.gz")
    _stand_in(name, version, folder)
    source.unlink()
    return digest


def _stand_in(name: str, version: str, folder: Path) -> None:
    """An empty pure wheel of that name and version (PEP 427), without dependencies, as both packages are."""
    import zipfile

    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def _pip(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], check=False)
    if done.returncode:
        sys.exit(f"lock: pip {arguments[0]} failed; the lines above say why")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
