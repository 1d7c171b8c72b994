"""The composition root: settings → models → pools → server and local device, in one task group.

Everything shared is made here and handed down; nothing below reaches up.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from appliance import turns
from appliance.attention import Attention
from appliance.audio.voice import VoiceDetector
from appliance.bell import LINGER_S, Bell, Texts
from appliance.choices import Choices
from appliance.config import Config
from appliance.conversation import Ears, Faculties, Mind
from appliance.deeds import Deeds
from appliance.device.local import LocalDevice
from appliance.dialogue.announcing import announced as said_now
from appliance.dialogue.announcing import missed
from appliance.dialogue.owners.registry import Folder
from appliance.dialogue.performers import speech_of
from appliance.dialogue.quiet import is_quiet
from appliance.dialogue.types import Answer, Considered, Memory, Timer
from appliance.dialogue.understanding import Understanding, Understands
from appliance.facts import Facts, usual_first
from appliance.hearing.both import BothEars
from appliance.hearing.pool import PARTIAL_INTERVAL_S, RecognizerPool
from appliance.household import Household, code_texts, household, keep_certified
from appliance.language import LANGUAGES, Language
from appliance.memory import give_back, share_heaps
from appliance.mind import keep_looking, put_together
from appliance.models.better import better_models, fetch_beside
from appliance.models.catalogue import Kind, by_name
from appliance.models.choose import Choice, find_recognizer, find_voice, find_voices, how_to_get
from appliance.models.embedded import prepared_directory, voices_within
from appliance.power import is_appliance
from appliance.programs import Programs
from appliance.server.announce import Service, announced
from appliance.server.metrics import Metrics
from appliance.server.names import own_addresses
from appliance.server.page.board import Board
from appliance.server.page.people import People
from appliance.server.page.settings import Settings
from appliance.server.places import Places
from appliance.server.site import Site, find_site
from appliance.server.web import Web
from appliance.sessions import Sessions
from appliance.speaking.synthesizer import Synthesizer
from appliance.state.feed import follow
from appliance.state.stores import Stores
from appliance.state.timers import RINGS_S, TimerStore
from appliance.state.tokens import TokenStore
from appliance.stored import clock, stored
from appliance.systemd import feed_watchdog, notify
from appliance.workers import Workers

if TYPE_CHECKING:
    from appliance.farm.node import Node

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.001
"""How soon a thread gives way to the event loop; CPython's 5 ms would be the loop's whole lateness allowance."""

CATCH_UP_S = 5.0
"""How often the state's file is looked at for changes by another process; one SQLite PRAGMA."""

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


@asynccontextmanager
async def loaded(
    config: Config, recognizers: Mapping[Language, Choice], voices: Mapping[Language, Choice], *,
    others: Mapping[Language, Mapping[str, Choice]], partial_interval_s: float = PARTIAL_INTERVAL_S,
) -> AsyncIterator[tuple[RecognizerPool, Synthesizer, Workers]]:
    """Load and warm these, at once where they do not depend on each other. Raises ModelError.

    others: voices that are loaded when somebody asks for them. Yields the threads that hear as well.
    """
    hearing = Workers(config.streaming.workers(), "hear")
    speaking = Workers(config.streaming.tts_workers, "speak", nice=SPEAKING_NICE)
    try:
        pool = RecognizerPool(
            {language: choice.path for language, choice in recognizers.items()}, hearing,
            partial_interval_s=partial_interval_s,
            doubtful_below={language: model.doubtful_below for language, choice in recognizers.items()
                            if (model := by_name(choice.path.name)) is not None})
        synthesizer = Synthesizer(
            {language: choice.path for language, choice in voices.items()}, speaking, config.cache_path() / "voices",
            prepared=map(voices_within, (config.models_path(), prepared_directory())),
            others={language: {name: choice.path for name, choice in each.items()}
                    for language, each in others.items()})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pool.open())
            tasks.create_task(synthesizer.open())
        yield pool, synthesizer, hearing
    finally:
        hearing.close()
        speaking.close()


