"""Who was paired: tokens are known by their hash alone, expire, are revoked, and survive a restart."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.state.database import Database
from appliance.state.tokens import MOST_PLACES, TokenStore

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_token_is_known_until_it_is_revoked_and_after_a_restart(tmp_path: Path) -> None:
    with Database(tmp_path / "state") as database:
        store = TokenStore(database)
        token, place = store.add("kitchen tablet", "browser")
        assert store.find(token) == place and store.find(token[:-1]) is None and store.find("") is None
    with Database(tmp_path / "state") as database:
        store = TokenStore(database)
        assert store.find(token) == place
        assert store.revoke("kitchen tablet") == (place,)
        assert store.find(token) is None and not store.has(place.id)
    with Database(tmp_path / "state") as database:
        assert TokenStore(database).find(token) is None


def test_the_file_does_not_hold_the_token(tmp_path: Path) -> None:
    with Database(tmp_path / "state") as database:
        token, _ = TokenStore(database).add("radio", "program")
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert len(token) == 43 and token.encode() not in content


def test_the_first_is_the_owner_and_the_others_talk() -> None:
    with Database(None) as database:
        store = TokenStore(database)
        assert [store.add(name, "browser")[1].role for name in ("a", "b")] == ["owner", "talk"]
        assert store.add("c", "program", "configure")[1].role == "configure"
        with pytest.raises(ValueError, match="role"):
            store.add("d", "program", "king")


def test_a_browser_that_stays_away_for_long_is_forgotten_and_one_that_comes_is_not() -> None:
    now = [NOW]
    with Database(None) as database:
        store = TokenStore(database, lambda: now[0])
        rare, often = store.add("rare", "browser"), store.add("often", "browser")
        program = store.add("program", "program")
        now[0] += timedelta(days=399)
        assert store.is_stale(often[1])
        store.change(often[1].id, seen=True)
        now[0] += timedelta(days=2)
        assert store.find(rare[0]) is None
        assert store.find(often[0]) is not None and store.find(program[0]) is not None


def test_names_are_cleaned_and_bounded_and_so_is_their_number() -> None:
    with Database(None) as database:
        store = TokenStore(database)
        assert store.add(" Anna's\n phone\x00 ", "browser")[1].name == "Anna's phone"
        for name in ("", " \n", "x" * 41):
            with pytest.raises(ValueError, match="characters"):
                store.add(name, "browser")
        for number in range(MOST_PLACES - 1):
            store.add(f"n{number}", "browser")
        with pytest.raises(ValueError, match="limit"):
            store.add("one more", "browser")


def test_what_is_changed_is_kept_and_a_damaged_row_is_dropped(tmp_path: Path) -> None:
    with Database(tmp_path / "state") as database:
        store = TokenStore(database)
        token, place = store.add("tablet", "browser")
        other, _ = store.add("other", "browser")
        store.change(place.id, name="kitchen", language="de", volume=35)
        assert store.change("nobody", name="x") is None
    with closing(sqlite3.connect(tmp_path / "state")) as file, file:
        file.execute("UPDATE tokens SET role = 'king' WHERE name = 'other'")
    with Database(tmp_path / "state") as database:
        store = TokenStore(database)
        found = store.find(token)
        assert found is not None and (found.name, found.language, found.volume) == ("kitchen", "de", 35)
        assert store.find(other) is None
