"""Timers through restarts, reboots and clocks that jump; what rings, and for how long."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.dialogue.actions import SetTimer
from appliance.dialogue.reading.days import Day
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.things import Timer
from appliance.state.clock import Clock, LocalZone
from appliance.state.database import Database
from appliance.state.timers import KEPT_S, MEANT_S, RINGS_S, TimerStore
from appliance.state.watch import Watch
from tests.state.clocks import HandClock

T = TypeVar("T")


async def at_once(function: Callable[..., T], *args: object) -> T:
    """Disk work in the test's own thread."""
    return function(*args)


async def never(due: Timer) -> bool:
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
async def watching(watch: Watch, clock: HandClock) -> AsyncIterator[None]:
    """Runs the watch, from when it has nothing to wait for."""
    task = asyncio.create_task(watch.watch())
    try:
        await asyncio.wait_for(clock.idle.wait(), 5)
        await turns()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def watched(store: TimerStore, clock: HandClock) -> AsyncIterator[list[tuple[str, float]]]:
    """Everybody hears everything; the list fills with names and the boot times at which they rang."""
    rang: list[tuple[str, float]] = []

    async def ring(due: Timer) -> bool:
        rang.append((due.name or due.kind, clock.boottime_s() - 1000))
        return True

    async with watching(Watch(store, ring, at_once), clock):
        yield rang


@asynccontextmanager
async def watched_by(bell: Bell, store: TimerStore, clock: HandClock, until_s: float) -> AsyncIterator[None]:
    """As watching, but only until a moment."""
    reached = asyncio.Event()
    clock.at(until_s, reached.set)
    task = asyncio.create_task(Watch(store, bell.ring, at_once).watch())
    try:
        await asyncio.wait_for(reached.wait(), 5)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def turns() -> None:
    """Let others run."""
    for _ in range(20):
        await asyncio.sleep(0)


class Bell:
    """Rings until it is told whether somebody has heard."""

    def __init__(self) -> None:
        self.ringing: dict[str, asyncio.Future[bool]] = {}
        self.stopped: list[str] = []

    async def ring(self, due: Timer) -> bool:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.ringing[due.name or due.kind] = future
        try:
            return await future
        except asyncio.CancelledError:
            self.stopped.append(due.name or due.kind)
            raise


async def test_a_timer_rings_when_it_is_due_and_is_gone(store: TimerStore, clock: HandClock) -> None:
    store.add(timer(clock, 300, "pizza"))
    async with watched(store, clock) as rang:
        assert rang == [("pizza", 300)]
        assert (store.pending(), store.unheard()) == ((), ())


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
        task = asyncio.create_task(Watch(before, never, at_once).watch())
        clock.at(50, lambda: clock.set_by(1_000_000))  # the network time arrives
        clock.at(100, task.cancel)
        await asyncio.gather(task, return_exceptions=True)
    rebooted = HandClock(clock.now() + timedelta(seconds=100), "second boot")
    with timers(tmp_path / "stimme.sqlite3", rebooted) as after:
        left = after.pending()[0].due - rebooted.now()
        assert abs(left - timedelta(seconds=100)) < timedelta(seconds=1)


