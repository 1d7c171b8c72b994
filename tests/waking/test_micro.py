"""The real networks: what they are called, and that they hear their word in a voice."""

from __future__ import annotations

import pytest

from appliance.errors import ConfigError
from appliance.waking.micro import Spotter, available
from tests.support.speech import spoken

pytest.importorskip("pymicro_wakeword")


def test_there_are_words_and_no_others() -> None:
    assert available()["okay_nabu"] == "Okay Nabu"
    with pytest.raises(ConfigError, match="there are: alexa"):
        Spotter(["hey_stimme"])
    with pytest.raises(ConfigError, match="expected 1 to 3"):
        Spotter(["okay_nabu"] * 4)


@pytest.mark.whole
async def test_the_word_is_heard_and_another_sentence_is_not() -> None:
    word, other = await spoken(["okay nabu", "what is on the shopping list"], quiet=bytes(32_000))
    spotter = Spotter(["okay_nabu", "hey_jarvis"])
    best = {
        name: max((score for one, score in spotter.feed(word + bytes(16_000)) if one == name), default=0.0)
        for name in ("okay_nabu", "hey_jarvis")
    }
    assert best["okay_nabu"] > 0.8 > 0.3 > best["hey_jarvis"]
    assert max((score for _, score in spotter.feed(other + bytes(16_000))), default=0.0) < 0.5
    spotter.close()
