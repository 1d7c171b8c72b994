"""Opens an assistant that is awake to its places (pages, programs, the device), in one task group, until it stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import uvloop

from appliance.app import Assistant, awake
from appliance.config import Config
from appliance.device.local import LocalDevice
from appliance.dialogue.performers import speech_of
from appliance.fittings import Told, bell_of, board_of, device_of, give_hands, settings_of, shown_at
from appliance.household import Household, household, keep_certified
from appliance.language import LANGUAGES
from appliance.memory import keep_trimmed
from appliance.mind import keep_looking
from appliance.models.better import better_models, fetch_beside
from appliance.models.choose import how_to_get
from appliance.programs import Programs
from appliance.server.announce import Service, keep_announced
from appliance.server.metrics import Metrics
from appliance.server.page.people import People
from appliance.server.places import Places
from appliance.server.site import Site, find_site
from appliance.server.web import Web
from appliance.sessions import Sessions
from appliance.systemd import feed_watchdog, notify

if TYPE_CHECKING:
    from appliance.farm.node import Node

log = logging.getLogger(__name__)

CATCH_UP_S = 5.0
"""How often the state's file is looked at for changes by another process; one SQLite PRAGMA."""


def run(config: Config, *, fetching: bool = False) -> None:
    """Run the assistant on uvloop until it is told to stop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(config, fetching=fetching))


async def serve(config: Config, *, fetching: bool = False) -> None:
    """Run the assistant until SIGINT or SIGTERM. fetching: get better models in the background, for the next start."""
    stop, hurry = _signals()
    log.info("loading the recognizer and the voice; the first time it takes a little longer")
    async with _node(config) as node, awake(config, alone=True, node=node) as assistant:
        _say_what_is_in_force(assistant, node)
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            house = await _opened(config, assistant, node, tasks)
            stack.callback(house.programs.close)
            if node is not None:
                _follow_pairing(node, house.home, hurry)
            ports = await _listening(config, assistant, house, stack)
            background = [
                tasks.create_task(work) for work in _background(config, assistant, node, house, tasks, hurry=hurry)
            ]
            house.programs.say_where(ports)
            if house.home.certified is not None:
                where = house.home.naming.name, ports["secure"]
                log.info("over HTTPS: https://%s:%d (`stimme paired code` lets a browser in)", *where)
            if house.services(house.home.naming.name, ports):
                background.append(tasks.create_task(house.announced(ports)))
            better = better_models(assistant.choices)
            if fetching and better:
                background.append(tasks.create_task(fetch_beside(better, config.models_path())))
            elif better:
                log.info("better models can be had from the network, with --fetch: %s", ", ".join(better))
            gc.collect()
            gc.freeze()  # models, sentences and code are never garbage: looking through them stops the loop for 30 ms
            house.ready.set()
            notify("READY=1")
            host = "localhost" if config.server.host in ("127.0.0.1", "0.0.0.0", "::1", "::") else config.server.host
            log.info("ready: http://%s:%d (WebSocket also at ws://%s:%d)", host, ports["page"], host, ports["guide"])
            await stop.wait()
            house.ready.clear()
            notify("STOPPING=1")
            log.info("stopping")
            assistant.deeds.stop()
            for task in background:
                task.cancel()
            house.sessions.stop()
            if house.device is not None:
                await house.device.leave()


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """(stop, hurry): set by SIGINT and SIGTERM, and by SIGHUP."""
    loop = asyncio.get_running_loop()
    stop, hurry = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, hurry.set)
    return stop, hurry


@dataclass(frozen=True)
class _House:
    """All places of a running assistant, and what they share."""

    metrics: Metrics
    told: Told
    sessions: Sessions
    device: LocalDevice | None
    places: Places
    people: People
    ready: asyncio.Event
    home: Household
    programs: Programs

    def services(self, name: str, ports: dict[str, int]) -> list[Service]:
        """What the network is told of, by the name that this device has."""
        found = self.programs.services(name, ports)
        if self.home.certified is not None:
            found.append(Service("_https._tcp", ports["secure"], {"path": "/"}))
        return found

    async def announced(self, ports: dict[str, int]) -> None:
        """Tell the network, for ever."""
        await keep_announced(self.home.naming, lambda name: self.services(name, ports), self.home.renamed.set)


async def _opened(config: Config, assistant: Assistant, node: Node | None, tasks: asyncio.TaskGroup) -> _House:
    """Make all places; none listens yet. Raises ConfigError."""
    metrics = _metrics(assistant, node)
    told = Told(metrics, log_speech=config.log_speech)
    sessions = Sessions(
        assistant,
        tasks,
        language=config.language,
        max_audio_duration_s=config.server.max_audio_duration_s,
        observe=told.event,
        dropped=metrics.frame_dropped,
        attention=assistant.attention,
        recall=partial(speech_of, assistant.stores),
        travels=None if node is None else node.visits,
    )
    places = Places(assistant.tokens, assistant.remembering.run, tasks)
    site = Site(find_site())
    chosen = settings_of(config, assistant, tasks)
    device = told.device = device_of(config, assistant, sessions, tasks, chosen) if config.device.enabled else None
    if device is not None:
        metrics.add_sound(lambda: device.sound.stats)
    people = People(
        config.server.max_connections,
        config.streaming.chunk_size,
        sessions,
        metrics,
        places,
        board_of(assistant, tasks),
        chosen,
        site.version,
    )
    ready = asyncio.Event()
    home = await household(
        config,
        site,
        assistant.tokens,
        places,
        people,
        metrics,
        ready,
        run=assistant.remembering.run,
        show=shown_at(device, tasks),
        can_show=device is not None or sys.stderr.isatty(),
    )
    give_hands(assistant, tasks, people, device, home)
    programs = Programs(config, sessions, metrics, tasks, assistant.attention)
    return _House(metrics, told, sessions, device, places, people, ready, home, programs)


def _metrics(assistant: Assistant, node: Node | None) -> Metrics:
    metrics = Metrics(lambda: assistant.ears.stats)
    metrics.add_voices(lambda: assistant.mouth.stats)
    if node is not None:
        metrics.add_farm(lambda: node.figures)
    metrics.add_guesses(lambda: assistant.attention.guesses)
    return metrics


def _follow_pairing(node: Node, home: Household, hurry: asyncio.Event) -> None:
    """A code opened at one node is good at all of them; a change of what is durable is looked at at once."""
    node.changed = hurry.set
    home.pairing.changed = lambda now_s: node.tell_pairing(home.pairing.snapshot(now_s))
    node.paired = lambda snapshot: home.pairing.adopt(snapshot, time.monotonic())


async def _listening(config: Config, assistant: Assistant, house: _House, stack: AsyncExitStack) -> dict[str, int]:
    """Open all doors; returns the ports by the listeners' names. Raises ConfigError."""
    programs, people, loop = house.programs, house.people, asyncio.get_running_loop()
    web = Web(
        config.server,
        config.streaming,
        house.home.guard,
        programs.added(house.home.listeners, house.home.guard),
        see_off=lambda: programs.leave(people.leave()),
        metrics=house.metrics,
    )
    ports = await stack.enter_async_context(web.listening())
    ports |= await stack.enter_async_context(programs.listening())
    for look_again in (people.look_again, partial(programs.look_again, house.places.may_stay)):
        # somebody may have been revoked
        stack.callback(assistant.tokens.database.listen(partial(_in_loop, loop, look_again)))
    return ports


