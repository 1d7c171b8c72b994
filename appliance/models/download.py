"""Fetching one file over HTTP, and unpacking an archive that somebody else made. Knows nothing of models.

What was received is kept beside the target as NAME.part until size and SHA-256 are right; the next attempt asks only
for the rest. An archive is unpacked only if every entry is a plain file or directory inside it and the whole is no
larger than it may be.
"""

from __future__ import annotations

import errno
import stat
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from hashlib import file_digest
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from zipfile import BadZipFile, ZipFile, ZipInfo

from appliance.errors import ModelError

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes in all."""

TIMEOUT_S = 30
ATTEMPTS = 4
WAIT_S = 1.0
"""Before the second attempt, and so much longer before each other one."""
BLOCK_BYTES = 1 << 16


def download(url: str, target: Path, size_bytes: int, sha256: str, progress: Progress) -> None:
    """Make `target` the file at `url`. Returns only when its size and SHA-256 are right; blocks.

    progress gets this file's bytes. Raises ModelError: no network, no such file, wrong content, disk full. What was
    received so far stays for the next call unless it was wrong.
    """
    part = target.with_name(target.name + ".part")
    try:
        _receive(url, part, size_bytes, progress)
        with part.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
        if found != sha256:
            part.unlink()
            raise ModelError(f"{url}: SHA-256 {found}, expected {sha256}; what was fetched is deleted, try again later")
        part.rename(target)
    except OSError as error:
        if isinstance(error, ModelError):
            raise
        raise disk_error(target, error) from error


def _receive(url: str, part: Path, size_bytes: int, progress: Progress) -> None:
    """Grow the part to its whole size. A connection that breaks off is taken up again a few times."""
    for attempt in range(ATTEMPTS):
        time.sleep(attempt * WAIT_S)
        have = part.stat().st_size if part.exists() else 0
        if have > size_bytes:
            part.unlink()
            have = 0
        progress(have, size_bytes)
        if have == size_bytes:
            return
        try:
            with _open(url, have) as response, part.open("ab") as file:
                if have and response.status != 206:  # the server sends all of it again
                    file.truncate(0)
                    have = 0
                while block := _read(response):
                    have += len(block)
                    if have > size_bytes:
                        raise ModelError(f"{url}: sends more than {size_bytes} bytes, which is not the file expected")
                    file.write(block)
                    progress(have, size_bytes)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # the server has less than we do
                part.unlink(missing_ok=True)
            elif error.code < 500 or attempt == ATTEMPTS - 1:
                raise ModelError(f"{url}: the server answers {error.code} {error.reason}") from error
        except (urllib.error.URLError, HTTPException, ConnectionError) as error:
            if attempt == ATTEMPTS - 1:
                reason = getattr(error, "reason", error)
                host = urlsplit(url).hostname
                raise ModelError(
                    f"{host} cannot be reached ({reason}); is there a network? {have} of {size_bytes} "
                    "bytes are here, and the same command goes on from there"
                ) from error
    if not part.exists() or part.stat().st_size != size_bytes:
        have = part.stat().st_size if part.exists() else 0
        raise ModelError(f"{url}: ended after {have} of {size_bytes} bytes; the same command goes on from there")


def _open(url: str, offset: int) -> HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "stimme"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    response: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    return response


def _read(response: HTTPResponse) -> bytes:
    """The next block. Raises ConnectionError for whatever the network does, so that other OSErrors are the disk's."""
    try:
        return response.read(BLOCK_BYTES)
    except OSError as error:
        raise ConnectionError(str(error)) from error


def unpack(archive: Path, directory: Path, most_bytes: int) -> None:
    """Unpack a zip into an empty directory. Raises ModelError, having written nothing outside it."""
    try:
        with ZipFile(archive) as zipped:
            entries = zipped.infolist()
            for entry in entries:
                _check(archive, entry)
            whole = sum(entry.file_size for entry in entries)
            if whole > most_bytes:
                raise ModelError(f"{archive.name}: unpacks to {whole} bytes, expected no more than {most_bytes}")
            for entry in entries:  # zipfile reads no more than the size an entry states, and checks its CRC
                zipped.extract(entry, directory)
    except (BadZipFile, zlib.error, RuntimeError) as error:  # RuntimeError: encrypted, or an unknown compression
        raise ModelError(f"{archive.name}: not a whole zip file ({error})") from error
    except OSError as error:
        if isinstance(error, ModelError):
            raise
        raise disk_error(directory, error) from error


def _check(archive: Path, entry: ZipInfo) -> None:
    # orig_filename: ZipInfo has already cut the name at a NUL
    path = PurePosixPath(entry.orig_filename)
    mode = entry.external_attr >> 16
    plain = mode == 0 or stat.S_IFMT(mode) in (0, stat.S_IFREG, stat.S_IFDIR)
    if path.is_absolute() or ".." in path.parts or not plain or any(c in entry.orig_filename for c in "\\:\0"):
        raise ModelError(
            f"{archive.name}: refused, because of its entry {entry.orig_filename!r}: expected only plain "
            "files inside the archive's own directory"
        )


def disk_error(path: Path, error: OSError) -> ModelError:
    """The error to raise when writing below `path` failed."""
    if error.errno == errno.ENOSPC:
        return ModelError(f"{path}: the disk is full; make room and run the same command again")
    return ModelError(f"{path}: cannot be written ({error.strerror or error})")
