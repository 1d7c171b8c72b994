"""The wire format against the vectors that the JavaScript tests read too."""

import json
import typing
from pathlib import Path
from typing import Any

import pytest

from appliance import turns
from appliance.errors import ProtocolError
from appliance.server.page import encoding, messages, protocol

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "protocol.json").read_text(encoding="utf-8"))

TIMINGS = {"recognition_ms": 14.2, "understanding_ms": 2.0, "skill_ms": 0.2}
EVENTS: list[turns.Event] = [
    turns.Listening("7"),
    turns.Queued("7", 2),
    turns.PartialHeard("7", "what time"),
    turns.FinalHeard("7", "what time is it", 0.97, 1.4, False, {"recognition_ms": 14.2}),
    turns.Answered(
        "7",
        "It's seven minutes past three.",
        "en",
        "HassGetCurrentTime",
        True,
        "what time is it in tokyo",
        TIMINGS,
        "tell the time in Tokyo",
        {"zone": "Asia/Tokyo"},
    ),
    turns.SpeechStarted("7", 48000),
    turns.SpeechEnded("7", False, 1.9, TIMINGS | {"first_audio_ms": 60.1, "synthesis_ms": 18.6}),
    turns.Endpoint("7", "complete", "endpoint.complete_s", 224.0),
    turns.Paused("7", 160.0, 1200.0),
    turns.Cancelled("7", 1.4),
    turns.VolumeChanged(60),
    turns.LanguageChanged("de"),
    turns.AnswerGrew("7", "It's seven minutes past three. Tea is ready."),
    turns.Silenced("7"),
    turns.Announced("a1", "timer", "Your pizza timer is done.", "en"),
    turns.Failed("7", "bad_json", "This is not JSON: …", "Send one JSON object per text message."),
]


@pytest.mark.parametrize("vector", VECTORS["client"], ids=lambda v: v["name"])
def test_every_client_message_is_understood(vector: dict[str, Any]) -> None:
    message = protocol.parse(json.dumps(vector["message"]))
    if isinstance(message, messages.Set):
        wanted = {name: value for name, value in vector["message"].items() if name != "type"}
        assert {
            name: list(value) or False if name == "quiet" else value for name, value in message.fields.items()
        } == wanted
        return
    for name, value in vector["message"].items():
        if name not in ("type", "sample_rate"):
            assert getattr(message, name) == value


@pytest.mark.parametrize("vector", VECTORS["client_errors"], ids=lambda v: v["name"])
def test_every_wrong_message_gets_its_code(vector: dict[str, Any]) -> None:
    repeat = vector.get("repeat")
    text = repeat["prefix"] + repeat["unit"] * repeat["times"] + repeat["suffix"] if repeat else vector["text"]
    with pytest.raises(ProtocolError) as caught:
        protocol.parse(text)
    assert caught.value.code == vector["code"]
    assert vector.get("mentions", "") in str(caught.value)
    assert json.loads(encoding.encode_error(caught.value))["code"] == vector["code"]


@pytest.mark.parametrize("text", [r'{"type":"start","id":"\ud800"}', '{"type":"ping","timestamp":1e999}'])
def test_what_could_not_be_sent_back_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        protocol.parse(text)
    assert caught.value.code == "bad_json"


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_every_event_is_written_as_the_vectors_say(event: turns.Event) -> None:
    written = json.loads(encoding.encode(event))
    vector = next(v for v in VECTORS["server"] if v["type"] == written["type"])
    assert written == vector


def test_every_kind_of_event_is_in_the_vectors() -> None:
    assert {type(event) for event in EVENTS} == set(typing.get_args(turns.Event))


def test_the_timings_add_up_to_the_processing_time() -> None:
    final = turns.FinalHeard("7", "", 1.0, 1.0, False, {"a_ms": 1.26, "b_ms": 2.34})
    written = json.loads(encoding.encode(final))
    assert written["processing_time_ms"] == pytest.approx(sum(written["timings"].values()))


def test_welcome_pong_and_goodbye_are_written_as_the_vectors_say() -> None:
    vectors = {v["type"]: v for v in VECTORS["server"]}
    welcome = vectors["welcome"]
    facts = {k: v for k, v in welcome.items() if k not in ("type", "version", "name", "sample_rate")}
    assert json.loads(encoding.encode_welcome(**facts)) == welcome
    pong = json.loads(encoding.encode_pong(messages.Ping(1732270000), 1732270000.1234))
    assert pong == vectors["pong"]
    assert json.loads(encoding.encode_goodbye("restart", 2000)) == vectors["goodbye"]
    assert json.loads(encoding.encode_received("7", 1.0561)) == vectors["received"]


@pytest.mark.parametrize("kind", ["start", "stop", "cancel"])
def test_an_empty_id_is_no_id(kind: str) -> None:
    message = protocol.parse(json.dumps({"type": kind, "id": ""}))
    assert isinstance(message, messages.Start | messages.Stop | messages.Cancel)
    assert message.id is None
