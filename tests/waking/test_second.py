"""The second look: the recognizer cannot confirm a word it does not know, but it can contradict."""

from __future__ import annotations

import pytest

from appliance.hearing.transcript import Word
from appliance.waking.second import contradicts


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("okay google", True),
        ("okay now we do it", True),
        ("well okay not you", True),
        ("okay", False),
        ("", False),
        ("okay? now? but?", False),
        ("okay nab", False),
        ("okay navy", False),
        ("so? keen? a? goal?", False),
        ("okay to? do", False),
    ],
    ids=str,
)
def test_what_is_heard_surely_and_is_written_otherwise_contradicts(heard: str, expected: bool) -> None:
    words = [Word(word.rstrip("?"), 0.0, 0.1, 0.5 if word.endswith("?") else 0.99) for word in heard.split()]
    assert contradicts("okay nabu", words) is expected
