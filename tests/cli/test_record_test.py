"""`stimme record-test`: what a person reads is kept for them alone, and heard as often as they like."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.audio.microphone import open_microphone
from appliance.audio.pcm import read_wav
from appliance.cli.record_test import SENTENCES, hear_again, record
from appliance.dialogue.understanding import Understanding
from appliance.hearing.pool import RecognizerPool
from appliance.language import LANGUAGES, Language
from appliance.models.choose import find_recognizer
from appliance.workers import Workers
from tests.cli.test_hear import stimme
from tests.support import sound_card
from tests.support.server import MODELS
from tests.support.sound_card import SoundCard
from tests.support.speech import spoken


@pytest.mark.parametrize("language", LANGUAGES)
def test_thirty_sentences_that_are_understood_are_read(language: Language) -> None:
    assert len(set(SENTENCES[language])) == 30
    understanding = Understanding()
    refused = [text for text in SENTENCES[language] if not understanding.understand(text, language).name]
    assert refused == []


@pytest.fixture
def pool() -> Iterator[RecognizerPool]:
    choice = find_recognizer("de", MODELS)
    assert choice is not None
    workers = Workers(1, "test")
    yield RecognizerPool({"de": choice.path}, workers)
    workers.close()


async def test_what_is_read_is_kept_for_the_person_and_heard(
    tmp_path: Path, card: SoundCard, pool: RecognizerPool, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = SENTENCES["de"][1:3]
    sounds = iter(await spoken(texts, "de"))
    folder = tmp_path / "recordings"
    microphone = await asyncio.to_thread(open_microphone, sound_card.MICROPHONE, 0, lambda: None)
    presses = 0

    async def enter() -> bool:
        nonlocal presses
        presses += 1
        if presses % 2 == 0:  # somebody reads, and then presses Enter to end
            await asyncio.to_thread(card.speak(next(sounds)).wait)
            await asyncio.sleep(0.2)
        return True

    try:
        await record(texts, "de", folder, microphone, enter)
    finally:
        await asyncio.to_thread(microphone.close)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == dict.fromkeys(
        ("01.wav", "01.txt", "02.wav", "02.txt"), 0o600
    )
    assert len(read_wav(folder / "01.wav")) > 2 * 16_000
    await pool.open()
    result = await hear_again(folder, "de", pool)
    assert (result.errors, result.sentences, result.right) == (0, 2, 2)
    assert f"= {texts[0]}" in capsys.readouterr().out


async def test_nobody_at_the_keyboard_records_nothing(tmp_path: Path) -> None:
    async def enter() -> bool:
        return False

    await record(SENTENCES["de"], "de", tmp_path / "recordings", None, enter)  # type: ignore[arg-type]
    assert list((tmp_path / "recordings").iterdir()) == []


def test_without_recordings_again_says_what_to_do(tmp_path: Path) -> None:
    result = stimme("record-test", "--again", "--language", "de", "--directory", str(tmp_path))
    assert result.returncode == 1
    assert f"{tmp_path}: no recordings; `stimme record-test` without --again makes some" in result.stderr
