"""Nothing wrong is done more often than before. The figures only ever go down; put new ones here when they do."""

import asyncio
import logging
from collections import Counter

import pytest

from appliance.dialogue.understanding import Understanding
from appliance.language import LANGUAGES, Language
from tests.utterances.load import utterances
from tests.utterances.score import results

WRONG_ACTIONS: dict[Language, int] = {"en": 4, "de": 6}
"""At most so many of the turns of the held-out half; 2026-11-25, of 1,420 and 1,435."""
RIGHT: dict[Language, float] = {"en": 0.884, "de": 0.868}
"""At least this share is right; 2026-11-25."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_more_is_done_wrong_than_before(language: Language, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "appliance")
    held_out = [each for each in utterances(language) if each.held_out]
    found = asyncio.run(results(Understanding(languages=[language]), held_out))
    counts = Counter(each.verdict for each in found)
    assert counts["wrong action"] <= WRONG_ACTIONS[language]
    assert counts["right"] / len(found) >= RIGHT[language]
