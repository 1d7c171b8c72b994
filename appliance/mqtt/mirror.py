"""What there is to tell of a device: its state, last intent, timers, volume. Values by topic; no network."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from appliance import turns
from appliance.dialogue.things import Timer
from appliance.mqtt.discovery import STATES

MOST_UNDER_WAY = 200
"""Turns whose end is waited for; one whose end was never told is forgotten for newer ones."""
MOST_VALUE_CHARACTERS = 255
"""The longest state that Home Assistant takes."""

Publish = Callable[[str, str], None]
"""(topic below the device's, value)"""


@dataclass
class Mirror:
    """publish: told each value that is another than before. tells_words: what is heard and answered, too."""

    publish: Publish
    tells_words: bool = False
    values: dict[str, str] = field(default_factory=lambda: {"state": "idle"})
    """The last of each."""
    _under_way: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def event(self, event: turns.Event) -> None:
        """Something happened in anybody's turn."""
        match event:
            case turns.Listening():
                self._now(event.id, "listening")
            case turns.Endpoint() | turns.FinalHeard():
                self._now(event.id, "thinking")
            case turns.SpeechStarted():
                self._now(event.id, "speaking")
            case turns.SpeechEnded() | turns.Cancelled() | turns.Failed():
                self._now(event.id, "idle")
            case turns.Answered():
                self._now(event.id, "idle")
                self._tell("intent", event.intent or "none")
                if self.tells_words:
                    self._tell("heard", event.heard)
                    self._tell("answered", event.text)

    def timers(self, pending: Iterable[Timer]) -> None:
        """What has not rung yet, the next first. Their names are words that were said."""
        rows = [
            {"kind": timer.kind, "due": timer.due.isoformat()}
            | ({"name": timer.name} if self.tells_words and timer.name else {})
            for timer in pending
        ]
        self._tell("timers", str(len(rows)))
        self._tell("timers/next", str(rows[0]["due"]) if rows else "None")
        self._tell("timers/attributes", json.dumps({"timers": rows[:20]}, ensure_ascii=False), whole=True)

    def device(self, volume: int, muted: bool) -> None:
        """The device's own volume in percent, and whether its microphone is off."""
        self._tell("volume", str(volume))
        self._tell("mute", "ON" if muted else "OFF")

    def _now(self, id: str, state: str) -> None:
        self._under_way.pop(id, None)
        if state != "idle":
            self._under_way[id] = state
            if len(self._under_way) > MOST_UNDER_WAY:
                self._under_way.popitem(last=False)
        self._tell("state", max(self._under_way.values(), key=STATES.index, default="idle"))

    def _tell(self, topic: str, value: str, *, whole: bool = False) -> None:
        value = value if whole or len(value) <= MOST_VALUE_CHARACTERS else value[: MOST_VALUE_CHARACTERS - 1] + "…"
        if self.values.get(topic) != value:
            self.values[topic] = value
            self.publish(topic, value)


@dataclass(frozen=True)
class Commands:
    """What may be asked of the device from outside. None: it cannot do that."""

    stop: Callable[[], None]
    set_volume: Callable[[int], None] | None = None
    set_muted: Callable[[bool], None] | None = None

    def carry_out(self, topic: str, value: str) -> bool:
        """topic: below the device's. False for what is no command, or has no sensible value."""
        match topic, value:
            case "stop/set", _:
                self.stop()
            case "volume/set", _ if self.set_volume is not None and (percent := _percent(value)) is not None:
                self.set_volume(percent)
            case "mute/set", "ON" | "OFF" if self.set_muted is not None:
                self.set_muted(value == "ON")
            case _:
                return False
        return True


def _percent(value: str) -> int | None:
    try:
        percent = float(value)
    except ValueError:
        return None
    return round(percent) if 0 <= percent <= 100 else None


def everything(base: str, values: Mapping[str, str]) -> dict[str, str]:
    """All values by their whole topics, for somebody who knows nothing yet."""
    return {f"{base}/{topic}": value for topic, value in values.items()}
