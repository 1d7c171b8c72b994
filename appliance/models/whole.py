"""Whether a model on disk is whole, and how a finished one gets there: all of it or nothing."""

from __future__ import annotations

import json
import logging
import os
import zlib
from hashlib import file_digest
from pathlib import Path

from appliance.errors import ModelError
from appliance.models.catalogue import by_name

log = logging.getLogger(__name__)

CONTENTS = "stimme-contents.json"
"""The size of each file of a model, in bytes. A list of its own, because the first release reads it so."""

CHECKSUMS = "stimme-checksums.json"
"""The CRC-32 of each file. For 40 MB it takes 15 ms; what it reads, Vosk reads next."""

PIECE_BYTES = 1 << 18


def check_recognizer(path: Path) -> None:
    """Raise ModelError naming the file if this is not a whole Vosk model.

    Vosk itself loads a model whose graph or words are cut off, and hears nothing or nonsense.
    """
    if not path.is_dir():
        raise ModelError(f"{path}: no such model directory; {remedy(path.name)}")
    check_sizes(path)
    new = (path / "am").is_dir()
    required = ("am/final.mdl", "conf/mfcc.conf") if new else ("final.mdl", "mfcc.conf")
    graph = path / "graph" if new else path
    missing = [name for name in required if not has_content(path / name)]
    if not has_content(graph / "HCLG.fst"):
        missing += [name for name in ("HCLr.fst", "Gr.fst") if not has_content(graph / name)]
    if missing:
        names = ", ".join(missing)
        raise ModelError(f"{path}: not a whole Vosk model, missing or empty: {names}; {remedy(path.name)}")


def check_content(path: Path) -> None:
    """Raise ModelError naming the file if a bit of one is not as put() left it. Reads all of them.

    Vosk notices no flipped bit: it hears something else. Nothing is known of models that somebody else put there.
    """
    for name, expected in _listed(path, CHECKSUMS).items():
        try:
            found = _crc32(path / name)
        except OSError as error:
            raise ModelError(f"{path / name}: cannot be read ({error}); {remedy(path.name)}") from error
        if found != expected:
            raise ModelError(
                f"{path / name}: damaged, CRC-32 {found:08x}, expected {expected:08x}; {remedy(path.name)}"
            )


def check_sizes(path: Path) -> None:
    """Raise ModelError naming the file if one has not the size that put() wrote down, or if that cannot be read."""
    for name, size_bytes in _listed(path, CONTENTS).items():
        found = (path / name).stat().st_size if (path / name).is_file() else 0
        if found != size_bytes:
            raise ModelError(f"{path / name}: {found} bytes, expected {size_bytes}; {remedy(path.name)}")


def check_voice(path: Path) -> None:
    """Raise ModelError naming the file if this is not a whole Piper voice."""
    for file in (path, path.with_name(path.name + ".json")):
        if not has_content(file):
            raise ModelError(f"{file}: missing or empty; {remedy(path.stem)}")


def check_published(path: Path) -> None:
    """Raise ModelError if a voice named as in the catalogue is not the published one. Reads the whole file."""
    model = by_name(path.stem)
    for published in model.files if model else ():
        if published.name == path.name:
            check_sha256(path, published.sha256, remedy(path.stem))


def check_sha256(path: Path, expected: str, remedy: str) -> None:
    """Raise ModelError unless the file has this checksum. Reads the whole file."""
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelError(f"{path}: SHA-256 {found}, expected {expected}; {remedy}")


def put(finished: Path, target: Path) -> None:
    """Rename a finished directory into place, all of it on the disk. Another process that was quicker is welcome.

    The sizes and checksums of its files are written down in it, for check_sizes and check_content.
    """
    files = {str(file.relative_to(finished)): file for file in finished.rglob("*") if file.is_file()}
    sizes = {name: file.stat().st_size for name, file in files.items()}
    checksums = {name: _crc32(file) for name, file in files.items()}
    for name, listed in ((CONTENTS, sizes), (CHECKSUMS, checksums)):
        (finished / name).write_text(json.dumps(listed, indent=0), encoding="utf-8")
    for path in (*finished.rglob("*"), finished):
        _write_through(path)  # so that after a power cut what is behind the new name is whole
    try:
        finished.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    _write_through(target.parent)


def _write_through(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _crc32(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            checksum = zlib.crc32(piece, checksum)
    return checksum


def _listed(path: Path, list_name: str) -> dict[str, int]:
    """What put() wrote down of each file; nothing for a model that somebody else put there."""
    try:
        listed = json.loads((path / list_name).read_text(encoding="utf-8"))
        if not isinstance(listed, dict) or not all(isinstance(number, int) for number in listed.values()):
            raise ValueError("expected an object of whole numbers")
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        model = by_name(path.name)
        if model is not None and model.source:  # what was fetched is not thrown away for its list
            log.warning("%s: cannot be read (%s); its files are not checked against it", path / list_name, error)
            return {}
        raise ModelError(f"{path / list_name}: cannot be read ({error}); {remedy(path.name)}") from error
    return listed


def has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def remedy(name: str) -> str:
    """What a person can do about a model that is missing or damaged."""
    model = by_name(name)
    if model is None:
        return "'stimme models list' shows what can be fetched"
    if not model.source:
        return f"delete {name} from the models directory, it comes with Stimme and is put there again"
    return f"'stimme models fetch {name}' gets it"


def vocabulary(recognizer: Path) -> frozenset[str]:
    """Every word that a recognizer can write; empty if its directory does not tell."""
    try:
        lines = (recognizer / "graph" / "words.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return frozenset()
    return frozenset(line.split()[0] for line in lines if line.strip())
