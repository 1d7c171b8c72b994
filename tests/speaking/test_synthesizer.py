"""Replies as sound: the right words, at the asked rate, from the first clause on, and shared fairly."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from appliance.audio.pcm import SAMPLE_BYTES
from appliance.errors import ModelError
from appliance.hearing.pool import RecognizerPool
from appliance.language import Language
from appliance.models.choose import find_voice
from appliance.speaking.languages import reading
from appliance.speaking.pace import Cost
from appliance.speaking.said import Clause, Said
from appliance.speaking.synthesizer import LONGEST_SPEECH_S, Synthesizer, _rounded_off
from appliance.workers import Workers
from tests.support.kit import pieces, samples, transcribe
from tests.support.speech import word_errors

LONG = "I have set a timer for five minutes, and I will tell you when it is done. After that we can have lunch."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What time is it?", "what time is it"),
        ("Set a timer for five minutes.", "set a timer for five minutes"),
        ("Turn on the kitchen light! Good night.", "turn on the kitchen light good night"),
        ("The temperature is 21 °C.", "the temperature is twenty one degrees celsius"),
    ],
)
async def test_what_is_spoken_is_heard(synthesizer: Synthesizer, pool: RecognizerPool, text: str, words: str) -> None:
    pcm = b"".join(await pieces(synthesizer, text))
    heard = (await transcribe(pool, bytes(6400) + pcm)).text
    assert word_errors(words, heard)[0] <= 1, heard


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
async def test_a_reply_comes_at_the_rate_that_was_asked_for(synthesizer: Synthesizer, rate: int) -> None:
    pcm = b"".join(await pieces(synthesizer, "Guten Morgen zusammen.", "de", rate))
    reference = b"".join(await pieces(synthesizer, "Guten Morgen zusammen.", "de", 22_050))
    assert len(pcm) / 2 / rate == pytest.approx(len(reference) / 2 / 22_050, abs=0.002)
    spectrum = np.abs(np.fft.rfft(samples(pcm).astype(float)))
    below_4_khz = spectrum[: 4_000 * len(samples(pcm)) // rate]
    assert below_4_khz.sum() > 0.5 * spectrum.sum()


@pytest.mark.parametrize("language", ["en", "de"])
async def test_speech_is_as_fast_as_it_is_wanted(synthesizer: Synthesizer, language: Language) -> None:
    text = "Good morning, it is half past seven." if language == "en" else "Guten Morgen, es ist halb acht."
    lengths = []
    for speed in (0.5, 1.0, 2.0, 3.0):
        async with aclosing(synthesizer.speak(text, language, rate=16_000, speed=speed)) as chunks:
            lengths.append(len(b"".join([chunk async for chunk in chunks])))
    slow, normal, double, triple = (length / lengths[1] for length in lengths)
    # Pico leaves its pauses as they are, and a network's phonemes last whole frames.
    assert 1.6 < slow < 2.2 and normal == 1 and 0.45 < double < 0.7 and 0.3 < triple < 0.6


async def test_another_voice_is_loaded_when_somebody_wants_it(synthesizer: Synthesizer, tmp_path: Path) -> None:
    pico = find_voice("en", tmp_path, "pico")
    assert pico is not None
    synthesizer._others = {"en": {"pico": pico.path}}
    said = []
    for voice in ("", "pico", "nobody"):
        async with aclosing(synthesizer.speak("Thirteen ducks.", "en", rate=16_000, voice=voice)) as chunks:
            said.append(b"".join([chunk async for chunk in chunks]))
    assert said[0] == said[2] and said[0] != said[1] and len(said[1]) > 8_000


async def test_sound_begins_before_the_clause_is_finished(synthesizer: Synthesizer) -> None:
    text = "This sentence has not been said before today."
    async with aclosing(synthesizer.speak(text, "en", rate=16_000)) as chunks:
        first = await anext(chunks)
        (clause,) = synthesizer._under_way.values()
        assert 0.1 < len(first) / 2 / 16_000 < 0.35
        assert not clause._finished
        assert len(b"".join([chunk async for chunk in chunks])) > 3 * len(first)


async def test_a_reply_is_as_loud_as_it_may_be_and_never_clips(synthesizer: Synthesizer) -> None:
    sound = samples(b"".join(await pieces(synthesizer, LONG))).astype(int)
    assert 0.4 * 32767 < np.abs(sound).max() < 32767


def test_peaks_are_rounded_off_and_the_rest_is_left_alone() -> None:
    line = np.linspace(-3, 3, 601, dtype=np.float32)
    bent = _rounded_off(line)
    inside = np.abs(line) <= 0.8
    np.testing.assert_array_equal(bent[inside], line[inside])
    assert np.all(np.diff(bent) >= 0) and np.abs(bent).max() <= 1
    np.testing.assert_allclose(bent, -bent[::-1], atol=1e-6)


async def test_a_repeated_clause_comes_from_memory(synthesizer: Synthesizer) -> None:
    # Voices are random: two syntheses of the same text differ.
    first = await pieces(synthesizer, "It is a quarter to nine.")
    assert await pieces(synthesizer, "It is a quarter to nine.") == first
    assert await pieces(synthesizer, "It is a quarter to nine.", rate=8_000) != first


async def test_the_same_clause_for_many_is_synthesised_once(synthesizer: Synthesizer) -> None:
    replies = await asyncio.gather(*(pieces(synthesizer, "It is a quarter past nine.") for _ in range(10)))
    assert all(reply == replies[0] for reply in replies)


async def test_a_listener_who_leaves_does_not_cut_off_the_others(synthesizer: Synthesizer) -> None:
    text = "Somebody else is listening to this sentence as well."
    staying = asyncio.create_task(pieces(synthesizer, text))
    leaving = synthesizer.speak(text, "en", rate=16_000)
    await anext(leaving)
    await leaving.aclose()
    assert len(b"".join(await staying)) > 32_000


async def test_a_cancelled_reply_leaves_nothing_running(synthesizer: Synthesizer) -> None:
    for steps in (0, 1, 3, 10, 30):
        text = f"Try number {steps} is a sentence that nobody has said before and that takes a while to say."
        task = asyncio.create_task(pieces(synthesizer, text))
        for _ in range(steps):
            await asyncio.sleep(0.002)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert synthesizer._workers.queued == 0
        assert await asyncio.wait_for(synthesizer._workers.run(int), 0.05) == 0  # the thread is free
    del task
    gc.collect()
    assert len(synthesizer._under_way) == 0


async def test_a_new_reply_begins_before_an_old_one_is_finished(synthesizer: Synthesizer) -> None:
    order: list[str] = []

    async def listen(name: str, text: str) -> None:
        async with aclosing(synthesizer.speak(text, "en", rate=16_000)) as chunks:
            async for _ in chunks:
                order.append(name)

    old = asyncio.create_task(listen("old", "This is a long reply, which goes on. " + " ".join(["And on and on."] * 3)))
    while not order:  # noqa: ASYNC110 - the sound itself is the signal
        await asyncio.sleep(0.001)
    await listen("new", "This one came later.")
    assert "old" in order[order.index("new") :] or not old.done()
    await old
    assert order.index("new") < 4


async def test_everybody_hears_a_first_piece_before_anybody_hears_a_second(tmp_path: Path) -> None:
    workers, voice = Workers(1, "test"), _Counting()
    synthesizer = Synthesizer({}, workers, tmp_path)
    synthesizer._voices["en"] = voice  # type: ignore[assignment]
    texts = [f"Listener number {number}, who has a second clause. And a third." for number in range(8)]
    replies = await asyncio.gather(*(pieces(synthesizer, text) for text in texts))
    workers.close()
    assert [len(reply) for reply in replies] == [6] * 8
    assert {piece for _, piece in voice.said[:8]} == {0} and len({clause for clause, _ in voice.said[:8]}) == 8


async def test_memory_goes_back_to_the_system_when_nobody_has_been_spoken_to_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back = asyncio.Event()
    monkeypatch.setattr("appliance.speaking.synthesizer.IDLE_S", 0.05)
    monkeypatch.setattr("appliance.speaking.synthesizer.give_back", given_back.set)
    workers = Workers(1, "test")
    synthesizer = Synthesizer({}, workers, tmp_path)
    synthesizer._voices["en"] = _Counting()  # type: ignore[assignment]
    async with aclosing(synthesizer.speak("One. Two.", "en", rate=16_000)) as chunks:
        await anext(chunks)
        await pieces(synthesizer, "Another reply is over before this one.")
        await asyncio.sleep(0.1)
        assert not given_back.is_set()
    await asyncio.wait_for(given_back.wait(), 5)
    workers.close()


async def test_a_text_without_words_is_silence(synthesizer: Synthesizer) -> None:
    assert await pieces(synthesizer, " … ") == []


async def test_what_the_voice_cannot_pronounce_is_silence(synthesizer: Synthesizer) -> None:
    sound = samples(b"".join(await pieces(synthesizer, "_"))).astype(int)
    assert len(sound) < 32_000 and not (abs(sound) > 300).any()
    spoken = samples(b"".join(await pieces(synthesizer, "Hello."))).astype(int)
    assert (abs(spoken) > 3000).any(), "what is loud is found to be loud"


async def test_a_language_without_a_voice_is_refused(tmp_path: Path) -> None:
    workers = Workers(1, "test")
    with pytest.raises(ModelError, match="no voice for language 'en', only for: none"):
        await pieces(Synthesizer({}, workers, tmp_path), "Hello.")
    workers.close()


@pytest.mark.parametrize("rate", [0, -1, 7_999, 48_001, 192_000])
async def test_a_rate_that_nothing_plays_is_refused(synthesizer: Synthesizer, rate: int) -> None:
    with pytest.raises(ValueError, match=f"rate {rate} Hz, expected 8000 to 48000"):
        await pieces(synthesizer, "Hello.", rate=rate)


async def test_a_missing_voice_is_named(tmp_path: Path) -> None:
    workers = Workers(1, "test")
    synthesizer = Synthesizer({"en": tmp_path / "en_US-none-low.onnx"}, workers, tmp_path)
    with pytest.raises(ModelError, match="en_US-none-low.onnx: missing or empty"):
        await synthesizer.open()
    workers.close()


class _Counting:
    """A voice with three pieces of 0.2 s for every clause, which notes the order in which they are made."""

    voice = SimpleNamespace(name="counting")
    cost = Cost()

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []

    def synthesize(self, clause: str, rate: int, speed: float = 1.0) -> Iterator[bytes]:
        for piece in range(3):
            self.said.append((clause, piece))
            time.sleep(0.002)  # long enough for everybody to have asked
            yield bytes(2 * rate // 5)


def failing() -> Iterator[bytes]:
    yield bytes(2)
    raise ModelError("the voice broke")


async def test_memory_of_clauses_is_bounded_and_forgets_the_oldest() -> None:
    said, workers = Said(100_000), Workers(1, "test")
    for number in range(20):
        clause = Clause(iter([bytes(32_000)]), 16_000)  # a second of silence
        while await clause.piece(1, workers, nullcontext):
            pass
        said.keep(("en", str(number), 16_000, 1.0), clause)
        assert said.get(("en", "0", 16_000, 1.0)) is not None  # asked for again and again, so it stays
    kept = [number for number in range(20) if said.get(("en", str(number), 16_000, 1.0))]
    assert kept == [0, 18, 19]
    workers.close()


async def test_everybody_who_waits_for_a_failing_clause_hears_of_it() -> None:
    workers, clause = Workers(1, "test"), Clause(failing(), 16_000)
    assert await clause.piece(0, workers, nullcontext) == bytes(2)
    for _ in range(2):
        with pytest.raises(ModelError, match="the voice broke"):
            await clause.piece(1, workers, nullcontext)
    workers.close()


async def test_what_was_synthesised_is_counted_and_what_comes_from_memory_is_not(synthesizer: Synthesizer) -> None:
    before = synthesizer.stats
    said, again = [b"".join(await pieces(synthesizer, "Thirteen ducks swim.")) for _ in range(2)]
    after = synthesizer.stats
    assert said == again
    assert after.audio_s - before.audio_s == pytest.approx(len(samples(said)) / 16_000)
    assert after.work_s > before.work_s
    assert (after.made, after.in_use, after.waiting, after.limit) == (2, 0, 0, 1)


async def test_a_text_that_would_speak_for_minutes_is_cut_and_says_so(synthesizer: Synthesizer) -> None:
    text = "Remind me to " + "買" * 420  # which an English voice reads by name: a minute and a half in one clause
    chunks = await pieces(synthesizer, text)
    spoken_s = len(b"".join(chunks)) / SAMPLE_BYTES / 16_000
    assert LONGEST_SPEECH_S < spoken_s < LONGEST_SPEECH_S + 6
    said = await pieces(synthesizer, reading("en").left_out)
    assert b"".join(chunks).endswith(b"".join(said))


async def test_a_clause_that_was_cut_short_is_not_remembered_as_whole(synthesizer: Synthesizer) -> None:
    await pieces(synthesizer, "買" * 240)
    assert not any(clause.startswith("買") for _, clause, *_ in synthesizer._said._clauses)


async def test_a_text_that_is_still_being_written_sounds_as_if_it_had_been_whole(synthesizer: Synthesizer) -> None:
    text = "Dr. Smith is here, and the sun is shining. It is three. Good night"

    async def written() -> AsyncIterator[str]:
        for begin in range(0, len(text), 7):
            yield text[begin : begin + 7]

    async with aclosing(synthesizer.speak(written(), "en", rate=16_000)) as chunks:
        pieced = b"".join([chunk async for chunk in chunks])
    assert pieced == b"".join(await pieces(synthesizer, text))


async def test_a_first_clause_is_spoken_before_the_second_is_written(synthesizer: Synthesizer) -> None:
    async def written() -> AsyncIterator[str]:
        yield "It is three. "
        await asyncio.Event().wait()

    async with aclosing(synthesizer.speak(written(), "en", rate=16_000)) as chunks:
        assert await anext(chunks)
