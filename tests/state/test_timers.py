"""Timers through restarts, reboots and clocks that jump."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.dialogue.reading.days import Day
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.types import SetTimer, Timer
from appliance.state.clock import Clock, LocalZone
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from appliance.state.watch import FORGIVEN_S, watch
from tests.state.clocks import HandClock

T = TypeVar("T")


async def at_once(function: Callable[..., T], *args: object) -> T:
    """Disk work in the test's own thread."""
    return function(*args)


async def never(due: Timer) -> None:
    pytest.fail(f"{due} rang")


def timer(clock: HandClock, seconds: float, name: str = "") -> SetTimer:
    return SetTimer("timer", clock.now() + timedelta(seconds=seconds), name, seconds)


def alarm(clock: HandClock, seconds: float) -> SetTimer:
    return SetTimer("alarm", clock.now() + timedelta(seconds=seconds))


@contextmanager
def timers(path: Path | None, clock: Clock | None = None) -> Iterator[TimerStore]:
    with Database(path) as database:
        yield TimerStore(database, clock)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(clock: HandClock) -> Iterator[TimerStore]:
    with timers(None, clock) as opened:
        yield opened


@asynccontextmanager
async def watched(store: TimerStore, clock: HandClock) -> AsyncIterator[list[tuple[str, float]]]:
    """Runs the watcher; the list fills with names and the boot times at which they rang."""
    rang: list[tuple[str, float]] = []

    async def ring(due: Timer) -> None:
        rang.append((due.name or due.kind, clock.boottime_s() - 1000))

    watching = asyncio.create_task(watch(store, ring, at_once))
    try:
        await asyncio.wait_for(clock.idle.wait(), 5)
        yield rang
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_timer_rings_when_it_is_due_and_is_gone(store: TimerStore, clock: HandClock) -> None:
    store.add(timer(clock, 300, "pizza"))
    async with watched(store, clock) as rang:
        assert rang == [("pizza", 300)]
        assert store.pending() == ()


async def test_several_ring_in_order_of_time(store: TimerStore, clock: HandClock) -> None:
    store.add(timer(clock, 300, "pizza"))
    store.add(timer(clock, 60, "egg"))
    store.add(alarm(clock, 120))
    assert [pending.name for pending in store.pending()] == ["egg", "", "pizza"]
    async with watched(store, clock) as rang:
        assert rang == [("egg", 60), ("alarm", 120), ("pizza", 300)]


async def test_one_set_while_watching_rings_too(store: TimerStore, clock: HandClock) -> None:
    async with watched(store, clock) as rang:
        clock.idle.clear()
        await asyncio.to_thread(store.add, timer(clock, 10, "egg"))
        await asyncio.wait_for(clock.idle.wait(), 5)
        assert rang == [("egg", 10)]


async def test_a_cancelled_one_does_not_ring(store: TimerStore, clock: HandClock) -> None:
    added = store.add(timer(clock, 300, "pizza"))
    clock.at(100, lambda: store.cancel(added.id))
    async with watched(store, clock) as rang:
        assert rang == []


@pytest.mark.parametrize("jump_s", [50 * 365 * 86_400, 3600, -3600, -86_400])
async def test_setting_the_clock_neither_rings_nor_delays_a_timer(
    jump_s: float, store: TimerStore, clock: HandClock
) -> None:
    store.add(timer(clock, 300, "pizza"))
    clock.at(100, lambda: clock.set_by(jump_s))
    async with watched(store, clock) as rang:
        assert rang == [("pizza", 300)]


async def test_the_time_left_is_right_after_the_clock_was_set(store: TimerStore, clock: HandClock) -> None:
    store.add(timer(clock, 300))
    clock.set_by(86_400)
    clock.pass_s(100)
    assert store.pending()[0].due - clock.now() == timedelta(seconds=200)


async def test_an_alarm_follows_the_clock_that_was_set(store: TimerStore, clock: HandClock) -> None:
    store.add(alarm(clock, 7200))
    clock.at(100, lambda: clock.set_by(3600))
    async with watched(store, clock) as rang:
        assert rang == [("alarm", 3600)]


def test_a_restart_forgets_nothing(tmp_path: Path, clock: HandClock) -> None:
    with timers(tmp_path / "stimme.sqlite3", clock) as before:
        added = [before.add(timer(clock, 300, "pizza")), before.add(alarm(clock, 7200))]
        before.add(timer(clock, 60, "cancelled"))
        before.cancel(before.pending()[0].id)
    clock.pass_s(100)
    clock.set_by(5000)  # while the program was not running
    with timers(tmp_path / "stimme.sqlite3", clock) as after:
        pizza, other = sorted(after.pending(), key=lambda pending: pending.kind, reverse=True)
        assert (pizza.id, pizza.name, pizza.duration_s) == (added[0].id, "pizza", 300)
        assert pizza.due - clock.now() == timedelta(seconds=200)
        assert other == added[1]


def test_after_a_reboot_the_clock_decides(tmp_path: Path, clock: HandClock) -> None:
    with timers(tmp_path / "stimme.sqlite3", clock) as before:
        before.add(timer(clock, 300))
    rebooted = HandClock(clock.now() + timedelta(seconds=100), "second boot")
    rebooted.boot_s = 12.0
    with timers(tmp_path / "stimme.sqlite3", rebooted) as after:
        assert after.pending()[0].due - rebooted.now() == timedelta(seconds=200)


