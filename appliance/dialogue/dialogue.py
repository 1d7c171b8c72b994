"""Words in, reply out: understand, ask the skill, carry out what it decided."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from appliance.dialogue.actions import Action, StopSpeaking
from appliance.dialogue.completeness import Completeness, completeness
from appliance.dialogue.families import FAMILIES
from appliance.dialogue.families.turn.skill import quoted
from appliance.dialogue.family import Family
from appliance.dialogue.followups import Situation
from appliance.dialogue.joining import joined
from appliance.dialogue.languages import grammar
from appliance.dialogue.performers import DURABLE, Inverse, Occasion, Performer, Refused, Run, performers
from appliance.dialogue.saying.replies import Replies, Text
from appliance.dialogue.things import UNKNOWN_DEVICE, Device
from appliance.dialogue.types import Answer, Ask, Considered, Context, Intent, Memory, Question, Reply, Streaming
from appliance.dialogue.understanding import Understands
from appliance.errors import SkillError
from appliance.language import LANGUAGES, Language
from appliance.state.stores import Stores
from appliance.state.timers import TimerStore

log = logging.getLogger(__name__)

Helper = Callable[[str, Language, Memory], Awaitable[str | Streaming]]
"""Answers what skills cannot know: slow, remote, and off unless its owner switched it on. May raise Refused."""

KEPT = ("stopwatch", "quiet")
"""Values of the keeper that skills may see."""
HOLDS = timedelta(seconds=3)
"""What was considered is used for so long."""
FORGETS_S = 120
"""After so long a question is no longer waited for, and "it" no longer known."""
FOR_GOOD = 0.15
"""By so much more than its model needs the recognizer must be sure of what cannot be taken back."""
_OF_TURNS = ("last_reply", "last_heard", "question", "last", "it", "undo", "refusals")
"""What each turn leaves in memory, whatever it does."""
_ABOUT_THE_TURN = ("Repeat", "WhatHeard")
"""Intents that look back at the last utterance and must not become it."""


def replies(families: Iterable[Family], language: Language) -> Replies:
    """The reply texts of all families in one language."""
    texts: dict[str, Text] = {}
    for family in families:
        file = family.sentences(language)
        texts |= {f"{family.name}.{name}": text for name, text in file.get("replies", {}).items()}
        texts |= {
            f"means.{intent}": entry["means"] for intent, entry in file.get("intents", {}).items() if "means" in entry
        }
    return Replies(texts, grammar(language))


class Dialogue:
    """Answers for all conversations; what one conversation remembers is its Memory."""

    def __init__(
        self,
        understanding: Understands,
        timers: TimerStore,
        *,
        stores: Stores | None = None,
        families: Iterable[Family] = FAMILIES,
        helpers: Mapping[str, Helper] | None = None,
        fallbacks: Iterable[str] = (),
        more_performers: Mapping[type, Performer] | None = None,
        device: Callable[[Memory, Language], Device] = lambda memory, language: UNKNOWN_DEVICE,
        voices: Mapping[Language, Iterable[str]] | None = None,
        run: Run = asyncio.to_thread,
        remember: Run | None = None,
        random: Random | None = None,
    ) -> None:
        """more_performers: for the actions that only this device can carry out. device: what it knows of itself; called
        where understanding is done, for the families that tell of it. voices: what they are called, by language.

        run, remember: where understanding is done, and where disk work is done.
        """
        families = tuple(families)
        self._understanding = understanding
        self._stores = stores or Stores.beside(timers)
        self._timers = timers
        self._run = run
        self._random = random or Random()
        self._skills = {intent: skill for family in families for intent, skill in family.skills.items()}
        self._families = families
        self._acts = frozenset(intent for family in families for intent in family.acts)
        if "home" in (helpers or {}):
            self._acts |= {"Unavailable"}  # then somebody acts upon it, and it has to be heard as surely
        self._for_good = frozenset(intent for family in families for intent in family.for_good)
        self._texts = {language: replies(families, language) for language in LANGUAGES}
        self._performers = {**performers(self._stores, remember or run), **(more_performers or {})}
        self._helpers = helpers or {}
        self._fallbacks = tuple(name for name in fallbacks if name in self._helpers)
        self._device = device
        self._about_device = {intent for family in families if family.about_device for intent in family.skills}
        self._voices = {language: {name: name for name in names} for language, names in (voices or {}).items()}

    async def answer(
        self,
        text: str,
        language: Language,
        memory: Memory,
        *,
        turn: str = "",
        margin: float = 1.0,
        considered: Considered | None = None,
    ) -> Answer:
        """Answer one utterance. Never raises for what people say: a failing skill apologises.

        turn: the turn's id; what is written down carries it, so that a turn that comes twice is done once.
        margin: how sure the recognizer was (Final.margin); what is doubtful is asked before anything is done.
        considered: what was thought of it a moment ago; used if nothing has changed since.
        """
        start_s = time.perf_counter()
        self._forget(memory)
        if considered is None or not self._still_holds(considered, text, language, memory, margin):
            considered = await self.consider(text, language, memory, margin)
        intent, context = considered.intent, considered.context
        understood_s = time.perf_counter()
        undo = memory.undo
        reply = await self._reply(considered, Occasion(turn, memory, language))
        can_be_undone = bool(memory.undo) and memory.undo is not undo
        self._remember(intent, reply, memory)
        end_s = time.perf_counter()
        return Answer(
            reply,
            intent,
            1000 * (understood_s - start_s),
            1000 * (end_s - understood_s),
            _meant(intent, context),
            can_be_undone,
        )

    async def consider(self, text: str, language: Language, memory: Memory, margin: float = 1.0) -> Considered:
        """What would be answered. Changes nothing, asks no helper, is never told to anybody. Never raises."""
        whose, memory = memory, replace(memory)  # who asks is known by the memory itself
        self._forget(memory)
        situation = self._situation(memory, language)

        def understand() -> tuple[Intent, Device]:
            intent = self._understanding.understand(text, language, situation)
            return intent, self._device(whose, language) if intent.name in self._about_device else UNKNOWN_DEVICE

        intent, device = await self._run(understand)
        if not intent.doubt and margin < self._needs(intent):
            intent = replace(intent, doubt="unheard")
        context = self._context(language, memory, device)
        try:
            said = self._doubtful(intent, context) if intent.doubt else self._skills[intent.name](intent, context)
        except Exception:  # told when it is answered: the skill is asked again there
            return Considered(text, intent, context, None)
        return Considered(text, intent, context, said)

    def _still_holds(
        self, considered: Considered, text: str, language: Language, memory: Memory, margin: float
    ) -> bool:
        """Whether the same would be considered now: the same words, surely heard, and nothing else has happened."""
        if not considered.intent.doubt and margin < self._needs(considered.intent):
            return False
        before = considered.context
        now = self._context(language, memory, before.device)
        return text == considered.text and now.now - before.now < HOLDS and replace(now, now=before.now) == before

    async def completeness(self, text: str, language: Language, memory: Memory) -> Completeness:
        """How complete what somebody is saying is so far; changes nothing."""
        found, intent = await self._run(
            completeness, self._understanding, text, language, self._situation(memory, language)
        )
        would_ask = (
            intent.name
            and not intent.doubt
            and self._would_ask(intent, self._context(language, memory, UNKNOWN_DEVICE))
        )
        return "open" if would_ask else found

    async def joined(self, first: str, second: str, language: Language, memory: Memory) -> str:
        """What was said in two pieces, if it reads as one sentence; else "". memory: as before the first."""
        situation = self._situation(memory, language)
        return await self._run(joined, self._understanding, first, second, language, situation)

    async def take_back(self, memory: Memory, before: Memory, language: Language, turn: str) -> Sequence[Action]:
        """Undo what the last turn did, as "undo" would, and remember of it nothing. before: memory before that turn.

        turn: the id under which it is undone. Returns the actions that did. Raises what performers raise.
        """
        actions = memory.undo if memory.undo is not before.undo else None
        if actions:
            await self._perform(Reply("", language, actions), Occasion(turn and f"{turn}/back", memory, language))
        for name in _OF_TURNS:
            setattr(memory, name, getattr(before, name))
        return actions or ()

    def _would_ask(self, intent: Intent, context: Context) -> bool:
        """Whether all there would be to say is a question for what is missing: "set a timer"."""
        try:
            said = self._skills[intent.name](intent, context)
        except Exception:  # it will be heard of when the sentence is answered
            return False
        return isinstance(said, Reply) and said.question is not None and bool(said.question.wants)

    def _needs(self, intent: Intent) -> float:
        """How sure the recognizer must have been of the words: more for what cannot be taken back."""
        if intent.name in self._for_good:
            return FOR_GOOD
        return 0.0 if intent.name in self._acts or not intent.name else -1.0

    def _forget(self, memory: Memory) -> None:
        now = self._timers.clock.now()
        if memory.at is not None and abs(now - memory.at) > timedelta(seconds=FORGETS_S):
            memory.question = memory.last = memory.it = None
        memory.at = now

    def _situation(self, memory: Memory, language: Language) -> Situation:
        named = [timer for timer in self._timers.pending() if timer.name]
        known = {
            kind: {timer.name.casefold(): timer.name for timer in named if timer.kind == kind}
            for kind in ("timer", "reminder")
        }
        timers = [timer for timer in self._timers.pending() if timer.kind == "timer"]
        things = tuple({"name": each.name} if each.name else {"start_s": each.duration_s} for each in timers)
        known |= {"list": {name.casefold(): name for name in self._stores.lists.all()}}
        known |= {"voice": self._voices.get(language, {})}
        return Situation(
            known,
            memory.question,
            memory.last,
            self._timers.clock.now().date(),
            things,
            ringing=bool(self._timers.ringing()),
        )

    def _context(self, language: Language, memory: Memory, device: Device) -> Context:
        return Context(
            language=language,
            now=self._timers.clock.now(),
            texts=self._texts[language],
            timers=self._timers.pending(),
            last_reply=memory.last_reply,
            last_heard=memory.last_heard,
            volume=memory.volume,
            volume_before_mute=memory.volume_before_mute,
            random=self._random,
            help={family.name: family.help(language) for family in self._families},
            last=memory.last,
            question=memory.question,
            it=memory.it,
            undo=memory.undo,
            ringing=self._timers.ringing(),
            lists=self._stores.lists.all(),
            notes=self._stores.notes.all(),
            kept={name: self._stores.keeper.get(name) for name in KEPT},
            helpers=frozenset(self._helpers),
            fallbacks=self._fallbacks,
            refusals=memory.refusals,
            can=frozenset(self._performers),
            may_configure=memory.may_configure,
            device=device,
        )

    async def _reply(self, considered: Considered, occasion: Occasion) -> Reply:
        intent, context, said = considered.intent, considered.context, considered.said
        try:
            if said is None:
                said = self._doubtful(intent, context) if intent.doubt else self._skills[intent.name](intent, context)
            rest: AsyncGenerator[str, None] | None = None
            while isinstance(said, Ask):
                answer = await self._helpers[said.helper](said.question, context.language, occasion.memory)
                text, rest = (answer.first, answer.rest) if isinstance(answer, Streaming) else (answer, None)
                said = said.then(text)
            said = replace(said, rest=rest)
            await self._perform(said, occasion)
            if DURABLE & set(map(type, said.actions)) and not self._timers.database.durable:
                said = replace(said, text=f"{said.text} {context.text('turn.not_kept')}")
        except Refused as refusal:
            return Reply(context.texts.sentence(refusal.text, self._random, **refusal.values), context.language)
        except SkillError as error:
            return Reply(str(error), context.language)
        except Exception:
            # A bug costs this turn only; the text is not logged, people's words are theirs.
            log.exception("intent %r failed", intent.name)
            return Reply(context.text("turn.apology"), context.language)
        return said

    async def _perform(self, reply: Reply, occasion: Occasion) -> None:
        inverses: list[Inverse] = [
            await self._performers[type(action)](action, replace(occasion, number=number))
            for number, action in enumerate(reply.actions)
        ]
        effects = [inverse for inverse in inverses if inverse is not None]
        if effects:
            occasion.memory.undo = tuple(action for inverse in reversed(effects) for action in inverse)

    def _doubtful(self, intent: Intent, context: Context) -> Reply:
        """Ask before anything is done that may not be meant."""
        if intent.doubt == "unheard":
            if not intent.name:
                return context.say("turn.not_clear", understood=False)
            return context.say("turn.heard_right", words=quoted(intent.text), question=Question(intent.having()))
        if intent.doubt == "either":
            known = {slot: value for slot, value in intent.slots.items() if slot not in ("either", "of")}
            asked = Question(replace(intent, slots=known, doubt=""), (str(intent.slots["of"]),))
            return context.say("turn.either", each=intent.slots["either"], question=asked)
        wanted = _meant(intent, context)
        if not wanted and intent.doubt == "unsure":  # too little was said to name it: the skill asks for the rest
            said = self._skills[intent.name](intent, context)
            if isinstance(said, Reply) and said.asks and not said.actions:
                return said
        if not wanted:
            return context.say("turn.unclear", understood=False)
        return context.say("turn.shall_i", meant=wanted, question=Question(intent.having()))

    @staticmethod
    def _remember(intent: Intent, reply: Reply, memory: Memory) -> None:
        memory.question = reply.question
        if not any(character.isalnum() for character in intent.text):
            return
        memory.last_reply = reply.text
        memory.refusals = 0 if reply.understood else memory.refusals + 1
        if intent.name not in _ABOUT_THE_TURN:
            memory.last_heard = intent.text
            if intent.name and StopSpeaking() not in reply.actions:
                memory.last = intent


def _meant(intent: Intent, context: Context) -> str:
    """What was understood, in words, as "set a timer for ten minutes"; "" where there are none for it."""
    meant, values = f"means.{intent.name}", {"name": "", **intent.slots}
    if meant not in context.texts or not context.texts.values(meant) <= values.keys():
        return ""
    return " ".join(context.text(meant, **values).split())