@asynccontextmanager
async def awake(
    config: Config, *, ears: bool = True, mouth: bool = True, partial_interval_s: float = PARTIAL_INTERVAL_S,
    alone: bool = False, node: Node | None = None,
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
        known = {language: usual_first(find_voices(language, models), voices.get(language))
                 for language in LANGUAGES}
        facts = Facts(config.place, known, config.state_path())
        deeds = Deeds(remembering.run, has_device=alone and config.device.enabled,
                      is_appliance=alone and is_appliance(), room=config.place.room)
        async with AsyncExitStack() as stack:
            stack.callback(remembering.close)
            stack.callback(thinking.close)
            async with asyncio.TaskGroup() as tasks:
                understanding = tasks.create_task(thinking.run(Understanding))
                pool, synthesizer, hearing = await stack.enter_async_context(loaded(
                    config, recognizers, voices, others=known, partial_interval_s=partial_interval_s))
            thought = await put_together(
                config, understanding.result(), stores, think=thinking.run, remember=remembering.run, deeds=deeds,
                facts=facts, voices=known, serving=alone)
            listening: Ears = pool if node is None else node.ears
            if config.speech.hear_both and len(listening.languages) > 1:
                listening = BothEars(listening, partial(thinking.run, partial(_is_understood, thought.understanding)))
            mind: Mind = thought.dialogue
            if config.log_speech:
                mind = _LoggedMind(mind)
            attention = Attention(
                config.endpoint, mind, VoiceDetector, hearing.run, lambda: hearing.queued > hearing.threads,
                asyncio.get_running_loop().time)
            give_back()  # what loading needed
            yield Assistant(
                listening, mind, synthesizer if node is None else node.mouth, stores, timers, tokens, remembering,
                {"recognizer": recognizers, "voice": voices}, deeds, facts, attention, thought.skills)


def prepare_process() -> None:
    """What threads and heaps of every process with models in it need."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    share_heaps()


class _LoggedMind:
    """Writes what people say and are told to the log; only with log_speech."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    async def consider(self, text: str, language: Language, memory: Memory) -> Considered:
        return await self._mind.consider(text, language, memory)

    async def answer(
        self, text: str, language: Language, memory: Memory, *, turn: str = "", margin: float = 1.0,
        considered: Considered | None = None,
    ) -> Answer:
        answer = await self._mind.answer(
            text, language, memory, turn=turn, margin=margin, considered=considered)
        log.info("heard %r, answered %r", text, answer.reply.text)
        return answer

    async def completeness(self, text: str, language: Language, memory: Memory) -> str:
        return await self._mind.completeness(text, language, memory)


def _is_understood(understanding: Understands, text: str, language: Language) -> bool:
    return bool(understanding.understand(text, language).name)


def choose(config: Config, kind: Kind, models: Path, *, unpack: bool = True) -> dict[Language, Choice]:
    """The recognizer or voice of each language that has one. Raises ModelError if a configured one is missing.

    unpack: False only looks, and names where an embedded recognizer would be unpacked.
    """
    find = partial(find_recognizer, unpack=unpack) if kind == "recognizer" else find_voice
    found = {language: find(language, models, getattr(config.speech, f"{kind}_{language}")) for language in LANGUAGES}
    return {language: choice for language, choice in found.items() if choice is not None}


async def serve(config: Config, *, fetching: bool = False) -> None:
    """Run the assistant until SIGINT or SIGTERM. fetching: get better models in the background, for the next start."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    hurry = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hurry.set)
    log.info("loading the recognizer and the voice; the first time it takes a little longer")
    async with _node(config) as node, awake(config, alone=True, node=node) as assistant:
        _say_what_is_in_force(assistant, node)
        metrics = Metrics(lambda: assistant.ears.stats)
        metrics.add_voices(lambda: assistant.mouth.stats)
        if node is not None:
            metrics.add_farm(lambda: node.figures)
        metrics.add_guesses(lambda: assistant.attention.guesses)
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            told = _Told(metrics)
            sessions = Sessions(
                assistant, tasks, language=config.language, max_audio_duration_s=config.server.max_audio_duration_s,
                observe=told.event, dropped=metrics.frame_dropped, attention=assistant.attention,
                recall=partial(speech_of, assistant.stores), travels=None if node is None else node.visits)
            device = told.device = _device(config, sessions, tasks) if config.device.enabled else None
            if device is not None:
                metrics.add_sound(lambda: device.sound.stats)
                device.is_quiet = lambda: is_quiet(
                    assistant.stores.keeper.get("quiet"), assistant.timers.clock.now())
            places = Places(assistant.tokens, assistant.remembering.run, tasks)
            site = Site(find_site())
            chosen = _settings(config, assistant, tasks)
            if device is not None:
                chosen.waking, device.waking.told = device.waking, chosen.changed
            people = People(config, sessions, metrics, places, _board(assistant, tasks), chosen, site.version)
            ready = asyncio.Event()
            home = await household(
                config, site, assistant.tokens, places, people, metrics, ready, run=assistant.remembering.run,
                show=_shown_at(device, tasks), can_show=device is not None or sys.stderr.isatty())
            _give_hands(assistant, tasks, people, device, home)
            programs = Programs(config, sessions, metrics, tasks, assistant.attention)
            stack.callback(programs.close)
            web = Web(
                config, home.guard, programs.added(home.listeners, home.guard),
                see_off=lambda: programs.leave(people.leave()), metrics=metrics)
            if node is not None:
                node.changed = hurry.set
                home.pairing.changed = lambda now_s: node.tell_pairing(home.pairing.snapshot(now_s))
                node.paired = lambda snapshot: home.pairing.adopt(snapshot, time.monotonic())
            ports = await stack.enter_async_context(web.listening())
            ports |= await stack.enter_async_context(programs.listening())
            for look_again in (people.look_again, partial(programs.look_again, places.may_stay)):
                stack.callback(assistant.tokens.database.listen(
                    partial(_in_loop, loop, look_again)))  # somebody may have been revoked
            background = [tasks.create_task(work) for work in (
                _bell(assistant, tasks, people, device, lingers=node is not None).watch.watch(),
                _catch_up(assistant, hurry), feed_watchdog(),
                keep_looking(assistant.skills, assistant.remembering.run),
                metrics.watch_loop(lambda: people.present))]
            if home.certified is not None:
                background.append(tasks.create_task(
                    keep_certified(home.certified, assistant.remembering.run)))
                log.info(
                    "over HTTPS: https://%s:%d (`stimme paired code` lets a browser in)", home.name, ports["secure"])
            programs.say_where(ports)
            if config.clients.mqtt:
                from appliance.mirroring import Mirroring  # here, because it loads paho

                mirroring = Mirroring(
                    config.clients, home.name, device, assistant.stores, assistant.remembering.run, tasks)
                told.mirror = mirroring.event
                background.append(tasks.create_task(mirroring.run()))
            services = programs.services(home.name, ports)
            if home.certified is not None:
                services.append(Service("_https._tcp", ports["secure"], {"path": "/"}))
            if services:
                await stack.enter_async_context(announced(home.name, services, own_addresses()))
            if device is not None:
                background.append(tasks.create_task(device.run()))
            better = better_models(assistant.choices)
            if fetching and better:
                background.append(tasks.create_task(fetch_beside(better, config.models_path())))
            elif better:
                log.info("better models can be had from the network, with --fetch: %s", ", ".join(better))
            gc.collect()
            gc.freeze()  # models, sentences and code are never garbage: looking through them stops the loop for 30 ms
            ready.set()
            notify("READY=1")
            host = "localhost" if config.server.host in ("127.0.0.1", "0.0.0.0", "::1", "::") else config.server.host
            log.info("ready: http://%s:%d (WebSocket also at ws://%s:%d)", host, ports["page"], host, ports["guide"])
            await stop.wait()
            ready.clear()
            notify("STOPPING=1")
            log.info("stopping")
            assistant.deeds.stop()
            for task in background:
                task.cancel()
            sessions.stop()
            if device is not None:
                await device.leave()


@asynccontextmanager
async def _node(config: Config) -> AsyncIterator[Node | None]:
    """This process as a web node of a farm; None if there is none. Raises ConfigError."""
    if not config.farm.redis:
        yield None
        return
    from appliance.farm.address import address
    from appliance.farm.node import Node  # Redis' library is for farms only

    node = Node(address(config.farm))
    await node.open()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(node.run())
        await node.here.wait()
        try:
            yield node
        finally:
            running.cancel()


class _Told:
    """What follows from anybody's turns: figures, and silence at the device when somebody says "stop"."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.device: LocalDevice | None = None
        self.mirror: Callable[[turns.Event], None] = lambda event: None

    def event(self, event: turns.Event) -> None:
        self._metrics.event(event)
        self.mirror(event)
        if isinstance(event, turns.Silenced) and self.device is not None:
            self.device.stop_ringing()


def _device(config: Config, sessions: Sessions, tasks: asyncio.TaskGroup) -> LocalDevice:
    return LocalDevice(config.device, sessions, tasks, state_directory=config.state_path())


def _give_hands(
    assistant: Assistant, tasks: asyncio.TaskGroup, people: People, device: LocalDevice | None, home: Household
) -> None:
    """What the dialogue decides about the device and other rooms can be carried out from here on."""
    deeds, facts = assistant.deeds, assistant.facts
    deeds.tasks, deeds.people, deeds.device, deeds.pairing = tasks, people, device, home.pairing
    facts.rooms, facts.fingerprint = deeds.rooms, home.words


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)


