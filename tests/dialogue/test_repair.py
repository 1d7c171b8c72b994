"""Misheard words are put right where a sentence means nothing without; what would act asks first."""

import pytest

from appliance.dialogue.followups import Situation
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from tests.dialogue.scene import NOW

SCENE = Situation({"timer": {"pizza": "pizza"}}, today=NOW.date())


@pytest.mark.parametrize(
    ("text", "language", "name", "doubt"),
    [
        ("set a timmer for ten minutes", "en", "HassStartTimer", "repaired"),
        ("cansel the pizza timer", "en", "HassCancelTimer", "repaired"),
        ("stell einen tiemr auf zehn minuten", "de", "HassStartTimer", "repaired"),
        ("shovel the stopwotch back to zero", "en", "", ""),
        # an answer to a question needs no confirmation if more than the repaired word speaks for it
        ("what time is it in tokio", "en", "HassGetCurrentTime", ""),
        ("wie viele sekundn hat eine stunde", "de", "Convert", ""),
        # numbers and negations are not made of other words, nor into them
        ("set a timer for tem minutes", "en", "HassStartTimer", "unsure"),
        ("noot a timer", "en", "HassStartTimer", "unsure"),
        # short words and sentences of strangers stay as they are
        ("komm her sitz", "de", "", ""),
        ("zeit ist geld", "de", "", ""),
        ("hast du den hund gefüttert", "de", "", ""),
    ],
)  # fmt: skip
def test_a_word_is_put_right(
    text: str, language: Language, name: str, doubt: str, understanding: Understanding
) -> None:
    intent = understanding.understand(text, language, SCENE)
    assert (intent.name, intent.doubt) == (name, doubt)
    assert intent.text == text
