"""When what comes again comes next, by RFC 5545's rules (python-dateutil), on the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dateutil.rrule import rrulestr

_SECONDLY = "FREQ=SECONDLY;INTERVAL="


def following(rule: str, last: datetime, now: datetime) -> datetime:
    """The next time after `now`, counted from `last` and at its time of day.

    Times of day are those of the clock on the wall, so that seven o'clock stays seven o'clock when the clocks change;
    an hour that does not exist on that day comes an hour later. Raises ValueError for a rule that ends.
    """
    if rule.startswith(_SECONDLY):
        step = timedelta(seconds=int(rule.removeprefix(_SECONDLY)))
        begun, now_utc = last.astimezone(UTC), now.astimezone(UTC)  # time that passes, whatever clocks do meanwhile
        missed = max(0, (now_utc - begun) // step) if begun <= now_utc else -1
        return (begun + (missed + 1) * step).astimezone(now.tzinfo)
    start = last.replace(tzinfo=None)
    found = rrulestr(rule, dtstart=start).after(now.replace(tzinfo=None))
    if found is None:
        raise ValueError(f"{rule!r} never comes after {now}")
    return found.replace(tzinfo=now.tzinfo)
