"""What was said after an utterance had been ended too early: the rest of the same sentence, or the next one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance import turns
from appliance.dialogue.actions import Action
from appliance.dialogue.types import Memory
from appliance.language import Language

log = logging.getLogger(__name__)


class TakesBack(Protocol):
    """The part of a Mind that is asked here (dialogue/dialogue.py)."""

    def joined(self, first: str, second: str, language: Language, memory: Memory) -> Awaitable[str]: ...
    def take_back(
        self, memory: Memory, before: Memory, language: Language, turn: str
    ) -> Awaitable[Sequence[Action]]: ...


@dataclass(frozen=True)
class Done:
    """A turn that was answered, as it may have to be taken back."""

    id: str
    text: str
    language: Language
    before: Memory
    """What was remembered when it came."""
    answered: turns.Answered


async def whole(
    done: Done | None, request: turns.Spoken, text: str, mind: TakesBack, memory: Memory
) -> tuple[str, Sequence[Action]]:
    """All that was said, and what was taken back for it: `text` alone and nothing if it is a sentence of its own."""
    if done is None or not text or done.id != request.continues or done.language != request.language:
        return text, ()
    joined = await mind.joined(done.text, text, done.language, done.before)
    if not joined:
        return text, ()
    try:
        return joined, await mind.take_back(memory, done.before, done.language, request.key)
    except Exception:  # what cannot be taken back stays, and what was said last is answered by itself
        log.exception("what was answered too early could not be taken back")
        return text, ()
