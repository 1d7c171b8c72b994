"""The composition root: settings → models → pools → server and local device, in one task group.

Everything shared is made here and handed down; nothing below reaches up.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.attention import Attention
from appliance.audio.voice import VoiceDetector
from appliance.config import Config
from appliance.deeds import Deeds
from appliance.dialogue.owners.registry import Folder
from appliance.dialogue.owners.teacher import Teacher
from appliance.dialogue.understanding import Understanding, Understands
from appliance.facts import Facts, usual_first
from appliance.faculties import Ears, Faculties
from appliance.hearing.both import BothEars
from appliance.hearing.pool import PARTIAL_INTERVAL_S, RecognizerPool
from appliance.language import LANGUAGES, Language
from appliance.memory import give_back, share_heaps
from appliance.mind import put_together
from appliance.models.catalogue import Kind, by_name
from appliance.models.choose import Choice, find_recognizer, find_voice, find_voices
from appliance.models.embedded import prepared_directory, voices_within
from appliance.power import is_appliance
from appliance.speaking.synthesizer import Synthesizer
from appliance.state.stores import Stores
from appliance.state.timers import TimerStore
from appliance.state.tokens import TokenStore
from appliance.stored import clock, stored
from appliance.workers import Workers

if TYPE_CHECKING:
    from appliance.farm.node import Node

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.001
"""How soon a thread gives way to the event loop; CPython's 5 ms would be the loop's whole lateness allowance."""

SPEAKING_NICE = 10
"""Whoever speaks is waiting for the end of a sentence, whoever listens has some of it already: with a hundred spoken
replies to synthesise, 95 of 100 transcripts came within 26 ms of the end of speech instead of 56 ms."""


@dataclass(frozen=True)
class Assistant(Faculties):
    """Everything that hears, thinks and speaks, warmed; and what it needs."""

    stores: Stores
    timers: TimerStore
    tokens: TokenStore
    remembering: Workers
    """The thread for the disk of everything durable, which may be slow or locked."""
    choices: Mapping[Kind, Mapping[Language, Choice]]
    """Recognizers and voices in force."""
    deeds: Deeds
    facts: Facts
    attention: Attention
    """Who listens along to utterances whose end is left to the device."""
    skills: Folder
    """The owner's."""
    teacher: Teacher


@asynccontextmanager
async def loaded(
    config: Config,
    recognizers: Mapping[Language, Choice],
    voices: Mapping[Language, Choice],
    *,
    others: Mapping[Language, Mapping[str, Choice]],
    partial_interval_s: float = PARTIAL_INTERVAL_S,
) -> AsyncIterator[tuple[RecognizerPool, Synthesizer, Workers]]:
    """Load and warm these, at once where they do not depend on each other. Raises ModelError.

    others: voices that are loaded when somebody asks for them. Yields the threads that hear as well.
    """
    hearing = Workers(config.streaming.workers(), "hear")
    speaking = Workers(config.streaming.tts_workers, "speak", nice=SPEAKING_NICE)
    try:
        pool = RecognizerPool(
            {language: choice.path for language, choice in recognizers.items()},
            hearing,
            partial_interval_s=partial_interval_s,
            doubtful_below={
                language: model.doubtful_below
                for language, choice in recognizers.items()
                if (model := by_name(choice.path.name)) is not None
            },
        )
        synthesizer = Synthesizer(
            {language: choice.path for language, choice in voices.items()},
            speaking,
            config.cache_path() / "voices",
            prepared=map(voices_within, (config.models_path(), prepared_directory())),
            others={
                language: {name: choice.path for name, choice in each.items()} for language, each in others.items()
            },
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pool.open())
            tasks.create_task(synthesizer.open())
        yield pool, synthesizer, hearing
    finally:
        hearing.close()
        speaking.close()


@asynccontextmanager
async def awake(
    config: Config,
    *,
    ears: bool = True,
    mouth: bool = True,
    partial_interval_s: float = PARTIAL_INTERVAL_S,
    alone: bool = False,
    node: Node | None = None,
) -> AsyncIterator[Assistant]:
    """Load and warm the models, at once where they do not depend on each other. Raises ModelError.

    alone: nobody else may serve from this state directory; raises ConfigError naming the process that does.
    node: workers elsewhere hear and speak, so no model is loaded.
    """
    prepare_process()
    models = config.models_path()
    with stored(config, alone=alone) as database:
        timers, tokens = TimerStore(database, clock(config)), TokenStore(database)
        stores = Stores.beside(timers)
        recognizers = choose(config, "recognizer", models) if ears and node is None else {}
        voices = choose(config, "voice", models) if mouth and node is None else {}
        thinking, remembering = Workers(1, "think"), Workers(1, "remember")
        known = {language: usual_first(find_voices(language, models), voices.get(language)) for language in LANGUAGES}
        facts = Facts(config.place, known, config.state_path())
        deeds = Deeds(
            remembering.run,
            has_device=alone and config.device.enabled,
            is_appliance=alone and is_appliance(),
            room=config.place.room,
        )
        async with AsyncExitStack() as stack:
            stack.callback(remembering.close)
            stack.callback(thinking.close)
            async with asyncio.TaskGroup() as tasks:
                understanding = tasks.create_task(thinking.run(Understanding))
                pool, synthesizer, hearing = await stack.enter_async_context(
                    loaded(config, recognizers, voices, others=known, partial_interval_s=partial_interval_s)
                )
            thought = await put_together(
                config,
                understanding.result(),
                stores,
                think=thinking.run,
                remember=remembering.run,
                deeds=deeds,
                facts=facts,
                voices=known,
                serving=alone,
            )
            listening: Ears = pool if node is None else node.ears
            if config.speech.hear_both and len(listening.languages) > 1:
                listening = BothEars(listening, partial(thinking.run, partial(_is_understood, thought.understanding)))
            attention = Attention(
                config.endpoint,
                thought.dialogue,
                VoiceDetector,
                hearing.run,
                lambda: hearing.queued > hearing.threads,
                asyncio.get_running_loop().time,
            )
            give_back()  # what loading needed
            yield Assistant(
                listening,
                thought.dialogue,
                synthesizer if node is None else node.mouth,
                stores,
                timers,
                tokens,
                remembering,
                {"recognizer": recognizers, "voice": voices},
                deeds,
                facts,
                attention,
                thought.skills,
                thought.teacher,
            )


def prepare_process() -> None:
    """What threads and heaps of every process with models in it need."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    share_heaps()


def _is_understood(understanding: Understands, text: str, language: Language) -> bool:
    return bool(understanding.understand(text, language).name)


def choose(config: Config, kind: Kind, models: Path, *, unpack: bool = True) -> dict[Language, Choice]:
    """The recognizer or voice of each language that is wanted and has one. ModelError if a configured one is missing.

    unpack: False only looks, and names where an embedded recognizer would be unpacked.
    """
    find = partial(find_recognizer, unpack=unpack) if kind == "recognizer" else find_voice
    wanted = {*config.speech.languages, config.language} if config.speech.languages else set(LANGUAGES)
    found = {
        language: find(language, models, getattr(config.speech, f"{kind}_{language}", ""))
        for language in LANGUAGES
        if language in wanted
    }
    return {language: choice for language, choice in found.items() if choice is not None}
