"""Durations in their two largest parts."""

from __future__ import annotations

from collections.abc import Callable

_SIZES = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def two_parts(seconds: float, amount: Callable[[int, str], str]) -> list[str]:
    """ "one hour", "five minutes"; amount says a count of a unit."""
    rest = round(seconds)
    parts: list[str] = []
    for size, unit in _SIZES:
        count, remaining = divmod(rest, size)
        if count and len(parts) < 2:
            parts.append(amount(count, unit))
            rest = remaining
        elif parts:
            break
    return parts or [amount(0, "s")]
