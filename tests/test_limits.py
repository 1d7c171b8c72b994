"""The limits that Python, JavaScript and the documentation share."""

import json
from pathlib import Path

from appliance import limits
from appliance.audio import pcm
from appliance.config import settings

ROOT = Path(__file__).parents[1]


def test_the_limits_are_those_of_the_shared_vectors() -> None:
    vectors = json.loads((ROOT / "tests" / "vectors" / "limits.json").read_text(encoding="utf-8"))
    del vectors["about"]
    assert vectors == {
        "max_text_characters": limits.MAX_TEXT_CHARACTERS,
        "max_id_characters": limits.MAX_ID_CHARACTERS,
        "max_message_bytes": limits.MAX_MESSAGE_BYTES,
        "chunk_bytes": list(limits.CHUNK_BYTES),
        "wire_rate_hz": limits.WIRE_RATE,
        "reply_rates_hz": list(limits.REPLY_RATES),
        "reply_speeds": list(limits.REPLY_SPEEDS),
        "most_timer_change_s": limits.MOST_TIMER_CHANGE_S,
    }


def test_samples_and_settings_keep_to_them() -> None:
    assert pcm.RATE == limits.WIRE_RATE
    chunk_size = dict(settings())["streaming.chunk_size"].metadata
    assert (chunk_size["low"], chunk_size["high"]) == limits.CHUNK_BYTES


def test_the_documented_protocol_names_them() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    for words in (
        f"over {limits.MAX_TEXT_CHARACTERS} characters",
        f"at most {limits.MAX_ID_CHARACTERS} characters",
        f"up to {limits.MAX_MESSAGE_BYTES // 1024} KiB",
        f"over {limits.MAX_MESSAGE_BYTES // 1024} KiB",
    ):
        assert words in text