@pytest.mark.parametrize(("late_s", "rings"), [(1, True), (RINGS_S - 1, True), (RINGS_S + 1, False)])
async def test_what_was_missed_rings_late_or_is_told_to_the_next_visitor(
    late_s: float, rings: bool, tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with timers(tmp_path / "stimme.sqlite3", clock) as before:
        before.add(alarm(clock, 60))
    on_again = HandClock(clock.now() + timedelta(seconds=60 + late_s), "second boot")
    with timers(tmp_path / "stimme.sqlite3", on_again) as after:
        async with watched(after, on_again) as rang:
            assert rang == ([("alarm", 0)] if rings else [])
            assert len(after.unheard()) == (0 if rings else 1)
    assert ("was heard by nobody: the next visitor is told" in caplog.text) is not rings


async def test_what_nobody_heard_for_a_week_is_forgotten_with_a_line(
    tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with timers(tmp_path / "stimme.sqlite3", clock) as before:
        kept, _ = before.add(alarm(clock, 70)), before.add(alarm(clock, 50))
    on_again = HandClock(clock.now() + timedelta(seconds=60 + KEPT_S), "second boot")
    with timers(tmp_path / "stimme.sqlite3", on_again) as after:
        async with watched(after, on_again) as rang:
            assert [due.id for due in after.unheard()] == [kept.id]
            assert rang == []
    assert caplog.text.count("was heard by nobody") == 2


async def test_one_that_cannot_ring_does_not_stop_the_others(
    store: TimerStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    rang: list[str] = []

    async def ring(due: Timer) -> bool:
        if due.name == "broken":
            raise RuntimeError("no loudspeaker")
        rang.append(due.name)
        return True

    store.add(timer(clock, 10, "broken"))
    store.add(timer(clock, 20, "egg"))
    async with watching(Watch(store, ring, at_once), clock):
        assert rang == ["egg"]
        assert [due.name for due in store.unheard()] == ["broken"]
    assert "no loudspeaker" in caplog.text


async def test_one_that_rings_on_and_on_does_not_delay_the_others(store: TimerStore, clock: HandClock) -> None:
    bell = Bell()
    store.add(timer(clock, 10, "long"))
    store.add(timer(clock, 20, "egg"))
    async with watching(Watch(store, bell.ring, at_once), clock):
        assert list(bell.ringing) == ["long", "egg"]
        bell.ringing["egg"].set_result(True)
        await turns()
        assert [due.name for due in store.unheard()] == ["long"]


async def test_what_was_ringing_in_a_crash_rings_again(tmp_path: Path, clock: HandClock) -> None:
    for boot in ("first boot", "second boot"):
        with timers(tmp_path / "stimme.sqlite3", clock) as store:
            if boot == "first boot":
                store.add(timer(clock, 10, "egg"))
            bell = Bell()
            async with watching(Watch(store, bell.ring, at_once), clock):
                assert list(bell.ringing) == ["egg"]
            assert bell.stopped == ["egg"]
        clock.boot, clock.boot_s = "second boot", 5.0


async def test_nobody_there_is_told_on_the_next_visit_and_only_once(
    store: TimerStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def nobody(due: Timer) -> bool:
        return False

    store.add(timer(clock, 10, "egg"))
    store.add(timer(clock, 20, "tea"))
    watch, told = Watch(store, nobody, at_once), list[str]()
    async with watching(watch, clock):
        assert [due.name for due in store.unheard()] == ["egg", "tea"]

        async def leaves_at_tea(due: Timer) -> bool:
            told.append(due.name)
            return due.name != "tea"

        async def stays(due: Timer) -> bool:
            told.append(due.name)
            return True

        for visitor in (leaves_at_tea, stays, stays):
            await watch.tell(visitor)
        assert told == ["egg", "tea", "tea"]
        assert store.unheard() == ()
    assert caplog.text.count("was heard by nobody: the next visitor is told") == 2


async def test_a_visitor_who_is_told_does_not_stop_what_rings_elsewhere(store: TimerStore, clock: HandClock) -> None:
    async def takes(due: Timer) -> bool:
        return True

    bell = Bell()
    store.add(timer(clock, 10, "egg"))
    watch = Watch(store, bell.ring, at_once)
    async with watching(watch, clock):
        await watch.tell(takes)
        assert [due.name for due in store.unheard()] == ["egg"]
        bell.ringing["egg"].set_result(False)  # nobody came to the bell, but somebody knows
        await turns()
        assert store.unheard() == ()


async def test_stop_silences_everything_that_rings_wherever(store: TimerStore, clock: HandClock) -> None:
    bell = Bell()
    store.add(timer(clock, 10, "egg"))
    store.add(alarm(clock, 15))
    morning = store.add(alarm(clock, 50_000))
    clock.at(20, store.silence)
    async with watched_by(bell, store, clock, until_s=30):
        assert sorted(bell.stopped) == ["alarm", "egg"]
        assert (store.unheard(), store.pending()) == ((), (morning,))


async def test_what_rings_is_known_until_a_moment_after_it_was_heard(store: TimerStore, clock: HandClock) -> None:
    store.add(alarm(clock, 10))
    morning = store.add(alarm(clock, 50_000))
    clock.pass_s(10)
    assert store.ringing() == ()
    store.begin_ringing()
    (rings,) = store.ringing()
    assert store.pending() == (morning,)
    clock.pass_s(60)
    store.heard(rings.id)
    assert (store.unheard(), store.ringing()) == ((), (rings,))
    clock.pass_s(MEANT_S + 1)
    assert store.ringing() == ()


async def test_what_was_missed_long_ago_is_not_what_stop_is_about(store: TimerStore, clock: HandClock) -> None:
    store.add(alarm(clock, 10))
    clock.pass_s(10)
    store.begin_ringing()
    clock.pass_s(RINGS_S + 1)
    store.silence()
    assert len(store.unheard()) == 1


def test_what_another_process_silences_rings_no_more_here(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "stimme.sqlite3"
    with timers(path, clock) as running, timers(path, clock) as asking:
        running.add(timer(clock, 10, "egg"))
        clock.pass_s(10)
        running.begin_ringing()
        asking.database.catch_up()
        assert [due.name for due in asking.ringing()] == ["egg"]
        asking.silence()
        running.database.catch_up()
        assert running.unheard() == ()


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
    rang: asyncio.Queue[int] = asyncio.Queue()

    async def ring(due: Timer) -> bool:
        rang.put_nowait(due.id)
        return True

    with timers(None) as store:
        task = asyncio.create_task(Watch(store, ring).watch())
        short = await asyncio.to_thread(store.add, SetTimer("timer", store.clock.now(), "", 0.01))
        assert await asyncio.wait_for(rang.get(), 10) == short.id
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