def _shown_at(device: LocalDevice | None, tasks: asyncio.TaskGroup) -> Callable[[str], None]:
    """Shows a pairing code on the terminal that the assistant was started from, and says it at the device."""
    def show(code: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"Pairing code, for two minutes: {code}\n")
        if device is not None:
            tasks.create_task(device.announce(code_texts(code), "pairing", "notice"))

    return show


def _bell(
    assistant: Assistant, tasks: asyncio.TaskGroup, people: People, device: LocalDevice | None, *, lingers: bool
) -> Bell:
    """What is due is said at the pages and at the device; who comes is told what nobody has heard.

    lingers: other machines ring as well.
    """
    timers = assistant.timers

    def announced(timer: Timer) -> Texts:
        return {language: said_now(timer, timers.clock.now(), language) for language in LANGUAGES}

    def told_late(timer: Timer) -> Texts:
        return {language: missed(timer, timers.clock.now(), language) for language in LANGUAGES}

    bell = Bell(timers, announced, told_late, tasks, assistant.remembering.run, linger_s=LINGER_S if lingers else 0.0)
    bell.places.append(people)
    people.greet = bell.greet
    if device is not None:
        bell.ringers.append(device)
        device.greet = partial(bell.greet, device)
    return bell


def _board(assistant: Assistant, tasks: asyncio.TaskGroup) -> Board:
    """What pages show of what is durable."""
    stores = assistant.stores
    return Board(
        stores.timers, stores.lists, partial(follow, stores.timers.database), stores.timers.clock.now,
        assistant.remembering.run, tasks, rings_s=RINGS_S)


