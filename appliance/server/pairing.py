"""Pairing: a code that only people at the device see or hear, typed into a new browser. No I/O; time is passed in.

Six digits and five tries for each code, whoever makes them: guessing gets one in 200,000 for each code that somebody at
the device asks for, and after five wrong ones nobody gets another chance for a while, twice as long each time.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

VALID_S = 120.0
TRIES = 5
LOCKED_S = 30.0
"""After the first code was guessed at five times; doubled each time …"""
MOST_LOCKED_S = 3600.0
"""… up to this, and forgotten after a success or a day."""
FORGOTTEN_S = 86_400.0

WELCOME_S = 900.0
"""So long after the first start a browser may ask the device to say a code; later somebody at the device must."""


@dataclass(frozen=True)
class Locked:
    """Nobody can pair for so long."""

    seconds: float


class Pairing:
    """One code at a time. shown: called with each new code, to say and show it."""

    def __init__(
        self,
        shown: Callable[[str], None] = lambda code: None,
        digits: Callable[[], int] = lambda: secrets.randbelow(1_000_000),
    ) -> None:
        self.shown = shown
        self.changed: Callable[[float], None] = lambda now_s: None
        """Called after each change: the other web nodes of a farm let in, and keep out, as this one does."""
        self._digits = digits
        self._code = ""
        self._until_s = self._locked_until_s = self._failed_s = 0.0
        self._tries = 0
        self._failures = 0

    def open(self, now_s: float, *, quietly: bool = False) -> str | Locked:
        """The code that is valid now, made if there is none, and shown. quietly: whoever asked shows it."""
        if (locked := self.locked(now_s)) is not None:
            return locked
        if not self._is_valid(now_s):
            self._code, self._until_s, self._tries = f"{self._digits():06}", now_s + VALID_S, TRIES
            self.changed(now_s)
            if not quietly:
                self.shown(self._code)
        return self._code

    def locked(self, now_s: float) -> Locked | None:
        return Locked(self._locked_until_s - now_s) if now_s < self._locked_until_s else None

    def is_open(self, now_s: float) -> bool:
        """Whether a code can be typed now."""
        return self._is_valid(now_s) and self.locked(now_s) is None

    def attempt(self, code: str, now_s: float) -> bool | Locked:
        """Whether it is the code. Right: it is used up. Wrong five times: so it is as well, and all must wait."""
        if (locked := self.locked(now_s)) is not None:
            return locked
        expected = self._code if self._is_valid(now_s) else ""
        # Compared in constant time and never shortened by what is wrong with it.
        right = hmac.compare_digest(expected.encode().ljust(6), code.encode(errors="replace")[:64].ljust(6))
        if right and expected:
            self._code, self._failures = "", 0
            self.changed(now_s)
            return True
        if not expected:
            return False
        self._tries -= 1
        lost = self._lock(now_s) if self._tries <= 0 else False
        self.changed(now_s)
        return lost

    def snapshot(self, now_s: float) -> tuple[str, float, int, int, float, float]:
        """All there is to know, with times as seconds from now: for another machine's clock."""
        return (
            self._code,
            self._until_s - now_s,
            self._tries,
            self._failures,
            self._failed_s - now_s,
            self._locked_until_s - now_s,
        )

    def adopt(self, snapshot: tuple[str, float, int, int, float, float], now_s: float) -> None:
        """Be as another machine's."""
        self._code, until_s, self._tries, self._failures, failed_s, locked_s = snapshot
        self._until_s, self._failed_s, self._locked_until_s = now_s + until_s, now_s + failed_s, now_s + locked_s

    def _lock(self, now_s: float) -> Locked:
        if now_s - self._failed_s > FORGOTTEN_S:
            self._failures = 0
        seconds = min(MOST_LOCKED_S, LOCKED_S * 2**self._failures)
        self._code, self._failures, self._failed_s = "", self._failures + 1, now_s
        self._locked_until_s = now_s + seconds
        return Locked(seconds)

    def _is_valid(self, now_s: float) -> bool:
        return bool(self._code) and now_s < self._until_s
