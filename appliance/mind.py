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
from appliance.dialogue.owners.listening import WithOwners, protects
from appliance.dialogue.owners.registry import Folder
from appliance.dialogue.performers import Run
from appliance.dialogue.understanding import Understanding, Understands
from appliance.facts import Facts, Voices
from appliance.helpers.outside import Outside
from appliance.helpers.targets import commands, targets
from appliance.state.stores import Stores

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often the owner's skills are looked at for changes: one scan of a directory, in a worker."""


@dataclass(frozen=True)
class Mind:
    """What thinks. understanding: with the owner's sentences."""

    dialogue: Dialogue
    understanding: Understands
    skills: Folder


async def put_together(
    config: Config, base: Understanding, stores: Stores, *, think: Run, remember: Run, deeds: Deeds, facts: Facts,
    voices: Voices, serving: bool,
) -> Mind:
    """think, remember: where understanding and the disk are. serving: the house is open, so deeds can be done.

    Raises ConfigError for helpers that are set wrongly.
    """
    folder = Folder(config.skills_path(), protects(base))
    await think(folder.look)
    understanding = WithOwners(base, lambda: folder.registry)
    family = owners_family(lambda: folder.registry, base)
    dialogue = Dialogue(
        understanding, stores.timers, stores=stores, families=(*FAMILIES, family), run=think, remember=remember,
        device=facts, voices=voices, helpers=_helpers(config, deeds),
        more_performers={**(deeds.performers if serving else {}), **teaching_performers(folder, base, think)})
    return Mind(dialogue, understanding, folder)


def _helpers(config: Config, deeds: Deeds) -> Mapping[str, Helper]:
    asked = config.helpers
    outside = Outside(targets(asked.targets), commands(asked.commands), asked.timeout_s)
    found: dict[str, Helper] = {OUTSIDE: outside.ask}
    if config.server.lan:
        found[PAIRING] = deeds.code
    return found


async def keep_looking(folder: Folder, run: Run, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Have changed skills in force within a second, for ever."""
    while True:
        await pause(LOOK_S)
        if await run(folder.look):
            log.info("your skills were read again: %d in force", len(folder.registry.skills))
