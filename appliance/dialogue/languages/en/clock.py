"""English times of day."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.dialogue.languages.en.numbers import number_at
from appliance.dialogue.languages.grammar import Clock
from appliance.dialogue.reading.clocks import shifted, typed_clock

_BEHIND = {"o'clock", "oclock", "hours", "sharp", "hour", "clock", "o", "exactly"}
_BETWEEN = {"past": 1, "after": 1, "passed": 1, "to": -1, "till": -1, "before": -1, "of": -1}


def clock(words: Sequence[str]) -> Clock | None:
    """ "seven", "half past seven", "half seven", "ten to eight", "six oh five", "eighteen hundred", "7:30"."""
    words = list(words)
    if words[-1:] in (["hours"], ["hour"]) and not {"hundred", "oh", "zero"} & set(words) and len(words[0]) < 4:
        return None  # "two hours" is a while, "eighteen hundred hours" is a time
    while len(words) > 1 and words[-1] in _BEHIND:
        words = words[:-1]
    words = [word for word in words if word not in ("o'clock", "oclock")]
    if typed := typed_clock(words):
        return typed
    for middle, sign in _BETWEEN.items():
        if middle in words:
            index = words.index(middle)
            minutes = _minutes([word for word in words[:index] if word not in ("a", "minutes", "minute")])
            hour = _whole(words[index + 1 :])
            if minutes is not None and hour is not None and (middle != "of" or minutes in (15, 10, 5, 20)):
                return shifted(hour, sign * minutes)
    if words[:1] == ["half"] and (hour := _whole(words[1:])) is not None:  # half six, as the British say
        return shifted(hour, 30)
    return _hour_and_minute(words)


def _hour_and_minute(words: list[str]) -> Clock | None:
    """ "seven", "seven thirty", "six oh five", "eighteen hundred"."""
    for split in range(1, len(words) + 1):
        hour, rest = _whole(words[:split]), words[split:]
        if hour is None or not 0 <= hour <= 24:
            continue
        if rest and rest[0] in ("oh", "o", "zero") and len(rest) == 2:
            minute = _whole(rest[1:])
        elif rest == ["hundred"]:
            minute = 0
        else:
            minute = _whole(rest) if rest else 0
            if rest and (minute is None or minute < 10):
                continue
        if minute is not None and 0 <= minute < 60:
            return hour % 24, minute, hour > 12 or hour == 0 or words[0].startswith("0")
    if (together := _whole(words)) is not None and 1300 <= together <= 2400 and together % 100 < 60:
        return together // 100 % 24, together % 100, True  # "eighteen hundred", "1830"
    return None


def _minutes(words: list[str]) -> int | None:
    if words == ["half"]:
        return 30
    return 15 if words == ["quarter"] else _whole(words)


def _whole(words: Sequence[str]) -> int | None:
    found = number_at(words, 0) if words else None
    return int(found[0]) if found and found[1] == len(words) and found[0].denominator == 1 else None
