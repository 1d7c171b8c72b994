"""A voice's weights, made once from the published file and kept: at build time in a directory that is only read later,
otherwise in the cache.

Their name holds a key of the voice file's size, beginning and end: every training changes all of the weights, and
reading the other 60 MB of them at each start would take a second from an SD card. Making them runs in a process of its
own, because it needs five times the memory that speaking does. Where they cannot be kept, they are made at each start.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from appliance.errors import ModelError
from appliance.models.whole import check_published, check_voice
from appliance.speaking.published import PublishedVits, is_installed
from appliance.speaking.vits import Synthesis, Vits
from appliance.speaking.weights import OtherShape
from native.vits import VERSION, is_slow, kernels

log = logging.getLogger(__name__)

SUFFIX = ".vits"
TIMEOUT_S = 120

_KEY_BYTES = 1 << 20
_KEY_DIGITS = 16


def load_network(voice: Path, cache: Path, prepared: Iterable[Path] = ()) -> Synthesis:
    """The voice's network: streaming where it is of the usual size, else through onnxruntime. Blocks.

    cache, prepared: as prepare_voice has them. Takes 0.1 s, and a second more the first time. Raises ModelError.
    """
    check_voice(voice)
    if is_slow(kernels()[0]) and is_installed():
        log.info("voice %s: this processor has no AVX2; onnxruntime speaks", voice.name)
        return PublishedVits(voice)
    for weights in _found(voice, cache, prepared):
        try:
            return Vits(weights)
        except (ValueError, OSError) as error:
            log.warning("%s: %s; it is made again from %s", weights, error, voice)
    try:
        with _made(voice) as weights:
            try:
                _keep(weights, voice, cache)
            except OSError as error:
                log.warning(
                    "voice %s: its weights cannot be kept in %s (%s); they are made at each start",
                    voice.name,
                    cache,
                    error,
                )
            return Vits(weights)
    except OtherShape as error:
        log.info("voice %s: %s; onnxruntime speaks it, clause by clause", voice.name, error)
        return PublishedVits(voice)


def prepare_voice(voice: Path, cache: Path, prepared: Iterable[Path] = ()) -> Path:
    """The voice's weights file, beside it, in a `prepared` directory or in `cache`; made there otherwise. Blocks.

    cache: directory; made if missing. prepared: directories that are only looked into.
    Raises OtherShape for a voice that only onnxruntime can speak, ModelError for one that is damaged, OSError if the
    file cannot be written.
    """
    check_voice(voice)
    found = next(_found(voice, cache, prepared), None)
    if found is None:
        with _made(voice) as weights:
            found = _keep(weights, voice, cache)
    return found


def _found(voice: Path, cache: Path, prepared: Iterable[Path]) -> Iterator[Path]:
    name = _name(voice)
    for directory in (voice.parent, *prepared, cache):
        if (directory / name).is_file():
            yield directory / name


@contextmanager
def _made(voice: Path) -> Iterator[Path]:
    """The voice's weights in a file that lies in memory."""
    check_published(voice)  # once, because it reads all 63 MB
    descriptor = os.memfd_create(voice.name)
    command = [sys.executable, "-m", "appliance.speaking.weights", str(voice.resolve()), f"/dev/fd/{descriptor}"]
    source = Path(__file__).parents[2]  # from where the command finds this package, wherever it was started
    try:
        done = subprocess.run(
            command, cwd=source, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, pass_fds=[descriptor]
        )
        if done.returncode:
            kind, _, what = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1].partition(": ")
            if kind == OtherShape.__name__:
                raise OtherShape(what)
            raise ModelError(f"{voice}: this voice is damaged ({what or kind}); fetch it again")
        yield Path(f"/proc/self/fd/{descriptor}")
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{voice}: its weights were not made within {TIMEOUT_S} s") from error
    finally:
        os.close(descriptor)


def _keep(weights: Path, voice: Path, cache: Path) -> Path:
    """Copy them into the cache, all or nothing, in place of other versions of this voice."""
    target = cache / _name(voice)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".prepare-", dir=cache) as folder:
        copy = Path(folder) / target.name
        with copy.open("wb") as file:
            file.write(weights.read_bytes())
            file.flush()
            os.fsync(file.fileno())  # so that after a power cut what is behind the new name is whole
        copy.rename(target)
    for other in cache.glob(f"{voice.stem}-{'[0-9a-f]' * _KEY_DIGITS}*"):
        if other.is_dir():
            shutil.rmtree(other, ignore_errors=True)  # an earlier release kept two halves
        elif other != target:
            other.unlink(missing_ok=True)
    return target


def _name(voice: Path) -> str:
    with voice.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        digest = sha256(VERSION.to_bytes(4, "little") + size.to_bytes(8, "little") + file.read(_KEY_BYTES))
        file.seek(max(0, size - _KEY_BYTES))
        digest.update(file.read(_KEY_BYTES))
    return f"{voice.stem}-{digest.hexdigest()[:_KEY_DIGITS]}{SUFFIX}"
