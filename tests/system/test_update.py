"""Updates in a temporary directory: real signatures, archives and links; a fake host that restarts and talks."""

import base64
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.system import update
from appliance.system.release import UpdateError, parse_version
from appliance.system.update import Places

MODELS = "0123456789ab"
KEY = Ed25519PrivateKey.generate()


@dataclass
class FakeHost:
    """An assistant that starts only in the versions in `working`."""

    places: Places
    working: set[str]
    understands: set[str] = field(default_factory=set)
    busy_for: int = 0
    restarts: list[str] = field(default_factory=list)

    def restart(self) -> bool:
        self.restarts.append(self.places.current)
        return self.places.current in self.working

    def healthy(self) -> bool:
        return self.places.current in self.understands

    def busy(self) -> bool:
        self.busy_for -= 1
        return self.busy_for >= 0

    def sleep(self, seconds: float) -> None:
        pass


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A device with release 0.1.0 in use."""
    places = Places(tmp_path / "opt", tmp_path / "state", tmp_path / "keys")
    (places.releases / "0.1.0").mkdir(parents=True)
    (places.releases / "models" / MODELS).mkdir(parents=True)
    (places.releases / "0.1.0" / "models").symlink_to(f"../models/{MODELS}")
    (places.releases / "current").symlink_to("0.1.0")
    places.keys.mkdir()
    (places.keys / "test.pub").write_bytes(base64.b64encode(KEY.public_key().public_bytes_raw()))
    return places


def publish(
    folder: Path,
    version: str,
    *,
    key: Ed25519PrivateKey = KEY,
    models: str = MODELS,
    changes: dict[str, object] | None = None,
) -> str:
    """Publish a release as image/sign does; the manifest's path."""
    folder.mkdir(exist_ok=True)
    archive = folder / f"stimme-{version}.tar.zst"
    content = folder / "content" / version
    content.mkdir(parents=True)
    (content / "who").write_text(version)
    (content / "models").symlink_to(f"../models/{models}")
    subprocess.run(["tar", "-C", content.parent, "--zstd", "-cf", archive, version], check=True)
    described = {"size": archive.stat().st_size, "sha256": hashlib.sha256(archive.read_bytes()).hexdigest()}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    manifest = {
        "version": version,
        "machine": platform.machine(),
        "python": python,
        "models": models,
        "files": {archive.name: described},
    } | (changes or {})
    file = folder / f"stimme-{version}.json"
    file.write_text(json.dumps(manifest))
    Path(f"{file}.sig").write_bytes(base64.b64encode(key.sign(file.read_bytes())))
    return str(file)


def install(source: str, places: Places, host: FakeHost) -> None:
    update.install(source, update.newest(source, places), places, host)  # type: ignore[arg-type]


def test_a_newer_release_that_understands_itself_is_kept(tmp_path: Path, places: Places) -> None:
    host = FakeHost(places, {"0.1.0", "0.2.0"}, {"0.2.0"})
    install(publish(tmp_path / "out", "0.2.0"), places, host)
    assert places.current == "0.2.0" and host.restarts == ["0.2.0"]
    assert (places.releases / "current" / "who").read_text() == "0.2.0"
    assert not places.pending.exists() and (places.releases / "0.1.0").is_dir(), "the way back stays"


@pytest.mark.parametrize("working", [{"0.1.0"}, {"0.1.0", "0.2.0"}], ids=["does not start", "is deaf"])
def test_a_release_that_does_not_work_is_taken_back(tmp_path: Path, places: Places, working: set[str]) -> None:
    host = FakeHost(places, working)
    source = publish(tmp_path / "out", "0.2.0")
    with pytest.raises(UpdateError, match=r"0\.2\.0 does not work here; 0\.1\.0 is in use again"):
        install(source, places, host)
    assert places.current == "0.1.0" and host.restarts == ["0.2.0", "0.1.0"] and not places.pending.exists()
    assert not update.is_newer(update.newest(source, places), places), "it is not tried again every night"


def test_an_update_waits_until_nobody_talks(tmp_path: Path, places: Places) -> None:
    host = FakeHost(places, {"0.2.0"}, {"0.2.0"}, busy_for=3)
    install(publish(tmp_path / "out", "0.2.0"), places, host)
    assert host.busy_for < 0 and places.current == "0.2.0"


def test_an_update_is_put_off_when_talk_does_not_end(tmp_path: Path, places: Places) -> None:
    host = FakeHost(places, {"0.2.0"}, busy_for=10_000)
    with pytest.raises(UpdateError, match="try again later"):
        install(publish(tmp_path / "out", "0.2.0"), places, host)
    assert places.current == "0.1.0" and not host.restarts


