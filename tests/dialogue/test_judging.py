"""Who changes something must have understood every word that carries meaning; who deletes must be surer still."""

import pytest

from appliance.dialogue.followups import Situation
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from tests.dialogue.scene import NOW

SCENE = Situation({"timer": {"pizza": "pizza"}, "reminder": {}, "list": {}}, today=NOW.date())


@pytest.mark.parametrize(
    ("text", "language", "meant"),
    [
        # all words accounted for
        ("set a timer for ten minutes", "en", "HassStartTimer"),
        ("um could you set a timer for like ten minutes please", "en", "HassStartTimer"),
        ("cancel the pizza timer", "en", "HassCancelTimer"),
        ("stell doch bitte mal einen timer auf zehn minuten", "de", "HassStartTimer"),
        # a word that means something is left over
        ("set a timer for ten minutes the neighbour's helicopter is back", "en", "HassStartTimer?"),
        ("the ten minutes timer exploded", "en", "HassStartTimer?"),
        ("es gibt zehn minuten nachspielzeit", "de", "HassStartTimer?"),
        ("starte die stoppuhr in zehn minuten", "de", "?"),
        # a frame without a word of its own leaves nothing over but fillers
        ("ten minutes", "en", "HassStartTimer"),
        ("auf zehn minuten", "de", "HassStartTimer?"),
        ("ich bin in fünf minuten wieder da", "de", "HassStartTimer?"),
        # what turns the meaning
        ("don't set a timer for ten minutes", "en", "?"),
        ("set a timer for ten or fifteen minutes", "en", "?"),
        ("remind me at noon to buy six or seven eggs", "en", "SetReminder?"),
        ("erinner mich um zwölf sechs oder sieben eier zu kaufen", "de", "SetReminder?"),
        ("remind me if the bell rings to open the door", "en", "SetReminder?"),
        # a number alone is no speed, and nothing snoozes that does not ring
        ("twenty percent", "en", ""),
        ("fünf mal", "de", ""),
        ("speak at one and a half times the speed", "en", "SetSpeed"),
        ("ten more minutes", "en", "HassIncreaseTimer"),
        # what is written down or said aloud is kept word for word
        ("tell everyone that dinner is ready but not hot", "en", "Announce"),
        ("announce something", "en", "Announce"),
    ],
)  # fmt: skip
def test_what_is_left_over_is_asked_about(
    text: str, language: Language, meant: str, understanding: Understanding
) -> None:
    """ "?" alone: whatever it is, it is not acted upon."""
    intent = understanding.understand(text, language, SCENE)
    found = intent.name + ("?" if intent.doubt else "")
    acts = bool(intent.name) and not intent.doubt and intent.name in understanding.acts
    assert not acts if meant == "?" else found == meant


@pytest.mark.parametrize(
    ("text", "language", "items"),
    [
        ("add olive oil to the list", "en", ("olive oil",)),
        ("put mac and cheese and ice cream on the shopping list", "en", ("mac and cheese", "ice cream")),
        ("Add: olive oil, garlic, pasta", "en", ("olive oil", "garlic", "pasta")),
        ("put milk eggs and bread on the list", "en", ("milk", "eggs", "bread")),
        ("Setz Käse, Brot und Äpfel auf die Liste", "de", ("Käse", "Brot", "Äpfel")),
    ],
)
def test_things_to_buy_stay_whole(
    text: str, language: Language, items: tuple[str, ...], understanding: Understanding
) -> None:
    intent = understanding.understand(text, language, SCENE)
    assert (intent.name, intent.slots["items"]) == ("AddToList", items)


def test_texts_are_kept_as_they_were_said(understanding: Understanding) -> None:
    said = understanding.understand("Gib durch: Zeit fürs Bett", "de")
    assert (said.name, said.slots["text"]) == ("Announce", "Zeit fürs Bett")
