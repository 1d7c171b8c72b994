"""`stimme worker`: hears and speaks for web nodes elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Mapping

import uvloop

from appliance.app import choose, loaded, prepare_process
from appliance.cli.capacity import Capacity, measured
from appliance.config import Config
from appliance.errors import ConfigError, ModelError
from appliance.language import LANGUAGES, Language
from appliance.memory import give_back
from appliance.models.choose import Choice, find_voices
from appliance.speaking.vits import sound_alike
from appliance.systemd import feed_watchdog, notify

log = logging.getLogger(__name__)

AHEAD = 1.5
"""Utterances taken for each that could be heard in real time: most people are not speaking all the time."""


def worker(config: Config, options: argparse.Namespace) -> int:
    """Work until SIGTERM; returns the exit code."""
    if not config.farm.redis:
        raise ConfigError("a worker needs STIMME_REDIS: the Redis that it shares with the web nodes (docs/farm.md)")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(config, options))
    return 0


async def _work(config: Config, options: argparse.Namespace) -> None:
    from appliance.farm.address import address
    from appliance.farm.link import Link
    from appliance.farm.worker import Worker

    prepare_process()
    sound_alike()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    models = config.models_path()
    recognizers = _wanted("--hear", options.hear, choose(config, "recognizer", models))
    voices = _wanted("--speak", options.speak, choose(config, "voice", models))
    if not recognizers and not voices:
        raise ModelError("this worker has neither a recognizer nor a voice; `stimme models list` names them")
    link = Link(address(config.farm), "worker")
    await link.open()
    try:
        known = {language: find_voices(language, models) for language in voices}
        async with loaded(config, recognizers, voices, others=known) as (ears, mouth, _):
            can = await measured(config, ears, mouth)
            give_back()
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(feed_watchdog())
                notify("READY=1")
                log.info(
                    "ready: hears %s, speaks %s, %s at once, as %s",
                    _names(recognizers),
                    _names(voices),
                    slots(can),
                    link.name,
                )
                await Worker(link, ears, mouth, slots(can), config.streaming.tts_workers).run(stop)
                notify("STOPPING=1")
                watching.cancel()
    finally:
        await link.close()


def slots(can: Capacity) -> int:
    """How many utterances a worker takes at once."""
    return max(2, round(can.speakers * AHEAD))


def _wanted(option: str, languages: str | None, there: Mapping[Language, Choice]) -> dict[Language, Choice]:
    """Those that were asked for. None: all that there are models for."""
    if languages is None:
        return dict(there)
    asked = [language.strip() for language in languages.split(",") if language.strip()]
    for language in asked:
        if language not in LANGUAGES:
            raise ConfigError(f"{option} {language!r}: expected {', '.join(LANGUAGES)}, or several with commas")
        if language not in there:
            raise ModelError(f"{option} {language}: there is no model for it here; `stimme models list` names them")
    return {language: choice for language, choice in there.items() if language in asked}


def _names(choices: Mapping[Language, Choice]) -> str:
    return ", ".join(f"{language} ({choice.name})" for language, choice in choices.items()) or "nothing"
