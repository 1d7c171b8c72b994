"""Words in, reply out: understand, ask the skill, carry out what it decided."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Protocol, TypeVar

from appliance.dialogue.skills import SKILLS
from appliance.dialogue.types import Action, CancelTimer, Context, Intent, Memory, Reply, SetTimer, SetVolume, Skill
from appliance.dialogue.understanding import Understanding
from appliance.errors import SkillError
from appliance.language import Language
from appliance.state.timers import TimerStore

log = logging.getLogger(__name__)

T = TypeVar("T")


class Run(Protocol):
    """Calls a function in a worker thread: asyncio.to_thread, or Workers.run."""

    def __call__(self, function: Callable[..., T], /, *args: Any) -> Coroutine[Any, Any, T]: ...


@dataclass(frozen=True)
class Answer:
    """What came of one turn. SetVolume and StopSpeaking in `reply.actions` are for whoever owns the loudspeaker."""

    reply: Reply
    intent: Intent
    understanding_ms: float
    skill_ms: float
    """Skill and disk."""


_APOLOGY: dict[Language, str] = {
    "en": "Sorry, something went wrong there.",
    "de": "Entschuldigung, dabei ist etwas schiefgegangen.",
}
_NOT_KEPT: dict[Language, str] = {
    "en": "But I can't write to my disk, so I would forget that if I were switched off.",
    "de": "Aber ich kann gerade nichts speichern: Nach dem Ausschalten wäre das vergessen.",
}
_ABOUT_THE_TURN = ("Repeat", "WhatHeard")
"""Intents that look back at the last utterance and must not become it."""


class Dialogue:
    """Answers for all conversations; what one conversation remembers is its Memory."""

    def __init__(
        self,
        understanding: Understanding,
        timers: TimerStore,
        *,
        run: Run = asyncio.to_thread,
        random: Random | None = None,
        skills: Mapping[str, Skill] = SKILLS,
    ) -> None:
        self._understanding = understanding
        self._timers = timers
        self._run = run
        self._random = random or Random()
        self._skills = skills

    async def answer(self, text: str, language: Language, memory: Memory) -> Answer:
        """Answer one utterance. Never raises for what people say: a failing skill apologises."""
        start_s = time.perf_counter()
        intent = await self._run(self._understanding.understand, text, language)
        understood_s = time.perf_counter()
        reply = await self._reply(intent, self._context(language, memory))
        self._remember(intent, reply, memory)
        end_s = time.perf_counter()
        return Answer(reply, intent, 1000 * (understood_s - start_s), 1000 * (end_s - understood_s))

    def _context(self, language: Language, memory: Memory) -> Context:
        return Context(
            language=language,
            now=self._timers.clock.now(),
            timers=self._timers.pending(),
            last_reply=memory.last_reply,
            last_heard=memory.last_heard,
            volume=memory.volume,
            volume_before_mute=memory.volume_before_mute,
            random=self._random,
        )

    async def _reply(self, intent: Intent, context: Context) -> Reply:
        try:
            reply = self._skills[intent.name](intent, context)
            changes = [action for action in reply.actions if isinstance(action, (SetTimer, CancelTimer))]
            if changes:
                await self._run(self._change_timers, changes)
                if not self._timers.database.durable:
                    reply = replace(reply, text=f"{reply.text} {_NOT_KEPT[context.language]}")
        except SkillError as error:
            return Reply(str(error), context.language)
        except Exception:
            # A bug costs this turn only; the text is not logged, people's words are theirs.
            log.exception("intent %r failed", intent.name)
            return Reply(_APOLOGY[context.language], context.language)
        return reply

    def _change_timers(self, changes: list[Action]) -> None:
        for change in changes:
            match change:
                case SetTimer():
                    self._timers.add(change)
                case CancelTimer(id):
                    self._timers.cancel(id)

    @staticmethod
    def _remember(intent: Intent, reply: Reply, memory: Memory) -> None:
        for action in reply.actions:
            if isinstance(action, SetVolume):
                if action.percent == 0 and memory.volume:
                    memory.volume_before_mute = memory.volume
                memory.volume = action.percent
        if any(character.isalnum() for character in intent.text):
            memory.last_reply = reply.text
            if intent.name not in _ABOUT_THE_TURN:
                memory.last_heard = intent.text
