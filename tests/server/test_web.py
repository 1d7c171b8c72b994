"""The server on real speech, and what it says to bad input. Every test leaves it working for the next."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.typing import Origin

from tests.support.caller import Caller, caller
from tests.support.server import MODELS, ROOT, RunningServer, running_server


async def heard_right(person: Caller, question: bytes) -> None:
    """The connection still works: a spoken question is understood and answered aloud."""
    turn = await person.say(question, pace=0)
    assert turn.first("final")["text"] == "what is seven times eight"
    assert "56" in turn.first("answer")["text"]
    assert len(turn.audio) > 16_000


async def test_a_spoken_question_is_answered_with_text_sound_and_times(person: Caller, question: bytes) -> None:
    welcome = await person.hello(language="en", reply_rate=22050)
    assert welcome["spoken"]["en"] is True and welcome["chunk_size"] == 1024
    turn = await person.say(question)
    kinds = [message["type"] for message in turn.messages]
    assert kinds[0] == "listening" and "partial" in kinds
    assert kinds[-4:] == ["final", "answer", "speech_start", "speech_end"]
    assert turn.first("final")["text"] == "what is seven times eight"
    assert "56" in turn.first("answer")["text"]
    ended = turn.first("speech_end")
    assert ended["processing_time_ms"] == pytest.approx(sum(ended["timings"].values()), abs=0.2)
    assert len(turn.audio) / 2 / 22050 == pytest.approx(ended["audio_s"], abs=0.01)


async def test_chunks_of_every_size_give_the_same_transcript(person: Caller, question: bytes) -> None:
    texts = set()
    for chunk_bytes in (512, 1024, 2048, 4096, 32_000):
        turn = await person.say(question, chunk_bytes=chunk_bytes, pace=0, until="answer")
        texts.add(turn.first("final")["text"])
    assert texts == {"what is seven times eight"}


async def test_german_is_answered_in_german(person: Caller) -> None:
    turn = await person.type("was ist sieben mal acht", language="de")
    answer = turn.first("answer")
    assert answer["language"] == "de" and "56" in answer["text"]
    assert len(turn.audio) > 8_000


async def test_the_guides_ping_typed_into_a_plain_client_gets_its_answer(person: Caller) -> None:
    await person.socket.send('{"type": "ping", "timestamp": 1732270000}')
    pong = await person.receive()
    assert pong["type"] == "pong" and pong["timestamp"] == 1732270000


async def test_the_page_port_speaks_the_same_protocol(server: RunningServer) -> None:
    async with caller(f"ws://localhost:{server.page_port}/ws", origin=server.page) as person:
        await person.send(type="ping", timestamp="x")
        assert (await person.receive())["timestamp"] == "x"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type":', "bad_json"),
        ('{"type":"strat"}', "unknown_type"),
        ('{"type":"start","sample_rate":44100}', "bad_sample_rate"),
        ('{"type":"start","language":"fr"}', "unknown_language"),
        ('{"type":"stop"}', "not_started"),
        ('{"type":"cancel"}', "not_started"),
        ('{"type":"text","text":"' + "a" * 501 + '"}', "text_too_long"),
        (b"\0\0", "not_started"),
    ],
)
async def test_a_wrong_message_gets_its_code_and_the_connection_works_on(
    person: Caller, question: bytes, message: str | bytes, code: str
) -> None:
    await person.socket.send(message)
    error = await person.receive()
    assert (error["type"], error["code"]) == ("error", code)
    assert error["message"]
    await heard_right(person, question)


async def test_an_odd_number_of_bytes_is_refused_and_the_utterance_goes_on(person: Caller, question: bytes) -> None:
    await person.send(type="start", id="1")
    await person.socket.send(question[:1024])
    await person.socket.send(b"\0\0\0")
    error = await person.receive("error")
    assert error["code"] == "odd_bytes" and "3 bytes" in error["message"]
    await person.socket.send(question[1024:33_000])
    for start in range(33_000, len(question), 32_000):
        await person.socket.send(question[start : start + 32_000])
    await person.send(type="stop", id="1")
    assert (await person.receive("final"))["text"] == "what is seven times eight"


async def test_start_twice_is_refused_and_the_first_utterance_goes_on(person: Caller, question: bytes) -> None:
    await person.send(type="start", id="first")
    await person.send(type="start", id="second")
    assert (await person.receive("error"))["code"] == "already_started"
    for start in range(0, len(question), 4096):
        await person.socket.send(question[start : start + 4096])
    await person.send(type="stop", id="first")
    final = await person.receive("final")
    assert (final["id"], final["text"]) == ("first", "what is seven times eight")


async def test_sound_after_stop_is_refused_once(person: Caller, question: bytes) -> None:
    await person.say(question, pace=0)
    for _ in range(3):
        await person.socket.send(b"\0\0")
    await person.send(type="ping", timestamp=1)
    assert (await person.receive())["code"] == "not_started"
    assert (await person.receive())["type"] == "pong"


@pytest.mark.parametrize("pcm", [b"", bytes(32_000)], ids=["no bytes", "a second of silence"])
async def test_nothing_said_is_answered_honestly(person: Caller, pcm: bytes) -> None:
    turn = await person.say(pcm, pace=0)
    assert turn.first("final")["text"] == ""
    answer = turn.first("answer")
    assert answer["understood"] is False and answer["text"]


async def test_a_cancelled_utterance_is_forgotten(person: Caller, question: bytes) -> None:
    await person.send(type="start", id="1")
    await person.socket.send(question[:20_000])
    await person.send(type="cancel", id="1")
    assert (await person.receive("cancelled"))["id"] == "1"
    await heard_right(person, question)


async def test_ten_megabytes_close_only_that_connection(server: RunningServer, person: Caller, question: bytes) -> None:
    other = await connect(server.url, max_size=None)
    with pytest.raises(ConnectionClosedError):
        await other.send(bytes(10_000_000))
        await other.recv()
    assert other.close_code == 1009
    await heard_right(person, question)


async def test_too_long_an_utterance_is_decoded_as_far_as_it_went_and_the_person_is_told(question: bytes) -> None:
    seconds = len(question) / 32_000
    with running_server({"MAX_AUDIO_DURATION": f"{seconds + 0.5:.2f}", "AUDIO_CHUNK_SIZE": "2048"}) as server:
        async with caller(server.url) as person:
            assert (await person.hello())["chunk_size"] == 2048
            turn = await person.say(question + bytes(64_000), pace=0)
            errors = [message["code"] for message in turn.messages if message["type"] == "error"]
            assert errors == ["audio_too_long"]
            final = turn.first("final")
            assert final["truncated"] is True and final["text"] == "what is seven times eight"
            await heard_right(person, question)


async def test_barge_in_ends_the_old_reply_and_answers_the_new_question(person: Caller, question: bytes) -> None:
    await person.send(type="text", id="long", text="what can you do")
    await person.receive("speech_start")
    await person.send(type="text", id="new", text="what is two plus two")
    ended = await person.receive("speech_end")
    assert (ended["id"], ended["interrupted"]) == ("long", True)
    assert (await person.receive("answer"))["id"] == "new"
    assert (await person.receive("speech_end"))["interrupted"] is False


async def test_a_client_that_wants_no_sound_gets_none(person: Caller) -> None:
    await person.hello(speak=False)
    turn = await person.type("hello", until="answer")
    await person.send(type="ping", timestamp=1)
    assert (await person.receive())["type"] == "pong"
    assert turn.audio == b""


def fetch(url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return response.status, response.read(), dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def test_the_page_and_its_guide_names_are_served_with_a_strict_policy(server: RunningServer) -> None:
    status, body, headers = fetch(server.page + "/")
    assert status == 200 and b"<html" in body
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    for path in (
        "/core/OptimizedAudioStreamer.js",
        "/shared/core/OptimizedAudioStreamer.js",
        "/shared/workers/audio-streaming-worklet.js?v=1",
    ):
        status, _, headers = fetch(server.page + path)
        assert status == 200 and headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/../setup.py", "/%2e%2e/setup.py", "/core/../../setup.py", "/nothing.js", "/core"])
def test_nothing_outside_the_page_is_served(server: RunningServer, path: str) -> None:
    assert fetch(server.page + path)[0] == 404


def test_another_host_name_is_not_answered(server: RunningServer) -> None:
    assert fetch(server.page + "/", Host="evil.example")[0] == 421


def test_nothing_but_get_is_answered(server: RunningServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(server.page + "/", method="DELETE"), timeout=10)
    assert refused.value.code == 405
    refused.value.close()


def test_health_and_readiness_are_told(server: RunningServer) -> None:
    assert fetch(server.page + "/healthz")[0] == 200
    assert fetch(server.page + "/readyz")[0] == 200


async def test_another_sites_page_may_not_connect(server: RunningServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(server.url, origin=Origin("https://evil.example")):
            pass
    assert refused.value.response.status_code == 403


def start(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start the assistant where it cannot start; what it says."""
    environment = (
        os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "STIMME_MODELS": str(MODELS),
            "STIMME_STATE": str(folder / "state"),
            "STIMME_PAGE_PORT": "0",
            "STIMME_PORT": "0",
        }
        | settings
    )
    return subprocess.run(
        [sys.executable, "-m", "appliance", "run"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_named_and_the_exit_code_is_2(server: RunningServer, tmp_path: Path) -> None:
    result = start(tmp_path, STIMME_PORT=str(server.port))
    assert result.returncode == 2
    assert f"port {server.port}" in result.stderr and "STIMME_PORT" in result.stderr


def test_a_malformed_env_file_is_named_and_the_exit_code_is_2(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AUDIO_CHUNK_SIZE=lots\n")
    result = start(tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("stimme: AUDIO_CHUNK_SIZE") and result.stderr.count("\n") == 1


@pytest.mark.parametrize("damage", ["missing", "corrupted"])
def test_a_missing_or_damaged_model_is_named_and_the_exit_code_is_3(tmp_path: Path, damage: str) -> None:
    model = tmp_path / "model"
    if damage == "corrupted":
        for name in ("am/final.mdl", "conf/mfcc.conf", "graph/words.txt", "graph/HCLr.fst", "graph/Gr.fst"):
            (model / name).parent.mkdir(parents=True, exist_ok=True)
            (model / name).write_text("--no-such-option=1\n")
    result = start(tmp_path, STIMME_RECOGNIZER_EN=str(model))
    assert result.returncode == 3, result.stderr
    assert str(model) in result.stderr


def test_an_unknown_voice_is_named_and_the_exit_code_is_3(tmp_path: Path) -> None:
    result = start(tmp_path, STIMME_VOICE_EN="en_GB-nobody-high")
    assert result.returncode == 3
    assert "en_GB-nobody-high" in result.stderr


async def test_a_whole_longest_utterance_may_be_sent_at_once(person: Caller, question: bytes) -> None:
    """A page that was cut off says it again: nothing slows it down, and pings are answered meanwhile."""
    await person.send(type="start", id="again")
    for start in range(0, 28 * 32_000, 32_000):
        await person.socket.send((question + bytes(29 * 32_000))[start : start + 32_000])
    await person.send(type="ping", timestamp=1)
    async with asyncio.timeout(5):
        await person.receive("pong")
    await person.send(type="stop", id="again")
    assert (await person.receive("final"))["text"] == "what is seven times eight"


def test_an_address_that_cannot_be_listened_on_is_named(tmp_path: Path) -> None:
    result = start(tmp_path, STIMME_HOST="203.0.113.1")
    assert result.returncode == 2
    assert "203.0.113.1" in result.stderr and "STIMME_HOST" in result.stderr
