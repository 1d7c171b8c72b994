"""Understanding, skills, the owner's skills and helpers, put together: the part of the composition root that thinks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from appliance.config import Config
from appliance.deeds import Deeds
from appliance.dialogue.dialogue import Dialogue, Helper
from appliance.dialogue.families import FAMILIES
from appliance.dialogue.families.system.skill import PAIRING
from appliance.dialogue.owners.answering import OUTSIDE, owners_family, teaching_performers
from appliance.dialogue.owners.listening import WithOwners, protected
from appliance.dialogue.owners.registry import Folder
from appliance.dialogue.owners.teacher import Teacher
from appliance.dialogue.performers import Run
from appliance.dialogue.understanding import Understanding, Understands
from appliance.facts import Facts, Voices
from appliance.helpers.chat import Chat
from appliance.helpers.home import HomeAssistant
from appliance.helpers.outside import Outside
from appliance.helpers.targets import addresses, commands, targets, token
from appliance.helpers.weather import Weather
from appliance.helpers.webhook import Webhook
from appliance.state.stores import Stores

log = logging.getLogger(__name__)

FALLBACKS = ("webhook", "home", "chat")
"""Who is asked what nobody here understood, in this order."""

LOOK_S = 0.5
"""How often the owner's skills are looked at for changes: one scan of a directory, in a worker."""


@dataclass(frozen=True)
class Mind:
    """What thinks. understanding: with the owner's sentences."""

    dialogue: Dialogue
    understanding: Understands
    skills: Folder
    teacher: Teacher


async def put_together(
    config: Config,
    base: Understanding,
    stores: Stores,
    *,
    think: Run,
    remember: Run,
    deeds: Deeds,
    facts: Facts,
    voices: Voices,
    serving: bool,
) -> Mind:
    """think, remember: where understanding and the disk are. serving: the house is open, so deeds can be done.

    Raises ConfigError for helpers that are set wrongly.
    """
    folder = Folder(config.skills_path(), protected)
    await think(folder.look)
    understanding = WithOwners(base, lambda: folder.registry)
    family = owners_family(lambda: folder.registry, base)
    dialogue = Dialogue(
        understanding,
        stores.timers,
        stores=stores,
        families=(*FAMILIES, family),
        run=think,
        remember=remember,
        device=facts,
        voices=voices,
        helpers=_helpers(config, deeds),
        fallbacks=FALLBACKS if config.helpers.when_not_understood else (),
        more_performers={**(deeds.performers if serving else {}), **teaching_performers(folder, base, think)},
    )
    return Mind(dialogue, understanding, folder, Teacher(folder, base, think))


def _helpers(config: Config, deeds: Deeds) -> Mapping[str, Helper]:
    asked = config.helpers
    outside = Outside(targets(asked.targets), commands(asked.commands), asked.timeout_s)
    found: dict[str, Helper] = {OUTSIDE: outside.ask}
    where = addresses(asked)
    if (to := where.get("home")) is not None:
        key = token(asked.home_assistant_token, "helpers.home_assistant_token")
        found["home"] = HomeAssistant(to, key, asked.timeout_s).ask
    if (to := where.get("chat")) is not None:
        key = token(asked.chat_token, "helpers.chat_token")
        found["chat"] = Chat(to, asked.chat_model, key, asked.timeout_s, deeds.begin).ask
    if (to := where.get("webhook")) is not None:
        found["webhook"] = Webhook(to, asked.timeout_s).ask
    if (to := where.get("weather")) is not None:
        place = (config.place.latitude, config.place.longitude)
        found["weather"] = Weather(to, place, asked.timeout_s).ask
    if config.server.lan:
        found[PAIRING] = deeds.code
    return found


async def keep_looking(folder: Folder, run: Run, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Have changed skills in force within a second, for ever."""
    while True:
        await pause(LOOK_S)
        if await run(folder.look):
            log.info("your skills were read again: %d in force", len(folder.registry.skills))
