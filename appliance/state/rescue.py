"""What can be read from a file that cannot be opened: its disk is read-only or full, or somebody has locked it."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from appliance.state.repository import Repository
from appliance.state.schema import readable

log = logging.getLogger(__name__)

MEMORY = Path("/dev/shm")
"""A file system in memory that every Linux has."""


def rescue(path: Path, repository: Repository[Any, Any]) -> None:
    """Load a repository from a copy of the file. Nothing happens if that is impossible.

    A copy with its log, because SQLite cannot open a log on a disk that it cannot write; after a power cut the log has
    everything since the last proper end.
    """
    try:
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
            for end in ("", "-wal"):
                part = path.with_name(path.name + end)
                if part.is_file():
                    shutil.copyfile(part, Path(folder) / part.name)
            with closing(sqlite3.connect(Path(folder) / path.name)) as copy:
                copy.text_factory = readable
                repository.load(copy.execute(repository.table.select).fetchall())
    except (OSError, sqlite3.Error) as error:
        log.debug("%s: nothing could be rescued (%s)", path, error)