async def test_after_a_clock_that_was_set_and_a_reboot_a_timer_is_still_right(tmp_path: Path, clock: HandClock) -> None:
    with timers(tmp_path / "stimme.sqlite3", clock) as before:
        before.add(timer(clock, 300))
        watching = asyncio.create_task(watch(before, never, at_once))
        clock.at(50, lambda: clock.set_by(1_000_000))  # the network time arrives
        clock.at(100, watching.cancel)
        await asyncio.gather(watching, return_exceptions=True)
    rebooted = HandClock(clock.now() + timedelta(seconds=100), "second boot")
    with timers(tmp_path / "stimme.sqlite3", rebooted) as after:
        left = after.pending()[0].due - rebooted.now()
        assert abs(left - timedelta(seconds=100)) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("late_s", "rings"), [(1, True), (FORGIVEN_S - 1, True), (FORGIVEN_S + 1, False), (10**7, False)]
)
async def test_what_was_missed_rings_late_or_is_dropped_with_a_line(
    late_s: float, rings: bool, tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with timers(tmp_path / "stimme.sqlite3", clock) as before:
        before.add(alarm(clock, 60))
    on_again = HandClock(clock.now() + timedelta(seconds=60 + late_s), "second boot")
    with timers(tmp_path / "stimme.sqlite3", on_again) as after, caplog.at_level(logging.WARNING):
        async with watched(after, on_again) as rang:
            assert rang == ([("alarm", 0)] if rings else [])
            assert after.pending() == ()
    assert ("dropped" in caplog.text) is not rings


async def test_one_that_cannot_ring_does_not_stop_the_others(
    store: TimerStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    rang: list[str] = []

    async def ring(due: Timer) -> None:
        if due.name == "broken":
            raise RuntimeError("no loudspeaker")
        rang.append(due.name)

    store.add(timer(clock, 10, "broken"))
    store.add(timer(clock, 20, "egg"))
    watching = asyncio.create_task(watch(store, ring, at_once))
    await asyncio.wait_for(clock.idle.wait(), 5)
    watching.cancel()
    assert rang == ["egg"]
    assert "no loudspeaker" in caplog.text


async def test_what_was_ringing_in_a_crash_rings_again(tmp_path: Path, clock: HandClock) -> None:
    ringing = asyncio.Event()

    async def ring(due: Timer) -> None:
        ringing.set()
        await asyncio.Event().wait()

    with timers(tmp_path / "stimme.sqlite3", clock) as before:
        before.add(timer(clock, 10, "egg"))
        watching = asyncio.create_task(watch(before, ring, at_once))
        await asyncio.wait_for(ringing.wait(), 5)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    with timers(tmp_path / "stimme.sqlite3", clock) as after:
        assert [due.name for due in after.due()] == ["egg"]


def test_cancelling_twice_says_so(store: TimerStore, clock: HandClock) -> None:
    added = store.add(timer(clock, 10))
    assert store.cancel(added.id) is True
    assert store.cancel(added.id) is False


def test_many_threads_may_add_and_cancel(tmp_path: Path, clock: HandClock) -> None:
    with timers(tmp_path / "stimme.sqlite3", clock) as store:

        def work() -> None:
            ids = [store.add(timer(clock, 100)).id for _ in range(10)]
            store.cancel(ids[0])

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = store.pending()
        assert len({each.id for each in kept}) == 72
    with timers(tmp_path / "stimme.sqlite3", clock) as after:
        assert after.pending() == kept


def test_reading_what_is_pending_needs_no_disk(tmp_path: Path, clock: HandClock) -> None:
    with timers(tmp_path / "stimme.sqlite3", clock) as store:
        store.add(timer(clock, 100, "pizza"))
    assert [pending.name for pending in store.pending()] == ["pizza"]


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalZone]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield LocalZone()
    monkeypatch.undo()
    time.tzset()


def test_an_alarm_for_the_morning_after_the_clocks_change_is_not_an_hour_off(berlin: LocalZone) -> None:
    # Clocks go forward on 29 March 2026 at 2:00.
    evening = datetime(2026, 3, 28, 22, 0, tzinfo=berlin)
    due = Moment(7, 0, True, Day("offset", 1)).resolve(evening)
    assert due.astimezone(UTC) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)


def test_local_time_and_utc_agree_through_the_year(berlin: LocalZone) -> None:
    for month in range(1, 13):
        utc = datetime(2026, month, 15, 12, tzinfo=UTC)
        local = utc.astimezone(berlin)
        assert local.hour == (14 if 4 <= month <= 10 else 13)
        assert local.astimezone(UTC) == utc
    assert datetime(2026, 7, 1, tzinfo=berlin).tzname() == "CEST"


async def test_the_real_clock_waits_and_is_woken() -> None:
    clock = Clock()
    assert abs(clock.now().timestamp() - time.time()) < 5
    assert clock.boottime_s() <= clock.boottime_s()
    assert clock.boot_id() == Clock().boot_id()
    event = asyncio.Event()
    await clock.wait(event, 0.0)
    event.set()
    await clock.wait(event, None)


async def test_the_real_clock_rings_a_short_timer() -> None:
    rang = asyncio.Event()

    async def ring(due: Timer) -> None:
        rang.set()

    with timers(None) as store:
        watching = asyncio.create_task(watch(store, ring))
        await asyncio.to_thread(store.add, SetTimer("timer", store.clock.now(), "", 0.01))
        await asyncio.wait_for(rang.wait(), 10)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_what_another_process_set_or_cancelled_is_taken_over(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "timers.sqlite3"
    with timers(path, clock) as running, timers(path, clock) as asking:
        assert not running.database.catch_up()
        timer = asking.add(SetTimer("timer", clock.now() + timedelta(minutes=5), "tea", 300))
        assert running.database.catch_up() and not running.database.catch_up()
        assert [(one.id, one.name) for one in running.pending()] == [(timer.id, "tea")]
        asking.cancel(timer.id)
        assert running.database.catch_up()
        assert running.pending() == ()
