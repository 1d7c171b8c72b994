"""What times of day share in every language."""

from __future__ import annotations

from collections.abc import Sequence


def typed_clock(words: Sequence[str]) -> tuple[int, int, bool] | None:
    """ "7:30", "18.00": hour, minute, and whether it is known which half of the day is meant."""
    hour, _, minute = words[0].replace(".", ":").partition(":") if len(words) == 1 else ("", "", "")
    if not (hour.isdecimal() and minute.isdecimal() and len(minute) == 2 and int(hour) < 25 and int(minute) < 60):
        return None
    return int(hour) % 24, int(minute), int(hour) > 12 or hour.startswith("0")


def shifted(hour: int, minutes: int, *, exact: bool = False) -> tuple[int, int, bool] | None:
    """Some minutes after (or, negative, before) an hour on the clock's face: a quarter to one is 12:45."""
    if not 0 <= hour <= 24 or abs(minutes) > 59:
        return None
    exact = exact or hour > 12
    hour, minute = divmod(hour * 60 + minutes, 60)
    return (hour % 24 if exact else (hour - 1) % 12 + 1), minute, exact
