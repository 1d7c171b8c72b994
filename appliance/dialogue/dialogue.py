"""Words in, reply out: understand, ask the skill, carry out what it decided."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from random import Random

from appliance.dialogue.families import FAMILIES
from appliance.dialogue.family import Family
from appliance.dialogue.performers import DURABLE, Occasion, Performer, Run, performers
from appliance.dialogue.types import Answer, Ask, Context, Intent, Memory, Reply
from appliance.dialogue.understanding import Understanding
from appliance.errors import SkillError
from appliance.language import Language
from appliance.state.timers import TimerStore

log = logging.getLogger(__name__)

Helper = Callable[[str, Language], Awaitable[str]]
"""Answers what skills cannot know: slow, remote, and off unless its owner switched it on."""


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
        families: Iterable[Family] = FAMILIES,
        helpers: Mapping[str, Helper] | None = None,
        run: Run = asyncio.to_thread,
        remember: Run | None = None,
        random: Random | None = None,
    ) -> None:
        families = tuple(families)
        self._understanding = understanding
        self._timers = timers
        self._run = run
        self._random = random or Random()
        self._skills = {intent: skill for family in families for intent, skill in family.skills.items()}
        self._families = families
        self._performers: Mapping[type, Performer] = performers(timers, remember or run)
        self._helpers = helpers or {}
        for family in families:
            for action in family.actions:
                if action not in self._performers:
                    raise ValueError(f"{family.name}: nobody carries out {action.__name__}")

    async def answer(self, text: str, language: Language, memory: Memory, *, turn: str = "") -> Answer:
        """Answer one utterance. Never raises for what people say: a failing skill apologises.

        turn: the turn's id; what is written down carries it, so that a turn that comes twice is done once.
        """
        start_s = time.perf_counter()
        intent = await self._run(self._understanding.understand, text, language)
        understood_s = time.perf_counter()
        reply = await self._reply(intent, self._context(language, memory), Occasion(turn, memory))
        self._remember(intent, reply, memory)
        end_s = time.perf_counter()
        return Answer(reply, intent, 1000 * (understood_s - start_s), 1000 * (end_s - understood_s))

    def _context(self, language: Language, memory: Memory) -> Context:
        return Context(
            language=language,
            now=self._timers.clock.now(),
            timers=self._timers.pending(),
            ringing=self._timers.ringing(),
            last_reply=memory.last_reply,
            last_heard=memory.last_heard,
            volume=memory.volume,
            volume_before_mute=memory.volume_before_mute,
            random=self._random,
            help={family.name: family.help(language) for family in self._families},
        )

    async def _reply(self, intent: Intent, context: Context, occasion: Occasion) -> Reply:
        try:
            said = self._skills[intent.name](intent, context)
            while isinstance(said, Ask):
                said = said.then(await self._helpers[said.helper](said.question, context.language))
            for number, action in enumerate(said.actions):
                await self._performers[type(action)](action, replace(occasion, number=number))
            if DURABLE & set(map(type, said.actions)) and not self._timers.database.durable:
                said = replace(said, text=f"{said.text} {_NOT_KEPT[context.language]}")
        except SkillError as error:
            return Reply(str(error), context.language)
        except Exception:
            # A bug costs this turn only; the text is not logged, people's words are theirs.
            log.exception("intent %r failed", intent.name)
            return Reply(_APOLOGY[context.language], context.language)
        return said

    @staticmethod
    def _remember(intent: Intent, reply: Reply, memory: Memory) -> None:
        if any(character.isalnum() for character in intent.text):
            memory.last_reply = reply.text
            if intent.name not in _ABOUT_THE_TURN:
                memory.last_heard = intent.text