def test_after_a_power_cut_the_switched_release_is_decided_about(tmp_path: Path, places: Places) -> None:
    source = publish(tmp_path / "out", "0.2.0")
    update._bring(source, update.newest(source, places), places)
    update.switch("0.2.0", places)  # … and the power goes
    assert places.pending.read_text().strip() == "0.1.0"
    with pytest.raises(UpdateError):
        update.settle(places, FakeHost(places, {"0.1.0"}))  # type: ignore[arg-type]
    assert places.current == "0.1.0"


def test_a_power_cut_while_unpacking_leaves_no_half_release(tmp_path: Path, places: Places) -> None:
    (places.releases / ".incoming" / "0.2.0").mkdir(parents=True)
    host = FakeHost(places, {"0.2.0"}, {"0.2.0"})
    install(publish(tmp_path / "out", "0.2.0"), places, host)
    assert sorted(os.listdir(places.releases)) == ["0.1.0", "0.2.0", "current", "models"]


def test_releases_older_than_the_previous_one_are_removed(tmp_path: Path, places: Places) -> None:
    for version in ("0.2.0", "0.3.0"):
        install(publish(tmp_path / version, version), places, FakeHost(places, {version}, {version}))
    assert sorted(os.listdir(places.releases)) == ["0.2.0", "0.3.0", "current", "models"]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda file: Path(f"{file}.sig").write_bytes(base64.b64encode(bytes(64))), "not by anybody"),
        (lambda file: Path(file).write_bytes(Path(file).read_bytes().replace(b"0.2.0", b"0.2.1")), "not by anybody"),
        (lambda file: Path(f"{file}.sig").unlink(), "No such file"),
        (lambda file: Path(file).with_suffix(".tar.zst").write_bytes(b"other"), "not what the manifest promises"),
        (lambda file: Path(file).with_suffix(".tar.zst").unlink(), "No such file"),
    ],
    ids=["signature", "manifest", "unsigned", "archive", "no archive"],
)
def test_what_was_tampered_with_changes_nothing(
    tmp_path: Path, places: Places, break_it: Callable[[str], object], words: str
) -> None:
    file = publish(tmp_path / "out", "0.2.0")
    break_it(file)
    host = FakeHost(places, {"0.2.0"}, {"0.2.0"})
    with pytest.raises(UpdateError, match=words):
        install(file, places, host)
    assert places.current == "0.1.0" and not host.restarts and not (places.releases / "0.2.0").exists()


def test_a_strangers_release_is_refused(tmp_path: Path, places: Places) -> None:
    source = publish(tmp_path / "out", "0.2.0", key=Ed25519PrivateKey.generate())
    with pytest.raises(UpdateError, match="not by anybody"):
        update.newest(source, places)


def test_without_a_key_nobody_is_trusted(tmp_path: Path, places: Places) -> None:
    (places.keys / "test.pub").unlink()
    with pytest.raises(UpdateError, match="trusts nobody's releases"):
        update.newest(publish(tmp_path / "out", "0.2.0"), places)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"machine": "riscv64"}, "is for machine riscv64"),
        ({"python": "3.9"}, "is for python 3.9"),
        ({"models": "../../etc"}, "12 hexadecimal digits"),
        ({"files": {}}, "makes no sense"),
    ],
)
def test_a_signed_release_for_something_else_is_refused(
    tmp_path: Path, places: Places, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(UpdateError, match=words):
        update.newest(publish(tmp_path / "out", "0.2.0", changes=changes), places)


def test_an_older_or_equal_release_is_refused(tmp_path: Path, places: Places) -> None:
    with pytest.raises(UpdateError, match="not newer"):
        install(publish(tmp_path / "out", "0.1.0"), places, FakeHost(places, set()))


def test_versions_are_numbers_not_text() -> None:
    assert parse_version("0.10.0") > parse_version("0.9.9")
    with pytest.raises(UpdateError, match="three numbers"):
        parse_version("0.2.0/..")


def test_missing_models_are_named(tmp_path: Path, places: Places) -> None:
    with pytest.raises(UpdateError, match="needs the models ffffffffffff"):
        install(publish(tmp_path / "out", "0.2.0", models="f" * 12), places, FakeHost(places, {"0.2.0"}))


def test_a_source_is_an_address_that_holds_the_latest(tmp_path: Path, places: Places) -> None:
    file = Path(publish(tmp_path / "out", "0.2.0"))
    for suffix in ("", ".sig"):
        (file.parent / f"latest.json{suffix}").write_bytes(Path(f"{file}{suffix}").read_bytes())
    host = FakeHost(places, {"0.2.0"}, {"0.2.0"})
    install(str(file.parent), places, host)
    assert places.current == "0.2.0"
