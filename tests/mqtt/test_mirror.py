"""What the owner's MQTT broker is told, and what may be asked of the device through it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance import turns
from appliance.dialogue.things import Timer
from appliance.errors import ConfigError
from appliance.mqtt.broker import Address, parse
from appliance.mqtt.discovery import announcement
from appliance.mqtt.mirror import Commands, Mirror

DUE = datetime(2026, 11, 25, 7, 30, tzinfo=UTC)


def mirrored(*, tells_words: bool = False) -> tuple[Mirror, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    return Mirror(lambda topic, value: told.append((topic, value)), tells_words), told


def answered(id: str, text: str = "It is three.") -> turns.Answered:
    return turns.Answered(id, text, "en", "GetTime", True, "what time is it", {})


def test_a_turn_is_told_state_by_state_and_each_only_once() -> None:
    mirror, told = mirrored()
    for event in (
        turns.Listening("1"),
        turns.PartialHeard("1", "what"),
        turns.Endpoint("1", "silence"),
        turns.FinalHeard("1", "what time is it", 1.0, 1.0, False, {}),
        answered("1"),
        turns.SpeechStarted("1", 16_000),
        turns.SpeechEnded("1", False, 1.0, {}),
    ):
        mirror.event(event)
    assert told == [
        ("state", "listening"),
        ("state", "thinking"),
        ("state", "idle"),
        ("intent", "GetTime"),
        ("state", "speaking"),
        ("state", "idle"),
    ]


def test_while_several_are_at_it_the_most_telling_state_counts() -> None:
    mirror, told = mirrored()
    mirror.event(turns.SpeechStarted("a", 16_000))
    mirror.event(turns.Listening("b"))
    mirror.event(turns.Cancelled("b"))
    assert told == [("state", "speaking")]
    mirror.event(turns.Failed("a", "internal", "x"))
    assert told[-1] == ("state", "idle")


def test_what_is_said_is_told_only_where_the_owner_allows_it() -> None:
    for tells_words in (False, True):
        mirror, told = mirrored(tells_words=tells_words)
        mirror.event(answered("1", "x" * 400))
        mirror.timers([Timer(1, "timer", "pizza", DUE, 60.0)])
        assert ("heard" in dict(told)) is tells_words and ("pizza" in str(told)) is tells_words
        assert all(len(value) <= 255 for topic, value in told if topic != "timers/attributes")


def test_timers_are_told_as_moments() -> None:
    mirror, told = mirrored()
    mirror.timers([Timer(1, "timer", "", DUE, 60.0), Timer(2, "alarm", "", DUE, 0.0)])
    assert dict(told)["timers"] == "2" and dict(told)["timers/next"] == "2026-11-25T07:30:00+00:00"
    assert json.loads(dict(told)["timers/attributes"])["timers"][1]["kind"] == "alarm"
    mirror.timers([])
    assert told[-3:] == [("timers", "0"), ("timers/next", "None"), ("timers/attributes", '{"timers": []}')]


@pytest.mark.parametrize(
    ("topic", "value", "done"),
    [
        ("stop/set", "PRESS", ["stop"]),
        ("volume/set", "42", [42]),
        ("volume/set", "42.4", [42]),
        ("mute/set", "ON", [True]),
        ("mute/set", "OFF", [False]),
        ("mute/set", "maybe", None),
        ("volume/set", "101", None),
        ("volume/set", "nan", None),
        ("volume/set", "loud", None),
        ("restart/set", "PRESS", None),
        ("", "", None),
    ],
)
def test_commands_are_carried_out_or_refused(topic: str, value: str, done: list[Any] | None) -> None:
    did: list[Any] = []
    commands = Commands(lambda: did.append("stop"), did.append, did.append)
    assert commands.carry_out(topic, value) is (done is not None) and did == (done or [])
    assert not Commands(lambda: None).carry_out("volume/set", "42"), "there is no loudspeaker"


@pytest.mark.parametrize("has_device", [True, False])
def test_home_assistant_is_told_all_that_it_needs(has_device: bool) -> None:
    """What its MQTT integration requires of a device's discovery message."""
    told = announcement("stimme-ab12", has_device=has_device, tells_words=False)
    assert told["device"]["identifiers"] and told["origin"]["name"]
    components = told["components"]
    assert ("volume" in components) is ("mute" in components) is has_device and "heard" not in components
    assert len({one["unique_id"] for one in components.values()}) == len(components)
    for one in components.values():
        wanted = {
            "sensor": {"state_topic"},
            "button": {"command_topic"},
            "number": {"command_topic", "state_topic"},
            "switch": {"command_topic", "state_topic"},
        }[one["platform"]]
        assert wanted <= set(one) and "~" not in json.dumps(one)
        assert all(value.startswith("stimme/stimme-ab12/") for key, value in one.items() if key.endswith("_topic"))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", Address("broker", 1883, False)),
        ("mqtts://broker", Address("broker", 8883, True)),
        ("mqtts://me:p%40ss@10.1.2.3:999/", Address("10.1.2.3", 999, True, "me", "p@ss")),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    "url", ["broker", "http://broker", "mqtt://", "mqtt://me:secret@broker:x", "mqtt://me:secret@broker/topic"]
)
def test_what_is_no_address_is_refused_without_the_password(url: str) -> None:
    with pytest.raises(ConfigError, match="mqtts://USER:PASSWORD@HOST:PORT") as refused:
        parse(url)
    assert "secret" not in str(refused.value)
