"""How the device shows what it does: the lamp, short sounds, and sentences about itself."""

from __future__ import annotations

from collections.abc import Callable

from appliance import turns
from appliance.audio.cards import Sound
from appliance.device import earcons, hints
from appliance.device.lamp import Lamp, LampState
from appliance.session import Session
from appliance.shared import Later

ERROR_SHOWN_S = 2.0


class Signs:
    """Lamp, earcons, hints. with_earcons: whether short sounds are wanted. resting: what the lamp shows at rest."""

    def __init__(
        self, session: Session, sound: Sound, later: Later, resting: Callable[[], LampState], *, with_earcons: bool
    ) -> None:
        self.lamp = Lamp()
        self._session, self._sound, self._later, self._resting = session, sound, later, resting
        self._with_earcons = with_earcons
        self._count = 0

    def play(self, earcon: Callable[[int], bytes]) -> None:
        """A short sound (earcons.py), over whatever sounds."""
        if self._with_earcons and self._sound.loudspeaker is not None:
            self._sound.loudspeaker.play(earcon(self._sound.loudspeaker.rate))

    def hint(self, hint: hints.Hint) -> None:
        """Say something about the device, after what is being said."""
        self._count += 1
        language = self._session.language
        self._session.announce(turns.Announcement(f"hint-{self._count}", language, hint[language]))

    async def alarm(self) -> None:
        """The alarm tone, until it was heard."""
        loudspeaker = self._sound.loudspeaker
        if loudspeaker is not None:
            await loudspeaker.write(earcons.alarm(loudspeaker.rate))
            await loudspeaker.drain()

    def heard(self) -> None:
        """The utterance is over, its answer is thought about."""
        self.play(earcons.heard)
        self.lamp.show("thinking")

    def idle(self) -> None:
        self.lamp.show(self._resting())

    def error(self) -> None:
        """Something did not work; shown for a moment."""
        self.lamp.show("error")
        self._later(ERROR_SHOWN_S, lambda: self.idle() if self.lamp.state == "error" else None)
