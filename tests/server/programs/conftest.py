"""The real server with every protocol for programs switched on, and what `stimme hear` makes of two questions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.audio.pcm import RATE, Recording, write_wav
from appliance.cli.commands import HEAR_BLOCK
from appliance.hearing.pool import RecognizerPool
from appliance.hearing.transcript import Word
from appliance.language import LANGUAGES, Language
from appliance.models.choose import find_recognizer
from appliance.workers import Workers
from tests.support.server import MODELS, RunningServer, running_server
from tests.support.speech import spoken

QUESTIONS: dict[Language, str] = {"en": "what is seven times eight", "de": "wie viel ist sieben mal acht"}


@dataclass(frozen=True)
class Heard:
    """A question as it was recorded, and what `stimme hear` says it is."""

    file: Path
    pcm: bytes
    text: str
    words: tuple[Word, ...]


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    settings = {
        "STIMME_WYOMING": "true",
        "STIMME_WYOMING_PORT": "0",
        "STIMME_OPENAI": "true",
        "STIMME_VOSK": "true",
        "STIMME_VOSK_PORT": "0",
    }
    with running_server(settings) as server:
        yield server


def port(server: RunningServer, name: str) -> int:
    """Where a protocol is spoken."""
    match = re.search(rf"for programs: {name} at [^:]+:(\d+)", server.log.read_text())
    assert match, server.log.read_text()
    return int(match[1])


@pytest.fixture(scope="session")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[Language, Heard]:
    folder, found = tmp_path_factory.mktemp("heard"), {}
    for language, final in asyncio.run(_heard()).items():
        pcm, text, words = final
        assert text, "nothing was heard"
        write_wav(file := folder / f"{language}.wav", pcm, RATE)
        found[language] = Heard(file, pcm, text, words)
    return found


async def _heard() -> dict[Language, tuple[bytes, str, tuple[Word, ...]]]:
    """As the command does it (cli/commands.py)."""
    models = {language: choice.path for language in LANGUAGES if (choice := find_recognizer(language, MODELS))}
    workers = Workers(2, "test-hear")
    pool, found = RecognizerPool(models, workers), {}
    await pool.open()
    for language, question in QUESTIONS.items():
        (pcm,) = await spoken([question], language)
        final = await pool.transcribe(Recording(pcm, HEAR_BLOCK), language, on_partial=lambda text: None)
        found[language] = pcm, final.text, final.words
    workers.close()
    return found
