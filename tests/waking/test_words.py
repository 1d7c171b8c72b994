"""When a word wakes: thresholds, refractory times, what is kept; in samples, not on a clock."""

from __future__ import annotations

import pytest

from appliance.audio.pcm import RATE
from appliance.errors import ConfigError
from appliance.waking.words import HIGHEST, KEPT_S, MOST_WAKES, Kept, Waker, Word, parse

BLOCK = b"\1\0" * 320
NABU = Word("okay_nabu", 0.8, 2.0)


class Mouth:
    """Says words with scores; `says` is what the next block holds."""

    def __init__(self, *words: Word) -> None:
        self.says: list[tuple[str, float]] = []
        self.is_speaking = False
        self.waker = Waker(words or (NABU,), lambda pcm: self.says, lambda: self.is_speaking, lambda: 1_700_000_000.0)

    def wakes(self, score: float, name: str = "okay_nabu") -> bool:
        self.says = [(name, score)]
        try:
            return self.waker.feed(BLOCK) is not None
        finally:
            self.says = []

    def quiet(self, seconds: float) -> None:
        for _ in range(round(seconds * RATE / 320)):
            self.waker.feed(BLOCK)


def test_a_score_from_the_threshold_on_wakes() -> None:
    assert [Mouth().wakes(score) for score in (0.5, 0.79, 0.8, 1.0)] == [False, False, True, True]


def test_the_same_word_rests_after_a_wake_and_another_does_not() -> None:
    mouth = Mouth(NABU, Word("alexa", 0.9, 2.0))
    assert mouth.wakes(0.9)
    mouth.quiet(1.9)
    assert not mouth.wakes(0.9) and mouth.wakes(0.95, "alexa")
    mouth.quiet(0.1)
    assert mouth.wakes(0.9)


def test_while_the_loudspeaker_plays_it_takes_more() -> None:
    mouth = Mouth()
    mouth.is_speaking = True
    assert not mouth.wakes(0.85) and mouth.wakes(0.95)


def test_that_was_wrong_makes_the_word_harder_to_hear_once_each_time() -> None:
    mouth = Mouth()
    assert mouth.wakes(0.84)
    wake = mouth.waker.wakes[-1]
    assert mouth.waker.was_wrong(wake).threshold == mouth.waker.was_wrong(wake).threshold == pytest.approx(0.85)
    mouth.quiet(2.0)
    assert not mouth.wakes(0.84) and mouth.wakes(0.86)


def test_no_number_of_complaints_makes_it_deaf() -> None:
    mouth = Mouth()
    for _ in range(100):
        mouth.quiet(2.1)
        assert mouth.wakes(1.0)
        mouth.waker.was_wrong(mouth.waker.wakes[-1])
    assert mouth.wakes(1.0) is False  # it rests
    assert mouth.waker.threshold(mouth.waker._states["okay_nabu"].word) <= HIGHEST


def test_the_last_wakes_are_kept_with_two_seconds_of_sound_and_nothing_grows() -> None:
    mouth = Mouth()
    for _ in range(MOST_WAKES + 5):
        mouth.quiet(3.0)
        mouth.wakes(0.9)
    assert len(mouth.waker.wakes) == MOST_WAKES
    assert {len(wake.sound) for wake in mouth.waker.wakes} == {round(KEPT_S * RATE) * 2}
    mouth.waker.forget()
    assert not mouth.waker.wakes and not mouth.waker.kept.last(2.0)


def test_a_microphone_that_delivers_nothing_wakes_nobody() -> None:
    mouth = Mouth()
    assert mouth.waker.feed(b"") is None


def test_kept_sound_is_the_newest() -> None:
    kept = Kept(1.0)
    kept.add(b"\1\0" * RATE)
    kept.add(b"\2\0" * 160)
    assert kept.last(0.02) == b"\1\0" * 160 + b"\2\0" * 160
    assert len(kept.last(5.0)) == 2 * RATE and kept.last(0.0) == b""


def test_words_are_set_with_threshold_and_rest() -> None:
    assert parse(["okay_nabu", "alexa:0.95", "hey_jarvis:0.9:3"]) == (
        Word("okay_nabu"),
        Word("alexa", 0.95),
        Word("hey_jarvis", 0.9, 3.0),
    )
    assert NABU.spoken == "okay nabu"


@pytest.mark.parametrize("entry", ["alexa:loud", "alexa:1.5", "alexa:0.9:0", "alexa:0.9:3:4", "alexa:nan"])
def test_numbers_that_mean_nothing_are_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match="0.3 to 0.999"):
        parse([entry])
