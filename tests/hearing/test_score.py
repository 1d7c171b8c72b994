"""Words wrong are counted as people would: what sounds the same is right however it is written."""

import pytest

from appliance.hearing.score import word_errors


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("what time is it", "what time is it", (0, 4)),
        ("what time is it", "what is it", (1, 4)),
        ("what time is it", "what what time was it", (2, 4)),
        ("alarm at six pm", "alarm at six p m", (0, 5)),
        ("never mind", "nevermind", (0, 2)),
        ("sag das nochmal", "sag das noch mal", (0, 4)),
        ("stopp", "stop", (0, 1)),
        ("stopp", "", (1, 1)),
        ("", "hm", (1, 0)),
    ],
)
def test_words_wrong_and_words(said: str, heard: str, expected: tuple[int, int]) -> None:
    assert word_errors(said, heard) == expected
