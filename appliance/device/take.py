"""What the microphone hears while somebody talks, on its way into the session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.audio.endpointing import AFTER_S
from appliance.audio.microphone import Microphone
from appliance.device.ear import OpenEar
from appliance.session import Session
from appliance.shared import Later

TAIL_S = 0.06
"""Listening goes on for so long after the release: what was said by then is still on its way through the card."""


class Take:
    """The utterance under way at the microphone; the session's own is open exactly as long.

    When nobody talks, every method but `begin` is without effect. on_end: called when the person has ended it.
    """

    def __init__(self, session: Session, later: Later, on_end: Callable[[], None]) -> None:
        self._session, self._later, self._on_end = session, later, on_end
        self._microphone: Microphone | OpenEar | None = None
        self._tail: asyncio.TimerHandle | None = None
        self._lingers = False
        """The device has ended the utterance, and listens whether its speaker goes on."""

    def __bool__(self) -> bool:
        """Somebody talks."""
        return self._microphone is not None and not self._lingers

    def begin(
        self, microphone: Microphone | OpenEar, *, preroll: bool, skip_s: float, before_s: float | None = None
    ) -> None:
        """Listen, once the session's utterance is open. preroll, skip_s: as Microphone.arm.

        before_s: instead of them, how much of an open ear's sound belongs to the utterance already.
        """
        self._microphone = microphone
        if before_s is not None and isinstance(microphone, OpenEar):
            microphone.arm_since(before_s)
        else:
            microphone.arm(preroll=preroll, skip_s=skip_s)
        asyncio.get_running_loop().add_reader(microphone.fileno(), self.pump)

    def pump(self) -> None:
        """Sound has come."""
        if self._microphone is not None:
            self._session.audio(self._microphone.read())

    def linger(self) -> None:
        """The device has ended the utterance; sound goes on coming while the session wants to know who goes on."""
        if self._microphone is not None and self._session.listens_afterwards:
            self._lingers = True
            if self._tail is not None:
                self._tail.cancel()
            self._tail = self._later(AFTER_S + TAIL_S, self.stop_lingering)
        else:
            self.stop()

    def goes_on(self) -> None:
        """Its speaker does: it is open again."""
        if self._lingers and self._tail is not None:
            self._tail.cancel()
            self._tail, self._lingers = None, False

    def stop_lingering(self) -> None:
        """Nobody could be told from what sounds now. Without effect while somebody talks."""
        if self._lingers:
            self.stop()
            self._session.forget_afterwards()

    def finish_soon(self) -> None:
        """The person has let go: take what is still on its way, then finish."""
        if self and self._tail is None:
            self._tail = self._later(TAIL_S, self.finish)

    def finish(self) -> None:
        """The endpoint: all that has come belongs to the utterance."""
        self.stop_lingering()
        rest = self.stop()
        if rest is not None:
            self._session.audio(rest)
            if self._session.open_id:
                self._session.end()
                self._on_end()

    def forget(self) -> None:
        """Drop the utterance, unheard."""
        self.stop_lingering()
        if self.stop() is not None:
            self._session.cancel()

    def stop(self) -> bytes | None:
        """Disarm the microphone; returns what it still had, None if nobody talks. The utterance stays open."""
        if self._tail is not None:
            self._tail.cancel()
        self._tail, self._lingers = None, False
        microphone, self._microphone = self._microphone, None
        if microphone is None:
            return None
        asyncio.get_running_loop().remove_reader(microphone.fileno())
        return microphone.read(last=True)
