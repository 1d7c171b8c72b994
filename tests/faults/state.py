"""The state's file, as the tests of this folder look at it from outside, and what they say to the assistant."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.caller import Caller

FILE = "stimme.sqlite3"


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Another program writes to the file and does not come to an end."""
    with closing(sqlite3.connect(state / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def kinds(state: Path) -> list[str]:
    """What the file holds: "alarm", "reminder", "timer"; nothing while there is none.

    It is a copy that is opened: SQLite follows /proc/PID/root to the wrong file (disk.py), and leaves traces.
    """
    with tempfile.TemporaryDirectory() as folder:
        for end in ("", "-wal"):
            if (state / f"{FILE}{end}").exists():
                shutil.copy(state / f"{FILE}{end}", folder)
        try:
            with closing(sqlite3.connect(Path(folder) / FILE)) as copy:
                return [kind for (kind,) in copy.execute("SELECT kind FROM timers ORDER BY kind")]
        except sqlite3.DatabaseError:
            return []  # it was being made


async def answer(person: Caller, text: str, language: str = "en") -> str:
    return str((await person.type(text, language=language, until="answer")).first("answer")["text"])


async def announced_within(person: Caller, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await person.receive("announce")
    except TimeoutError:
        return False
    return True
