"""What the recognizer was not sure of is asked about before anything is done; more strictly what cannot be undone."""

from collections.abc import Sequence

import pytest

from appliance.dialogue.actions import CancelTimer, Say, SetTimer
from appliance.dialogue.dialogue import FOR_GOOD, Dialogue
from appliance.dialogue.things import Device
from appliance.dialogue.types import Answer, Memory
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.utterances.scene import StillClock, _at_once, _nothing


async def said(
    understanding: Understanding, turns: Sequence[tuple[str, float]], language: Language = "en"
) -> list[Answer]:
    """What is answered to texts that were heard with such margins."""
    with Database(None) as database:
        dialogue = Dialogue(
            understanding,
            TimerStore(database, StillClock()),
            run=_at_once,
            more_performers={Say: _nothing},
            device=lambda memory, language: Device(rooms=("kitchen",)),
        )
        memory = Memory()
        return [await dialogue.answer(text, language, memory, margin=margin) for text, margin in turns]


async def test_a_doubtful_command_is_asked_about_and_done_after_yes(understanding: Understanding) -> None:
    asked, done = await said(understanding, [("set a timer for ten minutes", -0.05), ("yes", 0.3)])
    assert (asked.reply.text, asked.reply.actions) == ("I heard: set a timer for ten minutes. Is that right?", ())
    assert asked.reply.asks
    assert [type(action) for action in done.reply.actions] == [SetTimer]


async def test_a_doubtful_command_is_not_done_after_no(understanding: Understanding) -> None:
    _, refused = await said(understanding, [("stell einen timer auf zehn minuten", -0.05), ("nein", 0.3)], "de")
    assert refused.reply.actions == ()


@pytest.mark.parametrize(
    ("text", "margin", "does"),
    [
        ("set a timer for ten minutes", 0.0, True),
        ("tell everyone that dinner is ready", FOR_GOOD - 0.01, False),
        ("tell everyone that dinner is ready", FOR_GOOD, True),
    ],
)
async def test_what_cannot_be_taken_back_must_be_heard_more_clearly(
    text: str, margin: float, does: bool, understanding: Understanding
) -> None:
    (answer,) = await said(understanding, [(text, margin)])
    assert bool(answer.reply.actions) == does
    assert answer.reply.asks != does


async def test_a_doubtful_question_is_simply_answered(understanding: Understanding) -> None:
    (answer,) = await said(understanding, [("what time is it", -0.2)])
    assert answer.reply.text == "It's seven minutes past three."


async def test_what_is_neither_clear_nor_understood_is_asked_for_again(understanding: Understanding) -> None:
    (answer,) = await said(understanding, [("the purple of", -0.2)])
    assert (answer.reply.text, answer.reply.understood) == ("I didn't hear that clearly. Please say it again.", False)


async def test_a_doubtful_yes_deletes_nothing_until_it_is_clear(understanding: Understanding) -> None:
    turns = [
        ("set a timer for ten minutes", 1.0),
        ("set a timer for two minutes", 1.0),
        ("cancel all timers", 1.0),
        ("yes", -0.1),
        ("yes", 1.0),
    ]
    *_, unsure, done = await said(understanding, turns)
    assert unsure.reply.asks and not unsure.reply.actions
    assert {type(action) for action in done.reply.actions} == {CancelTimer}
