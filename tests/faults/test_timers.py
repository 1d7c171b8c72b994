"""What happens to timers when nobody is there, when the file is locked, and when the process dies. From outside."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.faults.state import announced_within, answer, kinds, locked
from tests.support.caller import caller
from tests.support.hostile import half_open
from tests.support.patience import until
from tests.support.server import RunningServer, running_server

ALARM_TOMORROW = "set an alarm for seven o'clock tomorrow morning"


def test_a_due_timer_rings_once_when_its_row_cannot_be_deleted(tmp_path: Path) -> None:
    async def go(server: RunningServer) -> None:
        async with caller(server.url) as person:
            await person.hello(speak=False)
            await answer(person, "set a timer for two seconds")
            with locked(tmp_path):
                assert (await person.receive("announce"))["kind"] == "timer"
                server.process.send_signal(signal.SIGHUP)  # the look at other processes' changes meets the lock as well
                assert "can't write to my disk" in await answer(person, "add milk to the shopping list")
                begin = time.monotonic()
                assert await answer(person, "how much time is left") == "No timer is running."
                assert time.monotonic() - begin < 1
            await until(lambda: kinds(tmp_path) == [])
            assert not await announced_within(person, 1)
        assert server.process.poll() is None

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(go(server))
        assert "Traceback" not in server.log.read_text()
        assert server.log.read_text().count("database is locked") == 1


def test_a_locked_file_delays_nobody_and_what_is_set_is_kept_later(tmp_path: Path) -> None:
    async def go(server: RunningServer) -> None:
        async with caller(server.url) as person, caller(server.url) as other:
            await person.hello(speak=False)
            await other.hello(speak=False)
            with locked(tmp_path):
                begin = time.monotonic()
                setting = asyncio.create_task(answer(person, "set a pizza timer for ten minutes"))
                await answer(other, "what is two plus two")
                others_s = time.monotonic() - begin
                said = await setting
                setting_s = time.monotonic() - begin
            assert said.startswith("Pizza timer set for ten minutes. But I can't write to my disk")
            assert others_s < setting_s < 2
            assert "minutes" in await answer(other, "how much time is left on the pizza timer")
            await until(lambda: kinds(tmp_path) == ["timer"])

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(go(server))


def test_a_timer_due_with_nobody_there_is_told_to_the_next_visitor_and_only_to_them(tmp_path: Path) -> None:
    async def go(server: RunningServer) -> None:
        async with caller(server.url) as person:
            await answer(person, "set a pizza timer for one second")
        await until(lambda: "was heard by nobody" in server.log.read_text())
        assert kinds(tmp_path) == ["timer"]
        async with caller(server.url) as person:
            await person.hello(language="de", speak=False)
            told = await person.receive("announce")
            assert (told["kind"], told["text"]) == ("timer", "Der Pizza-Timer ist abgelaufen.")
            await until(lambda: kinds(tmp_path) == [])
        async with caller(server.url) as other:
            await other.hello()
            assert not await announced_within(other, 1)

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(go(server))
        assert server.log.read_text().count("was heard by nobody: the next visitor is told") == 1
        assert "pizza" not in server.log.read_text()


def test_a_timer_due_while_the_process_was_down_waits_for_the_page(tmp_path: Path) -> None:
    async def set_one(server: RunningServer) -> None:
        async with caller(server.url) as person:
            await answer(person, "set a timer for one second")
            server.process.kill()
            server.process.wait()

    async def come_back(server: RunningServer) -> None:
        await asyncio.sleep(1)  # a page waits before it comes back
        async with caller(server.url) as person:
            await person.hello(speak=False)
            assert "timer" in (await person.receive("announce"))["text"]
            await until(lambda: kinds(tmp_path) == [])

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(set_one(server))
    time.sleep(1)
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(come_back(server))


def test_what_was_missed_long_ago_is_told_with_its_time(tmp_path: Path) -> None:
    async def go(server: RunningServer) -> None:
        async with caller(server.url) as person:
            await person.hello(speak=False)
            told = await person.receive("announce")
            assert told["text"].startswith("You missed this at ")
            assert told["text"].endswith("call Anna.")

    with running_server({"STIMME_STATE": str(tmp_path)}):
        pass
    with closing(sqlite3.connect(tmp_path / "stimme.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO timers (id, kind, name, due_s, duration_s, boot_id)"
            " VALUES (1, 'reminder', 'call Anna', ?, 0, '')",
            (time.time() - 7200,),
        )
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(go(server))


def test_a_client_that_is_out_of_reach_has_not_heard_it(tmp_path: Path) -> None:
    """A phone that left the house: its connection is open, but nothing comes back."""

    async def go(server: RunningServer) -> None:
        async with caller(server.url) as person:
            await answer(person, "set a timer for two seconds")
        away = asyncio.create_task(half_open(server.port))
        await asyncio.sleep(3)
        async with caller(server.url) as person:
            await person.hello(speak=False)
            assert (await person.receive("announce"))["kind"] == "timer"
        away.cancel()

    with running_server({"STIMME_STATE": str(tmp_path), "PING_INTERVAL": "60"}) as server:
        asyncio.run(go(server))


def test_stop_the_alarm_is_about_the_one_that_rings_and_not_about_tomorrows(tmp_path: Path) -> None:
    async def go(server: RunningServer) -> None:
        async with caller(server.url) as person:
            await person.hello(speak=False)
            await answer(person, ALARM_TOMORROW)
            await answer(person, "wake me in two seconds")
            assert (await person.receive("announce"))["kind"] == "alarm"
            for _ in range(2):  # while it rings, or a moment later
                said = await answer(person, "stop the alarm")
                assert said.startswith("Okay, the alarm is off. The next one rings at seven o'clock")
            await until(lambda: kinds(tmp_path) == ["alarm"])
            assert "seven" in await answer(person, "when is my alarm")

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(go(server))


def test_stop_the_timer_is_about_the_one_that_rings_and_not_about_another(tmp_path: Path) -> None:
    async def go(server: RunningServer) -> None:
        async with caller(server.url) as person:
            await person.hello(language="de", speak=False)
            await answer(person, "stelle einen pizza timer auf zehn minuten", "de")
            await answer(person, "stelle einen timer auf eine sekunde", "de")
            await person.receive("announce")
            said = await answer(person, "stopp den timer", "de")
            assert said.startswith("Okay, er ist aus; der Pizza-Timer läuft noch neun Minuten")
            await until(lambda: kinds(tmp_path) == ["timer"])

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(go(server))


def test_a_turn_that_comes_again_after_a_crash_sets_one_timer(tmp_path: Path) -> None:
    async def ask(server: RunningServer) -> str:
        async with caller(server.url) as person:
            await person.send(type="text", id="a-turn-id-like-no-other", text="set a timer for ten minutes")
            return str(json.dumps(await person.receive("answer")))

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(ask(server))
        server.process.kill()
        server.process.wait()
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        assert "Timer set for ten minutes" in asyncio.run(ask(server))
        assert kinds(tmp_path) == ["timer"]
