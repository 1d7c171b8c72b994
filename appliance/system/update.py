"""Updates of the assistant itself: a signed release beside the running one, switched to, and taken back if it fails.

    stimme update --check            is there a newer one?
    stimme update                    install it (as root)
    stimme update FILE.json          … from a file, its signature and archives beside it

/opt/stimme holds a directory for each release and the link `current`. The new one is unpacked whole, then the link is
switched when nobody is talking, and the assistant starts again. If it is not ready, or does not understand its own
voice, the link goes back. `update-pending` names the release to go back to while this is undecided: whoever finds it
after a power cut decides (stimme-update-settle.service, stimme-trouble.service).
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from appliance import neighbours
from appliance.system.release import (
    LARGEST_MANIFEST_BYTES,
    Archive,
    Release,
    UpdateError,
    parse_version,
    read_keys,
    verified,
)

log = logging.getLogger(__name__)

SPACE_FACTOR = 4
"""An archive needs so many times its size: itself, and what is in it."""

QUIET_S = 600.0
"""The longest an update waits for people to stop talking; then it is put off."""

HEALTH_S = float(os.environ.get("UPDATE_HEALTH_S", "180"))
"""So long a new release may take until it is ready and has understood itself."""


@dataclass(frozen=True)
class Places:
    """Where everything is; tests put it elsewhere."""

    releases: Path = Path("/opt/stimme")
    state: Path = Path("/var/lib/stimme-system")
    keys: Path = Path("/etc/stimme/release-keys")

    @property
    def current(self) -> str:
        """The version in use, "" if there is none."""
        try:
            return os.readlink(self.releases / "current")
        except OSError:
            return ""

    @property
    def pending(self) -> Path:
        return self.state / "update-pending"

    @property
    def failed(self) -> Path:
        return self.state / "update-failed"


@dataclass(frozen=True)
class Host:
    """What an update does to the machine; tests bring their own."""

    restart: Callable[[], bool] = field(default=lambda: _restart())
    """Restart the assistant; True once it is ready."""
    healthy: Callable[[], bool] = field(default=lambda: _healthy())
    """Whether it understands its own voice."""
    busy: Callable[[], bool] = field(default=lambda: _busy())
    """Whether anybody is talking with it."""
    sleep: Callable[[float], None] = time.sleep


def newest(source: str, places: Places) -> Release:
    """What a source offers, verified. source: an https address that holds latest.json, or a manifest's path or address.

    Raises UpdateError.
    """
    address = source if source.endswith(".json") else f"{source.rstrip('/')}/latest.json"
    manifest = _read(address)
    return verified(manifest, _read(f"{address}.sig"), read_keys(places.keys))


def is_newer(release: Release, places: Places) -> bool:
    """Whether it is later than the one in use, and not one that failed here already."""
    try:
        failed = places.failed.read_text(encoding="utf-8").strip()
    except OSError:
        failed = ""
    return parse_version(release.version) > parse_version(places.current or "0.0.0") and release.version != failed


def install(source: str, release: Release, places: Places, host: Host) -> None:
    """Bring a release in and switch to it. Raises UpdateError; then the old one is in use."""
    if not is_newer(release, places):
        raise UpdateError(f"release {release.version} is not newer than {places.current}, or failed here before")
    _bring(source, release, places)
    _wait_until_quiet(host)
    switch(release.version, places)
    log.info("starting release %s", release.version)
    settle(places, host)


def switch(version: str, places: Places) -> None:
    """Make a release the current one, with the way back written down first. One rename; survives a power cut."""
    places.state.mkdir(parents=True, exist_ok=True)
    _write(places.pending, places.current)
    _point(version, places)


def settle(places: Places, host: Host) -> None:
    """Start the release that was switched to, keep it if it works, else take it back. Raises UpdateError then."""
    previous = places.pending.read_text(encoding="utf-8").strip()
    version = places.current
    if host.restart() and host.healthy():
        places.pending.unlink(missing_ok=True)
        places.failed.unlink(missing_ok=True)
        _tidy(places, keep={version, previous})
        log.info("release %s works", version)
        neighbours.send(
            neighbours.SAY,
            en=f"I have been updated to version {version}.",
            de=f"Ich bin jetzt auf dem Stand {version}.",
        )
        return
    if places.current == version:  # else stimme-trouble.service was quicker
        _write(places.failed, version)
        _point(previous, places)
        places.pending.unlink(missing_ok=True)
        host.restart()
    raise UpdateError(f"release {version} does not work here; {previous} is in use again")


def _bring(source: str, release: Release, places: Places) -> None:
    """Download, verify and unpack what is missing, each directory whole or not at all."""
    incoming = places.releases / ".incoming"
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    try:
        models = places.releases / "models" / release.models
        if not models.is_dir():
            if release.model_files is None:
                raise UpdateError(f"release {release.version} needs the models {release.models}, which are not here")
            _unpack(source, release.model_files, incoming)
            models.parent.mkdir(exist_ok=True)
            (incoming / "models" / release.models).rename(models)
        target = places.releases / release.version
        shutil.rmtree(target, ignore_errors=True)
        _unpack(source, release.program, incoming)
        os.sync()  # the files before their names
        (incoming / release.version).rename(target)
        os.sync()
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _unpack(source: str, archive: Archive, incoming: Path) -> None:
    free = shutil.disk_usage(incoming).free
    if free < SPACE_FACTOR * archive.size:
        raise UpdateError(f"{archive.name} needs {SPACE_FACTOR * archive.size >> 20} MB, {free >> 20} MB are free")
    log.info("fetching %s (%d MB)", archive.name, archive.size >> 20)
    file = incoming / archive.name
    digest, size = hashlib.sha256(), 0
    with _open(_beside(source, archive.name)) as stream, file.open("wb") as out:
        while piece := stream.read(1 << 20):
            size += len(piece)
            if size > archive.size:
                break
            digest.update(piece)
            out.write(piece)
    if size != archive.size or digest.hexdigest() != archive.sha256:
        raise UpdateError(f"{archive.name} is not what the manifest promises; nothing was changed")
    done = subprocess.run(
        ["tar", "--extract", "--zstd", "--no-same-owner", f"--file={file}", f"--directory={incoming}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UpdateError(f"{archive.name} cannot be unpacked: {done.stderr.strip()}")
    file.unlink()


def _wait_until_quiet(host: Host) -> None:
    waited = 0.0
    while host.busy():
        if waited >= QUIET_S:
            raise UpdateError(f"somebody has been talking for {QUIET_S / 60:.0f} minutes; try again later")
        host.sleep(2.0)
        waited += 2.0


def _point(version: str, places: Places) -> None:
    fresh = places.releases / "current.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(version)
    fresh.rename(places.releases / "current")
    os.sync()


def _write(file: Path, text: str) -> None:
    unfinished = file.with_suffix(".new")
    unfinished.write_text(f"{text}\n", encoding="utf-8")
    unfinished.rename(file)
    os.sync()


def _tidy(places: Places, keep: set[str]) -> None:
    """Remove older releases, and models that none of the kept ones uses."""
    for folder in places.releases.iterdir():
        if folder.is_dir() and folder.name[:1].isdigit() and folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)
    used = {
        os.path.basename(os.readlink(places.releases / name / "models"))
        for name in keep
        if (places.releases / name / "models").is_symlink()
    }
    for models in (places.releases / "models").glob("*"):
        if models.name not in used:
            shutil.rmtree(models, ignore_errors=True)


def _beside(source: str, name: str) -> str:
    if urlsplit(source).scheme in ("http", "https"):
        return urljoin(source if source.endswith(".json") else f"{source.rstrip('/')}/", name)
    return str((Path(source).parent if source.endswith(".json") else Path(source)) / name)


def _open(address: str):  # type: ignore[no-untyped-def]  # a binary stream, of the net or of a file
    try:
        if urlsplit(address).scheme in ("http", "https"):  # signed, so it need not be secret
            return urllib.request.urlopen(address, timeout=60)
        return Path(address).open("rb")
    except (OSError, urllib.error.URLError) as error:
        raise UpdateError(f"{address}: {error}") from error


def _read(address: str) -> bytes:
    with _open(address) as stream:
        content: bytes = stream.read(LARGEST_MANIFEST_BYTES + 1)
    if len(content) > LARGEST_MANIFEST_BYTES:
        raise UpdateError(f"{address}: larger than {LARGEST_MANIFEST_BYTES} bytes; that is no manifest")
    return content


def _restart() -> bool:
    subprocess.run(["systemctl", "reset-failed", "stimme.service"], check=False)
    done = subprocess.run(["systemctl", "restart", "stimme.service"], timeout=HEALTH_S * 4, check=False)
    return done.returncode == 0


def _healthy() -> bool:
    python = Path("/opt/stimme/current/bin/python3")
    try:
        done = subprocess.run([str(python), "-P", "-m", "appliance.system.selfturn"], timeout=HEALTH_S, check=False)
    except subprocess.TimeoutExpired:
        log.warning("it did not answer itself within %.0f s", HEALTH_S)
        return False
    return done.returncode == 0


def _busy() -> bool:
    """By the assistant's own count (GET /metrics, from this machine only)."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:8123/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except (OSError, ValueError):
        return False  # it does not run, so nobody talks with it
    under_way = [line for line in text.splitlines() if line.startswith("voice_turns_under_way ")]
    return any(float(line.split()[1]) > 0 for line in under_way)
