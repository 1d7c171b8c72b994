"""The file under everything durable: what other releases, other programs and bad disks do to it."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.dialogue.actions import SetTimer
from appliance.errors import ConfigError
from appliance.state.database import BUSY_S, Database
from appliance.state.schema import Change, Table, migrate, version
from appliance.state.timers import TimerStore
from tests.state.clocks import HandClock

CLOCK = HandClock()


def tea(minutes: float = 5, name: str = "tea") -> SetTimer:
    return SetTimer("timer", CLOCK.now() + timedelta(minutes=minutes), name, 60 * minutes)


def names(store: TimerStore) -> list[str]:
    return [timer.name for timer in store.pending()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "stimme.sqlite3"


@contextmanager
def opened(path: Path | None, *, alone: bool = False) -> Iterator[TimerStore]:
    with Database(path, alone=alone) as database:
        yield TimerStore(database, CLOCK)


def sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    """What another program does to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        return [row for statement in statements for row in other.execute(statement).fetchall()]


@contextmanager
def locked(path: Path, how: str = "EXCLUSIVE") -> Iterator[None]:
    """Another program has locked the file, exclusively, or against writing while others have it open."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        if how == "EXCLUSIVE":
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute(f"BEGIN {how}")
        yield
        other.execute("ROLLBACK")


def test_what_is_durable_is_written_through_to_the_disk(path: Path) -> None:
    with opened(path) as store:
        connection = store.database._connected()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        store.add(tea())
        assert store.database.durable


# Releases


def test_a_file_from_before_there_were_versions_is_taken_over(path: Path) -> None:
    path.parent.mkdir()
    sql(
        path,
        "CREATE TABLE timers (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL,"
        " due_s REAL NOT NULL, duration_s REAL NOT NULL, boot_due_s REAL, boot_id TEXT NOT NULL)",
        f"INSERT INTO timers VALUES (7, 'alarm', '', {CLOCK.now().timestamp() + 60}, 0, NULL, '')",
    )
    with opened(path) as store:
        assert [timer.id for timer in store.pending()] == [7]
        store.add(tea())
    with opened(path) as store:
        assert names(store) == ["", "tea"]


def test_an_older_release_uses_a_newer_ones_file_and_leaves_its_columns_alone(path: Path) -> None:
    with opened(path) as store:
        store.add(tea())
    sql(
        path,
        "ALTER TABLE timers ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",
        "UPDATE timers SET colour = 'blue'",
        "UPDATE schema_versions SET version = 99 WHERE name = 'timers'",
        "CREATE TABLE something_new (id INTEGER PRIMARY KEY)",
    )
    with opened(path) as store:
        CLOCK.set_by(3600)
        store.follow_clock()  # rewrites the row
        store.add(tea(name="egg"))
        assert names(store) == ["tea", "egg"]
    assert sql(path, "SELECT name, colour FROM timers ORDER BY name") == [("egg", "red"), ("tea", "blue")]
    assert sql(path, "SELECT version FROM schema_versions WHERE name = 'timers'") == [(99,)]


def test_migrations_are_taken_one_after_the_other_and_once(path: Path) -> None:
    first = Table("things", ("id", "a"), ("CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT)",))
    added = "ALTER TABLE things ADD COLUMN b TEXT DEFAULT 'new'"
    second = Table("things", ("id", "a", "b"), (*first.migrations, added))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, first)
        connection.execute(first.upsert, (1, "old"))
        for _ in range(2):
            migrate(connection, second)
        assert version(connection, second) == 2
        assert connection.execute(second.select).fetchall() == [(1, "old", "new")]
        migrate(connection, first)  # rolled back
        assert version(connection, first) == 2


# Files that are not ours


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE timers DROP COLUMN duration_s",
        "DROP TABLE timers",
        "UPDATE schema_versions SET version = 'new'",
        "DROP TABLE timers; CREATE TABLE timers (id INTEGER PRIMARY KEY, kind, name, due_s, duration_s, boot_due_s,"
        " boot_id, colour TEXT NOT NULL)",
        "DROP TABLE timers; CREATE TABLE timers (id, kind, name, due_s, duration_s, boot_due_s, boot_id)",
    ],
)
def test_a_wrong_file_is_moved_aside(change: str, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(path) as store:
        store.add(tea())
    sql(path, *change.split(";"))
    with opened(path) as store:
        assert names(store) == []
        store.add(tea(name="egg"))
        assert store.database.durable
    with opened(path) as store:
        assert names(store) == ["egg"]
    assert path.with_suffix(".damaged").exists()
    assert caplog.text.count("moved to") == 1


def test_a_file_that_is_no_database_is_moved_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database " * 500)
    with opened(path) as store:
        store.add(tea())
    with opened(path) as store:
        assert names(store) == ["tea"]
    assert path.with_suffix(".damaged").read_bytes().startswith(b"this is no database")
    assert "moved to" in caplog.text


def test_a_file_that_is_damaged_while_running_is_written_anew(path: Path) -> None:
    with opened(path) as store:
        store.add(tea())
        sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.write(b"\0" * path.stat().st_size)
        store.database._disconnect()  # else its pages are still remembered
        store.add(tea(name="egg"))
        assert store.database.durable
    with opened(path) as store:
        assert names(store) == ["tea", "egg"]


@pytest.mark.parametrize("column", ["kind", "name", "due_s", "duration_s"])
@pytest.mark.parametrize("value", ["1e18", "-1", "9e999", "'words'", "x'00ff'"])
def test_a_damaged_row_is_dropped_and_the_others_stay(
    column: str, value: str, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if (column, value) == ("name", "'words'"):
        value = "x'61'"
    with opened(path) as store:
        store.add(tea())
        kept = store.add(tea(name="egg"))
    sql(path, f"UPDATE timers SET {column} = {value} WHERE name = 'tea'")
    if column == "name" and value not in ("x'00ff'", "x'61'"):
        return  # SQLite makes text of numbers
    with opened(path) as store:
        assert [timer.id for timer in store.pending()] == [kept.id]
    assert "a row of timers is damaged" in caplog.text
    assert sql(path, "SELECT count(*) FROM timers") == [(1,)]


@pytest.mark.parametrize("id", [-1, 0, 2**53, 2**63 - 1])
def test_an_impossible_id_is_a_damaged_row(id: int, path: Path) -> None:
    with opened(path) as store:
        store.add(tea())
    sql(path, f"UPDATE timers SET id = {id}")
    with opened(path) as store:
        store.add(tea(name="egg"))
        assert names(store) == ["egg"]


def test_text_that_is_not_utf8_is_text_all_the_same(path: Path) -> None:
    with opened(path) as store:
        store.add(tea())
    sql(path, "UPDATE timers SET name = CAST(x'74ff61' AS TEXT)")
    with opened(path) as store:
        assert names(store) == ["t\ufffda"]


# Disks


def test_a_locked_file_is_waited_for_a_moment_and_written_later(path: Path) -> None:
    with opened(path) as store:
        gone = store.add(tea(name="gone"))
        with locked(path, "IMMEDIATE"):
            begin = time.monotonic()
            store.add(tea())
            store.cancel(gone.id)
            assert time.monotonic() - begin < 2 * BUSY_S + 0.5
            assert (names(store), store.database.durable) == (["tea"], False)
            assert "locked" in store.database.problem
        store.database.catch_up()
        assert store.database.durable
    with opened(path) as store:
        assert names(store) == ["tea"]


def test_a_file_locked_at_the_start_is_read_as_soon_as_it_can_be(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(path) as store:
        store.add(tea())
    with locked(path):
        database = Database(path)
        late = TimerStore(database, CLOCK)
        assert names(late) == ["tea"], "it is read from a copy"
        late.add(tea(name="egg"))
    with caplog.at_level(logging.INFO):
        assert database.catch_up()
    assert (sorted(names(late)), database.durable) == (["egg", "tea"], True)
    assert caplog.text.count("cannot be used") == caplog.text.count("can be used again") == 1
    database.close()


def test_a_directory_in_the_files_place_is_said_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.mkdir(parents=True)
    with opened(path) as store:
        store.add(tea())
        store.database.catch_up()
        assert (names(store), store.database.durable) == (["tea"], False)
        assert [record.message for record in caplog.records] == [
            f"{path} cannot be used (it is a directory): what is asked for now does not survive a restart"
        ]
        path.rmdir()
        store.database.catch_up()
        assert store.database.durable


def test_a_state_directory_that_was_removed_is_made_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(path, alone=True) as store:
        store.add(tea())
        shutil.rmtree(path.parent)
        assert store.database.catch_up()
        assert "removed or replaced" in caplog.text
        shutil.rmtree(path.parent)
        store.add(tea(name="egg"))
        assert store.database.durable
        with pytest.raises(ConfigError):
            Database(path, alone=True)
    with opened(path) as store:
        assert names(store) == ["tea", "egg"]


def test_a_file_put_back_from_a_copy_is_taken_over(path: Path, tmp_path: Path) -> None:
    with opened(path) as store:
        store.add(tea())
    shutil.copy(path, tmp_path / "copy")
    with opened(path) as store:
        store.add(tea(name="egg"))
        for file in path.parent.iterdir():
            file.unlink()
        (tmp_path / "copy").rename(path)
        store.database.catch_up()
        assert names(store) == ["tea", "egg"]
    with opened(path) as store:
        assert names(store) == ["tea", "egg"]


def test_what_is_refused_in_the_middle_is_refused_whole(path: Path) -> None:
    with opened(path) as store:
        broken = Change(Table("nothing", ("id", "x"), ()), 1, (2,))
        store.database.change(
            lambda: (
                None,
                [
                    store._rows.put(1, store._rows.decode(1, "timer", "tea", 10, 10, None, "", None, "", None, "")),
                    broken,
                ],
            )
        )
        assert not store.database.durable
    assert sql(path, "SELECT count(*) FROM timers") == [(0,)]


# Several


def test_the_second_process_is_told_who_was_first(path: Path) -> None:
    with opened(path, alone=True) as first:
        with pytest.raises(ConfigError, match=rf"is in use by process {os.getpid()}\. .*STIMME_STATE"):
            Database(path, alone=True)
        with opened(path) as asking:  # the command line may
            asking.add(tea())
        assert first.database.catch_up()
        assert names(first) == ["tea"]
    Database(path, alone=True).close()


def test_an_effect_is_carried_out_once_even_after_a_restart(path: Path) -> None:
    with opened(path) as store:
        first = store.add(tea(), "session/turn-1/0")
        assert store.add(tea(), "session/turn-1/0").id == first.id
        store.add(tea(), "session/turn-1/1")
        assert len(names(store)) == 2
    with opened(path) as store:
        assert store.add(tea(), "session/turn-1/0").id == first.id
        assert len(names(store)) == 2
        assert store.cancel(first.id, "session/turn-2/0") is True
        assert store.cancel(first.id, "session/turn-2/0") is True
        assert store.cancel(first.id, "session/turn-3/0") is False


def test_only_the_last_effects_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.state.effects.KEPT", 3)
    with opened(path) as store:
        for number in range(5):
            store.add(tea(), f"{number}")
    assert sql(path, "SELECT name FROM effects ORDER BY rowid") == [("2",), ("3",), ("4",)]


def test_whoever_listens_is_told_of_changes_and_no_longer_once_it_has_left(path: Path) -> None:
    told: list[str] = []
    with opened(path) as store:
        leave = store.database.listen(lambda: told.append(threading.current_thread().name))
        added = store.add(tea())
        store.cancel(0)  # changes nothing
        thread = threading.Thread(target=store.cancel, args=(added.id,), name="another")
        thread.start()
        thread.join()
        leave()
        store.add(tea())
    assert told == ["MainThread", "another"]
