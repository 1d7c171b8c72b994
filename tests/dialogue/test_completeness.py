"""How complete a sentence is so far: what decides how long its end is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.dialogue.completeness import Completeness, completeness
from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.types import Memory
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from appliance.state.database import Database
from appliance.state.timers import TimerStore


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "what time is it", "complete"),
        ("en", "turn the volume up", "complete"),
        ("en", "tell me a joke", "complete"),
        ("en", "never mind", "continuable"),
        ("en", "set a timer for ten minutes", "continuable"),
        ("en", "add milk", "text"),
        ("en", "add milk to the shopping list", "continuable"),
        ("en", "remind me to water the plants", "text"),
        ("en", "play", "open"),
        ("en", "play some", "open"),
        ("en", "when is the next", "open"),
        ("en", "what is two plus three", "continuable"),
        ("en", "stop", "continuable"),
        ("en", "set a timer for", "open"),
        ("en", "add milk and", "open"),
        ("en", "what time is it in", "open"),
        ("en", "what", "open"),
        ("en", "what version", "open"),
        ("en", "thank you", "continuable"),
        ("en", "could you set", "open"),
        ("en", "set a timer for um", "hesitation"),
        ("en", "the cat sat on the mat yesterday afternoon", "unknown"),
        ("en", "", "unknown"),
        ("de", "wie spät ist es", "complete"),
        ("de", "mach mal lauter", "complete"),
        ("de", "wie spät", "open"),
        ("de", "stelle einen timer auf zehn minuten", "continuable"),
        ("de", "setze milch auf die einkaufsliste", "continuable"),
        ("de", "stelle einen timer für", "open"),
        ("de", "stelle einen wecker auf", "open"),
        ("de", "milch und", "open"),
        ("de", "stelle einen timer auf äh", "hesitation"),
        ("de", "die katze saß den ganzen nachmittag auf unserer matte", "unknown"),
    ],
)
def test_what_is_said_so_far(
    understanding: Understanding, language: Language, text: str, expected: Completeness
) -> None:
    assert completeness(understanding, text, language)[0] == expected


async def test_what_would_be_answered_by_a_question_is_open(understanding: Understanding, tmp_path: Path) -> None:
    with Database(tmp_path / "state.sqlite3") as database:
        dialogue, memory = Dialogue(understanding, TimerStore(database)), Memory()
        assert await dialogue.completeness("set a timer", "en", memory) == "open"
        assert await dialogue.completeness("set a timer for ten minutes", "en", memory) == "continuable"
        assert memory == Memory() and not dialogue._timers.pending()
