"""What the device remembers over a restart besides timers: its volume, and whether it is muted."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from appliance.language import LANGUAGES

log = logging.getLogger(__name__)

FILE = "device.json"


@dataclass(frozen=True)
class DeviceState:
    volume: int = 70
    """Percent."""
    muted: bool = False
    """The microphone stays off until a person turns it on again."""
    wake_words: list[str] | None = None
    """As somebody chose them on a page; None: the configured ones."""
    language: str = ""
    """As somebody chose it by voice; "" for the configured one."""


def load(directory: Path) -> DeviceState:
    """What was saved; defaults for what is missing or damaged, with a line in the log."""
    file = directory / FILE
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"a {type(found).__name__} instead of an object")
        state = DeviceState(**{one.name: found[one.name] for one in fields(DeviceState) if one.name in found})
        if type(state.volume) is not int or not 0 <= state.volume <= 100 or type(state.muted) is not bool:
            raise ValueError(f"volume {state.volume!r}, muted {state.muted!r}")
        words = state.wake_words
        if words is not None and not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
            raise ValueError(f"wake_words {words!r}")
        if state.language not in ("", *LANGUAGES):
            raise ValueError(f"language {state.language!r}")
    except FileNotFoundError:
        return DeviceState()
    except (OSError, ValueError) as error:
        log.warning("%s cannot be used (%s); volume and mute start afresh", file, error)
        return DeviceState()
    return state


def save(directory: Path, state: DeviceState) -> None:
    """Replace the file whole, so that a power cut leaves the old or the new one. Does not wait for the disk."""
    part = directory / f"{FILE}.part"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(asdict(state)) + "\n", encoding="utf-8")
        os.replace(part, directory / FILE)
    except OSError as error:
        log.warning("%s cannot be written (%s); volume and mute will not survive a restart", directory / FILE, error)
