"""What comes again keeps its hour when the clocks change, comes neither twice nor not at all; a while stays a while."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.recurrence import following

ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")]
AROUND = st.datetimes(datetime(2026, 3, 1), datetime(2026, 12, 1), timezones=st.sampled_from(ZONES)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)
LAST = st.timedeltas(timedelta(0), timedelta(days=20))


def exists(moment: datetime) -> bool:
    """Whether clocks on the wall show it: not in the hour that is left out in spring."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) == moment.replace(tzinfo=None)


@given(AROUND, LAST, st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=SU"]))
def test_the_hour_on_the_wall_stays_the_same(now: datetime, since: timedelta, rule: str) -> None:
    last = now.replace(fold=0) - since
    found = following(rule, last, now)
    assert found.replace(tzinfo=None) > now.replace(tzinfo=None)
    assert (found.hour, found.minute) == (last.hour, last.minute)
    assert found - now <= timedelta(days=8)
    if rule == "FREQ=DAILY":
        assert found - now <= timedelta(days=1)


@given(AROUND, LAST, st.integers(60, 86_400))
def test_every_so_long_is_counted_in_time_that_really_passes(now: datetime, since: timedelta, step_s: int) -> None:
    last = (now.astimezone(UTC) - since).astimezone(now.tzinfo)
    found = following(f"FREQ=SECONDLY;INTERVAL={step_s}", last, now)
    passed = found.astimezone(UTC) - last.astimezone(UTC)
    assert passed % timedelta(seconds=step_s) == timedelta(0)
    assert 0 < (found.astimezone(UTC) - now.astimezone(UTC)).total_seconds() <= step_s


@pytest.mark.parametrize(("day", "hours"), [(29, 23), (28, 24)])
def test_the_night_the_clocks_change_is_an_hour_shorter(day: int, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, day - 1, 7, tzinfo=berlin)
    found = following("FREQ=DAILY", before, before)
    assert (found.astimezone(UTC) - before.astimezone(UTC)).total_seconds() == hours * 3600
    assert exists(found)
