"""Fetching a model of the catalogue into the models directory: all of it or nothing."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import ModelError
from appliance.models.catalogue import CATALOGUE, Model, by_name
from appliance.models.download import Progress, disk_error, download, unpack
from appliance.models.whole import check_content, check_recognizer, check_voice, put

UNPACKED_BYTES = 400_000_000
"""No small model unpacks to more."""
UNPACKED_FACTOR = 3
"""Room for the archive and what is in it: the published small models unpack to less than twice their size."""


def fetch(name: str, directory: Path, progress: Progress) -> Path:
    """Fetch a catalogued model, and return its place. Blocks; returns at once if it is there already.

    progress: called with the bytes that are here and the bytes in all, for all of the model's files together.
    Raises ModelError: unknown name, no network, wrong checksum, disk full, or another fetch under way. Interrupted,
    it leaves what was received for the next call to go on from.
    """
    model = by_name(name)
    if model is None:
        raise ModelError(f"no model called '{name}'; known: {', '.join(m.name for m in CATALOGUE if m.source)}")
    if not model.source:
        raise ModelError(f"{name} comes with Stimme, there is nothing to fetch")
    return fetch_model(model, directory, progress)


def fetch_model(model: Model, directory: Path, progress: Progress) -> Path:
    """As fetch, for any model."""
    target = directory / model.name
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _alone(directory):
            if target.exists():
                if _is_whole(model, target):
                    return _place(model, target)
                shutil.rmtree(target)
            incoming = directory / ".incoming"
            incoming.mkdir(exist_ok=True)
            _check_room(model, incoming)
            _receive(model, incoming, progress)
            _install(model, incoming, target)
            for file in model.files:
                (incoming / file.name).unlink(missing_ok=True)
    except OSError as error:
        if isinstance(error, ModelError):
            raise
        raise disk_error(directory, error) from error
    return _place(model, target)


def _receive(model: Model, incoming: Path, progress: Progress) -> None:
    """Download those of the model's files that are not there yet."""
    before = 0

    def report(here_bytes: int, _: int) -> None:
        progress(before + here_bytes, model.size_bytes)

    for file in model.files:
        if not (incoming / file.name).exists():
            download(f"{model.source}/{file.name}", incoming / file.name, file.size_bytes, file.sha256, report)
        before += file.size_bytes
    progress(model.size_bytes, model.size_bytes)


def _install(model: Model, incoming: Path, target: Path) -> None:
    """Put a model whose files are all there into place."""
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=target.parent) as folder:
        finished = Path(folder) / model.name
        if model.kind == "voice":
            finished.mkdir()
            for file in model.files:
                (incoming / file.name).rename(finished / file.name)
        else:
            archive = incoming / model.files[0].name
            try:
                unpack(archive, Path(folder), UNPACKED_BYTES)
                check_recognizer(finished)
            except ModelError:
                archive.unlink()  # its checksum was right, so it will not be any better next time
                raise
        put(finished, target)


def _place(model: Model, target: Path) -> Path:
    return target / f"{model.name}.onnx" if model.kind == "voice" else target


def _is_whole(model: Model, target: Path) -> bool:
    try:
        (check_voice if model.kind == "voice" else check_recognizer)(_place(model, target))
        check_content(target)
    except ModelError:
        return False
    return True


def _check_room(model: Model, incoming: Path) -> None:
    here = sum(path.stat().st_size for file in model.files for path in incoming.glob(f"{file.name}*"))
    needed = model.size_bytes * (1 if model.kind == "voice" else UNPACKED_FACTOR) - here
    free = shutil.disk_usage(incoming).free
    if free < needed:
        raise ModelError(f"{incoming.parent}: {free / 1e6:.0f} MB free, {model.name} needs {needed / 1e6:.0f} MB")


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep a second fetch into the same directory out, in this process or another."""
    with (directory / ".fetch.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(f"another fetch into {directory} is under way; wait for it to end") from None
        yield
