"""Who has the floor: the utterance that is open in a session, from its beginning to its end."""

from __future__ import annotations

import logging

from appliance import turns
from appliance.afterwards import Afterwards
from appliance.asking import Asking
from appliance.attention import Attended
from appliance.audio.endpointing import End, Endpointer, Heard, Pause
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.audio.utterance import Utterance
from appliance.backlog import MOST_WAITING_S, Backlog
from appliance.conversation import Conversation
from appliance.dialogue.types import Memory
from appliance.errors import ProtocolError
from appliance.language import Language
from appliance.listening import Listening
from appliance.shared import Shared
from appliance.turns import Tell

log = logging.getLogger(__name__)

OVERDUE_S = 5.0
"""An utterance may stay open for so much longer than the sound it may hold …"""

THINNEST = 0.1
"""… and again, while its sound still comes at this share of real time: a link of 3.2 kB/s is late, not mute."""


class Floor:
    """One session's open utterance; there is at most one. tell: told what happens to it."""

    def __init__(self, shared: Shared, conversation: Conversation, asking: Asking, memory: Memory, tell: Tell) -> None:
        self._shared, self._conversation, self._asking = shared, conversation, asking
        self._memory, self._tell = memory, tell
        self._backlog = Backlog(shared.clock)
        self._open: Listening | None = None
        self._closed_id = ""
        """The last utterance's, if it ended otherwise than by `end`: its client may not know yet."""
        self._strays_told = False
        self._afterwards: Afterwards | None = None
        """Behind the last utterance, while its speaker may still go on."""

    def arrived(self) -> None:
        """The person is here, perhaps again: who sends stray sound is told so once more."""
        self._strays_told = False

    def leave(self) -> None:
        """Whoever was talking has gone: forget it."""
        self.forget_afterwards()
        if self._open is not None:
            self._drop(self._open)

    @property
    def backlog_s(self) -> float:
        """Sound that has arrived and was not decoded yet."""
        return self._backlog.seconds

    def begin(
        self,
        id: str,
        language: Language,
        endpointer: Endpointer | None,
        *,
        lingers: bool = False,
        continues: Listening | None = None,
    ) -> str:
        """See Session.begin. continues: what was ended too early, if this may be the rest of it."""
        if self._open is not None:
            raise ProtocolError("already_started", "an utterance is open already; end or cancel it first", id=id)
        self._asking.refuse_if_full(id)
        if language not in self._shared.faculties.ears.languages:
            raise ProtocolError(
                "no_recognizer",
                f"There is no recognizer for {language!r} on this device.",
                hint="Typed text works. `stimme models list` names the recognizers that can be fetched.",
                id=id,
            )
        if self._shared.backlog.is_too_long:
            raise ProtocolError(
                "overloaded",
                f"more than {MOST_WAITING_S:g} s of sound wait to be heard, which is the limit.",
                hint="Try again in a moment; typed text works.",
                id=id,
            )
        self.forget_afterwards()
        limit_s = self._shared.max_audio_duration_s
        earlier = self._asking.earlier(id)
        now = self._open = Listening(self._asking.named(id), language, round(limit_s * RATE), endpointer, earlier)
        now.lingers, now.continues = lingers, continues
        self._strays_told, self._closed_id = False, continues.id if continues is not None else ""
        if (attention := self._shared.attention) is not None:
            now.source = Attended(
                now,
                attention,
                self._memory,
                lambda end: self._ended(now, end),
                lambda text: self._conversation.guess(now.id, text, now.language, attention.guesses),
                lambda pause: self._paused(now, pause),
            )
        self._backlog.add(now.sound)
        self._shared.backlog.add(now.sound)
        if now.is_new:
            self._hear(now, id)
        else:
            self._conversation.interrupt()
        now.overdue = self._shared.later(limit_s, lambda: self._wait_on(now))
        self._tell(turns.Listening(now.id, self._closed_id))
        return now.id

    @property
    def listens_afterwards(self) -> bool:
        """See Session.listens_afterwards."""
        return self._afterwards is not None and not self._afterwards.is_over

    def forget_afterwards(self) -> None:
        """See Session.forget_afterwards."""
        if self._afterwards is not None:
            self._afterwards.drop()
            self._afterwards = None

    @property
    def open_id(self) -> str:
        """See Session.open_id."""
        return self._open.id if self._open is not None else ""

    @property
    def open_audio_s(self) -> float:
        """See Session.open_audio_s."""
        return self._open.sound.samples / RATE if self._open is not None else 0.0

    def endpoint(self, endpointer: Endpointer | None) -> None:
        """See Session.endpoint."""
        if self._open is not None:
            self._open.endpointer = endpointer

    def audio(self, pcm: bytes) -> None:
        """See Session.audio."""
        now = self._open
        if now is None and self._afterwards is not None and self.listens_afterwards:
            self._afterwards.audio(pcm)
            return
        if now is None:
            self._shared.dropped("not_started")
            if not self._strays_told:
                self._strays_told = True
                raise ProtocolError("not_started", "sound arrived while nobody was listening; it was not used")
            return
        if len(pcm) % SAMPLE_BYTES:
            self._shared.dropped("odd_bytes")
            raise ProtocolError(
                "odd_bytes",
                f"{len(pcm)} bytes of sound, expected an even number (s16le); they were not used",
                id=now.id,
            )
        now.write(pcm)
        if now.question is None and now.is_new:
            self._hear(now, now.id)
        if now.sound.truncated:
            self._shared.dropped("audio_too_long")
            self._close(End("limit"))
        elif now.ended_before is not None:
            self._close(End(now.ended_before))
        elif now.endpointer is not None and now.source is now.sound:
            heard = Heard(len(pcm) // SAMPLE_BYTES, now.partial, self._shared.clock())
            if (end := now.endpointer.feed(heard)) is not None:
                self._ended(now, end)
            else:
                self._paused(now, now.endpointer.pause)

    def end(self, id: str = "") -> None:
        """See Session.end."""
        if self._is_over(id):
            return
        self._opened(id)
        self._close()

    def cancel(self, id: str = "") -> None:
        """See Session.cancel."""
        now = self._opened(id)
        self._drop(now)
        self._tell(turns.Cancelled(now.id, now.sound.samples / RATE))

    def _opened(self, id: str) -> Listening:
        if self._open is None:
            raise ProtocolError("not_started", "nothing is being listened to", id=id)
        if id not in ("", self._open.id):
            raise ProtocolError(
                "wrong_id",
                f"{id!r} is not being listened to, but {self._open.id!r} is; that one goes on",
                hint="Name the open utterance, or leave the id out.",
                id=id,
            )
        return self._open

    def _is_over(self, id: str) -> bool:
        """The utterance ended by itself a moment ago, and whoever ends it now could not know."""
        if not self._closed_id:
            return False
        return id == self._closed_id or (self._open is None and not id)

    def _close(self, end: End | None = None) -> None:
        """The endpoint. end: None if the person said so."""
        now = self._taken_away()
        if end is not None:
            self._closed_id, self._strays_told = now.id, True
            self._listen_on(now, end)
            self._tell(turns.Endpoint(now.id, end.reason, end.setting, 1000 * end.silence_s))
        if now.earlier is not None and now.question is None and now.is_said_again:
            self._heard(now.sound)
            self._asking.again(now.earlier)
        elif now.question is None:
            self._hear(now, now.id)
        if now.question is not None:
            now.question.asked = now.heard(end.reason if end is not None else None)

    def _listen_on(self, now: Listening, end: End) -> None:
        """The end may have been none."""
        attention, source = self._shared.attention, now.source
        if not now.lingers or end.reason == "limit" or attention is None or not isinstance(source, Attended):
            return
        if source.detector is not None and not attention.is_busy():
            tasks = self._shared.tasks
            self._afterwards = Afterwards(source.detector, attention, tasks, lambda pcm: self._go_on(now, pcm))

    def _go_on(self, before: Listening, pcm: bytes) -> None:
        """Their voice came back. pcm: all sound since the end."""
        rule = self._shared.attention.rule() if self._shared.attention is not None else None
        try:
            self.begin(f"{before.id}+", before.language, rule, lingers=True, continues=before)
            self.audio(pcm)
        except ProtocolError as error:  # the device is stopping, or full
            log.info("nobody listens to the rest of what was said: %s", error)

    def _ended(self, now: Listening, end: End) -> None:
        """Whoever listens along has heard the end of it."""
        if now is self._open and end.reason == "nothing":
            self.cancel(now.id)
        elif now is self._open:
            self._close(end)

    def _paused(self, now: Listening, pause: Pause | None) -> None:
        """Tell how long will be waited for somebody to go on, whenever that changes."""
        of_s = pause.of_s if pause is not None else 0.0
        if now is self._open and of_s != now.waits_s:
            now.waits_s = of_s
            self._tell(turns.Paused(now.id, 1000 * (pause.silence_s if pause is not None else 0.0), 1000 * of_s))

    def _wait_on(self, now: Listening) -> None:
        """It has been open for long: it stays so while its sound goes on coming."""
        before = now.sound.samples

        def look() -> None:
            if now.sound.samples - before < THINNEST * OVERDUE_S * RATE:
                self._close(End("limit"))
            else:
                self._wait_on(now)

        now.overdue = self._shared.later(OVERDUE_S, look)

    def _drop(self, now: Listening) -> None:
        self._taken_away()
        self._heard(now.sound)
        if now.turn is not None:
            now.turn.cancel()

    def _taken_away(self) -> Listening:
        """No utterance is open from here on."""
        now, self._open = self._open, None
        assert now is not None and now.overdue is not None, "only an open utterance is ended"
        now.overdue.cancel()
        now.sound.end()
        return now

    def _hear(self, now: Listening, id: str) -> None:
        """Begin the turn of an utterance. id: as the client gave it."""
        self._asking.spoken(now, id, lambda: self._heard(now.sound))

    def _heard(self, sound: Utterance) -> None:
        self._backlog.discard(sound)
        self._shared.backlog.discard(sound)
