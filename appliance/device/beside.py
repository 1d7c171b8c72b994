"""What the device has to do with the programs beside it on the image: it says what they ask, and shows what it does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from appliance import neighbours, turns
from appliance.language import LANGUAGES, Language

LEVEL_S = 0.2
"""How often the screen gets the microphone's level."""

NOBODY_S = 5.0
"""How often to look for a screen when there is none."""


async def say_notices(
    announce: Callable[[Mapping[Language, str], str, str], Awaitable[object]], address: Path = neighbours.SAY
) -> None:
    """Have announce(texts, id, "notice") called for what other programs on this machine want said, for ever.

    Only where systemd made the directory for it; elsewhere this ends at once.
    """
    if not address.parent.is_dir():
        return
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    with neighbours.Inbox(address) as inbox:
        loop.add_reader(inbox.fileno(), arrived.set)
        try:
            for number in itertools.count(1):
                while (message := inbox.receive(0)) is None:
                    arrived.clear()
                    await arrived.wait()
                texts = {language: str(message.get(language, "")) for language in LANGUAGES}
                if all(texts.values()):
                    await announce(texts, f"notice-{number}", "notice")
        finally:
            loop.remove_reader(inbox.fileno())


def show(event: turns.Event, address: Path = neighbours.SCREEN) -> None:
    """Tell the screen, if there is one, what the device heard and says."""
    match event:
        case turns.Listening():
            message = {"state": "listening", "heard": "", "answer": ""}
        case turns.PartialHeard() | turns.FinalHeard():
            message = {"heard": event.text}
        case turns.Answered():
            message = {"state": "speaking", "answer": event.text}
        case turns.Announced():
            message = {"heard": "", "answer": event.text}
        case turns.SpeechEnded() | turns.Cancelled() | turns.Failed():
            message = {"state": "idle"}
        case _:
            return
    neighbours.send(address, **message)


async def show_level(level: Callable[[], float | None], address: Path = neighbours.SCREEN) -> None:
    """Tell the screen for ever how loud the microphone is. level: 0 … 1, None without a microphone."""
    while True:
        listened = neighbours.send(address, level=level())
        await asyncio.sleep(LEVEL_S if listened else NOBODY_S)
