"""Whatever clocks do: a timer rings once, when its time has passed; an alarm once, when the clock shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.dialogue.actions import SetTimer
from appliance.state.clock import LocalZone
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.state.clocks import HandClock

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(0, 4000)),
        st.tuples(st.just("set clock by"), st.integers(-40_000, 40_000)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=12,
)
AROUND_CHANGES = st.sampled_from(
    (  # of Berlin's clocks, as UTC: an hour before each
        datetime(2026, 3, 29, 0, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 0, tzinfo=UTC),
    )
)


class LocalClock(HandClock):
    """Passes in UTC, as time does, and shows local time."""

    def now(self) -> datetime:
        return self.wall.astimezone(LocalZone())


@pytest.fixture(scope="module", autouse=True)
def berlin() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("moments")


@given(begin=AROUND_CHANGES, minutes=st.integers(1, 180), steps=STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_timer_counts_real_time_over_clock_changes_and_restarts(
    begin: datetime, minutes: int, steps: list[tuple[str, int]], folder: Path
) -> None:
    clock = LocalClock(begin)
    for file in folder.iterdir():
        file.unlink()
    database = Database(folder / "stimme.sqlite3")
    store = TimerStore(database, clock)
    due_s = clock.boottime_s() + 60 * minutes
    added = store.add(SetTimer("timer", clock.now() + timedelta(minutes=minutes), "egg", 60.0 * minutes))
    rang_s: list[float] = []
    for kind, seconds in (*steps, ("pass", 60 * minutes + 60)):
        if kind == "pass":
            until_s = clock.boottime_s() + seconds
            if store.pending() and (left_s := store.pending()[0].due.timestamp() - clock.now().timestamp()) <= seconds:
                clock.pass_s(max(0.0, left_s))
                assert [timer.id for timer in store.due()] == [added.id]
                rang_s.append(clock.boottime_s())
                store.begin_ringing()
            clock.pass_s(max(0.0, until_s - clock.boottime_s()))
        elif kind == "set clock by":
            clock.set_by(seconds)
            store.follow_clock()
        else:
            database.close()
            database = Database(folder / "stimme.sqlite3")
            store = TimerStore(database, clock)
    assert rang_s == [pytest.approx(due_s, abs=0.001)]
    store.heard(added.id)
    assert (store.pending(), store.unheard(), database.durable) == ((), (), True)
    database.close()


@given(begin=AROUND_CHANGES, hours=st.integers(1, 48), minute=st.integers(0, 59))
@settings(max_examples=60, deadline=None)
def test_an_alarm_rings_when_the_clock_on_the_wall_shows_it(begin: datetime, hours: int, minute: int) -> None:
    clock = LocalClock(begin)
    due = (clock.now() + timedelta(hours=hours)).replace(minute=minute, second=0)
    with Database(None) as database:
        store = TimerStore(database, clock)
        store.add(SetTimer("alarm", due))
        (pending,) = store.pending()
        clock.pass_s(pending.due.timestamp() - clock.now().timestamp() - 1)
        assert store.due() == ()
        clock.pass_s(1)
        assert store.due() == (pending,)
        shown = clock.now()
        exists = due.astimezone(UTC).astimezone(LocalZone()).hour == due.hour
        assert (shown.hour, shown.minute) == (due.hour, due.minute) or not exists
