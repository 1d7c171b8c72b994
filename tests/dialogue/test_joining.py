"""What was said in two pieces: one sentence, or two."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.joining import reads_as_one
from appliance.dialogue.types import Memory
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from appliance.state.database import Database
from appliance.state.timers import TimerStore


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("en", "what time is it", "in london"),
        ("en", "add coffee and sugar", "to the shopping list"),
        ("en", "set a timer", "for ten minutes"),
        ("en", "cancel", "the alarm for tomorrow"),
        ("en", "remind me tomorrow at nine", "to buy milk"),
        ("en", "pick a number", "between one and ten"),
        ("en", "turn the volume", "to fifty percent"),
        ("en", "blue grass", "never sings"),
        ("de", "stelle einen timer", "auf zehn minuten"),
        ("de", "setze brot und butter", "auf die einkaufsliste"),
        ("de", "wie spät ist es", "in london"),
    ],
)
def test_one_sentence(understanding: Understanding, language: Language, first: str, second: str) -> None:
    assert reads_as_one(understanding, first, second, language)


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("en", "turn the volume up", "what time is it"),
        ("en", "remind me to water the plants tomorrow morning", "how are you"),
        ("en", "take a note the plumber comes on friday", "never mind"),
        ("en", "say that again", "louder"),
        ("en", "what time is it", "blue grass never sings"),
        ("de", "wie spät ist es", "wie viele kilometer sind zehn meilen"),
        ("de", "setze milch auf die einkaufsliste", "was ist zwei plus zwei"),
    ],
)
def test_two_sentences(understanding: Understanding, language: Language, first: str, second: str) -> None:
    assert not reads_as_one(understanding, first, second, language)


async def test_what_was_answered_too_early_is_undone_and_forgotten(
    understanding: Understanding, tmp_path: Path
) -> None:
    with Database(tmp_path / "state.sqlite3") as database:
        dialogue, memory = Dialogue(understanding, TimerStore(database)), Memory()
        lists = dialogue._stores.lists
        before = Memory()
        await dialogue.answer("add coffee", "en", memory, turn="one")
        assert any("coffee" in items for items in lists.all().values())
        whole = await dialogue.joined("add coffee", "to the shopping list", "en", before)
        assert whole == "add coffee to the shopping list"
        assert whole == await dialogue.joined("add coffee", "um to the shopping list", "en", before)
        assert await dialogue.take_back(memory, before, "en", "two")
        assert not any("coffee" in items for items in lists.all().values())
        assert (memory.last, memory.undo, memory.last_heard) == (None, None, "")
        await dialogue.answer("what time is it", "en", memory, turn="three")
        assert not await dialogue.take_back(memory, Memory(), "en", "four")
