"""Disks that are full, read-only, removed, damaged or not what they should be, under a real process."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.state import FILE, answer, kinds
from tests.support.caller import Caller, caller
from tests.support.disk import SmallDisk, small_disk
from tests.support.patience import until
from tests.support.server import RunningServer, running_server

SET = "set a pizza timer for ten minutes"
SAVED = "Pizza timer set for ten minutes."
UNSAVED = f"{SAVED} But I can't write to my disk, so I would forget that if I were switched off."


def talk(server: RunningServer, story: Callable[[Caller], Coroutine[Any, Any, None]]) -> None:
    """One person, who reads, and a process that lives on and has no bug to report."""

    async def go() -> None:
        async with caller(server.url) as person:
            await person.hello(speak=False)
            await story(person)

    asyncio.run(go())
    assert server.process.poll() is None
    assert "Traceback" not in server.log.read_text()


def errors(server: RunningServer) -> list[str]:
    return [line for line in server.log.read_text().splitlines() if "cannot be used" in line]


def on(disk: SmallDisk) -> dict[str, Any]:
    return {"settings": {"STIMME_STATE": str(disk.folder)}, "prefix": disk.prefix}


def test_a_disk_that_fills_up_loses_nothing_and_is_written_once_there_is_room(tmp_path: Path) -> None:
    async def story(person: Caller) -> None:
        assert await answer(person, "set a tea timer for nine minutes") == "Tea timer set for nine minutes."
        await asyncio.to_thread(disk.fill)
        assert await answer(person, SET) == UNSAVED
        await answer(person, "set a timer for one second")
        assert (await person.receive("announce"))["kind"] == "timer"
        server.process.send_signal(signal.SIGHUP)  # the look at other processes' changes, too
        assert await answer(person, "cancel the tea timer") == (
            "Tea timer cancelled. But I can't write to my disk, so I would forget that if I were switched off."
        )
        disk.free()
        await until(lambda: kinds(disk.inside) == ["timer"])
        assert (await answer(person, "how much time is left")).startswith("The pizza timer has")

    with small_disk(tmp_path / "disk") as disk, running_server(**on(disk)) as server:
        talk(server, story)
        assert len(errors(server)) == 1


def test_on_a_full_disk_it_starts_rings_what_is_due_and_starts_again(tmp_path: Path) -> None:
    async def set_one(person: Caller) -> None:
        await answer(person, "set a timer for one second")
        server.process.kill()
        await asyncio.to_thread(server.process.wait)

    async def still_there(person: Caller) -> None:
        assert (await person.receive("announce"))["kind"] == "timer"
        assert await answer(person, SET) == UNSAVED

    with small_disk(tmp_path / "disk") as disk:
        with running_server(**on(disk)) as server, pytest.raises(AssertionError):
            talk(server, set_one)
        disk.fill()
        for _ in range(2):
            with running_server(**on(disk)) as server:
                talk(server, still_there)


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_an_empty_disk_that_cannot_be_written_is_one_line_and_no_reason_not_to_start(
    fault: str, tmp_path: Path
) -> None:
    async def story(person: Caller) -> None:
        assert await answer(person, "what is two plus two") == "2 plus 2 is 4."
        assert await answer(person, SET) == UNSAVED
        (disk.free if fault == "full" else disk.make_writable)()
        await until(lambda: (disk.inside / FILE).exists() and kinds(disk.inside) == ["timer"])
        assert await answer(person, SET) == SAVED

    with small_disk(tmp_path / "disk") as disk:
        (disk.fill if fault == "full" else disk.make_read_only)()
        with running_server(**on(disk)) as server:
            talk(server, story)
            assert len(errors(server)) == 1


def test_what_was_set_before_the_disk_became_read_only_still_rings(tmp_path: Path) -> None:
    async def set_one(person: Caller) -> None:
        await answer(person, "set a timer for one second")

    async def rings(person: Caller) -> None:
        assert (await person.receive("announce"))["kind"] == "timer"

    with small_disk(tmp_path / "disk") as disk:
        with running_server(**on(disk)) as server:
            talk(server, set_one)
        disk.make_read_only()
        with running_server(**on(disk)) as server:
            talk(server, rings)


def test_a_directory_in_the_files_place_is_one_line_and_timers_work(tmp_path: Path) -> None:
    async def story(person: Caller) -> None:
        assert await answer(person, SET) == UNSAVED
        assert (await answer(person, "how much time is left")).startswith("The pizza timer has")

    (tmp_path / FILE).mkdir()
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        talk(server, story)
        assert [line.partition(" (")[2].partition(")")[0] for line in errors(server)] == ["it is a directory"]


def test_a_state_directory_that_is_removed_is_noticed_and_made_again(tmp_path: Path) -> None:
    async def story(person: Caller) -> None:
        assert await answer(person, SET) == SAVED
        shutil.rmtree(tmp_path / "state")
        await until(lambda: (tmp_path / "state" / FILE).exists() and kinds(tmp_path / "state") == ["timer"])
        shutil.rmtree(tmp_path / "state")
        assert await answer(person, "set an egg timer for six minutes") == "Egg timer set for six minutes."
        assert kinds(tmp_path / "state") == ["timer", "timer"]

    with running_server({"STIMME_STATE": str(tmp_path / "state")}) as server:
        talk(server, story)
        assert server.log.read_text().count("was removed or replaced") == 2


ROWS = {
    "a date in the far future": "due_s = 1e18",
    "text where a number belongs": "due_s = 'soon'",
    "a number where text belongs": "kind = 7",
    "infinity": "duration_s = 9e999",
}


def test_damaged_rows_are_dropped_and_the_others_kept(tmp_path: Path) -> None:
    async def story(person: Caller) -> None:
        assert (await answer(person, "when is my alarm")).startswith("Your alarm rings at seven")

    async def set_them(person: Caller) -> None:
        for _ in ROWS:
            await answer(person, SET)
        await answer(person, "set an alarm for seven o'clock tomorrow morning")

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        talk(server, set_them)
    with closing(sqlite3.connect(tmp_path / FILE)) as database, database:
        ids = [id for (id,) in database.execute("SELECT id FROM timers WHERE kind = 'timer'")]
        for id, damage in zip(ids, ROWS.values(), strict=True):
            database.execute(f"UPDATE timers SET {damage} WHERE id = ?", (id,))
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        talk(server, story)
        assert server.log.read_text().count("a row of timers is damaged") == len(ROWS)
    assert kinds(tmp_path) == ["alarm"]


@pytest.mark.parametrize("damage", ["ALTER TABLE timers DROP COLUMN due_s", "half"])
def test_a_wrong_file_is_moved_aside_and_timers_are_kept_again(damage: str, tmp_path: Path) -> None:
    async def story(person: Caller) -> None:
        assert await answer(person, SET) == SAVED

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        talk(server, story)
    file = tmp_path / FILE
    if damage == "half":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2 + 100])
    else:
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(damage)
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        talk(server, story)
        assert server.log.read_text().count("moved to") == 1
    assert (tmp_path / "stimme.damaged").exists()
    assert kinds(tmp_path) == ["timer"]


def test_a_newer_releases_file_is_used_and_its_columns_are_kept(tmp_path: Path) -> None:
    async def story(person: Caller) -> None:
        assert await answer(person, SET) == SAVED

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        talk(server, story)
    with closing(sqlite3.connect(tmp_path / FILE)) as database, database:
        database.execute("ALTER TABLE timers ADD COLUMN room TEXT NOT NULL DEFAULT 'kitchen'")
        database.execute("UPDATE timers SET room = 'bath'")
        database.execute("UPDATE schema_versions SET version = 99")
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        talk(server, story)
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        assert database.execute("SELECT room FROM timers ORDER BY room").fetchall() == [("bath",), ("kitchen",)]


def test_a_file_that_is_locked_at_the_start_is_read_and_written_later(tmp_path: Path) -> None:
    async def set_one(person: Caller) -> None:
        assert await answer(person, SET) == SAVED

    async def story(person: Caller) -> None:
        assert (await answer(person, "how much time is left")).startswith("The pizza timer has")
        assert (await answer(person, "set an egg timer for six minutes")).endswith("if I were switched off.")
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: kinds(tmp_path) == ["timer", "timer"])

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        talk(server, set_one)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    begin = time.monotonic()
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        assert time.monotonic() - begin < 30
        talk(server, story)
