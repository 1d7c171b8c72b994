"""What the recognizers write is read as what people type: letters, hundreds and compounds apart or together, halves."""

from __future__ import annotations

import pytest

from appliance.dialogue.understanding import Understanding
from appliance.language import Language


@pytest.mark.parametrize(
    ("language", "heard", "typed"),
    [
        ("de", "was ist zweihundert fünfzig plus drei", "was ist 250 plus 3"),
        ("de", "was ist neuntausend neunhundert neunundneunzig plus eins", "was ist 9.999 plus 1"),
        ("de", "was ist neunzehnhundert fünfundachtzig minus fünf", "was ist 1985 minus 5"),
        ("de", "was ist zweitausend sechsundzwanzig minus eins", "was ist 2026 minus 1"),
        ("de", "stell einen timer auf dreieinhalb minuten", "stell einen timer auf 3,5 minuten"),
        ("de", "stell einen timer auf drei einhalb minuten", "stell einen timer auf 3,5 minuten"),
        ("de", "timer auf anderthalb stunden", "timer auf 1,5 stunden"),
        ("de", "timer auf eine viertelstunde", "timer auf 15 minuten"),
        ("de", "timer auf eine dreiviertel stunde", "timer auf 45 minuten"),
        ("de", "wie lange läuft der eier timer noch", "wie lange läuft der Eier-Timer noch?"),
        ("de", "starte die stopp uhr", "starte die stoppuhr"),
        ("de", "setz milch auf die einkaufs liste", "setz milch auf die einkaufsliste"),
        ("de", "wie viel k g sind zehn pfund", "wie viel kg sind 10 pfund"),
        ("de", "rechne zehn k m h in meilen pro stunde um", "rechne 10 km/h in meilen pro stunde um"),
        ("de", "wie viele c m sind zwei zoll", "wie viele cm sind 2 zoll"),
        ("en", "what is nine thousand nine hundred ninety nine plus one", "what is 9,999 plus 1"),
        ("en", "set a timer for two and a half minutes", "set a timer for 2.5 minutes"),
        ("en", "alarm at six p m", "alarm at 6 pm"),
        ("en", "wake me at twelve fifteen a m", "wake me at 12:15 am"),
        ("en", "wake me up at eight fifty tea timer", "wake me up at 8:50 pm"),
        ("en", "wake me up at two forty forty timer", "wake me up at 2:44 pm"),
        ("en", "wake me up at nine forty two the timer", "wake me up at 9:42 pm"),
        ("en", "how many days until april time", "how many days until april 10"),
        ("en", "how many days until may wine", "how many days until may 1"),
        ("en", "how many days until june twenty wine", "how many days until june 21"),
        ("en", "how many k m in a mile", "how many km in a mile"),
        ("en", "how many m l in a cup", "how many ml in a cup"),
        ("en", "convert ten m p h to k m h", "convert 10 mph to km/h"),
    ],
)
def test_it_means_the_same(understanding: Understanding, language: Language, heard: str, typed: str) -> None:
    got, meant = (understanding.understand(text, language) for text in (heard, typed))
    assert got.name and (got.name, str(got.slots).lower()) == (meant.name, str(meant.slots).lower())


@pytest.mark.parametrize(
    ("language", "text", "slots"),
    [
        ("de", "setz h milch auf die einkaufsliste", {"items": ("h milch",), "list": "shopping"}),
        ("en", "add t v dinner to the shopping list", {"items": ("t v dinner",), "list": "shopping"}),
        ("en", "add twenty wine glasses to the shopping list", {"items": ("twenty wine glasses",), "list": "shopping"}),
        ("en", "set a tea timer for four minutes", {"name": "tea", "duration_s": 240.0}),
    ],
)
def test_letters_that_are_no_unit_stay_what_they_are(
    understanding: Understanding, language: Language, text: str, slots: dict[str, object]
) -> None:
    assert understanding.understand(text, language).slots == slots
