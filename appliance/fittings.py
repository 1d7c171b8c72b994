"""What places need of the assistant: the device, the bell, the board that pages show, settings, and hands."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from functools import partial

from appliance import turns
from appliance.app import Assistant
from appliance.bell import LINGER_S, Bell, Texts
from appliance.choices import Choices
from appliance.config import Config
from appliance.device.local import LocalDevice
from appliance.dialogue.announcing import announced as said_now
from appliance.dialogue.announcing import missed
from appliance.dialogue.quiet import is_quiet
from appliance.dialogue.things import Timer
from appliance.helpers.summary import helper_rows
from appliance.household import Household, code_texts
from appliance.language import LANGUAGES
from appliance.mind import FALLBACKS
from appliance.server.metrics import Metrics
from appliance.server.page.board import Board
from appliance.server.page.people import People
from appliance.server.page.settings import Settings
from appliance.sessions import Sessions
from appliance.state.feed import follow
from appliance.state.timers import RINGS_S

log = logging.getLogger(__name__)


class Told:
    """What follows from anybody's turns: figures, and silence at the device when somebody says "stop".

    log_speech: the owner wants what is heard and answered in the log.
    """

    def __init__(self, metrics: Metrics, *, log_speech: bool) -> None:
        self._metrics, self._log_speech = metrics, log_speech
        self.device: LocalDevice | None = None
        self.mirror: Callable[[turns.Event], None] = lambda event: None

    def event(self, event: turns.Event) -> None:
        self._metrics.event(event)
        self.mirror(event)
        if isinstance(event, turns.Answered) and self._log_speech:
            log.info("heard %r, answered %r", event.heard, event.text)
        if isinstance(event, turns.Silenced) and self.device is not None:
            self.device.stop_ringing()


def device_of(
    config: Config, assistant: Assistant, sessions: Sessions, tasks: asyncio.TaskGroup, chosen: Settings
) -> LocalDevice:
    """Microphone, loudspeaker and button, which know the quiet hours and are shown in the settings."""
    device = LocalDevice(config.device, sessions, tasks, state_directory=config.state_path())
    device.is_quiet = lambda: is_quiet(assistant.stores.keeper.get("quiet"), assistant.timers.clock.now())
    chosen.waking, device.waking.told = device.waking, chosen.changed
    return device


def give_hands(
    assistant: Assistant, tasks: asyncio.TaskGroup, people: People, device: LocalDevice | None, home: Household
) -> None:
    """What the dialogue decides about the device and other rooms can be carried out from here on."""
    deeds, facts = assistant.deeds, assistant.facts
    deeds.tasks, deeds.people, deeds.device, deeds.pairing = tasks, people, device, home.pairing
    facts.rooms, facts.fingerprint, facts.host = deeds.rooms, home.words, lambda: home.naming.name


def shown_at(device: LocalDevice | None, tasks: asyncio.TaskGroup) -> Callable[[str], None]:
    """Shows a pairing code on the terminal that the assistant was started from, and says it at the device."""

    def show(code: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"Pairing code, for two minutes: {code}\n")
        if device is not None:
            tasks.create_task(device.announce(code_texts(code), "pairing", "notice"))

    return show


def bell_of(
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


def board_of(assistant: Assistant, tasks: asyncio.TaskGroup) -> Board:
    """What pages show of what is durable."""
    stores = assistant.stores
    return Board(
        stores.timers,
        stores.lists,
        partial(follow, stores.timers.database),
        stores.timers.clock.now,
        assistant.remembering.run,
        tasks,
        rings_s=RINGS_S,
    )


def settings_of(config: Config, assistant: Assistant, tasks: asyncio.TaskGroup) -> Settings:
    """What people choose at pages."""
    choices = Choices(
        assistant.stores,
        assistant.tokens,
        assistant.remembering.run,
        assistant.choices,
        assistant.facts.voices,
        config.models_path(),
        lambda: settings.changed(),
        assistant.teacher,
        [
            {
                "kind": row.kind,
                "name": row.name,
                "where": row.where,
                "fallback": row.kind in FALLBACKS and config.helpers.when_not_understood,
            }
            for row in helper_rows(config.helpers)
            if row.where
        ],
    )
    settings = Settings(choices, tasks)
    return settings
