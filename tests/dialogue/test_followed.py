"""What is said after something else, in the scene of the utterances."""

from collections.abc import Sequence

import pytest

from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from tests.dialogue.scene import slots_text
from tests.utterances.scene import answers


@pytest.mark.parametrize(
    ("language", "turns", "name", "slots"),
    [
        # a list that was spoken of stays the one that is meant
        ("en", ["what's on the camping list", "add a pillow"], "AddToList", "items=('pillow',); list=camping"),
        ("de", ["was steht auf der urlaubsliste", "setz ein kissen drauf"], "AddToList",
         "items=('kissen',); list=Urlaub"),
        # so does a timer, unless "the timer" is said
        ("en", ["how long is left on the pizza", "add two minutes"], "HassIncreaseTimer",
         "duration_s=120; name=pizza"),
        # "stop" stops what was begun, "cancel that" cancels it, "stop it" deletes nothing
        ("en", ["start the stopwatch", "stop"], "StopStopwatch", ""),
        ("de", ["starte die stoppuhr", "stopp"], "StopStopwatch", ""),
        ("en", ["remind me at six to call mum", "cancel that"], "CancelReminder", "it=True; name=call mum"),
        ("en", ["set a timer for ten minutes", "stop"], "StopSpeaking", ""),
        # another request is none about it
        ("en", ["set a timer for ten minutes", "tell me a joke"], "TellJoke", ""),
        ("en", ["wake me at seven", "give me a number"], "PickNumber", ""),
        ("de", ["stell einen timer auf zehn minuten", "sag mir einen witz"], "TellJoke", ""),
        # "more" goes on in the same direction, only where there is one
        ("en", ["louder", "a bit more"], "HassSetVolumeRelative", "up=10"),
        ("de", ["sprich schneller", "noch ein bisschen"], "SetSpeedRelative", "direction=faster"),
        # percentages
        ("en", ["fifteen percent of eighty", "and of ninety"], "Calculate", "expression=(15 % of 90)"),
        ("de", ["fünfzehn prozent von achtzig", "und zwanzig prozent"], "Calculate", "expression=(20 % of 80)"),
    ],
)  # fmt: skip
async def test_a_turn_means_something_after_another(
    language: Language, turns: Sequence[str], name: str, slots: str, understanding: Understanding
) -> None:
    *_, last = await answers(understanding, language, turns)
    assert (last.intent.name, slots_text(last.intent.slots)) == (name, slots)


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("de", "starte dich bitte mal neu", "Restart"),
        ("de", "was hast du denn da verstanden", "WhatHeard"),
        ("en", "turn please the sound off", "HassSetVolume"),
        ("en", "play bohemian rhapsody by queen", "Unavailable"),
        ("de", "wie hoch ist der mount everest", "Unavailable"),
        ("en", "she likes to play chess", ""),
    ],
)
async def test_fillers_inside_phrases_and_what_begins_a_request(
    language: Language, text: str, name: str, understanding: Understanding
) -> None:
    assert understanding.understand(text, language).name == name


@pytest.mark.parametrize(
    ("text", "seconds"), [("wake me in one second", 1), ("wake me in a second", 1), ("set an alarm in two seconds", 2)]
)
def test_a_second_is_a_while_and_no_day(text: str, seconds: int, understanding: Understanding) -> None:
    assert understanding.understand(text, "en").slots == {"duration_s": seconds}
