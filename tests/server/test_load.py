"""A hundred people speak within the same ten seconds, twenty others misbehave, and everyone gets what is theirs."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.audio.pcm import Recording
from appliance.hearing.pool import RecognizerPool
from appliance.models.choose import find_recognizer
from appliance.workers import Workers
from tests.benchmarks.load import Json, run
from tests.support import hostile
from tests.support.caller import caller
from tests.support.crowd import PEOPLE, crowd
from tests.support.server import MODELS, running_server

HOSTILE = 20


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return crowd()


async def alone(files: list[Path]) -> list[str]:
    """What each sentence gives when nobody else speaks."""
    choice = find_recognizer("en", MODELS)
    assert choice is not None
    workers = Workers(1, "alone")
    try:
        pool = RecognizerPool({"en": choice.path}, workers)
        await pool.open()
        recordings = [Recording(file.read_bytes(), 512) for file in files]
        return [(await pool.transcribe(one, "en", on_partial=lambda _: None)).text for one in recordings]
    finally:
        workers.close()


async def test_a_hundred_at_once_each_get_their_own_words_and_their_own_reply(files: list[Path]) -> None:
    expected = await alone(files)
    assert len(set(expected)) > 0.95 * PEOPLE, "the sentences must differ for this test to mean anything"
    with running_server({"MAX_CONNECTIONS": "300"}) as server:
        async with caller(server.url) as person:
            replies = {
                text: (await person.type(text, until="answer")).first("answer")["text"]
                for text in expected
                if " plus " in text
            }
        offenders = [
            asyncio.create_task(hostile.for_ever(kind, server.port))
            for kind in itertools.islice(itertools.cycle(hostile.KINDS), HOSTILE)
        ]
        got: Json = await asyncio.to_thread(
            run,
            "speak",
            port=server.port,
            files=[str(file) for file in files],
            seconds=10,
            chunk_bytes=1024,
            dialect="stimme",
            speak=False,
            until="answer",
            seed=1,
        )
        for offender in offenders:
            offender.cancel()
        await asyncio.wait(offenders)
        assert server.process.poll() is None
        log = server.log.read_text()
    people = got["people"]
    assert [person["text"] for person in people] == expected
    assert [person["heard"] for person in people] == expected, "the reply must be to one's own words"
    wrong = [person for person in people if person["text"] in replies and person["answer"] != replies[person["text"]]]
    assert len(replies) > 30 and wrong == []
    assert "Traceback" not in log


def test_a_crowd_that_talks_without_end_loses_no_sample(files: list[Path]) -> None:
    with running_server({"MAX_CONNECTIONS": "300"}) as server:
        got = run("stream", port=server.port, connections=200, seconds=5, chunk_bytes=1024, file=str(files[0]))
    assert got["errors"] == []
    assert got["answered"] == 200
    assert got["received_samples"] == got["sent_samples"] > 0


def test_more_connections_than_the_usual_limit_of_open_files_are_possible() -> None:
    script = (
        "import resource as r; hard = r.getrlimit(r.RLIMIT_NOFILE)[1]; r.setrlimit(r.RLIMIT_NOFILE, (64, hard));"
        "from appliance.server.web import allow_descriptors as allow; allow(200); allow(100);"
        "print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 200
