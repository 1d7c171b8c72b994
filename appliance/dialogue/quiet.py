"""Quiet hours: from an hour in the evening to one in the morning nothing is announced, and replies are low."""

from __future__ import annotations

from datetime import datetime, time


def is_quiet(hours: object, now: datetime) -> bool:
    """Whether `now` is in quiet hours as the keeper keeps them, ["22:00", "07:00"]; anything else means none."""
    try:
        begin, end = (time.fromisoformat(clock) for clock in hours)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return False
    clock = now.time().replace(second=0, microsecond=0)
    return begin <= clock < end if begin < end else clock >= begin or clock < end