def _background(
    config: Config,
    assistant: Assistant,
    node: Node | None,
    house: _House,
    tasks: asyncio.TaskGroup,
    *,
    hurry: asyncio.Event,
) -> list[Coroutine[Any, Any, None]]:
    """What goes on until the end."""
    run, device, people = assistant.remembering.run, house.device, house.people
    works = [
        bell_of(assistant, tasks, people, device, lingers=node is not None).watch.watch(),
        _catch_up(assistant, hurry),
        feed_watchdog(),
        keep_looking(assistant.skills, run),
        keep_trimmed(run),
        house.metrics.watch_loop(lambda: people.present),
    ]
    if house.home.certified is not None:
        works.append(keep_certified(house.home.certified, house.home.renamed, run))
    if config.clients.mqtt:
        from appliance.mirroring import Mirroring  # here, because it loads paho

        mirroring = Mirroring(config.clients, house.home.naming.permanent, device, assistant.stores, run, tasks)
        house.told.mirror = mirroring.event
        works.append(mirroring.run())
    if device is not None:
        works.append(device.run())
    return works


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


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)


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
            log.info(
                "%s: heard by %s, spoken by %s, on %d workers",
                language,
                node.ears.names.get(language, "nobody"),
                node.mouth.names.get(language, "nobody"),
                len(node.members.workers),
            )
        return
    for language in LANGUAGES:
        for kind, chosen in assistant.choices.items():
            choice = chosen.get(language)
            if choice is None:
                log.info("%s %s: %s", language, kind, how_to_get(kind, language))
            else:
                log.info("%s %s: %s (%s)", language, kind, choice.name, choice.why)