def _settings(config: Config, assistant: Assistant, tasks: asyncio.TaskGroup) -> Settings:
    """What people choose at pages."""
    choices = Choices(
        assistant.stores, assistant.tokens, assistant.remembering.run, assistant.choices, assistant.facts.voices,
        config.models_path(), lambda: settings.changed())
    settings = Settings(choices, tasks)
    return settings


async def _catch_up(assistant: Assistant, hurry: asyncio.Event) -> None:
    """Notice what the command line changed beside us; try again what the disk did not take. hurry: now."""
    while True:
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await hurry.wait()
        except TimeoutError:
            pass
        hurry.clear()
        await assistant.remembering.run(assistant.timers.database.catch_up)


def _say_what_is_in_force(assistant: Assistant, node: Node | None) -> None:
    """One line a language: who hears, who speaks, and what to do about what is missing."""
    if node is not None:
        for language in LANGUAGES:
            log.info("%s: heard by %s, spoken by %s, on %d workers", language,
                     node.ears.names.get(language, "nobody"), node.mouth.names.get(language, "nobody"),
                     len(node.members.workers))
        return
    for language in LANGUAGES:
        for kind, chosen in assistant.choices.items():
            choice = chosen.get(language)
            if choice is None:
                log.info("%s %s: %s", language, kind, how_to_get(kind, language))
            else:
                log.info("%s %s: %s (%s)", language, kind, choice.name, choice.why)


def run(config: Config, *, fetching: bool = False) -> None:
    """Run the assistant on uvloop until it is told to stop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(config, fetching=fetching))
