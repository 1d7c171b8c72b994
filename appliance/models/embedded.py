"""The recognizers that come with Stimme: archives inside the package, unpacked before they are used.

`stimme models prepare` unpacks them at build time, so that an image starts from a read-only disk. Where nothing
prepared is found, one is unpacked into the models directory the first time it is asked for.

Beside a model's archive lies its decoding graph in one piece (tools/expand_graph.cc), which Vosk prefers. It is
unpacked so that it can be mapped (graph.py); one that an earlier release unpacked otherwise is unpacked again.
"""

from __future__ import annotations

import logging
import lzma
import os
import shutil
import stat
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path

from appliance.errors import ModelError
from appliance.models.catalogue import Model
from appliance.models.graph import align, is_mappable
from appliance.models.whole import check_content, check_recognizer, check_sha256, put

log = logging.getLogger(__name__)

MEMORY = Path("/dev/shm")
"""A file system in memory that every Linux has."""


def prepared_directory() -> Path:
    """Where `stimme models prepare` puts models, and where they are looked for: beside the Python that runs."""
    return Path(sys.prefix) / "share" / "stimme" / "models"


def voices_within(models: Path) -> Path:
    """Where a directory of models has what was made of its voices at build time."""
    return models / "voices"


def embedded_recognizer(model: Model, directory: Path, prepared: Path, *, unpacking: bool = True) -> Path:
    """The directory of a recognizer that comes with Stimme; unpacked into `directory` if it is ready in neither.

    One that lies in `directory` damaged is unpacked again. A directory that cannot be written is no reason not to
    hear: then it is unpacked into a temporary one. Raises ModelError if that is impossible too. unpacking: False
    only says where it would be.
    """
    if _is_whole(prepared / model.name):
        if unpacking:
            _remove_replaced(model, directory)
        return prepared / model.name
    path = directory / model.name
    is_whole = _is_whole(path)
    if not unpacking or (is_whole and is_mappable(path / "graph" / "HCLG.fst")):
        return path
    try:
        return unpack(model, directory)
    except ModelError as error:
        if is_whole:
            return path
        if not isinstance(error.__cause__, OSError):
            raise  # the archive is not what it should be
        for place in _spare_directories():
            log.warning("%s; it is kept in %s", error, place)
            with suppress(ModelError):
                return place / model.name if _is_whole(place / model.name) else unpack(model, place)
        raise


def _is_whole(path: Path) -> bool:
    try:
        check_recognizer(path)
        check_content(path)
    except ModelError as error:
        if path.exists():
            log.warning("%s", error)
        return False
    return True


def _spare_directories() -> Iterator[Path]:
    """Where this user may write when nothing else is left, and nobody else may."""
    for base in (Path(tempfile.gettempdir()), MEMORY):
        place = base / f"stimme-{os.getuid()}"
        try:
            place.mkdir(mode=0o700, exist_ok=True)
            status = place.lstat()
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022:
            yield place


def unpack(model: Model, directory: Path) -> Path:
    """Unpack a recognizer that comes with Stimme, in place of what is there; returns its directory."""
    target = directory / model.name
    with as_file(files(__package__) / "embedded") as embedded:
        archive, graph = (embedded / file.name for file in model.files)
        for path, file in zip((archive, graph), model.files, strict=True):
            check_sha256(path, file.sha256, "install Stimme again")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".unpack-", dir=directory) as folder:
                finished = Path(folder) / model.name
                with tarfile.open(archive) as tar:
                    _extract(tar, Path(folder))
                with lzma.open(graph) as packed, (finished / "graph" / "HCLG.fst").open("wb") as unpacked:
                    align(packed, unpacked)
                if target.exists():
                    target.rename(Path(folder) / "damaged")
                put(finished, target)
            _remove_replaced(model, directory)
        except OSError as error:
            raise ModelError(f"{directory}: cannot unpack the embedded recognizer: {error}") from error
    return target


def _remove_replaced(model: Model, directory: Path) -> None:
    """Files of earlier releases that nobody needs any more."""
    for name in model.replaces:
        shutil.rmtree(directory / name, ignore_errors=True)


def _extract(tar: tarfile.TarFile, directory: Path) -> None:
    """tar.extractall for our own archive of plain files; its filter="data" is missing before Python 3.11.4."""
    for member in tar:
        content = tar.extractfile(member)
        if content is not None:
            target = directory / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)
