"""What the device has to do with the programs beside it on the image: it says what they ask, and shows what it does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from appliance import neighbours, turns
from appliance.language import LANGUAGES, Language

LEVEL_S = 0.2
"""How often the screen gets the microphone's level."""

NOBODY_S = 5.0
"""How often to look for a screen when there is none."""


@contextmanager
def notices(
    announce: Callable[[Mapping[Language, str], str, str], None], address: Path = neighbours.SAY
) -> Iterator[None]:
    """Have announce(texts, id, "notice") called for what other programs on this machine want said.

    Only where systemd made the directory for it; elsewhere nothing happens.
    """
    if not address.parent.is_dir():
        yield
        return
    loop, numbers = asyncio.get_running_loop(), itertools.count(1)
    with neighbours.Inbox(address) as inbox:

        def arrived() -> None:
            message = inbox.receive(0) or {}
            texts = {language: str(message.get(language, "")) for language in LANGUAGES}
            if all(texts.values()):
                announce(texts, f"notice-{next(numbers)}", "notice")

        loop.add_reader(inbox.fileno(), arrived)
        try:
            yield
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
