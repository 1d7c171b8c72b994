"""The recognizers that come with Stimme: archives inside the package, unpacked before they are used.

`stimme models prepare` unpacks them at build time, so that an image starts from a read-only disk. Where nothing
prepared is found, one is unpacked into the models directory the first time it is asked for.

Beside a model's archive lies its decoding graph in one piece (tools/expand_graph.cc), which Vosk prefers.
"""

from __future__ import annotations

import logging
import lzma
import shutil
import sys
import tarfile
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from appliance.errors import ModelError
from appliance.models.catalogue import Model
from appliance.models.whole import check_recognizer, check_sha256, put

log = logging.getLogger(__name__)


def prepared_directory() -> Path:
    """Where `stimme models prepare` puts models, and where they are looked for: beside the Python that runs."""
    return Path(sys.prefix) / "share" / "stimme" / "models"


def voices_within(models: Path) -> Path:
    """Where a directory of models has what was made of its voices at build time."""
    return models / "voices"


def embedded_recognizer(model: Model, directory: Path, prepared: Path) -> Path:
    """The directory of a recognizer that comes with Stimme; unpacked into `directory` if it is ready in neither.

    One that lies in `directory` damaged is unpacked again. Raises ModelError if that is impossible.
    """
    for place in (prepared, directory):
        target = place / model.name
        try:
            check_recognizer(target)
            return target
        except ModelError as error:
            if target.exists():
                log.warning("%s", error)
    return unpack(model, directory)


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
                    shutil.copyfileobj(packed, unpacked)
                if target.exists():
                    target.rename(Path(folder) / "damaged")
                put(finished, target)
            for name in model.replaces:
                shutil.rmtree(directory / name, ignore_errors=True)
        except OSError as error:
            raise ModelError(f"{directory}: cannot unpack the embedded recognizer: {error}") from error
    return target


def _extract(tar: tarfile.TarFile, directory: Path) -> None:
    """tar.extractall for our own archive of plain files; its filter="data" is missing before Python 3.11.4."""
    for member in tar:
        content = tar.extractfile(member)
        if content is not None:
            target = directory / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)
