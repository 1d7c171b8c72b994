"""What pressing the button means: hold to talk, or tap to begin and tap to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

HOLD_S = 0.3
"""Shorter is a tap."""

DEBOUNCE_S = 0.03
"""After an edge, a bouncing contact is not believed for so long; mechanical switches settle within 5 to 20 ms."""


class Talk(Protocol):
    """What the button works on."""

    def begin(self) -> bool:
        """Listen. False if that is not possible now."""

    def tapped(self) -> bool:
        """The button was only tapped. True to listen on until the next press."""

    def end(self) -> None:
        """The utterance is over."""


class PushToTalk:
    """Edges of any number of buttons in, begin and end of talking out. A press always acts at once.

    later: like loop.call_later, needed only to look again after bouncing.
    """

    def __init__(
        self, talk: Talk, clock: Callable[[], float], later: Callable[[float, Callable[[], None]], asyncio.TimerHandle]
    ) -> None:
        self._talk, self._clock, self._later = talk, clock, later
        self._level = False
        """What the contact says."""
        self._believed = False
        """What it is taken to mean."""
        self._changed_at = float("-inf")
        self._pressed_at = 0.0
        self._listening = False
        self._ends_on_release = False

    def edge(self, is_down: bool) -> None:
        """A button went down or up."""
        self._level = is_down
        left_s = self._changed_at + DEBOUNCE_S - self._clock()
        if is_down == self._believed:
            return
        if left_s > 0:
            self._later(left_s, self._settle)
        else:
            self._believe(is_down)

    def is_listening(self) -> bool:
        """True from begin to end."""
        return self._listening

    def began(self) -> None:
        """Listening began without a press: the next one ends it."""
        self._listening = True

    def stopped(self) -> None:
        """Listening ended for another reason: the next press begins anew."""
        self._listening = self._ends_on_release = False

    def _settle(self) -> None:
        if self._level != self._believed:
            self._believe(self._level)

    def _believe(self, is_down: bool) -> None:
        now = self._clock()
        self._believed, self._changed_at = is_down, now
        if is_down:
            self._pressed_at = now
            if self._listening:
                self._finish()
            else:
                self._listening = self._ends_on_release = self._talk.begin()
        elif self._ends_on_release:
            self._ends_on_release = False
            if now - self._pressed_at >= HOLD_S:
                self._finish()
            else:
                self._listening = self._talk.tapped()

    def _finish(self) -> None:
        self.stopped()
        self._talk.end()
