"""A release as it is published: a manifest, its signature, and archives named in it. Pure but for reading keys.

    stimme-0.2.0.json        {"version": "0.2.0", "machine": "aarch64", "python": "3.13", "models": "7a577166d96c",
                              "files": {"stimme-0.2.0.tar.zst": {"size": 1, "sha256": "…"}, "models-….tar.zst": {…}}}
    stimme-0.2.0.json.sig    ed25519 over the manifest's bytes, base64
    latest.json, .sig        the newest release's, under a name that stays

What the archives hold is named by the manifest's checksums, so one signature covers everything.
"""

from __future__ import annotations

import base64
import json
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEYS = Path("/etc/stimme/release-keys")
"""Public keys of those who may publish releases: one raw ed25519 key in base64 a file."""

LARGEST_MANIFEST_BYTES = 64 * 1024
VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){2}")


class UpdateError(Exception):
    """A release that is not taken, or did not work; the message says why."""


@dataclass(frozen=True)
class Archive:
    name: str
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class Release:
    """What a verified manifest says."""

    version: str
    models: str
    """The name under which its models lie in /opt/stimme/models."""
    program: Archive
    model_files: Archive | None
    """None if a release carries none, because it uses an older one's."""


def parse_version(text: str) -> tuple[int, ...]:
    """(0, 2, 10) of "0.2.10". Raises UpdateError."""
    if not VERSION.fullmatch(text):
        raise UpdateError(f"version {text!r}: expected three numbers, as in 0.2.0")
    return tuple(int(part) for part in text.split("."))


def read_keys(folder: Path = KEYS) -> list[Ed25519PublicKey]:
    """The keys that this device trusts. Raises UpdateError if one of the files holds no key."""
    keys = []
    for file in sorted(folder.glob("*.pub")):
        try:
            keys.append(Ed25519PublicKey.from_public_bytes(base64.b64decode(file.read_text(encoding="ascii"))))
        except (OSError, ValueError) as error:
            raise UpdateError(f"{file}: no ed25519 key in base64: {error}") from error
    return keys


def verified(manifest: bytes, signature: bytes, keys: Iterable[Ed25519PublicKey]) -> Release:
    """What the manifest says, if one of the keys signed it and it is for this machine. Raises UpdateError."""
    keys = list(keys)
    if not keys:
        raise UpdateError(f"this device trusts nobody's releases: there is no key in {KEYS}")
    try:
        raw = base64.b64decode(signature, validate=False)
    except ValueError as error:
        raise UpdateError(f"the signature is no base64: {error}") from error
    if not any(_signed(key, raw, manifest) for key in keys):
        raise UpdateError("the signature is not by anybody whom this device trusts; nothing was changed")
    try:
        return _release(json.loads(manifest))
    except (KeyError, TypeError, ValueError) as error:
        raise UpdateError(f"the manifest is signed but makes no sense: {error!r}") from error


def _signed(key: Ed25519PublicKey, signature: bytes, manifest: bytes) -> bool:
    try:
        key.verify(signature, manifest)
    except InvalidSignature:
        return False
    return True


def _release(manifest: Mapping[str, Any]) -> Release:
    version, models = str(manifest["version"]), str(manifest["models"])
    parse_version(version)
    if not re.fullmatch(r"[0-9a-f]{12}", models):
        raise ValueError(f"models {models!r}: expected 12 hexadecimal digits")
    here = {"machine": platform.machine(), "python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name, value in here.items():
        if manifest[name] != value:
            raise UpdateError(f"release {version} is for {name} {manifest[name]}, this is {value}")
    files = {name: Archive(name, int(one["size"]), str(one["sha256"])) for name, one in manifest["files"].items()}
    return Release(version, models, files[f"stimme-{version}.tar.zst"], files.get(f"models-{models}.tar.zst"))
