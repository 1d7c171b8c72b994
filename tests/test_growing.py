"""Words that were told are not taken back."""

from __future__ import annotations

import pytest

from appliance.growing import Growing


def told(partials: list[str], final: str) -> str:
    growing, found = Growing(), ""
    for partial in partials:
        growing.heard(partial)
        found += growing.take()
    return found + growing.rest(final)


@pytest.mark.parametrize(
    ("partials", "final"),
    [
        ([], "what time is it"),
        (["what", "what time", "what time is"], "what time is it"),
        (["what", "watt hour", "what time is it"], "what time is it"),
        (["set a time", "set a timer for", "set a timer for ten"], "set a timer for ten minutes"),
        ([], ""),
    ],
)
def test_what_was_told_is_the_final_transcript(partials: list[str], final: str) -> None:
    assert told(partials, final) == final


def test_the_last_word_is_told_only_when_another_follows() -> None:
    growing = Growing()
    growing.heard("set a time")
    growing.heard("set a time")
    assert growing.take() == "set a"


def test_nothing_is_added_to_what_turned_out_wrong() -> None:
    assert told(["watt hour is", "watt hour is it", "watt hour is it"], "what hour is it now") == "watt hour is"
