"""German times of day."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.dialogue.languages.de.numbers import number_at
from appliance.dialogue.languages.grammar import Clock
from appliance.dialogue.reading.clocks import shifted, typed_clock

_BEHIND = {"punkt", "genau"}
_QUARTERS = {"halb": -30, "halber": -30, "viertel": -45, "dreiviertel": -15}
"""Minutes from the full hour that is named: "viertel drei" is 2:15, "dreiviertel acht" 7:45."""


def clock(words: Sequence[str]) -> Clock | None:
    """ "sieben Uhr", "halb acht", "viertel vor acht", "viertel drei", "fünf nach halb acht", "18.30 Uhr"."""
    words = [word for word in words if word not in _BEHIND]
    if not words:
        return None
    if words[:2] == ["drei", "viertel"]:
        words = ["dreiviertel", *words[2:]]
    if words[-1] in ("uhr", "uhren"):  # "sieben uhr" means seven in the morning on a 24-hour clock
        inner = clock(words[:-1]) if len(words) > 1 else None
        return (inner[0], inner[1], True) if inner and _whole(words[:-1]) is not None else inner
    if typed := typed_clock(words):
        return typed[0], typed[1], True
    if "uhr" in words:
        index = words.index("uhr")
        rest = [word for word in words[index + 1 :] if word not in ("und", "minuten")]
        hour, minute = _whole(words[:index]), _whole(rest)
        if hour is None or minute is None or not 0 <= hour <= 24 or not 0 <= minute < 60:
            return None
        return hour % 24, minute, True
    if words[0] in _QUARTERS and (hour := _whole(words[1:])) is not None:
        return shifted(hour, _QUARTERS[words[0]])
    for middle, sign in (("nach", 1), ("vor", -1), ("über", 1), ("ab", 1)):
        if middle in words:
            index = words.index(middle)
            before = [word for word in words[:index] if word not in ("minuten", "minute")]
            minutes = 15 if before == ["viertel"] else 45 if before == ["dreiviertel"] else _whole(before)
            base = clock(words[index + 1 :])
            if minutes is None or base is None or not 0 <= minutes < 60:
                return None
            hour, minute = divmod(base[0] * 60 + base[1] + sign * minutes, 60)
            return (hour % 24 if base[2] else (hour - 1) % 12 + 1), minute, base[2]
    return _hour_and_minute(words)


def _hour_and_minute(words: Sequence[str]) -> Clock | None:
    hour = _whole(words)
    if hour is not None and 0 <= hour <= 24:
        return hour % 24, 0, hour > 12 or hour == 0
    for split in range(1, len(words)):  # "sechs dreißig", "sieben null fünf", as some say without "uhr"
        hour, minute = _whole(words[:split]), _whole(words[split:])
        if words[split] == "null" and len(words) == split + 2:
            minute = _whole(words[split + 1 :])
        elif minute is not None and minute < 10:
            continue
        if hour is not None and minute is not None and 0 <= hour <= 24 and 0 <= minute < 60:
            return hour % 24, minute, hour > 12 or hour == 0
    return None


def _whole(words: Sequence[str]) -> int | None:
    found = number_at(words, 0) if words else None
    return int(found[0]) if found and found[1] == len(words) and found[0].denominator == 1 else None
